-- pl.import_into: Penlight's modules as variables, each loaded when it is first read.
--
-- Source: Penlight import_into.lua.

local NAMES = {'utils', 'path', 'dir', 'file', 'tablex', 'stringx', 'pretty', 'lapp', 'app', 'class',
               'types', 'compat', 'List'}
local known = {}
for _, name in ipairs(NAMES) do known[name] = true end

return function(env)
  env = env or {}
  local mt = getmetatable(env) or {}
  local before = mt.__index
  function mt.__index(t, name)
    if known[name] then
      local module = require('pl.' .. name)
      rawset(t, name, module)
      return module
    end
    if type(before) == 'function' then return before(t, name) end
    return before and before[name]
  end
  setmetatable(env, mt)
  rawset(env, 'utils', require 'pl.utils')
  return env, env
end
