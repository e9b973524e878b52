-- argcheck.env: what the types of rules mean; programs may replace these functions.
--
-- Source: torch/argcheck env.lua.

require 'torch'

local env = {}

local function matches(name, typename)
  local found = name:match(typename)
  return found ~= nil and (found ~= typename or found == name)
end

-- Whether an object is of a type: "number", "torch.DoubleTensor", "torch.*Tensor", a parent class.
function env.istype(object, typename)
  local name = torch.typename(object)
  if not name then return type(object) == typename end
  if matches(name, typename) then return true end
  local mt = torch.getmetatable(name)
  while mt do
    if mt.__typename and matches(mt.__typename, typename) then return true end
    mt = getmetatable(mt)
  end
  return false
end

function env.type(object) return torch.type(object) end

return env
