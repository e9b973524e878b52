-- moses: functions on tables; callbacks take key and value, as in the versions that Torch had.
--
-- Source: the manual of Yonaba/Moses 1.6.

local _ = {_VERSION = 'Moses v1.6.1'}
local moses = _  -- where loops have a `_` of their own

local function size(t)
  local n = 0
  for _ in pairs(t) do n = n + 1 end
  return n
end

function _.isTable(v) return type(v) == 'table' end
function _.isCallable(v)
  local mt = getmetatable(v)
  return type(v) == 'function' or type(mt) == 'table' and mt.__call ~= nil
end
function _.isNil(v) return v == nil end
function _.isNumber(v) return type(v) == 'number' end
function _.isString(v) return type(v) == 'string' end
function _.isFunction(v) return type(v) == 'function' end
function _.isBoolean(v) return type(v) == 'boolean' end
function _.isNaN(v) return type(v) == 'number' and v ~= v end
function _.isFinite(v) return type(v) == 'number' and v > -math.huge and v < math.huge end
function _.isInteger(v) return type(v) == 'number' and v % 1 == 0 end
function _.isArray(t)
  if type(t) ~= 'table' then return false end
  return size(t) == #t
end
function _.isEmpty(v)
  if v == nil then return true end
  if type(v) == 'string' then return #v == 0 end
  if type(v) == 'table' then return next(v) == nil end
  return true
end

function _.isEqual(a, b, use_mt)
  if type(a) ~= type(b) then return false end
  if type(a) ~= 'table' then return a == b end
  local mt = getmetatable(a)
  if use_mt and type(mt) == 'table' and mt.__eq then return a == b end
  if size(a) ~= size(b) then return false end
  for k, v in pairs(a) do
    if b[k] == nil or not _.isEqual(v, b[k], use_mt) then return false end
  end
  return true
end

function _.identity(v) return v end
function _.noop() end
function _.size(...)
  local first = ...
  if type(first) == 'table' then return size(first) end
  return select('#', ...)
end
function _.has(t, key) return t[key] ~= nil end

