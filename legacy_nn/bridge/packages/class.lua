-- class: classes by name, with one parent each. Source: torch/class init.lua.

local env = require 'argcheck.env'

local class = {}
local by_name = {}    -- name -> metatable
local children = {}   -- name -> set of the names of the class and its descendants
local of_ctype = {}   -- number of a C type -> name

local function constructor_table(mt)
  return setmetatable({}, {__index = mt, __newindex = mt, __metatable = mt,
                           __call = function(self, ...) return self.new(...) end})
end

local function register_ctype(name, ctype)
  local id = assert(tonumber(ctype), 'invalid ffi ctype')
  if of_ctype[id] then
    error(('ctype <%s> already considered as <%s>'):format(tostring(ctype), of_ctype[id]), 0)
  end
  of_ctype[id] = name
end

function class.new(name, parent_name, ctype)
  if type(parent_name) == 'cdata' then parent_name, ctype = nil, parent_name end
  assert(type(name) == 'string', 'class: a name expected')
  assert(not by_name[name], ('class <%s> already exists'):format(name))
  local parent = parent_name and by_name[parent_name]
  if parent_name and not parent then
    error(('parent class <%s> does not exist'):format(parent_name), 0)
  end
  if ctype then register_ctype(name, ctype) end
  local mt = {__typename = name}
  mt.__index = mt
  function mt.__factory() return setmetatable({}, mt) end
  function mt.__init() end
  function mt.new(...)
    local self = mt.__factory()
    self:__init(...)
    return self
  end
  by_name[name], children[name] = mt, {[name] = true}
  if not parent then return constructor_table(mt) end
  setmetatable(mt, parent)
  local ancestor = parent
  while ancestor do
    children[ancestor.__typename][name] = true
    ancestor = getmetatable(ancestor)
  end
  return constructor_table(mt), parent
end

function class.factory(name)
  local mt = by_name[name]
  if not mt then error(('unknown class <%s>'):format(name), 2) end
  return mt.__factory()
end

function class.metatable(name) return by_name[name] end

local function name_of(object)
  local kind = type(object)
  if kind == 'cdata' then return of_ctype[tonumber(require('ffi').typeof(object))] end
  if kind == 'userdata' or kind == 'table' then
    local mt = getmetatable(object)
    return type(mt) == 'table' and rawget(mt, '__typename') or nil
  end
end

function class.type(object) return name_of(object) or type(object) end

function class.istype(object, typename)
  local name = name_of(object)
  if not name then return type(object) == typename end
  local known = children[typename]
  if known then return known[name] or false end
  return name == typename  -- a type of some other system
end

-- argcheck knows these types, too.
env.istype = class.istype

return setmetatable(class, {__call = function(_, ...) return class.new(...) end})
