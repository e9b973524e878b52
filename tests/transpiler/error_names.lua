-- What LuaJIT's errors call the value that an operation refuses, and where they say they are.
local function p(f, ...)
  local _, m = pcall(f, ...)
  m = tostring(m):gsub('%[string [^%]]*%]:%d+: ', 'AT '):gsub('[%w_]+%.py:%d+: ', 'AT ')
  print(m)
end
local up
local tt = {}

--- operations
p(function() local x = nil; return x.y end)
p(function() return up.y end)
p(function() return undefinedglobal.y end)
p(function() return undefinedfn() end)
p(function() return tt.a.b end)
p(function() return tt.a() end)
p(function() return tt:meth() end)
p(function() local x; x() end)
p(function() up() end)
p(function() local x; x.y = 1 end)
p(function() tt.q.z = 1 end)
p(function() up.z = 1 end)
p(function() local x; return x + 1 end)
p(function() return 1 - tt.a end)
p(function() return gg * 2 end)
p(function() return 'a' .. up end)
p(function() local t = {} return 'a' .. t .. 'c' end)
p(function() return tt.x .. 'b' end)
p(function() return #up end)
p(function() local x = 5 return #x end)
p(function() return -tt.z end)
p(function() local s = 'abc' return s * 2 end)
p(function() return tt[1].x end)
p(function() local s = 'abc'; return s:nope() end)
p(function() local s = 'abc'; return s.x.y end)
p(function(a) return a.b.c end, {})
p(function(a, b) return a + b end, 1)
p(function(a, b) return a .. b end, 'x')
p(function(a, b) return a < b end, 1)
p(function(...) local a, b = ... return a.b end)
p(function() local a = {b = {}} return a.b.c.d end)
p(function() local a = {b = {}} return a.b:c() end)
p(function() local a = {b = {}} return a.b + 1 end)
p(function() local a = print; return a.x end)
p(function() for k in 5 do end end)

--- the library
p(function() return math.floor('x') end)
p(function() local r = math.floor('x') return r end)
p(function() return ('%d'):format('x') end)
p(string.rep)
p(string.rep, 'x', 'y')
p(setmetatable, {}, 5)
p(select, 0, 1)
p(function() return error('x') end)
p(function() error('x') end)
p(function() local r = coroutine.wrap(function() error('in co') end)() return r end)
p(function() return coroutine.wrap(function() error('in co') end)() end)

--- callers
local function deep() error('deep', 2) end
local function called() deep() end
local function replaced() return deep() end
p(called)
p(replaced)
local strict = setmetatable({}, {
  __index = function(_, k) error('no field ' .. k, 2) end,
  __newindex = function(_, k) error('read-only field ' .. k, 2) end,
  __call = function(_, a) error('called with ' .. a, 2) end,
})
p(function() local x = strict.size return x end)
p(function() strict.size = 4 end)
p(function() strict(5) end)
