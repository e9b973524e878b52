-- pl.tablex: functions on tables and lists. Source: Penlight tablex.lua.

local utils = require 'pl.utils'
local types = require 'pl.types'
local function_arg = utils.function_arg

local tablex = {}

local function new_list(t) return setmetatable(t, require 'pl.List') end

local function like(result, t, is_list)
  local mt = getmetatable(t) or is_list and require 'pl.List'
  return mt and setmetatable(result, mt) or result
end

local function needs(test, what)
  return function(n, value)
    if not test(value) then error(('argument %d is not %s'):format(n, what), 3) end
  end
end
local indexable = needs(types.is_indexable, 'indexable')
local iterable = needs(types.is_iterable, 'iterable')

function tablex.update(t, other)
  iterable(2, other)
  for k, v in pairs(other) do t[k] = v end
  return t
end

function tablex.size(t)
  iterable(1, t)
  local n = 0
  for _ in pairs(t) do n = n + 1 end
  return n
end

function tablex.copy(t)
  iterable(1, t)
  return tablex.update({}, t)
end

local function copy_of(v, known)
  if type(v) ~= 'table' then return v end
  if known[v] then return known[v] end
  local made = {}
  known[v] = made
  for k, inner in pairs(v) do made[copy_of(k, known)] = copy_of(inner, known) end
  return setmetatable(made, getmetatable(v))
end
function tablex.deepcopy(t) return copy_of(t, {}) end

local function same(a, b, ignore_mt, eps, known)
  if type(a) ~= type(b) then return false end
  if type(a) ~= 'table' then
    return a == b or type(a) == 'number' and eps ~= nil and math.abs(a - b) < eps
  end
  if known[a] and known[a][b] then return true end
  local mt = getmetatable(a)
  if not ignore_mt and mt and mt.__eq then return a == b end
  for k in pairs(b) do
    if a[k] == nil then return false end
  end
  known[a] = known[a] or {}
  known[a][b] = true
  for k, v in pairs(a) do
    if b[k] == nil or not same(v, b[k], ignore_mt, eps, known) then return false end
  end
  return true
end
function tablex.deepcompare(a, b, ignore_mt, eps) return same(a, b, ignore_mt, eps, {}) end

function tablex.compare(a, b, cmp)
  indexable(1, a)
  indexable(2, b)
  cmp = function_arg(3, cmp)
  if #a ~= #b then return false end
  for i = 1, #a do
    if not cmp(a[i], b[i]) then return false end
  end
  return true
end

function tablex.compare_no_order(a, b, cmp)
  indexable(1, a)
  indexable(2, b)
  cmp = function_arg(3, cmp or '==')
  if #a ~= #b then return false end
  local used = {}
  for i = 1, #a do
    local match
    for j = 1, #b do
      if not match and not used[j] and cmp(a[i], b[j]) then match = j end
    end
    if not match then return false end
    used[match] = true
  end
  return true
end

local function from_end(t, index)
  if index and index < 0 then return #t + index + 1 end
  return index
end

function tablex.find(t, value, first)
  indexable(1, t)
  for i = from_end(t, first) or 1, #t do
    if t[i] == value then return i end
  end
  return nil
end

function tablex.rfind(t, value, last)
  indexable(1, t)
  for i = from_end(t, last) or #t, 1, -1 do
    if t[i] == value then return i end
  end
  return nil
end

function tablex.find_if(t, test, argument)
  iterable(1, t)
  test = function_arg(2, test)
  for k, v in pairs(t) do
    local found = test(v, argument)
    if found then return k, found end
  end
  return nil
end

function tablex.search(t, value, exclude)
  local known = {[t] = true}
  for _, v in pairs(exclude or {}) do known[v] = true end
  local function within(inner)
    for k, v in pairs(inner) do
      if v == value then return k end
    end
    for k, v in pairs(inner) do
      if type(v) == 'table' and not known[v] then
        known[v] = true
        local rest = within(v)
        if rest then
          if type(k) ~= 'string' then return '[' .. tostring(k) .. ']' .. tostring(rest) end
          return k .. '.' .. tostring(rest)
        end
      end
    end
  end
  return within(t)
end

function tablex.index_by(t, keys)
  local result = {}
  for i = 1, #keys do result[i] = t[keys[i]] end
  return like(result, t, true)
end

function tablex.map(f, t, ...)
  iterable(2, t)
  f = function_arg(1, f)
  local result = {}
  for k, v in pairs(t) do result[k] = f(v, ...) end
  return like(result, t)
end

function tablex.imap(f, t, ...)
  indexable(2, t)
  f = function_arg(1, f)
  local result = {}
  for i = 1, #t do result[i] = f(t[i], ...) or false end
  return like(result, t, true)
end

function tablex.map_named_method(name, t, ...)
  utils.assert_string(1, name)
  local result = {}
  for i = 1, #t do result[i] = t[i][name](t[i], ...) end
  return like(result, t, true)
end

function tablex.transform(f, t, ...)
  iterable(2, t)
  f = function_arg(1, f)
  for k, v in pairs(t) do t[k] = f(v, ...) end
end

