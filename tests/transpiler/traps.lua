-- Programs of the language's constructs and traps: each prints the same as Lua and as Python.

--## truth
for _, v in ipairs{0, '', 'a', true} do if v then print('true', v) end end print(not nil, not 0, nil == false)

--## and_or
local function f(a, b, c) return a and b or c end print(f(1, 2, 3), f(nil, 2, 3), f(1, nil, 3), f(1, false, 3), f(0, '', 3))

--## and_or_values
local x, y = nil, false print(x or y, y or x, x and 1, y and 1, 0 or 1, 0 and 1)

--## short_circuit
local n = 0 local function g() n = n + 1 return n end local a = nil local b = a and g() local c = a or g() print(b, c, n) print(c and g(), c or g(), n)

--## one_is_not_true
print(1 == true, 0 == false, '1' == 1, nil == false)

--## holes
local t = {1, 2, nil, 4} print(t[1], t[3], t[4], select('#', unpack(t, 1, 4)))

--## holes_and_lengths
print(#{nil}, #{nil, 2}, #{1, nil, 3}, #{1, 2, nil}, #{nil, nil, 3}, #{1, nil, nil, 4}, #{nil, nil, nil, 4}, #{1, nil, 3, nil, nil}, #{nil, 2, nil, 4, 5, nil, 7}) local function f(...) return #{...}, #{..., 'end'} end print(f(nil, 2)) print(f()) print(f(1, nil, 3)) print(f(nil, nil, 3)) print(f(1, nil)) print(f(nil, nil, nil, 4, 5))

--## holes_that_were_made
for n = 2, 9 do for k = 1, n - 1 do local t = {} for i = 1, n do t[i] = i end t[k] = nil io.write(#t, ' ') end end local t = {1, 2, 3, 4} t[2] = nil print(#t) t[2] = 2 t[5] = 5 print(#t) t[5] = nil t[4] = nil print(#t) rawset(t, 1, nil) print(#t)

--## weak_tables
local k, ks = {}, setmetatable({}, {__mode = 'k'}) ks[k] = 1 ks[{}] = 2 ks.text = {3} collectgarbage() local n = 0 for _ in pairs(ks) do n = n + 1 end print(n, ks[k], ks.text[1]) k = nil collectgarbage() print(next(ks)) local a, b = {}, {} setmetatable(a, b) b.__mode = 'v' local kept = {} a.x = {} a.y = kept a.z = 5 a[1] = function() return kept end collectgarbage() print(a.x, a.y == kept, a.z, a[1]) local strong = {} strong[{}] = 1 collectgarbage() print(next(strong) ~= nil)

--## nothing_is_not_nil
local function check(x) if x > 1 then error('big', 0) end end local M = {} function M.f(x) io.write('f', x, ' ') end function M:g() self.n = 1 end function glob(s) print('in', s) end print(pcall(check, 1)) print(pcall(check, 2)) print(pcall(M.f, 1)) print(pcall(M.g, M)) print(pcall(glob, 'x')) check(0) M.f(2) M:g() glob('y') print(coroutine.wrap(check)(0)) print(coroutine.resume(coroutine.create(glob), 'co')) print(select('#', pcall(check, 0))) local function asked(x) if x > 1 then error('big', 0) end end local r = asked(0) print(r, (asked(1)), pcall(asked, 3)) local function try(f, ...) return pcall(f, ...) end print(try(function() io.write('t ') end)) print(try(check, 0)) print(try(check, 5)) local handlers = {a = function(x) io.write('a', x, ' ') end, function(x) io.write('one ') end} print(pcall(handlers.a, 1)) for _, k in ipairs{'a', 1} do print(k, pcall(handlers[k], 6)) local f = handlers[k] print(pcall(f, 1)) end local ok, err = pcall(glob, 'plain') print(ok, err) local t = {pcall(check, 0)} print(#t) local C = {} C.__index = C function C.new() return setmetatable({}, C) end function C:run() self.ran = true end local o = C.new() print(pcall(o.run, o)) o:run() print(o.ran)

--## fields_that_rest_on_themselves
local C = {} C.__index = C function C.new() return setmetatable({a = 1, b = 4, c = 4, n = 0}, C) end function C:step(k) self.n = self.n + 1 self.a = self.a / k self.b = self.c self.c = self.b / k end function C:text() return 'a ' .. self.a * 100 .. '% b ' .. self.b .. ' c ' .. self.c .. ' n ' .. self.n end local o = C.new() print(o:text()) o:step(2) o:step(1) print(o:text())

--## delete
local t = {a = 1, b = 2} t.a = nil local n = 0 for k in pairs(t) do n = n + 1 print(k) end print(n)

--## varargs
local function f(...) local a, b = ... return select('#', ...), a, b, ... end print(f()) print(f(nil)) print(f(1, nil)) print((f(1, 2, 3)))

--## vararg_table
local function f(...) local t = {...} return #t, t[2], select('#', ...) end print(f(1, 2, 3), f())

--## adjust
local function two() return 1, 2 end local function none() end local a, b, c = two() print(a, b, c) local d, e = (two()) print(d, e) print(two(), two()) print(#{two(), two()}) print((none())) print(none()) print(#{none()}, #{two(), none()})

--## surplus
local function f(a, b) return a, b end print(f(1)) print(f(1, 2, 3)) print((f()))

--## missing_method_arguments
local t = {} function t:m(a, b) return self == t, a, b end print(t:m(1)) print(t.m(t, 1, 2, 3))

--## loop_closures
local fs = {} for i = 1, 3 do local j = i * 10 fs[i] = function() j = j + i return j end end print(fs[1](), fs[1](), fs[2](), fs[3]())

--## loop_closures_kept
local fs = {} for i, v in ipairs{'a', 'b'} do fs[#fs + 1] = function() return i .. v end end print(fs[1](), fs[2]())

--## while_closures
local fs, i = {}, 0 while i < 3 do i = i + 1 local k = i fs[i] = function() k = k + 1 return k end end print(fs[1](), fs[1](), fs[3]())

--## recursive_local
local fs = {} for i = 1, 2 do local function f(n) if n == 0 then return i end return f(n - 1) end fs[i] = f end print(fs[1](3), fs[2](3))

--## shadowing
local x = 1 do local x = x + 1 print(x) do local x = x * 10 print(x) end print(x) end print(x) local x = 'again' print(x)

--## shadowed_in_function
local x = 1 local function f() local x = x + 1 return x end print(f(), x)

--## shadowed_parameter
local function f(a) local a = a or 5 return a end print(f(), f(2))

--## false_for_a_default
local function f(x, y) x = x or 'none' y = y or 5 return x, y end local M = {} function M.g(a) a = a or {1} return type(a) end function M:h(a) return a or 7 end print(f(false)) print(f(1, false), M.g(false), M:h(false), M.g(), M:h())

--## upvalues
local n = 0 local function up() n = n + 1 end local function get() return n end up() up() print(get(), n)

--## nested_upvalues
local function a() local n = 0 return function() return function() n = n + 1 return n end end end local f = a()() print(f(), f())

--## numbers
print(1, 1.0, 0.1, 1/3, 1e15, 1e16, 2^53, 1e300 * 1e10, -1/0, 100000000000000, 0x10, 1e2)

--## division
local z = 0 print(1 / z, -1 / z, 7 / 2, 6 / 2) print(0 / z ~= 0 / z)

--## modulo
for _, p in ipairs{{7, 3}, {-7, 3}, {7, -3}, {-7, -3}, {5.5, 2}, {-1, 10}} do print(p[1] % p[2]) end print(-7 % 3, 5 % -3)

--## power
local a, b = 2, 10 print(a ^ b, -2 ^ 2, 2 ^ -1, 2 ^ 0.5 == math.sqrt(2), (-8) ^ 2, 2 ^ 3 ^ 2)

--## large_products
local seed = 42 for i = 1, 5 do seed = (seed * 1103515245 + 12345) % 2147483648 print(seed) end local f = 1 for i = 1, 25 do f = f * i end print(f)

--## minus_zero
local x = {0} print(-x[1] == 0, 1 / -x[1] < 0)

--## coercion
local a, b = '10', '3' print(a + b, a * 2, '5' .. 6, 10 .. '', a - 1) print(pcall(function() return {} + 1 end))

--## concatenation
local n, s = 1, 'x' print(s .. n .. s .. 1.5 .. n + 1, 'a' .. 'b') print(pcall(function() return 'x' .. nil end))

--## comparison
print(1 < 2, 'a' < 'b', 'a' < 'B', 2 <= 2, 'x' >= 'x', not (1 > 2)) print(pcall(function() return 1 < 'x' end))

--## chained
local a, b, c = 1, 2, 3 print((a < b) == (b < c), a == b == false)

--## precedence
print(2 + 3 * 4 ^ 2 / 2, not nil == true, not (1 == 2), -2 ^ 2, 1 .. 2 == '12', 2 * (3 + 4), 10 - (5 - 2), 2 ^ -2)

--## for_steps
for i = 1, 3 do io.write(i, ' ') end for i = 3, 1, -1 do io.write(i, ' ') end for i = 1, 0 do io.write('no') end for x = 0, 1, 0.25 do io.write(x, ' ') end for i = 10, 1, -4 do io.write(i, ' ') end

--## for_bounds
local function n() return 3 end for i = n() - 2, n() do print(i) end local m = 2.5 for i = 1, m do print(i) end

--## for_variable
for i = 1, 3 do local j = i i = i * 2 print(j, i) end

--## while_repeat
local i = 0 while true do i = i + 1 if i > 3 then break end end print(i) repeat local done = i > 5 i = i + 1 until done print(i)

--## repeat_sees_locals
local n = 0 repeat n = n + 1 local stop = n == 3 until stop print(n)

--## goto_continue
for i = 1, 4 do if i % 2 == 0 then goto continue end io.write(i, ' ') ::continue:: end

--## goto_continue_nested
for i = 1, 3 do for j = 1, 3 do if j == 2 then goto outer end io.write(i, j, ' ') end ::outer:: end

--## goto_back
local i = 1 ::top:: io.write(i, ' ') i = i + 1 if i <= 3 then goto top end io.write('end')

--## goto_back_closures
local fs, k = {}, 0 ::again:: local own = k fs[#fs + 1] = function() own = own + 1 return own end k = k + 10 if k < 30 then goto again end print(fs[1](), fs[2](), fs[3](), fs[1]())

--## goto_back_break
local n = 0 while true do ::redo:: n = n + 1 if n > 5 then break end if n % 2 == 1 then goto redo end io.write(n, ' ') end print(n) for i = 1, 3 do ::again:: n = n + 1 if n % 4 ~= 0 then goto again end if i == 2 then break end io.write(i, ':', n, ' ') end print(n)

--## goto_out
for i = 1, 3 do for j = 1, 3 do if i * j == 4 then print(i, j) goto done end end end ::done:: print('out')

--## goto_repeat
local i = 0 repeat i = i + 1 if i == 2 then goto continue end io.write(i, ' ') ::continue:: until i >= 4

--## multiple_assignment
local a, b, c = 1, 2, 3 a, b, c = c, a, b print(a, b, c) local t = {1, 2} local i = 1 i, t[i] = 2, 9 print(i, t[1], t[2])

--## places_before_values
local a = {1} a[#a + 1], a[#a + 2] = 'p', 'q' print(#a, a[2], a[3]) local t = {2, 7, 9} t[1], t[t[1]] = 3, 'x' print(t[1], t[2], t[3]) local s = {n = 1} s[s.n], s.n = 'one', 2 print(s[1], s[2], s.n) local o = {a = {k = 1}} local a1 = o.a o.a, o.a.k = nil, 5 print(o.a, a1.k)

--## places_by_calls
local t, log = {}, {} local function T(n) log[#log + 1] = n return t end T(1).x, T(2).y = T(3), T(4) print(table.concat(log, ' '), t.x == t)

--## swap_fields
local t = {1, 2, 3} t[1], t[3] = t[3], t[1] print(t[1], t[2], t[3])

--## tables
local t = {1, 2, x = 'y', [10] = 'ten', ['a b'] = true, [true] = 'bool', 3} print(#t, t.x, t[10], t['a b'], t[true], t[3], t[1.0], t.none)

--## table_functions
local t = {3, 1, 2} table.insert(t, 0) table.insert(t, 1, 9) table.sort(t, function(a, b) return a > b end) print(table.concat(t, ','), table.remove(t), table.remove(t, 1), #t)

--## append
local t = {} for i = 1, 3 do t[#t + 1] = i * i end print(#t, t[3]) t[#t] = nil print(#t)

--## nested_tables
local t = {a = {b = {c = 1}}} t.a.b.d = 2 t['a']['b'].c = t.a.b.c + 1 print(t.a.b.c, t.a.b.d)

--## method_names_of_python
local t = {items = 1, keys = 2, get = 3, update = 4, count = 5} print(t.items, t.keys, t.get, t.update, t.count) t.count = t.count + 1 print(t.count)

--## keywords
local class, def, lambda, is, None_ = 1, 2, 3, 4, 5 local t = {class = 1, ['if'] = 2, pass = 3} print(class, def, lambda, is, None_, t.class, t['if'], t.pass)

--## builtin_names
local len, range, str, list, print_, self, lua, Table = 1, 2, 3, 4, 5, 6, 7, 8 local t = {} t[#t + 1] = len for i = 1, range do t[i] = str end print(#t, t[1], len, range, list, self, lua, Table)

--## shadowed_library
local string = {format = function() return 'mine' end} print(string.format('%d', 1)) local table = 5 print(table)

--## metatables
local V = {} V.__index = V V.__add = function(a, b) return setmetatable({x = a.x + b.x}, V) end V.__eq = function(a, b) return a.x == b.x end V.__lt = function(a, b) return a.x < b.x end V.__tostring = function(v) return 'V' .. v.x end V.__call = function(self, y) return self.x + y end V.__unm = function(a) return setmetatable({x = -a.x}, V) end V.__concat = function(a, b) return tostring(a) .. '|' .. tostring(b) end local a, b = setmetatable({x = 1}, V), setmetatable({x = 2}, V) print(tostring(a + b), a == b, a < b, a(10), tostring(-a), a .. b, a ~= b)

--## index_function
local log = {} local t = setmetatable({}, {__index = function(t, k) return k .. '!' end, __newindex = function(t, k, v) rawset(t, k, v * 2) end}) t.a = 5 print(t.a, t.b, rawget(t, 'b'))

--## inheritance
local A = {} A.__index = A function A.new(x) local self = setmetatable({}, A) self.x = x return self end function A:get() return self.x end local B = setmetatable({}, {__index = A}) B.__index = B function B.new(x) local self = A.new(x) return setmetatable(self, B) end function B:twice() return 2 * self:get() end local b = B.new(4) print(b:get(), b:twice(), getmetatable(b) == B)

--## strings
local s = 'hello' print(#s, s:upper(), s:sub(2, -2), ('x'):rep(3), s:find('l'), s:byte(1), s:len(), s:gsub('l', 'L')) print(('%5.2f|%d|%s|%q|%x|%5s|%-5s|'):format(3.14159, 42, 'str', 'q', 255, 'r', 'l'))

--## escapes
print('a\tb\\n\65\x41\z
        c', "q\"q", 'tab\9end') print([[long
string]], [==[with ]] inside]==], #'\0\n')

--## format
local n, x, s = 3, 2.5, 'abc' print(string.format('%d items, %.3f each, %s and %5d|%-8s|%08.3f|%e|%%', n, x, s, n, s, x, x)) print(('%s %s'):format(nil, true), ('%d'):format(3.0))

--## format_braces
local n = 1 print(string.format('{%d} {}', n), 'a{' .. n .. '}')

--## iterators
local function range(n) local i = 0 return function() i = i + 1 if i <= n then return i, i * i end end end for a, b in range(3) do print(a, b) end for w in ('one two'):gmatch('%a+') do print(w) end for k, v in next, {5} do print(k, v) end

--## stateless_iterator
local function iter(t, i) i = i + 1 if t[i] then return i, t[i] end end for i, v in iter, {7, 8}, 0 do print(i, v) end

--## ipairs_stops
for i, v in ipairs{1, 2, nil, 4} do print(i, v) end for _ in pairs{} do print('never') end

--## errors
print(pcall(error, 'plain', 0)) print(pcall(error, {code = 1})) print(select(2, pcall(error, nil))) local ok, e = pcall(function() error('with place') end) print(ok, e) print(pcall(function() local t = nil; return t.x end))

--## error_values
local ok, e = pcall(error, {code = 7}) print(ok, type(e), e.code) print(xpcall(function() error('x', 0) end, function(m) return 'handled ' .. m end))

--## assert
print(pcall(assert, false)) print(pcall(assert, nil, 'message')) print(assert(1, 'two', nil))

--## pcall_nothing
print(pcall(function() local x = 1 end)) print(select('#', pcall(function() end)))

--## coroutines
local co = coroutine.create(function(a, b) local c = coroutine.yield(a + b) local d, e = coroutine.yield(c * 2) return d + e end) print(coroutine.resume(co, 1, 2)) print(coroutine.resume(co, 10)) print(coroutine.resume(co, 3, 4)) print(coroutine.resume(co)) print(coroutine.status(co))

--## generators
local function gen(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end local s = 0 for v in gen(4) do s = s + v end print(s)

--## tail_and_recursion
local function loop(n, acc) if n == 0 then return acc end return loop(n - 1, acc + n) end print(loop(100, 0)) local even, odd function even(n) if n == 0 then return true end return odd(n - 1) end function odd(n) if n == 0 then return false end return even(n - 1) end print(even(10), odd(7))

--## globals
x = 5 function f() y = x + 1 return y end print(f(), y, undefined_global) print(_G.x, _G['y']) _G.z = 3 print(z)

--## own_globals
total = 0 function add(n) total = total + n end add(2) add(3) print(total) count = count or 7 print(count)

--## globals_unset
if not started then started = true end print(started, never)

--## environment_functions
print(type(print), type(nil), type({}), type('x'), type(2), type(type), tostring(nil), tonumber('0x10'), tonumber('z', 36), tonumber('abc'))

--## unpack
local t = {1, 2, 3} print(unpack(t)) print(unpack(t, 2)) print(unpack(t, 2, 3)) print(math.max(unpack(t)))

--## select_negative
print(select(-2, 'a', 'b', 'c')) print((select(2, 'a', 'b', 'c')))

--## call_syntax
local function f(x) return type(x) end print(f'text', f{1}, f[[long]]) local o = {m = function(self, t) return t[1] end} print(o:m{42})

--## immediate_function
print((function(...) return select('#', ...) end)(1, nil, nil)) local r = (function(n) return n * 2 end)(4) print(r)

--## returned_functions
local function adder(n) return function(x) return x + n end end print(adder(3)(4))

--## functions_in_tables
local ops = {add = function(a, b) return a + b end, sub = function(a, b) local r = a - b return r end} print(ops.add(5, 3), ops['sub'](5, 3)) for _, n in ipairs{'add', 'sub'} do print(ops[n](1, 2)) end

--## bit
print(bit.band(12, 10), bit.bor(12, 10), bit.bxor(12, 10), bit.lshift(1, 4), bit.bnot(0), bit.tohex(255))

--## math
print(math.floor(-3.5), math.ceil(3.2), math.max(1, 5, 3), math.abs(-2), math.huge, -math.huge, math.fmod(-7, 3), math.pi, math.floor(3))

--## semicolons
local a = 1; local b = 2; print(a, b);

--## long_chains
local t = {v = 0} function t:add(n) self.v = self.v + n return self end print(t:add(1):add(2):add(3).v)

--## negative_index
local t = {} t[-1], t[0], t[1.5] = 'a', 'b', 'c' print(t[-1], t[0], t[1.5], #t)

--## integer_keys
local t = {} t[1.0] = 'x' t['1'] = 'y' t[2^53] = 'z' print(t[1], t['1'], t[2^53], #t)

--## early_return
local function f(x) if x then return 'early' end do return 'late' end end print(f(true), f(false))

--## return_varying
local function f(n) if n == 0 then return end if n == 1 then return 1 end return 1, 2 end print(f(0)) print(f(1)) print(f(2)) print((f(0)), (f(2)))

--## string_compare_lengths
local a = {} for w in ('the quick brown fox'):gmatch('%w+') do a[#a + 1] = w end table.sort(a, function(x, y) return #x < #y or (#x == #y and x < y) end) print(table.concat(a, ' '))

--## nan
local nan = 0 / 0 print(nan ~= nan, nan == nan, not (nan < 1))

--## closures_share
local function pair() local n = 0 return function() n = n + 1 return n end, function() return n end end local inc, get = pair() inc() inc() print(get())

--## vararg_in_middle
local function f(...) return ... end print(f(1, 2), f(3, 4)) local t = {f(1, 2), f(3, 4), n = f(5, 6)} print(#t, t.n)

--## string_methods_on_results
print(('a,b,c'):gsub(',', ';')) print((('x'):rep(3, '-')):upper()) print(#('abc'):sub(2))

--## os_and_io
print(type(os.time()), type(os.clock()), os.getenv('NO_SUCH_VARIABLE_HERE')) io.write('a', 1, 2.5, '\n')

--## comments
-- a comment
local x = 1 -- behind
--[[ block
 of lines ]]
print(x) --[==[ odd ]==] print(x + 1)

--## errors_of_nil
for _, f in ipairs{function() local t = {} t.a.b = 1 end, function() local t = {} return t.a.b.c end, function() local s = 'x' return s.y.z end, function() local n return n + 1 end, function() local n return -n end, function() local n return n() end, function() nowhere() end, function() local t = {} t.f(1) end} do local ok, m = pcall(f) print(ok, m:match('attempt to %a+'), m:match('a nil value')) end

--## order_in_constructors
local n = 0 local function inc() n = n + 1 return n end local function two() return inc(), inc() end
local t = {inc(), inc(), [5] = inc(), inc()} print(t[1], t[2], t[3], t[5])
local u = {a = inc(), inc(), b = {inc()}, inc()} print(u.a, u[1], u.b[1], u[2])
local v = {inc(), x = -inc(), two()} print(v[1], v.x, v[2], v[3], #v)
local w = {['a b'] = inc(), two()} print(w['a b'], w[1], w[2])

--## minus_zero
print(-0, -0.0, 1 / -0, math.abs(-0), -0 == 0, 0 - 0) local t = {} t[0] = 'x' print(t[-0])

--## classes of tables and metatables
local Animal = {}
Animal.__index = Animal
Animal.legs = 4
function Animal.new(name, sound)
   local self = setmetatable({}, Animal)
   self.name = name
   self.sound = sound
   return self
end
function Animal:speak(...)
   return self.name .. ' says ' .. (self.sound or 'nothing'), select('#', ...)
end
function Animal.__tostring(a) return 'animal ' .. a.name end
function Animal.__eq(a, b) return a.name == b.name end
function Animal.__lt(a, b) return a.name < b.name end
function Animal.__le(a, b) return a.name <= b.name end
function Animal.__add(a, b)
   if type(a) == 'number' then return 'number first' end
   return a.name .. '+' .. (type(b) == 'number' and b or b.name)
end
function Animal.__concat(a, b) return tostring(a) .. '..' .. tostring(b) end
function Animal:__call(x) return self.name, x end
function Animal.__unm(a) return '-' .. a.name end
local rex, tom = Animal.new('Rex', 'woof'), Animal.new('Tom')
print(rex:speak(), tom:speak(1, nil))
print(tostring(rex), rex == Animal.new('Rex'), rex ~= tom, rex < tom, rex >= tom, -rex)
print(rex + tom, 1 + rex, rex + 1, rex .. tom, 'a ' .. rex, rex(3))
print(rex.legs, rex.tail, rawget(rex, 'legs'), type(rex), getmetatable(rex) == Animal)
rex.legs = 3
print(rex.legs, tom.legs, Animal.legs, rawget(rex, 'legs'))
local names = {}
for k in pairs(rex) do names[#names + 1] = k end
table.sort(names)
print(table.concat(names, ' '), pcall(function() return rex:fly() end))
local f = rex.speak
print(f(tom), rex['speak'] == Animal.speak, rawequal(rex, rex))

--## classes of tables that make objects in several places
local Stack = {}
Stack.__index = Stack
function Stack.new() return setmetatable({n = 0, items_ = {}}, Stack) end
function Stack.of(...) local s = {n = select('#', ...), items_ = {...}} return setmetatable(s, Stack) end
function Stack:push(v) self.n = self.n + 1 self.items_[self.n] = v return self end
function Stack:pop() local v = self.items_[self.n] self.items_[self.n] = nil self.n = self.n - 1 return v end
Stack.peek = function(self) return self.items_[self.n] end
local s = Stack.new():push(1):push('two')
print(s:pop(), s:peek(), s.n, Stack.of(4, 5):pop())

--## classes of tables that inherit
local Base = {}
Base.__index = Base
function Base.new(x) return setmetatable({x = x}, Base) end
function Base:area() return self.x * self.x end
function Base:show() return 'area ' .. self:area() end
local Derived = setmetatable({}, {__index = Base})
Derived.__index = Derived
function Derived.new(x, y)
   local self = Base.new(x)
   self.y = y
   return setmetatable(self, Derived)
end
function Derived:area() return self.x * self.y end
function Derived:twice() return 2 * Base.area(self) end
local b, d = Base.new(3), Derived.new(3, 4)
print(b:show(), d:show(), d:twice(), b.twice, d.z)

--## classes of tables that are more than classes
local Odd = {}
Odd.__index = Odd
function Odd.new() return setmetatable({size = 2}, Odd) end
function Odd:get() return self.size end
local names = {}
for k in pairs(Odd) do names[#names + 1] = k end
table.sort(names)
print(table.concat(names, ' '), Odd.new():get())
local Shadow = {}
Shadow.__index = Shadow
function Shadow.new(f) return setmetatable({run = f}, Shadow) end
function Shadow:run() return 'class' end
print(Shadow.new():run(), Shadow.new(function() return 'own' end):run())
local Mixed = {}
Mixed.__index = Mixed
function Mixed:hello() return 'hello ' .. self:name() end
function Mixed.name() return 'mixed' end
print(Mixed.hello({name = function() return 'plain' end}), Mixed:hello())

--## deep recursion
local function sum(n) if n == 0 then return 0 end return n + sum(n - 1) end
print(sum(6000))
local odd
local function even(n) if n == 0 then return true end return odd(n - 1) end
function odd(n) if n == 0 then return false end return even(n - 1) end
print(even(5000))
local List = setmetatable({}, {__index = function(t, n) return n == 0 and 0 or t[n - 1] + 1 end})
print(List[150])
local function endless(n) return 1 + endless(n + 1) end
local ok, message = pcall(endless, 1)
print(ok, message:match('stack overflow'))

--## places of errors
local function placed(f, ...) return tostring(select(2, pcall(f, ...))):match(':%d+: ') ~= nil end
print(placed(function() assert(false, 'x') end), placed(function() assert(false) end), placed(assert, false, 'x'))
print(placed(function() assert(nil, 5) end), placed(function() error('x', 0) end))
print(pcall(function() local a = {} a.b.c = 1 end))

--## bytes of what may be text
local function code(text, at) return (text or ''):byte(at) or 'none' end
print(code('abc', 2), code('abc', 9), code())
local function letter(t) return t.name:byte() end
print(letter {name = 'x'} + 1)

--## names that later versions of Lua keep for themselves
local global, const, close, attrib, continue = {global = 1}, 2, 3, 4, 5
global.other = global.global .. 'global'
local function f(global) return global end
print(global.other, f(global) == global, const, close, attrib, continue)
global = 6
print(global, f {global = global}.global)

--## entries given twice
local t = {[1] = 'a', 'b', [2] = 'c', 'd', x = 1}
print(t[1], t[2], t.x)

--## loops that stand still
local turns = 0
for i = 1, 2, 0 do turns = turns + 1 if turns == 5 then break end end
print(turns)

--## numbers as errors
local ok, e = pcall(function() error(12) end)
print(type(e), (e:gsub('^.-:%d+: ', '')))
print(type(select(2, pcall(error, 12, 0))))

--## source that is loaded while the program runs
local size = "{1, 2 + 3}"
print(loadstring(" return " .. size)()[2])
counter = 1
local step = assert(loadstring("counter = counter + (... or 1) return counter, ...", "step"))
print(step(), step(10, "more"))
print(counter, step(2))
print(loadstring("-- head\nlocal a, b = ...\n\n-- tail\nreturn a, b, select('#', ...)\n-- end")(1, 2, 3))
print((loadstring("end local x = function()")))
local made, why = loadstring("return +")
print(made, type(why))
local pieces, at = {"local a ", "= 4 ", "return a * a"}, 0
print(load(function() at = at + 1 return pieces[at] end)())
print(pcall(loadstring("error('from a chunk', 0)")))
local f = loadstring("local function twice(x) return helper(x) * 2 end return twice(...)")
function helper(x) return x + 0.5 end
print(f(1))

--## globals in the table of globals that are named like methods of Python's
count = 5
_G['keys'] = {1, 2}
function append(x) return x .. count end
print(count, _G['count'], #keys, append('n'), _G.append == append)
count, update = count + 1, 'u'
print(count, update, items)
