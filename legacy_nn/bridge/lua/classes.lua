-- Torch's classes: metatables by name, the constructor tables, and the functions of `torch` on them.
--
-- Source: torch7 lib/luaT/luaT.c, init.lua.

local B = ...

local rawtype, rawget, rawset, error, select = type, rawget, rawset, error, select
local getmt, setmt = debug.getmetatable, debug.setmetatable

local metatables = {}                           -- by name
local names = setmetatable({}, {__mode = 'k'})  -- by metatable
B.metatables, B.names = metatables, names

local torch = {}
B.torch = torch

local function typename(v)
  local mt = getmt(v)
  return mt ~= nil and names[mt] or nil
end
B.typename = typename

local function mt_index(self, key)
  local mt = getmt(self)
  local special = mt.__index__
  if special ~= nil then
    local value, found = special(self, key)
    if found then return value end
  end
  return mt[key]
end

local function mt_newindex(self, key, value)
  local special = getmt(self).__newindex__
  if special ~= nil and special(self, key, value) then return end
  if rawtype(self) ~= 'table' then
    error(('the class %s cannot be indexed'):format(typename(self)), 2)
  end
  rawset(self, key, value)
end

local function isequal(a, b)
  return rawequal(a, b)
end

-- Keeps the frame of its caller: programs count the levels that Torch's C functions had.
local function pass(...) return ... end

-- An operator of objects is the method of that name with two underscores more.
local function operator(name, missing)
  local method = name .. '__'
  return function(...)
    local a, b = ...
    local mt = getmt(a)
    if mt == nil or names[mt] == nil then mt = getmt(b) end
    local f = mt[method]
    if f ~= nil then return pass(f(...)) end
    return missing(a, b)
  end
end

local function lacks(what)
  return function(a, b)
    error(('both %s and %s have no %s operator'):format(typename(a) or '(null)',
                                                     typename(b) or '(null)', what), 3)
  end
end

local function lacks_own(what)
  return function(a) error(('%s has no %s operator'):format(typename(a), what), 3) end
end

local OPERATORS = {
  __tostring = operator('__tostring', function(a) return typename(a) end),
  __add = operator('__add', lacks('addition')),
  __sub = operator('__sub', lacks('substraction')),
  __mul = operator('__mul', lacks('multiplication')),
  __div = operator('__div', lacks('division')),
  __mod = operator('__mod', lacks('modulo')),
  __pow = operator('__pow', lacks('power')),
  __unm = operator('__unm', lacks_own('negation')),
  __concat = operator('__concat', lacks('concat')),
  __len = operator('__len', lacks_own('length')),
  __eq = operator('__eq', isequal),
  __lt = operator('__lt', lacks('less-than')),
  __le = operator('__le', lacks('less-equal')),
  __call = operator('__call', lacks_own('call')),
}

B.plain_operators = OPERATORS

-- The table that a class of this name is kept in.
local function module_of(name)
  local package = name:match('^(.*)%.')
  if not package then return _G end
  local inner = _G
  for part in package:gmatch('[^.]+') do
    inner = inner[part]
    if rawtype(inner) ~= 'table' then
      error(('while creating metatable %s: bad argument #1 (%s is an invalid module name)')
              :format(name, package), 3)
    end
  end
  return inner
end

local function constructor_table(mt)
  return setmetatable({}, {
    __index = mt,
    __newindex = function(_, key, value) mt[key] = value end,
    __call = function(self, ...)
      local new = rawget(getmt(self), '__new')
      if new == nil then error('no constructor available', 2) end
      return pass(new(...))
    end,
    __metatable = mt,
  })
end

B.constructor_table = constructor_table

-- Returns the metatable of a new class: methods are entries, the parent is its own metatable.
local function plain_metatable(name)
  local mt = {__index = mt_index, __newindex = mt_newindex, __typename = name, __version = 1}
  for key, f in pairs(OPERATORS) do mt[key] = f end
  mt.__metatable = mt
  mt[B.OUT] = function(object) return B.out_object(object, name, mt.__version) end
  return mt
end

function B.name_metatable(mt, name)
  metatables[name], names[mt] = mt, name
end