function tablex.range(start, finish, step)
  local result = {}
  for i = start, finish, step or 1 do result[#result + 1] = i end
  return new_list(result)
end

function tablex.map2(f, a, b, ...)
  f = function_arg(1, f)
  local result = {}
  for k, v in pairs(a) do result[k] = f(v, b[k], ...) end
  return like(result, a, true)
end

function tablex.imap2(f, a, b, ...)
  f = function_arg(1, f)
  local result = {}
  for i = 1, math.min(#a, #b) do result[i] = f(a[i], b[i], ...) end
  return result
end

function tablex.mapn(f, ...)
  f = function_arg(1, f)
  local lists, result = {...}, {}
  local n = #lists > 0 and math.huge or 0
  for _, list in ipairs(lists) do n = math.min(n, #list) end
  for i = 1, n do
    local args = {}
    for j, list in ipairs(lists) do args[j] = list[i] end
    result[i] = f(unpack(args, 1, #lists))
  end
  return result
end

function tablex.zip(...) return tablex.mapn(function(...) return {...} end, ...) end

function tablex.reduce(f, t, memo)
  indexable(2, t)
  f = function_arg(1, f)
  if #t == 0 then return memo end
  local result = t[1]
  if memo then result = f(memo, t[1]) end
  for i = 2, #t do result = f(result, t[i]) end
  return result
end

function tablex.foreach(t, f, ...)
  iterable(1, t)
  f = function_arg(2, f)
  for k, v in pairs(t) do f(v, k, ...) end
end

function tablex.foreachi(t, f, ...)
  indexable(1, t)
  f = function_arg(2, f)
  for i = 1, #t do f(t[i], i, ...) end
end

-- f(key, value) returns a value and a key; values of the same key are gathered in a table.
function tablex.pairmap(f, t, ...)
  iterable(2, t)
  f = function_arg(1, f)
  local result = {}
  for k, v in pairs(t) do
    local value, key = f(k, v, ...)
    if not key then
      result[#result + 1] = value
    elseif not result[key] then
      result[key] = value
    elseif type(result[key]) == 'table' then
      table.insert(result[key], value)
    else
      result[key] = {result[key], value}
    end
  end
  return result
end

function tablex.keys(t) return new_list(tablex.pairmap(function(k) return k end, t)) end
function tablex.values(t) return new_list(tablex.pairmap(function(_, v) return v end, t)) end
function tablex.index_map(t) return tablex.pairmap(function(i, v) return i, v end, t) end
function tablex.makeset(t) return tablex.pairmap(function(_, v) return true, v end, t) end

function tablex.merge(a, b, all)
  iterable(1, a)
  iterable(2, b)
  local result = {}
  for k, v in pairs(a) do
    if all or b[k] then result[k] = v end
  end
  if all then tablex.update(result, b) end
  return like(result, a)
end
function tablex.union(a, b) return tablex.merge(a, b, true) end
function tablex.intersection(a, b) return tablex.merge(a, b, false) end

function tablex.difference(a, b, symmetric)
  iterable(1, a)
  iterable(2, b)
  local result = {}
  for k, v in pairs(a) do
    if b[k] == nil then result[k] = v end
  end
  if symmetric then
    for k, v in pairs(b) do
      if a[k] == nil then result[k] = v end
    end
  end
  return like(result, a)
end

function tablex.count_map(t, cmp)
  indexable(1, t)
  cmp = function_arg(2, cmp or '==')
  local result, counted = {}, {}
  for i = 1, #t do
    if not counted[t[i]] then
      result[t[i]] = 0
      for j = i, #t do
        if cmp(t[i], t[j]) then
          result[t[i]] = result[t[i]] + 1
          counted[t[j]] = true
        end
      end
    end
  end
  return result
end

function tablex.filter(t, test, argument)
  indexable(1, t)
  test = function_arg(2, test)
  local result = {}
  for i = 1, #t do
    if test(t[i], argument) then result[#result + 1] = t[i] end
  end
  return like(result, t, true)
end

function tablex._normalize_slice(t, first, last)
  return from_end(t, first) or 1, from_end(t, last) or #t
end

function tablex.sub(t, first, last)
  indexable(1, t)
  first, last = tablex._normalize_slice(t, first, last)
  local result = {}
  for i = first, last do result[#result + 1] = t[i] end
  return like(result, t, true)
end

local function copied(target, source, at, first, n)
  at, first = at or 1, first or 1
  local last = math.min(first + (n or #source) - 1, #source)
  local part = {}
  for i = first, last do part[#part + 1] = source[i] end
  for i, v in ipairs(part) do target[at + i - 1] = v end
  return at + #part
end

function tablex.icopy(target, source, at, first, n)
  tablex.clear(target, copied(target, source, at, first, n))
  return target
end

function tablex.move(target, source, at, first, n)
  copied(target, source, at, first, n)
  return target
end

function tablex.set(t, value, first, last)
  for i = first or 1, last or #t do t[i] = types.is_callable(value) and value(i) or value end
end

function tablex.new(n, value)
  local t = {}
  tablex.set(t, value, 1, n)
  return t
end

function tablex.clear(t, first)
  for _ = first or 1, #t do table.remove(t) end
end

function tablex.insertvalues(t, ...)
  local at, values = #t + 1, ...
  if select('#', ...) > 1 then at, values = ... end
  for i = #t, at, -1 do t[i + #values] = t[i] end
  for i, v in ipairs(values) do t[at + i - 1] = v end
  return t
end

function tablex.removevalues(t, first, last)
  first, last = tablex._normalize_slice(t, first, last)
  for _ = first, last do table.remove(t, first) end
  return t
end

local function in_order(t, before)
  local keys = {}
  for k in pairs(t) do keys[#keys + 1] = k end
  table.sort(keys, before)
  local i = 0
  return function()
    i = i + 1
    return keys[i], t[keys[i]]
  end
end
function tablex.sort(t, before) return in_order(t, before) end
function tablex.sortv(t, before)
  before = function_arg(2, before or '<')
  return in_order(t, function(a, b) return before(t[a], t[b]) end)
end

function tablex.readonly(t)
  return setmetatable({}, {
    __index = t, __len = function() return #t end, __metatable = false,
    __newindex = function() error('Attempt to modify read-only table', 2) end,
    __pairs = function() return pairs(t) end, __ipairs = function() return ipairs(t) end,
  })
end

return tablex
