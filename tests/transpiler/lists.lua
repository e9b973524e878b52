--## fill
--= t.append(
local function squares(n)
   local t = {}
   for i = 1, n do t[i] = i * i end
   local s = 0
   for i = 1, n do s = s + t[i] end
   return s, #t
end
print(squares(4)) print(squares(0)) print(squares(2.5))
--## fill_that_stops
--= t[i] = i
local function first(n, stop)
   local t = {}
   for i = 1, n do if i == stop then break end t[i] = i end
   return #t, t[stop]
end
print(first(5, 3)) print(first(2, 9))
--## fill_with_holes
--= t = Table()
local function holes(n)
   local t = {}
   for i = 1, n do if i ~= 2 then t[i] = i end end
   return t[1], t[2], t[3]
end
print(holes(3))
--## fill_twice
--= t = Table()
local function twice()
   local t = {}
   for i = 1, 3 do t[i] = i end
   for i = 1, 2 do t[i] = -i end
   for i = 3, 5 do t[i] = i * 10 end
   return #t, t[1], t[3], t[5]
end
print(twice())
--## fill_in_a_loop
--= t = []
for n = 1, 3 do
   local t = {}
   for i = 1, n do t[i] = n * i end
   print(n, #t, table.concat(t, ' '))
end
--## fill_from_outside
--= t = Table()
local t = {}
for n = 1, 3 do
   for i = 1, n do t[i] = n end
end
print(#t, table.concat(t, ' '))
--## append
--= words.append(f"w{i}")
local words = {}
for i = 1, 3 do words[#words + 1] = 'w' .. i end
table.insert(words, 'last')
print(#words, table.concat(words, ', '), table.concat(words))
--## append_of_what_may_be_nil
--= Table()
local function find(k) if k > 1 then return k end end
local t = {}
for k = 1, 4 do t[#t + 1] = find(k) end
print(#t, t[1], t[4])
--## elements
--= for i, name in enumerate(names, 1):
local names = {'x', 'y', 'z'}
for i = 1, #names do
   local name = names[i]
   print(i, name)
end
for i = 1, #names do
   local name = names[i]
   name = name .. '!'
   print(name)
end
for i = 1, #names - 1 do print(names[i], names[i + 1]) end
for i = 2, #names do print(names[i - 1] .. names[i]) end
--## a_loop_that_appends
--= for i in range(1, len(queue) + 1):
local queue = {1, 2}
for i = 1, #queue do
   local x = queue[i]
   queue[#queue + 1] = x * 10
end
print(#queue, table.concat(queue, ' '))
local grown = {1}
for i, x in ipairs(grown) do if x < 4 then grown[#grown + 1] = x + 1 end end
print(#grown)
--## out_of_bounds
--= Table(
local t = {10, 20}
print(t[0], t[3], t[-1], t[1.5])
local u = {1, 2, 3}
for i = 0, #u do print(i, u[i]) end
for i = 1, #u do print(u[i + 1]) end
--## literal_positions
--= pair[1]
local pair = {3, 4}
print(pair[1] * pair[2], #pair)
--## assigned_in_place
--= grid[i - 1] = 
local grid = {1, 2, 3}
for i = 1, #grid do grid[i] = grid[i] * 2 end
for i = 1, #grid do print(grid[i]) end
--## assigned_nil
--= Table(
local t = {1, 2, 3}
t[#t] = nil
for i = 1, #t do print(t[i]) end
for i = 1, #t do t[i] = nil end
print(#t)
--## removed_in_the_loop
--= Table(
local t = {1, 2, 3, 4}
for i = #t, 1, -1 do if t[i] % 2 == 0 then table.remove(t, i) end end
print(#t, table.concat(t, ' '))
--## passed_on
--= Table(
local function shift(t) t[1] = 'changed' end
local t = {'a', 'b'}
shift(t)
print(t[1], t[2])
--## another_name
--= Table(
local t = {1, 2}
local u = t
u[#u + 1] = 3
print(#t)
--## kept_by_a_closure
--= Table(
local t = {1, 2}
local function add(x) t[#t + 1] = x end
add(3)
print(#t)
local fs = {}
for i = 1, 3 do local x = i fs[i] = function() x = x + 1 return x end end
print(fs[1](), fs[1](), fs[3]())
--## nested
--= rows.append(Table(
local rows = {}
for i = 1, 2 do rows[i] = {i, i * 2} end
for i = 1, #rows do
   local row = rows[i]
   row[3] = 'x'
   print(row[1], row[2], #row, row[4])
end
for _, row in ipairs(rows) do print(#row) end
--## nil_in_the_list
--= Table(
local x
local t = {1, x, 3}
print(t[1], t[2], t[3])
local u = {nil}
print(#u)
--## several_results
--= Table(
local function two() return 1, 2 end
local t = {two()}
print(#t)
local u = {two(), 5}
print(#u)
--## sorted
--= numbers.sort()
local numbers = {3, 1, 2}
table.sort(numbers)
print(table.concat(numbers, ' '))
local mixed = {'b', 'B', 'a'}
table.sort(mixed)
print(table.concat(mixed, ' '))
local down = {1, 3, 2}
table.sort(down, function(a, b) return a > b end)
print(table.concat(down, ' '))
--## booleans
--= for flag in flags:
local flags = {true, false, true}
for _, flag in ipairs(flags) do print(flag) end
--## counter_is_changed
--= Table(
local t = {1, 2, 3}
for i = 1, #t do i = i + 1 print(t[i]) end
--## with_names
--= Table(
local t = {1, 2, n = 2}
print(#t, t.n, t[1])
--## joined_numbers
--= "-".join(map(tostring, t))
local t = {1, 2.5, 1e20}
print(table.concat(t, '-'))
--## jumps
--= Table(
local i = 1
local t = {}
::again::
t[#t + 1] = i
i = i + 1
if i < 4 then goto again end
print(#t)