function _.keys(t)
  local keys = {}
  for k in pairs(t) do keys[#keys + 1] = k end
  return keys
end
function _.values(t)
  local values = {}
  for _, v in pairs(t) do values[#values + 1] = v end
  return values
end

function _.each(t, f, ...)
  for k, v in pairs(t) do f(k, v, ...) end
end
_.forEach = _.each

function _.map(t, f, ...)
  local result = {}
  for k, v in pairs(t) do
    local first, second = f(k, v, ...)
    if second ~= nil and second ~= false then
      result[first] = second
    else
      result[k] = first
    end
  end
  return result
end
_.collect = _.map

function _.reduce(t, f, state)
  for _, v in pairs(t) do
    if state == nil then state = v else state = f(state, v) end
  end
  return state
end
_.inject, _.foldl = _.reduce, _.reduce

function _.select(t, f, ...)
  local result = {}
  for k, v in pairs(t) do
    if f(k, v, ...) then result[#result + 1] = v end
  end
  return result
end
_.filter = _.select

function _.compact(t)
  local result = {}
  for _, v in pairs(t) do
    if v then result[#result + 1] = v end
  end
  return result
end

function _.reject(t, f, ...)
  local result = {}
  for k, v in pairs(t) do
    if not f(k, v, ...) then result[#result + 1] = v end
  end
  return result
end

function _.all(t, f, ...)
  for k, v in pairs(t) do
    if f(k, v, ...) ~= true then return false end
  end
  return true
end
_.every = _.all

local function tester(value)
  if _.isFunction(value) then return value end
  return function(v) return _.isEqual(v, value) end
end

function _.detect(t, value)
  local test = tester(value)
  for k, v in pairs(t) do
    if test(v, value) then return k end
  end
end
function _.include(t, value) return _.detect(t, value) ~= nil end
_.any, _.some, _.contains = _.include, _.include, _.include

function _.find(array, value, from)
  for i = from or 1, #array do
    if _.isEqual(array[i], value) then return i end
  end
end
function _.indexOf(array, value)
  for i = 1, #array do
    if array[i] == value then return i end
  end
end

function _.count(t, value)
  if value == nil then return size(t) end
  return #_.select(t, function(_, v) return moses.isEqual(v, value) end)
end

function _.pluck(t, key)
  local result = {}
  for _, v in pairs(t) do
    if v[key] then result[#result + 1] = v[key] end
  end
  return result
end

local function extreme(t, transform, better)
  local best
  for _, v in pairs(t) do
    v = transform and transform(v) or v
    if best == nil or better(v, best) then best = v end
  end
  return best
end
function _.max(t, transform) return extreme(t, transform, function(a, b) return a > b end) end
function _.min(t, transform) return extreme(t, transform, function(a, b) return a < b end) end

function _.sort(t, comp)
  table.sort(t, comp)
  return t
end
function _.reverse(array)
  local result = {}
  for i = #array, 1, -1 do result[#result + 1] = array[i] end
  return result
end
function _.groupBy(t, f, ...)
  local groups = {}
  for k, v in pairs(t) do
    local key = f(k, v, ...)
    groups[key] = groups[key] or {}
    table.insert(groups[key], v)
  end
  return groups
end

function _.slice(array, start, finish)
  local result = {}
  for i = start or 1, math.min(finish or #array, #array) do result[#result + 1] = array[i] end
  return result
end
function _.first(array, n) return _.slice(array, 1, n or 1) end
_.head, _.take = _.first, _.first
function _.last(array, n) return _.slice(array, n and #array - n + 1 or 2) end
function _.rest(array, index) return _.slice(array, index or 1) end
_.tail = _.rest
function _.initial(array, n) return _.slice(array, 1, #array - (n or 1)) end

function _.append(a, b)
  local result = _.slice(a)
  for _, v in ipairs(b) do result[#result + 1] = v end
  return result
end
function _.concat(array, ...) return table.concat(array, ...) end
function _.push(array, ...)
  for i = 1, select('#', ...) do table.insert(array, (select(i, ...))) end
  return array
end
function _.pop(array) return table.remove(array, 1) end
function _.unshift(array) return table.remove(array) end

function _.flatten(array, shallow)
  local result = {}
  for _, v in ipairs(array) do
    if type(v) == 'table' then
      for _, inner in ipairs(shallow and v or moses.flatten(v)) do
        result[#result + 1] = inner
      end
    else
      result[#result + 1] = v
    end
  end
  return result
end
function _.uniq(array)
  local result = {}
  for i = 1, #array do
    if not _.find(result, array[i]) then result[#result + 1] = array[i] end
  end
  return result
end
_.unique = _.uniq
function _.union(...) return _.uniq(_.flatten({...}, true)) end
function _.intersection(array, ...)
  local others = {...}
  return _.select(_.uniq(array), function(_, v)
    for i = 1, #others do
      if not moses.include(others[i], v) then return false end
    end
    return true
  end)
end
function _.difference(array, other)
  return _.select(array, function(_, v) return not moses.include(other or {}, v) end)
end
_.without = function(array, ...) return _.difference(array, {...}) end

function _.zip(...)
  local arrays, result = {...}, {}
  for i = 1, extreme(arrays, function(a) return #a end, function(a, b) return a > b end) or 0 do
    result[i] = _.pluck(arrays, i)
  end
  return result
end

function _.range(...)
  local start, finish, step = 0, ...
  if select('#', ...) > 1 then start, finish, step = ... end
  step = step or 1
  local result = {}
  for i = start, finish, step do result[#result + 1] = i end
  return result
end

function _.clone(v, shallow)
  if type(v) ~= 'table' then return v end
  local result = {}
  for k, inner in pairs(v) do
    result[k] = type(inner) == 'table' and not shallow and _.clone(inner) or inner
  end
  return result
end
function _.extend(t, ...)
  for _, other in ipairs {...} do
    for k, v in pairs(other) do t[k] = v end
  end
  return t
end
function _.defaults(t, template)
  for k, v in pairs(template or {}) do
    if t[k] == nil then t[k] = v end
  end
  return t
end
_.template = _.defaults
function _.invert(t)
  local result = {}
  for k, v in pairs(t) do result[v] = k end
  return result
end
function _.invoke(t, method, ...)
  local args, n = {...}, select('#', ...)
  return _.map(t, function(_, v)
    local f = type(v) == 'table' and v[method] ~= nil and v[method] or method
    return type(f) == 'function' and f(v, unpack(args, 1, n)) or f
  end)
end
function _.bind(f, value) return function(...) return f(value, ...) end end
function _.bind2(f, value) return function(first, ...) return f(first, value, ...) end end
function _.bindn(f, ...)
  local bound = {...}
  return function(...) return f(unpack(_.append(bound, {...}))) end
end
function _.compose(...)
  local functions = {...}
  return function(...)
    local result = functions[#functions](...)
    for i = #functions - 1, 1, -1 do result = functions[i](result) end
    return result
  end
end
function _.wrap(f, wrapper) return function(...) return wrapper(f, ...) end end
function _.times(n, f, ...)
  local results = {}
  for i = 1, n do results[i] = f(i, ...) end
  return results
end
function _.memoize(f, hash)
  local known = {}
  return function(...)
    local key = (hash or _.identity)(...)
    if not known[key] then known[key] = f(...) end
    return known[key]
  end
end
function _.tap(t, f, ...)
  f(t, ...)
  return t
end
function _.pick(t, ...)
  local result = {}
  for _, k in ipairs(moses.flatten {...}) do
    if t[k] ~= nil then result[k] = t[k] end
  end
  return result
end
function _.omit(t, ...)
  local dropped = _.invert(_.flatten {...})
  local result = {}
  for k, v in pairs(t) do
    if dropped[k] == nil then result[k] = v end
  end
  return result
end

return _
