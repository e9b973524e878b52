-- The language as Torch's LuaJIT had it, and standard functions that know Python's objects.

local B = ...
local host, HANDLE = B.host, B.HANDLE

local rawtype, rawnext, select, error = type, next, select, error
local rawget_, rawset_ = rawget, rawset
local getmt, getfenv = debug.getmetatable, debug.getfenv

table.pack = table.pack or function(...) return {n = select('#', ...), ...} end
table.unpack = table.unpack or unpack
string.gfind = string.gfind or string.gmatch
rawlen = rawlen or function(v) return #v end

local set_metatable = debug.setmetatable
function debug.setmetatable(v, mt)
  set_metatable(v, mt)
  return v
end

-- A stand-in that is an object to programs; nil for everything else.
local function object(v)
  local kind = rawtype(v)
  if kind == 'userdata' then
    local mt = getmt(v)
    if rawtype(mt) == 'table' and B.from_python(mt) then return rawget_(getfenv(v), HANDLE), mt end
  elseif kind == 'table' then
    local handle = rawget_(v, HANDLE)
    if handle ~= nil then return handle, getmt(v) end
  end
end

function type(...)
  local kind = rawtype(...)
  if kind == 'userdata' then
    local handle, mt = object((...))
    if handle ~= nil and not rawget_(mt, B.USERDATA) then return 'table' end
  end
  return kind
end
B.type = type

local keys_of = B.bind(host.field_names)

local function next_field(v, key)
  local handle = object(v)
  local names = keys_of(handle)
  local found = key == nil
  for _, name in ipairs(names) do
    if found then
      local value = B.field(v, name)
      if value ~= nil then return name, value end
    elseif name == key then
      found = true
    end
  end
end

local function next_method(mt, key)
  local methods = rawget_(mt, B.METHODS)
  local from_methods = key ~= nil and methods[key] ~= nil
  if not from_methods then
    local k, v = rawnext(mt, key)
    while rawtype(k) == 'table' do k, v = rawnext(mt, k) end  -- private keys
    if k ~= nil then return k, v end
    key = nil
  end
  return rawnext(methods, key)
end

function next(t, key)
  if object(t) ~= nil then return next_field(t, key) end
  if rawtype(t) == 'table' and rawget_(t, B.METHODS) then return next_method(t, key) end
  return rawnext(t, key)
end

local rawpairs, rawipairs = pairs, ipairs

local function fields_iterator(v)
  local names = keys_of((object(v)))
  local i = 0
  return function()
    while true do
      i = i + 1
      local name = names[i]
      if name == nil then return nil end
      local value = B.field(v, name)
      if value ~= nil then return name, value end
    end
  end, v, nil
end

function pairs(t)
  local mt = getmt(t)
  if mt ~= nil and rawtype(mt) == 'table' then
    local special = rawget_(mt, '__pairs')
    if special then return special(t) end
    if object(t) ~= nil then return fields_iterator(t) end
    if rawtype(t) == 'table' and rawget_(t, B.METHODS) then return next_method, t, nil end
  end
  return rawpairs(t)
end

local function next_index(t, i)
  i = i + 1
  local value = t[i]
  if value ~= nil then return i, value end
end

function ipairs(t)
  local mt = getmt(t)
  if mt ~= nil and rawtype(mt) == 'table' then
    local special = rawget_(mt, '__ipairs')
    if special then return special(t) end
    if object(t) ~= nil then return next_index, t, 0 end
  end
  return rawipairs(t)
end

function rawget(t, key)
  if object(t) ~= nil then return B.field(t, key) end
  if rawtype(t) == 'table' then
    local methods = rawget_(t, B.METHODS)
    if methods and methods[key] ~= nil then return methods[key] end
  end
  return rawget_(t, key)
end

local set_field = B.bind(host.set_field)

function rawset(t, key, value)
  local handle, mt = object(t)
  if handle ~= nil then
    set_field(handle, key, value)
  elseif rawtype(t) == 'table' and rawget_(t, B.METHODS) and rawget_(t, key) == nil then
    t[key] = value
  else
    rawset_(t, key, value)
  end
  return t
end

-- An exit or an interrupt goes through all protected calls.
local function through(ok, ...)
  if not ok and host.leaving() then error((...), 0) end
  return ok, ...
end
local pcall_, xpcall_ = pcall, B.rawxpcall
function pcall(...) return through(pcall_(...)) end
function xpcall(...) return through(xpcall_(...)) end

local execute = os.execute
function os.execute(command)
  host.flush()
  local status = execute(command)
  if command == nil then return status ~= 0 end
  if status == 0 then return true, 'exit', 0 end
  local code = status % 256 == 0 and status / 256 or status
  return nil, 'exit', code
end

local exit = B.bind(host.exit)
function os.exit(code)
  if code == nil or code == true then code = 0 elseif code == false then code = 1 end
  exit(code)
end

local running = coroutine.running
function coroutine.running()
  local co, main = running()
  if co == nil then return B.main, true end
  return co, main or false
end
