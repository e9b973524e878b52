-- Python's objects as Lua sees them: stand-ins with a class's metatable, whose fields are Python's.
--
-- The metatable of a class that Python knows is a shell: it holds the metamethods, and its methods lie
-- in a table of their own, so that every write to the class is seen and told to Python. A stand-in is
-- userdata, for that alone makes `#`, and is called a table by `type`, as in Torch. A plain table
-- that is given such a metatable is one too: what it is given to Python as takes over its fields.

local B = ...
local host, HANDLE, torch = B.host, B.HANDLE, B.torch

local rawtype, rawget, rawset, rawnext, error = type, rawget, rawset, B.rawnext, error
local getmt, setmt, getfenv = debug.getmetatable, debug.setmetatable, debug.getfenv

local METHODS = {}  -- key of a shell's methods
local OWNER = {}    -- key of its Python class
local BUILTIN = {}  -- key of its mark, where Lua did not make the class
B.METHODS = METHODS
B.USERDATA = {}    -- key of its mark, where `type` says what Torch's objects are: userdata

function B.from_python(mt) return rawget(mt, OWNER) ~= nil end
function B.is_builtin(mt) return rawget(mt, BUILTIN) == true end

local function handle_of(object)
  if rawtype(object) == 'userdata' then return rawget(getfenv(object), HANDLE) end
  return rawget(object, HANDLE)
end

local get_field, set_field = host.get_field, B.bind(host.set_field)
local finish, out = B.finish, B.out

-- What an object has under a key, apart from its class.
local function field(object, key)
  local handle = handle_of(object)
  if handle == nil then return rawget(object, key) end
  return finish(object, get_field(handle, out(key)))
end
B.field = field

local function object_index(object, key)
  local value = field(object, key)
  if value ~= nil then return value end
  local mt = getmt(object)
  local special = mt.__index__
  if special ~= nil then
    local found
    value, found = special(object, key)
    if found then return value end
  end
  return mt[key]
end

local function object_newindex(object, key, value)
  local special = getmt(object).__newindex__
  if special ~= nil and special(object, key, value) then return end
  local handle = handle_of(object)
  if handle == nil then
    rawset(object, key, value)
  else
    set_field(handle, key, value)
  end
end

-- The methods of a shell, then those of its parent's.
local function method(mt, key)
  while mt do
    local methods = rawget(mt, METHODS)
    if methods == nil then return mt[key] end
    local found = methods[key]
    if found ~= nil then return found end
    mt = rawget(getmt(mt), '__metatable')
  end
end

local set_method = B.bind(host.set_method)

local function shell_newindex(mt, key, value)
  rawget(mt, METHODS)[key] = value
  set_method(rawget(mt, OWNER), key, value)
end

local METAMETHODS = {
  '__tostring', '__add', '__sub', '__mul', '__div', '__mod', '__pow', '__unm', '__concat',
  '__len', '__eq', '__lt', '__le', '__call',
}
local plain = B.plain_operators

-- Returns the metatable of a Python class.
function B.shell(owner, name, parent, version, builtin, userdata)
  local mt = {
    __index = object_index, __newindex = object_newindex,
    __typename = name, __version = version,
    [METHODS] = {}, [OWNER] = owner, [BUILTIN] = builtin, [B.USERDATA] = userdata,
  }
  for _, key in ipairs(METAMETHODS) do mt[key] = plain[key] end
  mt.__metatable = mt
  mt[B.OUT] = B.table_into_object
  B.names[mt] = name
  setmt(mt, {__index = method, __newindex = shell_newindex, __metatable = parent or false})
  return mt
end

-- Fills in the methods of a class: `name` calls the Python function `f`.
function B.add_method(mt, name, f, original)
  rawget(mt, METHODS)[name] = B.bind_public(f, original)
end

-- Makes a class known by its name, and its constructor table an entry of `module`.
function B.publish(mt, name, constructor, module)
  B.name_metatable(mt, name)
  local made = B.constructor_table(mt)
  local new = B.bind(constructor)
  rawset(getmt(made), '__new', new)
  rawset(mt, '__constructor', made)
  rawset(mt, '__factory', function() return B.python_instance(mt) end)
  rawget(mt, METHODS).new = new
  if module ~= nil then rawset(module, name:match('[^.]*$'), made) end
  return made
end

local subclass = B.bind(host.subclass)
function B.python_subclass(name, parent) return subclass(name, rawget(parent, OWNER)) end

local instance = B.bind(host.new_instance)
function B.python_instance(mt) return instance(rawget(mt, OWNER)) end

-- A plain table with the metatable of a Python class becomes an object: its fields move there.
function B.table_into_object(t, mt)
  local fields = {}
  for k, v in rawnext, t do fields[k] = v end
  for k in rawnext, fields do t[k] = nil end
  local handle = host.bare_instance(rawget(mt, OWNER))
  rawset(t, HANDLE, handle)
  B.by_id[host.pointer(handle)] = t
  for k, v in rawnext, fields do set_field(handle, k, v) end
  return handle
end
