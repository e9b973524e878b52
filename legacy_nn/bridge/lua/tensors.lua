-- Tensors and storages: userdata of Torch's classes. What Lua can read by itself it reads.
--
-- Python keeps, for every tensor that Lua has seen, a structure with its geometry and the address of
-- its memory (mirror.py). Through it `dim`, `size`, `nElement` and single elements never leave Lua;
-- everything else, and everything unusual, is a call of the tensor library. Element writes from
-- here are not counted as writes, like those through `.numpy()`.

local B = ...
local host, HANDLE, torch = B.host, B.HANDLE, B.torch
local by_id = B.by_id

local rawtype, rawget = type, rawget
local newproxy, setfenv, setmt, getmt = newproxy, debug.setfenv, debug.setmetatable, debug.getmetatable
local has_ffi, ffi = pcall(require, 'ffi')

local NAMES = {  -- of CUDA's tensors, which are the CPU's here
  d = 'CudaDouble', f = 'Cuda', l = 'CudaLong', i = 'CudaInt', h = 'CudaShort', b = 'CudaChar',
  B = 'CudaByte', e = 'CudaHalf',
}

local TYPES = {  -- dtype character -> name of the element, C's type
  d = {'Double', 'double'}, f = {'Float', 'float'}, l = {'Long', 'int64_t'}, i = {'Int', 'int32_t'},
  h = {'Short', 'int16_t'}, b = {'Char', 'int8_t'}, B = {'Byte', 'uint8_t'}, e = {'Half', nil},
}

local is_class = {}  -- the metatables of tensors
local known = setmetatable({}, {__mode = 'k'})  -- tensor -> its structure, once it was looked at
local GEOMETRY
if has_ffi then
  GEOMETRY = ffi.typeof [[struct {
    double ndim, count, data, contiguous, written, size[8], stride[8];
  } *]]
end

local mirror, getfenv = host.mirror, debug.getfenv

-- Returns the structure of a tensor; nil for anything else.
local function geometry_of(t)
  local g = known[t]
  if g ~= nil then return g end
  if rawtype(t) ~= 'userdata' or not is_class[getmt(t)] then return nil end
  g = ffi.cast(GEOMETRY, mirror(rawget(getfenv(t), HANDLE)))
  known[t] = g
  return g
end

local floor, tonumber = math.floor, tonumber

-- Where an element is, or nil where Python has to be asked: it knows what to say.
local function position(g, key)
  if rawtype(key) == 'number' then
    local size = g.size[0]
    if g.ndim ~= 1 or key ~= floor(key) then return nil end
    if key < 0 then key = size + key + 1 end
    if key < 1 or key > size then return nil end
    return (key - 1) * g.stride[0]
  end
  local n = g.ndim
  local at = 0
  for d = 1, n do
    local k = rawget(key, d)
    if rawtype(k) ~= 'number' or k ~= floor(k) then return nil end
    local size = g.size[d - 1]
    if k < 0 then k = size + k + 1 end
    if k < 1 or k > size then return nil end
    at = at + (k - 1) * g.stride[d - 1]
  end
  if n < 1 or rawget(key, n + 1) ~= nil then return nil end
  return at
end

-- Returns the functions that read and write an element of one type.
local function element_access(ctype)
  local pointer = ffi.typeof('$ *', ffi.typeof(ctype))
  local cast = ffi.cast
  local limit = (ctype == 'double' or ctype == 'float') and math.huge or 2 ^ 31

  local function read(g, key)
    local at = position(g, key)
    if at ~= nil then return tonumber(cast(pointer, g.data)[at]) end
  end

  local function write(g, key, value)
    -- Numbers that no 32 bits hold become integers in Python, as C makes them.
    if limit ~= math.huge and not (value > -limit and value < limit) then return false end
    local at = position(g, key)
    if at == nil then return false end
    cast(pointer, g.data)[at] = value
    return true
  end

  return read, write
