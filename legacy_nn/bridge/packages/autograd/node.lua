-- Nodes: what a differentiated function sees in place of tensors and numbers.
--
-- A node keeps the tensor of core that has the history; a number's has no dimensions. The functions
-- of `torch` take nodes, too: where one is among the arguments, the call is recorded.
-- Source: twitter/torch-autograd src/overload.lua, src/runtime/direct.

local _, _, B = ...
require 'torch'
local host = B.bind(B.host.package_value)('autograd')
local rawget, rawset, rawtype, select = rawget, rawset, B.rawtype or type, select
local getmt = debug.getmetatable

local M = {host = host}
local Node = {}
local TENSOR, IS_NUMBER = {}, {}  -- keys of a node's parts

local function is_node(v) return getmt(v) == Node end
M.is_node = is_node

local function make(tensor, is_number)
  return setmetatable({[TENSOR] = tensor, [IS_NUMBER] = is_number}, Node)
end

local function is_plain_table(v) return type(v) == 'table' and getmt(v) == nil end

local function has_node(v)
  if is_node(v) then return true end
  if is_plain_table(v) then
    for _, part in pairs(v) do
      if has_node(part) then return true end
    end
  end
  return false
end
M.has_node = has_node

local function any_node(n, first, ...)
  if n == 0 then return false end
  if has_node(first) then return true end
  return any_node(n - 1, ...)
end

-- A value with what `of` makes of its nodes; tables without nodes stay what they are.
local function replaced(v, of)
  if is_node(v) then return of(v) end
  if is_plain_table(v) and has_node(v) then
    local copy = {}
    for key, part in pairs(v) do copy[key] = replaced(part, of) end
    return copy
  end
  return v
end

local function tensor_of(node) return rawget(node, TENSOR) end
local function value_of(node) return host.plain(rawget(node, TENSOR)) end

function M.bare(v) return replaced(v, tensor_of) end
function M.plain(v) return replaced(v, value_of) end
M.getValue = M.plain  -- its name in old versions
local bare, plain = M.bare, M.plain

local function all(of, n, first, ...)
  if n == 0 then return end
  if n == 1 then return of(first) end
  return of(first), all(of, n - 1, ...)
end

local function nodes_of(v)
  if torch.isTensor(v) then return make(v, false) end
  local nodes = {}
  for key, part in pairs(v) do nodes[key] = nodes_of(part) end
  return nodes
end

-- What Python returns: each value after the number that says what it is. See calls.py.
local function wrap(kind, value, ...)
  if kind == nil then return end
  if kind == 1 then
    value = make(value, false)
  elseif kind == 2 then
    value = make(value, true)
  elseif kind == 3 then
    value = nodes_of(value)
  end
  if select('#', ...) == 0 then return value end
  return value, wrap(...)
end
M.wrap = wrap

local watch  -- called with a function's name and its results, where a debugHook is set

local function watched(name, ...)
  if watch then watch(name, ...) end
  return ...
end

function M.record(name, ...)
  local n = select('#', ...)
  return watched(name, wrap(host.record(name, any_node(n, ...), all(bare, n, ...))))
end
local record = M.record

-- Calls a function with values in place of nodes.
local function with_values(f, ...)
  return f(all(plain, select('#', ...), ...))
end

-- -- what a node is ---------------------------------------------------------------------------

local METHODS = {}
for _, name in ipairs(host.differentiable) do
  METHODS[name] = function(...) return record(name, ...) end
end
for _, name in ipairs(host.constants) do
  METHODS[name] = function(...) return host.constant(name, all(bare, select('#', ...), ...)) end
end
for name, class in pairs {float = 'Float', double = 'Double', long = 'Long', int = 'Int',
                          byte = 'Byte', short = 'Short', char = 'Char', cuda = 'Float'} do
  METHODS[name] = function(x) return record('type', x, 'torch.' .. class .. 'Tensor') end
end

-- Methods that give a new tensor, or a number. Others write into their tensor, which is not recorded.
local PURE = {}
for _, name in ipairs {'view', 'viewAs', 'expand', 'expandAs', 'reshape', 'select', 'narrow', 'index',
                       'gather', 'transpose', 't', 'split', 'chunk', 'squeeze', 'repeatTensor',
                       'contiguous', 'clone', 'cat', 'type', 'typeAs', 'float', 'double', 'long',
                       'int', 'byte', 'short', 'char', 'cuda', 'sum', 'mean', 'prod', 'std', 'var',
                       'max', 'min', 'norm', 'dist', 'dot', 'trace', 'lt', 'le', 'gt', 'ge', 'eq',
                       'ne', 'all', 'any', 'equal'} do
  PURE[name] = METHODS[name]
end

local QUERIES = {}  -- methods that say something about a tensor, or make another
for _, name in ipairs {'size', 'dim', 'nDimension', 'nElement', 'numel', 'stride', 'isContiguous',
                       'isSameSizeAs', 'storageOffset', 'isSize', 'elementSize'} do
  QUERIES[name] = true
end

function Node.__index(node, key)
  if type(key) ~= 'string' then return record('get', node, key) end
  if PURE[key] then return PURE[key] end
  if key == 'raw' then return value_of(node) end  -- as in torch-autograd's optimised mode
  if rawget(node, IS_NUMBER) then return nil end
  local value = value_of(node)
  local found = value[key]
  if key == 'new' or type(found) ~= 'function' then return found end
  if QUERIES[key] then
    return function(_, ...) return with_values(found, value, ...) end
  end
  return function()
    error(('autograd: x:%s(...) of a tensor that is differentiated is not recorded; what is, are ' ..
           'functions that return a new tensor, such as torch.add(x, y)'):format(key), 2)
  end
end

