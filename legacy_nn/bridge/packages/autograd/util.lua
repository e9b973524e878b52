-- autograd.util: what functions that are differentiated are written with.
--
-- Source: twitter/torch-autograd src/util.lua.

local node = require 'autograd.node'
local util = {}

local SHORT = {float = 'torch.FloatTensor', double = 'torch.DoubleTensor',
               cuda = 'torch.CudaTensor'}

function util.cast(value, typename)
  typename = SHORT[typename] or typename
  if torch.isTensor(value) then return value:type(typename) end
  if type(value) ~= 'table' then return value end
  local out = {}
  for key, part in pairs(value) do out[key] = util.cast(part, typename) end
  return out
end

-- Comparisons of numbers and nodes: Lua asks metatables for two values of one type only.
function util.lt(a, b) return node.plain(a) < node.plain(b) end
function util.le(a, b) return node.plain(a) <= node.plain(b) end
function util.gt(a, b) return node.plain(a) > node.plain(b) end
function util.ge(a, b) return node.plain(a) >= node.plain(b) end
function util.eq(a, b) return node.plain(a) == node.plain(b) end

function util.oneHot(labels, n)
  n = n or labels:max()
  local out = labels.new(labels:size(1), n):zero()
  for i = 1, labels:size(1) do out[i][labels[i]] = 1 end
  return out
end

function util.logSumExp(x)
  local largest = torch.max(x)
  return torch.log(torch.sum(torch.exp(x - largest))) + largest
end

function util.logSoftMax(x) return x - util.logSumExp(x) end

function util.sigmoid(x) return torch.sigmoid(x) end

function util.sigmoidInPlace(output, input) return output:resizeAs(input):copy(torch.sigmoid(input)) end

function util.lookup(rows, positions)
  local sizes = torch.size(positions):totable()
  local found = torch.index(rows, 1, torch.long(torch.view(positions, -1)))
  sizes[#sizes + 1] = torch.size(found, 2)
  return torch.view(found, unpack(sizes))
end

function util.dropout(state, p)
  local kept = 1 - (p or 0)
  local mask = torch.mul(torch.bernoulli(util.newTensorLike(state), kept), 1 / kept)
  return torch.cmul(state, mask)
end

function util.setNotEqual(a, b, c, v)
  return torch.cmul(v, torch.typeAs(torch.eq(a, b), v))
end

function util.newTensorLike(x) return x.new(torch.size(x)) end

function util.zerosLike(x, like) return x.new(torch.size(like or x)):zero() end

function util.fill(x, value) return node.record('fill', x, value) end
util.fillSameSizeAs = util.fill

function util.selectSliceCopy(...) return node.record('selectSliceCopy', ...) end
function util.narrowSliceCopy(...) return node.record('narrowSliceCopy', ...) end
function util.indexAdd(...) return node.record('indexAdd', ...) end

function util.cat(x, y, dim)
  if torch.isTensor(x) then return torch.cat(x, y, dim or torch.nDimension(x)) end
  if torch.isTensor(x[1]) then return torch.cat(x, y or torch.nDimension(x[1])) end
  return node.record('numbers', x)
end

function util.typeAsIfNeeded(a, b)
  return torch.type(a) == torch.type(b) and a or torch.typeAs(a, b)
end

function util.defaultBool(value, default)
  if value == nil then return default end
  return value
end

-- Keys in the order in which flat lists have them: sorted, as texts where kinds differ.
local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  if not pcall(table.sort, keys) then
    table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  end
  return keys
end

function util.sortedFlatten(t, flat, shallow)
  return (util.sortedFlattenKeys(t, flat, {}, {}, shallow))
end

function util.sortedFlattenKeys(t, flat, keys, path, shallow)
  flat, keys, path = flat or {}, keys or {}, path or {}
  local function visit(value, top)
    if type(value) == 'table' and (top or not shallow) then
      for _, key in ipairs(sorted_keys(value)) do
        path[#path + 1] = key
        visit(value[key], false)
        path[#path] = nil
      end
    else
      flat[#flat + 1], keys[#keys + 1] = value, util.shallowCopy(path)
    end
  end
  visit(t, true)
  return flat, keys
end

function util.nestedGet(t, path, start)
  for i = start or 1, #(path or {}) do t = t[path[i]] end
  return t
end

function util.nestedSet(t, path, value, start)
  for i = start or 1, #path - 1 do t = t[path[i]] end
  t[path[#path]] = value
end

function util.shallowCopy(t)
  if type(t) ~= 'table' then return t end
  local copy = {}
  for key, value in pairs(t) do copy[key] = value end
  return copy
end

function util.deepCopy(t)
  if type(t) ~= 'table' then return t end
  local copy = {}
  for key, value in pairs(t) do copy[key] = util.deepCopy(value) end
  return copy
end

return util