end

-- Lua's collector does not see what tensors take. A full collection follows so many bytes, as in
-- Torch, and so many tensors: dead ones keep the tables large that know them.
local bytes_taken, count_taken = 0, 0
local BYTES, COUNT = 3e8, 20000

local function own(bytes)
  bytes_taken, count_taken = bytes_taken + bytes, count_taken + 1
  if bytes_taken > BYTES or count_taken > COUNT then
    bytes_taken, count_taken = 0, 0
    collectgarbage()
  end
end

local tensor_mt, storage_mt = {}, {}  -- by dtype character

local function make(id, handle, mt)
  local u = newproxy(false)
  setfenv(u, {[HANDLE] = handle})
  setmt(u, mt)
  by_id[id] = u
  return u
end

function B.tensor(id, handle, char, bytes)
  local mt = tensor_mt[char]
  local u = by_id[id]
  if u == nil then
    own(bytes)
    u = make(id, handle, mt)
  elseif getmt(u) ~= mt then  -- its type was changed in place
    setmt(u, mt)
  end
  return u
end

function B.storage(id, handle, char)
  local u = by_id[id]
  if u == nil then u = make(id, handle, storage_mt[char]) end
  return u
end

-- Rows. `t[i]` of a matrix is made here, without Python: a structure of its own in the memory of t,
-- which it keeps alive. It becomes a tensor of Python when it goes there.

local MEMORY = B.MEMORY
local memory_of, made_row = host.memory_of, host.row
local WRITTEN = {}  -- key, beside MEMORY, of the count that the memory belongs to
local new_structure = has_ffi and ffi.typeof('struct { double ndim, count, data, contiguous, '
                                             .. 'written, size[8], stride[8]; }')

local function memory_at(t, g)
  local env = getfenv(t)
  local memory = rawget(env, MEMORY)
  if memory == nil or env[WRITTEN] ~= g.written then
    memory = memory_of(env[HANDLE])
    env[MEMORY], env[WRITTEN] = memory, g.written
  end
  return memory
end

local function make_row(t, g, i, element_size)
  local size = g.size[0]
  if i < 0 then i = size + i + 1 end
  if i ~= floor(i) or i < 1 or i > size then return nil end
  local row = new_structure()
  local n, count, contiguous = g.ndim - 1, 1, 1
  for d = n - 1, 0, -1 do
    row.size[d], row.stride[d] = g.size[d + 1], g.stride[d + 1]
    if row.size[d] ~= 1 and row.stride[d] ~= count then contiguous = 0 end
    count = count * row.size[d]
  end
  row.ndim, row.count, row.contiguous = n, count, contiguous
  row.data = g.data + (i - 1) * g.stride[0] * element_size
  local memory = memory_at(t, g)
  local u = newproxy(false)
  setfenv(u, {[MEMORY] = memory, [WRITTEN] = 0})
  setmt(u, getmt(t))
  known[u] = row
  return u
end

-- Makes a row a tensor of Python; from then on it is followed as others are.
function B.made_row(u, env)
  local g = known[u]
  local numbers, n = {}, g.ndim
  for d = 1, n do numbers[d], numbers[n + d] = g.size[d - 1], g.stride[d - 1] end
  local handle = made_row(env[MEMORY], g.data, unpack(numbers, 1, 2 * n))
  env[HANDLE], env[MEMORY] = handle, nil
  by_id[host.pointer(handle)] = u
  known[u] = nil
  return handle
end

-- Methods that the geometry answers; `slow` is the library's method.
local quick = {}

function quick.dim(slow)
  return function(t)
    local g = geometry_of(t)
    if g == nil or g.ndim < 0 then return slow(t) end
    return g.ndim
  end
end
quick.nDimension = quick.dim

function quick.nElement(slow)
  return function(t)
    local g = geometry_of(t)
    if g == nil or g.ndim < 0 then return slow(t) end
    return g.count
  end
