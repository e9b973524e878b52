-- What crosses between Lua and Python, and how each side finds the other's object again.
--
-- Every file of this folder is called with B, the table they share; programs never see it. Python
-- functions are reached only through closures made here: their objects stay in upvalues.
--
-- Python gets numbers, strings, booleans and nil as they are, and its own objects for whatever
-- stands for one. A plain table gets an id, and Python is asked for the Table of that id; Python
-- fetches the table itself through B.take, a function of the main thread: references that are made
-- while a coroutine runs die with the coroutine.

local B = ...
local host = B.host

local rawtype, rawget, select, error = type, rawget, select, error
local getfenv, getmt = debug.getfenv, debug.getmetatable

-- The key under which a stand-in keeps the Python object it stands for: in the environment of
-- userdata, in the table itself where a table became one.
local HANDLE = {}
B.HANDLE = HANDLE

-- The key under which a row that Lua made of a tensor keeps the memory it is in: see tensors.lua.
local MEMORY = {}
B.MEMORY = MEMORY

-- What Python functions return for an error, and for their first argument.
local FAIL, SELF = B.FAIL, B.SELF

local PYTHON = getmt(host.find)  -- the metatable of Python's objects

-- luaL_error puts the line of the caller first; LuaJIT does not count the frames of tail calls.
local CALLER = jit and 2 or 3
B.CALLER = CALLER

local next_id = 0
local id_of = setmetatable({}, {__mode = 'k'})  -- table or function -> id

local passing
function B.take() return passing end

local find = host.find

local function out_by_id(v, make)
  local id = id_of[v]
  if id then
    local found = find(id)
    if found ~= nil then return found end
  else
    next_id = next_id + 1
    id = next_id
    id_of[v] = id
  end
  passing = v
  return make(id)
end

local python_of = setmetatable({}, {__mode = 'k'})  -- closure around a Python function -> it
B.python_of = python_of

local function out_function(f)
  local found = python_of[f]
  if found ~= nil then return found end
  return out_by_id(f, host.new_function)
end

local fresh  -- whether Python has just made the Table of a table
local met = setmetatable({}, {__mode = 'k'})  -- table -> the metatable that Python knows it has

local function new_table(id)
  fresh = true
  return host.new_table(id)
end

local function out_table(t)
  local mt = getmt(t)
  if mt ~= nil and rawtype(mt) == 'table' then
    local out_instance = rawget(mt, B.OUT)  -- how instances of a Torch class cross
    if out_instance then return out_instance(t, mt) end
  end
  fresh = false
  local found = out_by_id(t, new_table)
  if mt ~= met[t] or fresh and mt ~= nil then
    met[t] = mt
    host.set_metatable(found, B.out(mt))
  end
  return found
end
B.OUT = {}

-- Gives a table the metatable that its Table has in Python.
function B.table_meet(t, mt)
  met[t] = mt
  debug.setmetatable(t, mt)
end

-- What objects of a class have beside their fields.
function B.class_entry(t, key)
  local mt = getmt(t)
  return B.out(mt and mt[key])
end

function B.out_object(t, typename, version)
  return out_by_id(t, function(id) return host.new_object(id, typename, version) end)
end

function B.object_of_class(t, typename)
  local mt = B.metatables[typename]
  if mt == nil then error(('unknown Torch class <%s>'):format(typename), 0) end
  debug.setmetatable(t, mt)
  return t, id_of[t]
end

local NEGATIVE_ZERO = host.negative_zero()

local function out(v)
  local kind = rawtype(v)
  if kind == 'number' then
    if v == 0 and 1 / v < 0 then return NEGATIVE_ZERO end  -- whole numbers become Python's int
    return v
  end
  if kind == 'string' or kind == 'boolean' or kind == 'nil' then return v end
  if kind == 'userdata' then
    local env = getfenv(v)
    local handle = env and rawget(env, HANDLE)
    if handle ~= nil then return handle end
    if getmt(v) == PYTHON then return v end
    if env and rawget(env, MEMORY) then return B.made_row(v, env) end
  elseif kind == 'table' then
    local handle = rawget(v, HANDLE)
    if handle ~= nil then return handle end
    return out_table(v)
  elseif kind == 'function' then
    return out_function(v)
  end
  return out_by_id(v, host.new_opaque)