function Node.__newindex(node, key, value)
  if type(key) == 'string' then error('autograd: a tensor has no fields', 2) end
  local _, tensor = host.record('set', true, rawget(node, TENSOR), key, bare(value))
  rawset(node, TENSOR, tensor)
end

for _, name in ipairs {'__add', '__sub', '__mul', '__div', '__pow'} do
  Node[name] = function(a, b) return record(name, a, b) end
end
function Node.__unm(a) return record('__unm', a) end
function Node.__lt(a, b) return plain(a) < plain(b) end
function Node.__le(a, b) return plain(a) <= plain(b) end
function Node.__concat(a, b) return tostring(plain(a)) .. tostring(plain(b)) end
function Node.__tostring(node) return tostring(value_of(node)) end

-- -- torch with nodes -------------------------------------------------------------------------

local function overload(owner, name, recorded)
  local old = rawget(owner, name)
  if old == nil then
    old = function(x, ...) return x[name](x, ...) end
  end
  rawset(owner, name, function(...)
    if any_node(select('#', ...), ...) then return recorded(...) end
    return old(...)
  end)
end
M.overload = overload

for name, method in pairs(METHODS) do
  if name:sub(1, 2) ~= '__' and name ~= 'get' and name ~= 'set' and name ~= 'fill'
      and name ~= 'numbers' and not name:find('[a-z]Copy$') and name ~= 'indexAdd'
      and name ~= 'type' then
    overload(torch, name, method)
  end
end
for _, name in ipairs {'size', 'dim', 'nDimension', 'nElement', 'numel', 'isSameSizeAs', 'isTensor',
                       'typename', 'isTypeOf'} do
  local f = torch[name] or function(x, ...) return x[name](x, ...) end
  overload(torch, name, function(...) return with_values(f, ...) end)
end
local type_of_values = torch.type
overload(torch, 'type', function(...) return with_values(type_of_values, ...) end)
for _, name in ipairs(host.refused) do
  if torch[name] and not METHODS[name] then
    overload(torch, name, function()
      error(('autograd: torch.%s has no gradient here'):format(name), 2)
    end)
  end
end

local OPERATORS = {add = '__add', sub = '__sub', mul = '__mul', div = '__div', pow = '__pow'}
local JOINING = {'cat', 'view', 'viewAs', 'expand', 'expandAs', 'dot'}
for _, class in ipairs {'Float', 'Double'} do
  local mt = torch.getmetatable('torch.' .. class .. 'Tensor')
  for name, recorded in pairs(OPERATORS) do
    overload(mt, '__' .. name .. '__', function(...) return record(recorded, ...) end)
  end
  for _, name in ipairs(JOINING) do overload(mt, name, METHODS[name]) end
end

-- -- gradients --------------------------------------------------------------------------------

local FLOATING = {['torch.FloatTensor'] = true, ['torch.DoubleTensor'] = true}

-- Returns an argument with nodes in place of what gradients are asked for, and where these are:
-- a number of `leaves`, or a table of such places.
local function begin(v, leaves)
  local number = type(v) == 'number'
  local node = is_node(v)
  if node or number or torch.isTensor(v) and FLOATING[torch.typename(v)] then
    local leaf = host.leaf(node and rawget(v, TENSOR) or v, node)
    leaves[#leaves + 1] = leaf
    return make(leaf, number or node and rawget(v, IS_NUMBER)), #leaves
  elseif is_plain_table(v) then
    local nodes, places = {}, {}
    for key, part in pairs(v) do nodes[key], places[key] = begin(part, leaves) end
    return nodes, places
  end
  return v, nil
end

local function at_places(places, found)
  if type(places) ~= 'table' then return places and found[places] end
  local gradients = {}
  for key, place in pairs(places) do gradients[key] = at_places(place, found) end
  return gradients
end

local function pack(...) return {n = select('#', ...), ...} end

local depth = 0

local function finish(ok, ...)
  depth = depth - 1
  if not ok then error((...), 0) end
  return pack(...)
end

-- Says where a value is not finite, as torch-autograd's debugger did.
local function watch_for(hook)
  local debugger = {}
  function debugger.generateDot() error('autograd: graphs are not drawn', 2) end
  debugger.showDot = debugger.generateDot
  return function(name, ...)
    for i = 1, select('#', ...) do
      local value = select(i, ...)
      if is_node(value) and not host.is_finite(rawget(value, TENSOR)) then
        local level, where = 2, debug.getinfo(2, 'Sl')
        while where and where.source:sub(1, 1) == '=' do
          level = level + 1
          where = debug.getinfo(level, 'Sl')
        end
        local file = where and where.source:match('^@(.*)') or '?'
        local text = B.bind(B.host.read_source)(file) or ''
        local line = where and where.currentline or 0
        local message = ('autograd debugger detected a nan or inf value for torch.%s\n   1: %s:%d')
        hook(debugger, message:format(name, file, line), {source = text, line = line})
      end
    end
  end
end

-- Returns the gradients of the first result of f(unpack(args)) for one argument, the results, and
-- how many these are. Inside of another differentiated function all of them are nodes.
function M.differentiate(f, args, n, position, partial, hook)
  local leaves, places = {}
  args[position], places = begin(args[position], leaves)
  local inside, before = depth > 0, watch
  watch = hook and watch_for(hook) or watch
  depth = depth + 1
  local values = finish(pcall(f, unpack(args, 1, n)))
  watch = before
  local found = pack(wrap(host.gradients(bare(values[1]), leaves, bare(partial), inside)))
  local gradients = at_places(places, found)
  if not inside then
    gradients = plain(gradients)
    for i = 1, values.n do values[i] = plain(values[i]) end
  end
  return gradients, values, values.n
end

return M
