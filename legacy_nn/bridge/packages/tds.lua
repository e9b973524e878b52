-- tds: containers that Python holds. Their entries are reached through metamethods.
--
-- Source: torch/tds hash.lua, vec.lua.

require 'torch'
local _, parts, B = ...
local tds, host, made = parts.module, parts.host, parts.made
local METHODS = {insert = true, remove = true, resize = true, sort = true, concat = true,
                 concatstorage = true}
for name in pairs(METHODS) do METHODS[name] = host[name] end

local function walk(vec)
  local i = 0
  return function()
    i = i + 1
    if i <= host.length(vec) then return i, host.get(vec, i) end
  end
end

local function walk_hash(hash)
  local keys, i = host.keys(hash), 0
  return function()
    while true do
      i = i + 1
      local key = keys[i]
      if key == nil then return nil end
      local value = host.get(hash, key)
      if value ~= nil then return key, value end
    end
  end
end

local function key_text(key)
  local kind = type(key)
  if kind == 'string' or kind == 'number' or kind == 'boolean' then return tostring(key) end
  return torch.type(key)
end

-- What print shows: the first twenty entries, further lines of a value below its first.
local function described(container, name, pairs_of)
  local keys, texts, width = {}, {}, name == 'tds.Vec' and 5 or 0
  for key, value in pairs_of(container) do
    keys[#keys + 1], texts[#texts + 1] = key_text(key), tostring(value)
    width = math.max(width, #keys[#keys])
    if #keys == 20 then break end
  end
  local lines = {('%s[%d]{'):format(name, #container)}
  for i, key in ipairs(keys) do
    local fill = (' '):rep(width - #key)
    local start = (name == 'tds.Vec' and fill .. key or key .. fill) .. ' : '
    local indent = (' '):rep(#start)
    lines[#lines + 1] = start .. texts[i]:gsub('\n([^\n])', '\n' .. indent .. '%1')
  end
  if #keys == 20 then lines[#lines + 1] = '...' end
  lines[#lines + 1] = '}'
  return table.concat(lines, '\n')
end

local function define(name, index, pairs_of)
  local mt = B.metatables['tds.' .. name]
  local above = debug.getmetatable(mt)
  debug.setmetatable(mt, nil)  -- so that these are entries of the metatable, not methods
  mt.__index, mt.__newindex = index, host.set
  mt.__len = function(container) return host.length(container) end
  mt.__tostring = function(container) return described(container, 'tds.' .. name, pairs_of) end
  mt.__pairs, mt.__ipairs = pairs_of, walk
  mt[B.USERDATA] = true
  debug.setmetatable(mt, above)
  local constructor = made[name]
  local class = setmetatable({}, {__call = function(_, ...) return constructor(...) end,
                                  __index = mt, __metatable = mt})
  tds[name], tds[name:lower()] = class, class
end

define('Hash', host.get, walk_hash)
define('Vec', function(vec, key)
  if type(key) == 'number' then
    if not (key > 0) then error('positive number expected as key', 2) end
    return host.get(vec, math.floor(key))
  end
  local method = METHODS[key]
  if method == nil then error('invalid key (number) or method name', 2) end
  return method
end, walk)

-- Arguments do not count, as in torch/tds atomic.lua: a counter is 0 at first.
function tds.AtomicCounter() return made.AtomicCounter() end
tds.atomic_counter = tds.AtomicCounter

-- A job that reads a counter until it changes lets the others go on.
local methods = rawget(B.metatables['tds.AtomicCounter'], B.METHODS)
methods.get = require('threads.wait').looking(methods.get)

return tds