end
B.out = out

local function outs(n, a, ...)
  if n == 0 then return end
  if n == 1 then return out(a) end
  return out(a), outs(n - 1, ...)
end
B.outs = outs

local getinfo = debug.getinfo

local function finish(first, result, ...)
  if result == SELF then return first end
  if result == FAIL then
    -- Torch's operators were functions in C, which have no lines: errors in them name none.
    local caller = getinfo(CALLER, 'S')
    error((...), caller and caller.source:find('^=%[rekindle') and 0 or CALLER)
  end
  return result, ...
end

B.finish = finish

-- Returns a Lua function that calls a guarded Python function.
function B.bind(f)
  local function bound(...)
    local n = select('#', ...)
    if n == 1 then
      local a = ...
      return finish(a, f(out(a)))
    elseif n == 2 then
      local a, b = ...
      return finish(a, f(out(a), out(b)))
    elseif n == 3 then
      local a, b, c = ...
      return finish(a, f(out(a), out(b), out(c)))
    end
    return finish((...), f(outs(n, ...)))
  end
  return bound
end

function B.bind_public(f, original)
  local bound = B.bind(f)
  python_of[bound] = original
  return bound
end

-- Python's view of a table: plain accesses, whose values cross.

function B.table_get(t, k) return out(rawget(t, k)) end
function B.table_set(t, k, v) rawset(t, k, v) end

function B.table_new()
  local t = {}
  next_id = next_id + 1
  id_of[t] = next_id
  return t, next_id
end

local rawnext = next
B.rawnext = rawnext

function B.table_count(t)
  local n = 0
  for _ in rawnext, t do n = n + 1 end
  return n
end

-- Returns how many entries there are, and a table of the keys: 1, 2, ... first and in order.
function B.table_keys(t)
  local keys, n = {}, 0
  while rawget(t, n + 1) ~= nil do
    n = n + 1
    keys[n] = n
  end
  local last = n
  for k in rawnext, t do
    if rawtype(k) ~= 'number' or k < 1 or k > last or k % 1 ~= 0 then
      n = n + 1
      keys[n] = k
    end
  end
  return n, keys
end

function B.table_item(t, keys, i)
  local k = keys[i]
  return out(k), out(rawget(t, k))
end

-- Python's objects in Lua, by their address: the address is another object's only when the
-- stand-in is gone, for it keeps the object alive.
local by_id = setmetatable({}, {__mode = 'v'})
B.by_id = by_id
function B.find(id) return by_id[id] end

local newproxy, setfenv, setmt = newproxy, debug.setfenv, debug.setmetatable

function B.stand_in(id, handle, mt)
  local u = by_id[id]
  if u ~= nil then return u end
  u = newproxy(false)
  setfenv(u, {[HANDLE] = handle})
  setmt(u, mt)
  by_id[id] = u
  return u
end

function B.closure(id, f, original)
  local c = by_id[id]
  if c == nil then
    c = B.bind_public(f, original)
    by_id[id] = c
  end
  return c
end

-- Calls from Python: errors come back as values, with the traceback of where they arose.
local xpcall_, traceback = xpcall, debug.traceback

if not jit then  -- in Lua 5.1 it calls functions without arguments
  local plain = xpcall_
  function xpcall_(f, handle, ...)
    local n, args = select('#', ...), {...}
    return plain(function() return f(unpack(args, 1, n)) end, handle)
  end
end
B.rawxpcall = xpcall_

local trace
local function handler(e)
  trace = traceback('', 2)
  return e
end

local function report(ok, ...)
  if ok then return true, outs(select('#', ...), ...) end
  local e = ...
  if rawtype(e) == 'userdata' and getmt(e) == PYTHON then return false, e, trace end
  return false, out(e), trace
end

function B.call(f, ...)
  return report(xpcall_(f, handler, ...))
end
