-- env: what Torch's prompt put into the global environment. Source: torch/env init.lua.

require 'torch'
require 'dok'

function _G.exit(code) os.exit(code) end

-- `table()` is a new table with the functions of `table` as methods.
setmetatable(table, {__call = function()
  local made = {}
  for name, f in pairs(table) do made[name] = f end
  return made
end})

-- Requires a package and makes all that it has global.
function _G.import(name, forced)
  local found = require(name)
  for key, value in pairs(type(found) == 'table' and found or _G[name]) do
    if forced or rawget(_G, key) == nil then rawset(_G, key, value) end
  end
end
