--## counting
--= counts[w] = counts.get(w, 0) + 1
local counts = {}
for w in ('a b a c'):gmatch('%a') do counts[w] = (counts[w] or 0) + 1 end
for w in ('a b d'):gmatch('%a') do print(w, counts[w]) end
counts.a = nil
print(counts.a, counts.b)
--## seen
--= if key not in seen:
local function distinct(words)
   local seen, n = {}, 0
   for _, w in ipairs(words) do
      local key = w .. '!'
      if not seen[key] then
         seen[key] = true
         n = n + 1
      end
   end
   return n
end
print(distinct({'a', 'b', 'a'}), distinct({}))
--## flags_that_may_be_false
--= if flags.get(lua.concat(name, "!")):
local flags = {['a!'] = true, ['b!'] = false}
for _, name in ipairs {'a', 'b', 'c'} do
   if flags[name .. '!'] then print(name, 'on') else print(name, 'off') end
   if not flags[name .. '!'] then print('not', name) end
   print(flags[name .. '!'], flags[name .. '!'] == nil, flags[name .. '!'] == false)
   print(flags[name .. '!'] or false, flags[name .. '!'] or 'none')
end
--## groups
--= groups.setdefault(k, 
local groups = {}
for i = 1, 6 do
   local k = i % 2 == 0 and 'even' or 'odd'
   groups[k] = groups[k] or {}
   table.insert(groups[k], i)
end
for k, v in pairs({1}) do print(k, v) end
print(#groups.even, #groups['odd'], groups.none, groups.even[3])
--## emptiness
--= if not t:
local t = {}
if next(t) == nil then print('empty') end
t.x = 1
if next(t) ~= nil then print('full') end
if next(t) then print('full') end
if not next(t) then print('empty') end
t.x = nil
print(next(t) == nil, not next(t))
--## deleting_in_the_loop
--= for k in list(t):
local t = {a = 1, b = 2}
local n = 0
for k in pairs(t) do t[k] = nil n = n + 1 end
print(n, next(t) == nil)
--## deleting_some_in_the_loop
--= for k, v in list(t.items()):
local t = {a = 1, b = 2, c = 3}
for k, v in pairs(t) do if v > 1 then t[k] = nil end end
print(t.a, t.b, t.c)
--## assigning_in_the_loop
--= for k, v in t.items():
local t = {a = 1, b = 2, c = 3}
for k, v in pairs(t) do t[k] = v * 10 end
local sum = 0
for _, v in pairs(t) do sum = sum + v end
print(sum, t.a, t.b)
--## a_loop_that_adds
--= Table(a=1
local t = {a = 1}
local u = {}
for k, v in pairs(t) do u[k .. 'x'] = v end
print(u.ax)
for k, v in pairs(t) do if not t.b then t.b = 2 t.b = nil end end
print(t.a, t.b)
--## a_function_that_the_loop_calls
--= Table(a=1
local t = {a = 1, b = 2}
local function clear() t.a = nil t.b = nil end
local n = 0
for k, v in pairs(t) do n = n + 1 clear() end
print(n)
--## what_may_be_nil_is_walked
--= values = Table()
local values = {}
local function find(k) if k ~= 'b' then return k end end
for k in ('a b c'):gmatch('%a') do values[k] = find(k) end
local n = 0
for k, v in pairs(values) do n = n + 1 end
print(n)
--## what_may_be_nil_is_asked_for
--= values = {}
local values = {}
local function find(k) if k ~= 'b' then return k end end
for k in ('a b c'):gmatch('%a') do values[k] = find(k) end
print(values.a, values.b, values.c, values.b == nil, values.b or 'none')
if values.b then print('there') else print('not there') end
--## another_name
--= a = Table(
local a = {x = 1}
local b = a
b.x = 2
print(a.x)
--## another_name_and_text
--= a = Table()
local a = {}
a['x' .. 1] = 1
local b = a
b.x1 = 2
print(a.x1)
--## kept_by_a_closure
--= cache["n"] = 
local cache = {}
local function get()
   if not cache.n then
      print('computing')
      cache.n = 42
   end
   return cache.n
end
print(get(), get())
local function reset() cache.n = nil end
reset()
print(get())
--## returned
--= t = Table()
local function make()
   local t = {}
   t['a' .. 1] = 1
   return t
end
print(make().a1, #make())
--## stored
--= t = Table()
local all = {}
for i = 1, 2 do
   local t = {}
   t['k' .. i] = i
   all[i] = t
end
print(all[1].k1, all[2].k2, all[2].k1)
--## of_each_turn
--= t = {}
local fs = {}
for i = 1, 3 do
   local t = {}
   t['k' .. i] = i
   fs[i] = function(k) t[k .. i] = (t[k .. i] or 0) + 1 return t[k .. i] end
end
print(fs[1]('k'), fs[1]('k'), fs[2]('k'), fs[3]('x'))
--## keys_that_change
--= t = {}
local n = 0
local function f() n = n + 1 return 'k' .. n end
local t = {}
t[f()] = 'a'
t[f()] = 'b'
print(t.k1, t.k2, t[f()], n)
local key = 'k1'
t[key] = t[key] or 'c'
key = 'k9'
print(t[key], t[key] == nil)
--## numbers_in_text
--= Table()
local t = {}
t['1'] = 'text'
t[1] = 'number'
print(t[1], t['1'], t[1.0])
local u = {}
for i = 1, 3 do u[tostring(i)] = i end
print(u['1'], u[1], u['1.0'], u[2])
--## of_numbers
--= squares = {}
local squares = {}
for i = 2, 6, 2 do squares[i] = i * i end
local n = 0
for i = 1, 6 do
   if squares[i] then n = n + squares[i] end
   if squares[i] == nil then n = n - 1 end
end
print(n, squares[2.0] ~= nil)
--## booleans_are_no_numbers
--= Table()
local t = {}
t[true] = 'yes'
t[1] = 'one'
print(t[true], t[1], t[false])
--## unknown_keys
--= Table()
local function put(k, v)
   local t = {}
   t[k] = v
   return t[k]
end
print(put('a', 1), put(1, 2), put(true, 3), pcall(put, nil, 4))
--## unknown_questions
--= t.get(k
local function ask(k)
   local t = {a = 1, ['1'] = 2, ['b' .. 'c'] = 3}
   return t[k]
end
print(ask('a'), ask(1), ask('1'), ask(true), ask(nil), ask('bc'))
--## nobody_there
--= Table(
local t = {a = {b = 1}}
print(pcall(function() return t.x.b end))
print(t.a.b)
for k, v in pairs(t) do print(k, #v) end
print(#t)
--## certain
--= total = t["a"] + t["b"]
local t = {a = 1, b = 2}
local function pick(k) return t[k .. ''] end
local total = t.a + t.b
print(total, pick('a'), pick('c'))
if t.c then print(t.c + 1) end
t.c = 5
print(t.c + 1)
--## certain_on_one_way
--= t.get("x")
local function f(flag)
   local t = {}
   if flag then t.x = 1 end
   t['y' .. 1] = 2
   return t.x
end
print(f(true), f(false))
--## certain_on_both_ways
--= return t["x"]
local function f(flag)
   local t = {}
   if flag then t.x = 1 else t.x = 2 end
   t['y' .. 1] = 2
   return t.x
end
print(f(true), f(false))
--## certain_and_deleted
--= t.get("x")
local function f(flag)
   local t = {x = 1}
   if flag then t.x = nil end
   t['y' .. 1] = 2
   return t.x
end
print(f(true), f(false))
--## certain_behind_a_jump
--= .get("x")
local function f(n)
   local t = {}
   local found
   for i = 1, n do
      if i == 1 then goto continue end
      t.x = i
      ::continue::
      found = t.x
      t['y' .. i] = i
   end
   return found
end
print(f(1), f(2))
--## certain_of_a_key_that_changes
--= t.get(k)
local t = {}
local k = 'a'
t[k] = 1
k = k .. 'b'
print(t[k])
local u = {}
for i = 1, 2 do
   local key = 'n' .. i
   u[key] = i
   print(u[key] + 1)
end
--## made_again
--= t = {}
local t = {a = 1}
print(t.a)
t = {}
print(t.a, t.b)
t['a' .. 'b'] = 1
print(t.ab)
--## records
--= stats.loss += i / 2
local stats = {loss = 0, n = 0}
for i = 1, 3 do
   stats.loss = stats.loss + i / 2
   stats.n = stats.n + 1
end
print(stats.loss / stats.n)
stats.n = nil
print(stats.n, stats.loss)
--## records_filled_later
--= SimpleNamespace()
local function area()
   local r = {}
   r.w = 3
   r.h = 4
   return r.w * r.h
end
print(area())
--## records_with_nil
--= SimpleNamespace(a=None
local r = {a = nil, b = false}
print(r.a, r.b)
if not r.a then r.a = 'set' end
print(r.a)
--## records_of_functions
--= SimpleNamespace(
local ops = {add = function(a, b) return a + b end, two = function() return 1, 2 end}
print(ops.add(1, 2), ops.two())
print((ops.two()))
--## tables_of_functions
--= ops = {
local ops = {
   add = function(a, b) return a + b end, -- adds
   -- takes away
   sub = function(a, b) return a - b end,
}
local function run(op, a, b)
   if ops[op] then return ops[op](a, b) end
   return 'no ' .. op
end
print(run('add', 3, 4), run('sub', 3, 4), run('div', 3, 4))
--## shadows
--= t_2 = Table(1, 2)
local t = {}
t['a' .. 1] = 1
do
   local t = {1, 2}
   t[#t + 1] = 3
   print(#t, t.a1)
   local u = t
   print(#u)
end
print(t.a1)
--## a_name_of_its_own
--= Table()
local t = {}
t.t = t
print(t.t == t, t.t.t.t == t)
--## before_assignment
--= Table()
local t
local function get() return t and t.x end
print(get())
t = {}
t.x = 5
print(get())
--## in_turn
--= t["a"], t["b"] = t["b"], t["a"]
local t = {a = 1, b = 2}
t['c' .. 1] = 3
t.a, t.b = t.b, t.a
print(t.a, t.b, t.c1)
local function three() return 1, 2, 3 end
t.a, t.b, t.d = three()
print(t.a, t.b, t.d, t.e)
t.a, t.b = nil, 7
print(t.a, t.b)
--## metatables
--= Table()
local t = setmetatable({}, {__index = function(_, k) return k .. '?' end})
print(t.x)
local u = {}
setmetatable(u, {__index = {y = 1}})
print(u.y)
--## raw_functions
--= Table()
local t = {}
rawset(t, 'x', 1)
print(rawget(t, 'x'), t.x)
--## what_was_there
--= old = t["a"]
local t = {a = 1}
local old = t.a
t.a = old + 1
t['b' .. old] = old
print(old, t.a, t.b1)
--## words_in_f_strings
--= names.get(k + "", "nobody")
local names = {a = 'Anna', b = 'Bob'}
local function greet(k) return 'hi ' .. (names[k .. ''] or 'nobody') .. '!' end
print(greet('a'), greet('z'))
--## order
--= for k, v in ages.items():
local ages = {}
ages['x' .. 1] = 10
local out = {}
for k, v in pairs(ages) do out[#out + 1] = k .. '=' .. v end
print(table.concat(out, ' '))
--## and_then
--= t
local t = {a = 'x'}
t['b' .. 1] = 'y'
print(t.a and t.a .. '1', t.z and t.z .. '1', t.b1 and #t.b1)
print(t.a and t.b1 or 'none', t.z and t.b1 or 'none')
