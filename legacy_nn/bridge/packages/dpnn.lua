-- dpnn: modules as entries of `nn`, and the global `dpnn`.
--
-- Source: Element-Research/dpnn init.lua, Container.lua.

require 'nn'
local _, classes = ...
torch.AliasMultinomial, classes.AliasMultinomial = classes.AliasMultinomial, nil
for name, class in pairs(classes) do nn[name] = class end

function nn.Container:extend(...)
  for _, module in ipairs {...} do self:add(module) end
  return self
end

local dpnn = {version = 2, require = require}
rawset(_G, 'dpnn', dpnn)
return dpnn