function torch.newmetatable(name, parent, constructor, destructor, factory, module)
  if rawtype(name) ~= 'string' then
    error("bad argument #1 to 'newmetatable' (string expected)", 2)
  end
  module = module or module_of(name)
  local parent_mt
  if parent then
    parent_mt = metatables[parent]
    if not parent_mt then
      error(('bad argument #2 (invalid parent class name %s)'):format(parent), 2)
    end
  end
  local mt = metatables[name]
  if mt and B.is_builtin(mt) then mt = nil end  -- a program's own class of that name
  if mt and parent and getmt(mt) ~= nil then
    error(('class %s has been already assigned a parent class\n'):format(name), 2)
  end
  if parent_mt and B.from_python(parent_mt) then
    mt = B.python_subclass(name, parent_mt)
  elseif not mt then
    mt = plain_metatable(name)
  end
  B.name_metatable(mt, name)
  if parent_mt and getmt(mt) == nil then setmt(mt, parent_mt) end
  if destructor then rawset(mt, '__gc', destructor) end
  if factory then rawset(mt, '__factory', factory) end
  if rawget(mt, '__constructor') == nil then rawset(mt, '__constructor', constructor_table(mt)) end
  local made = rawget(mt, '__constructor')
  if constructor then
    rawset(getmt(made), '__new', constructor)
    rawset(mt, 'new', constructor)
  end
  rawset(module, name:match('[^.]*$'), made)
  return mt
end

function torch.class(...)
  local n = select('#', ...)
  local name, second, third = ...
  local parent, module
  if n == 3 and rawtype(second) == 'string' and rawtype(third) == 'table' then
    parent, module = second, third
  elseif n == 2 and rawtype(second) == 'string' then
    parent = second
  elseif n == 2 and rawtype(second) == 'table' then
    module = second
  elseif n ~= 1 then
    name = nil
  end
  if rawtype(name) ~= 'string' then
    error('<class name> [<parent class name>] [<module table>] expected', 2)
  end
  local mt
  local function factory() return B.new_instance(mt) end
  local function constructor(...)
    local self = B.new_instance(mt)
    if self.__init then self:__init(...) end
    return self
  end
  mt = torch.newmetatable(name, parent, constructor, nil, factory, module)
  return mt, parent and metatables[parent]
end

function torch.typename(...)
  if select('#', ...) == 0 then error("bad argument #1 to 'typename' (value expected)", 2) end
  local name = typename((...))
  if name then return name end
end

function torch.type(object)
  return typename(object) or type(object)
end

function torch.isTypeOf(object, spec)
  if rawtype(spec) ~= 'string' then
    spec = getmetatable(spec).__typename
    assert(rawtype(spec) == 'string', 'type must be provided as [regexp] string, or factory')
  end
  local mt = getmetatable(object)
  while mt do
    if rawtype(mt) == 'table' and mt.__typename then
      local match = mt.__typename:match(spec)
      if match and (match ~= spec or match == mt.__typename) then return true end
    end
    mt = getmetatable(mt)
  end
  return false
end

function torch.getmetatable(name) return metatables[name] end

function torch.setmetatable(object, name)
  local mt = metatables[name]
  if not mt then error(('unknown typename %s\n'):format(name), 2) end
  return B.adopt(object, mt)
end

function torch.factory(name)
  local mt = metatables[name]
  return mt and rawget(mt, '__factory') or nil
end

function torch.getconstructortable(name)
  local mt = metatables[name]
  if mt then return rawget(mt, '__constructor') end
end

function torch.version(object)
  local mt = getmt(object)
  if mt then return rawget(mt, '__version') end
end

torch.isequal = isequal

function torch.metatype(name, mt)
  metatables[name], names[mt] = mt, name
end

function torch.getenv(f) return debug.getfenv(f) or {} end

function torch.setenv(f, env) return debug.setfenv(f, env) end

function torch.isTensor(object)
  local name = typename(object)
  return name ~= nil and name:find('torch.*Tensor') ~= nil
end

function torch.isStorage(object)
  local name = typename(object)
  return name ~= nil and name:find('torch.*Storage') ~= nil
end

function torch.pointer(v)
  local kind = rawtype(v)
  if kind == 'userdata' or kind == 'table' and rawget(v, B.HANDLE) ~= nil then
    return B.host.pointer(B.out(v))
  elseif kind == 'string' or kind == 'cdata' or kind == 'table' or kind == 'thread'
      or kind == 'function' then
    return tonumber((('%p'):format(v)))
  end
  error('Torch object, table, thread, cdata or function expected', 2)
end

-- New objects of classes that are Lua's alone; objects.lua adds those that Python holds.
function B.new_instance(mt)
  if B.from_python(mt) then return B.python_instance(mt) end
  local self = {}
  setmt(self, mt)
  return self
end

function B.adopt(object, mt)
  setmt(object, mt)
  return object
end
