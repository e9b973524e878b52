-- nn: the global that `torch.class('nn.X', ...)` writes into.

require 'torch'
local _, nn = ...
rawset(_G, 'nn', nn)

-- Empties the named fields of a module. Source: torch/nn utils.lua.
function nn.utils.clear(self, ...)
  local names = {...}
  if type(names[1]) == 'table' then names = names[1] end
  for _, name in ipairs(names) do
    local value = self[name]
    if torch.isTensor(value) then
      value:set()
    elseif value ~= nil then
      self[name] = type(value) == 'table' and {} or nil
    end
  end
  return self
end

return nn