end
quick.numel = quick.nElement

local function by_dimension(name)
  return function(slow)
    return function(t, d, ...)
      local g = geometry_of(t)
      if g == nil or rawtype(d) ~= 'number' or d < 1 or d > g.ndim or d ~= floor(d) then
        if d == nil then return slow(t) end
        return slow(t, d, ...)
      end
      return g[name][d - 1]
    end
  end
end
quick.size = by_dimension('size')
quick.stride = by_dimension('stride')

function quick.isContiguous(slow)
  return function(t)
    local g = geometry_of(t)
    if g == nil or g.ndim < 0 then return slow(t) end
    return g.contiguous ~= 0
  end
end

local function install(mt, char, methods, fast)
  for name, f in pairs(methods) do
    local metamethod = name:match('^__(%l+)$')
    if fast and quick[name] then f = quick[name](f) end
    if metamethod then
      if name ~= '__index' and name ~= '__newindex' then rawset(mt, name .. '__', f) end
    else
      if name ~= 'new' then rawset(mt, name, f) end  -- Torch's is the constructor: no self
    end
  end
  local slow_read, slow_write = methods.__index, methods.__newindex
  local ctype = TYPES[char][2]
  if fast and ctype then
    local read, write = element_access(ctype)
    local element_size = ffi.sizeof(ctype)
    rawset(mt, '__index', function(t, key)
      local kind = rawtype(key)
      if kind == 'string' then return mt[key] end
      if kind == 'number' or kind == 'table' then
        local g = geometry_of(t)
        if g.ndim > 0 then
          local value = read(g, key)
          if value ~= nil then return value end
          if kind == 'number' and g.ndim > 1 then
            value = make_row(t, g, key, element_size)
            if value ~= nil then return value end
          end
        end
      end
      return slow_read(t, key)
    end)
    rawset(mt, '__newindex', function(t, key, value)
      local kind = rawtype(key)
      if rawtype(value) == 'number' and (kind == 'number' or kind == 'table') then
        local g = geometry_of(t)
        if g.ndim > 0 and write(g, key, value) then return end
      end
      return slow_write(t, key, value)
    end)
  elseif slow_read then
    rawset(mt, '__index', function(t, key)
      if rawtype(key) == 'string' then return mt[key] end
      return slow_read(t, key)
    end)
    rawset(mt, '__newindex', function(t, key, value) return slow_write(t, key, value) end)
  end
end

-- Makes the class of tensors or storages of one element type, with the library's methods.
local function define(name, char, methods, constructor, fast)
  local mt = torch.newmetatable(name, nil, constructor, nil, constructor, torch)
  install(mt, char, methods, fast)
  if has_ffi and TYPES[char][2] then
    local pointer = ffi.typeof('$ *', ffi.typeof(TYPES[char][2]))
    -- The first element's address, good until the memory is resized. Source: torch7 FFI.lua.
    rawset(mt, 'data', function(t, as_number)
      local address = host.address(B.out(t))
      return as_number and address or ffi.cast(pointer, address)
    end)
  end
  rawset(mt, '__eq', rawequal)
  rawset(mt, B.OUT, nil)
  return mt
end

function B.define_tensors(char, tensor_methods, storage_methods, new_tensor, new_storage)
  local element = TYPES[char][1]
  for kind, of in pairs {Tensor = {tensor_mt, tensor_methods, new_tensor, has_ffi},
                         Storage = {storage_mt, storage_methods, new_storage, false}} do
    local by_char, methods, new, fast = unpack(of)
    local mt = define(('torch.%s%s'):format(element, kind), char, methods, new, fast)
    by_char[char] = mt
    is_class[mt] = kind == 'Tensor' or nil
    local cuda = ('torch.%s%s'):format(NAMES[char], kind)
    B.metatables[cuda] = mt
    rawset(torch, cuda:sub(7), rawget(mt, '__constructor'))
  end
end
