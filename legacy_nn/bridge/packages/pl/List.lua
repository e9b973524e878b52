-- pl.List: lists with methods. Source: Penlight List.lua.

local utils = require 'pl.utils'
local tablex = require 'pl.tablex'
local class = require 'pl.class'
local function_arg, check = utils.function_arg, utils.assert_arg

local List = utils.stdmt.List
class(nil, nil, List)

local function like(t, list) return setmetatable(t, list and getmetatable(list) or List) end

function List._create(source)
  if type(source) == 'table' and not getmetatable(source) and #source > 0 then return source end
end

function List:_init(source)
  if self == source or source == nil then return end
  for v in List.iterate(source) do table.insert(self, v) end
end
List.new = List

function List.iterate(source)
  if type(source) == 'function' then return source end
  if io.type(source) == 'file' then return source:lines() end
  local i = 0
  return function()
    i = i + 1
    if type(source) ~= 'string' then return source[i] end
    if i <= #source then return source:sub(i, i) end
  end
end
function List:iter() return List.iterate(self) end

function List:clone() return like({}, self):extend(self) end
function List:append(v)
  table.insert(self, v)
  return self
end
List.push = table.insert
function List:extend(other)
  check(1, other, 'table')
  for i = 1, #other do table.insert(self, other[i]) end
  return self
end
function List:insert(i, v)
  check(1, i, 'number')
  table.insert(self, i, v)
  return self
end
function List:put(v) return self:insert(1, v) end
function List:remove(i)
  check(1, i, 'number')
  table.remove(self, i)
  return self
end
function List:remove_value(v)
  local i = tablex.find(self, v)
  if i then table.remove(self, i) end
  return self
end
function List:pop(i) return table.remove(self, i or #self) end
List.get = List.pop
List.index = tablex.find
function List:contains(v) return tablex.find(self, v) ~= nil end
function List:count(v)
  local n = 0
  for i = 1, #self do
    if self[i] == v then n = n + 1 end
  end
  return n
end
function List:len() return #self end

function List:sort(before)
  table.sort(self, before and function_arg(1, before))
  return self
end
function List:sorted(before) return List(self:clone()):sort(before) end
function List:reverse()
  local n = #self
  for i = 1, math.floor(n / 2) do self[i], self[n - i + 1] = self[n - i + 1], self[i] end
  return self
end
function List:minmax()
  local low, high = 1e70, -1e70
  for i = 1, #self do low, high = math.min(low, self[i]), math.max(high, self[i]) end
  return low, high
end

function List:slice(first, last) return tablex.sub(self, first, last) end
function List:clear()
  for _ = 1, #self do table.remove(self) end
  return self
end
function List:chop(first, last) return tablex.removevalues(self, first, last) end
function List:splice(at, list)
  check(1, at, 'number')
  local i = at
  for v in List.iterate(list) do
    table.insert(self, i, v)
    i = i + 1
  end
  return self
end
function List:slice_assign(first, last, list)
  first, last = tablex._normalize_slice(self, first, last)
  if last >= first then self:chop(first, last) end
  return self:splice(first, list)
end

function List.range(start, finish, step)
  if not finish then start, finish = 1, start end
  check(1, start, 'number')
  check(2, finish, 'number')
  if step and step % 1 ~= 0 then finish = finish + 1e-10 end  -- for sums that fall short
  local list = List()
  for i = start, finish, step or 1 do table.insert(list, i) end
  return list
end

function List.__concat(a, b) return like({}, a):extend(a):extend(b) end
function List.__eq(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end
function List:join(separator) return table.concat(utils.array_tostring(self), separator or '') end
List.concat = table.concat
function List:__tostring() return '{' .. self:join(',') .. '}' end

function List:foreach(f, ...)
  f = function_arg(1, f)
  for i = 1, #self do f(self[i], ...) end
end
local function method_of(object, name)
  return object[name] or error(type(object) .. ' does not have method ' .. name, 3)
end
function List:foreachm(name, ...)
  for i = 1, #self do method_of(self[i], name)(self[i], ...) end
end
function List:filter(test, argument) return like(tablex.filter(self, test, argument), self) end
function List.split(text, separator) return like(utils.split(text, separator)) end
function List:map(f, ...) return like(tablex.imap(f, self, ...), self) end
function List:transform(f, ...)
  tablex.transform(f, self, ...)
  return self
end
function List:map2(f, other, ...) return like(tablex.imap2(f, self, other, ...), self) end
function List:mapm(name, ...)
  local result = {}
  for i = 1, #self do result[i] = method_of(self[i], name)(self[i], ...) end
  return like(result, self)
end
function List:reduce(f, start) return tablex.reduce(f, self, start) end
function List:partition(f, ...)
  f = function_arg(1, f)
  local parts = {}
  for i = 1, #self do
    local key = f(self[i], ...)
    if key == nil then key = '<nil>' end
    parts[key] = parts[key] or List()
    parts[key]:append(self[i])
  end
  return parts
end

return List
