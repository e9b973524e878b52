-- Objects of torch.class as tables; expected lines were printed by the Lua bridge.
require 'torch'
require 'nn'
shapes = {}
do
   local Stack = torch.class('shapes.Stack')
   function Stack:__init(...) for _, v in ipairs{...} do self:push(v) end end
   function Stack:push(v) self[#self + 1] = v return self end
   function Stack:pop() local v = self[#self] self[#self] = nil return v end
   function Stack:__tostring__() return ('stack-' .. table.concat(self, ',')):gsub('-', ' ') end
   local Queue = torch.class('shapes.Queue', 'shapes.Stack')
   function Queue:push(v) table.insert(self, v) return self end
   function Queue:pop() return table.remove(self, 1) end
   local Point = torch.class('shapes.Point')
   function Point:__init(x, y) self.x, self.y = x, y end
   Point.__unm__ = function(a) return shapes.Point(-a.x, -a.y) end
   Point.__eq__ = function(a, b) return a.x == b.x and a.y == b.y end
   local Noise, parent = torch.class('nn.TestNoise', 'nn.Module')
   function Noise:__init(n) parent.__init(self) self.n = n end
   function Noise:updateOutput(input) if not self.train then return input end return input + self.n end
end
local s, q = shapes.Stack(1, 2, 3), shapes.Queue(5, 6, 7)
print(#s, s:pop(), s[1], s[9], s) --> 3	3	1	nil	stack 1,2
print(q:pop(), #q, q, rawget(q, 1), rawget(q, 'no'), unpack(q)) --> 5	2	stack 6,7	6	nil	6	7
for i, v in ipairs(s) do io.write(i, ':', v, ' ') end
table.sort(q, function(a, b) return a > b end)
print(table.concat(q, ' '), next(s)) --> 1:1 2:2 7 6	1	1
rawset(q, 'name', 'q')
local back = torch.deserialize(torch.serialize(q))
print(back, back.name, torch.type(back)) --> stack 7,6	q	shapes.Queue
local p = -shapes.Point(1, 2)
print(p.x, p == shapes.Point(-1, -2)) --> -1	true
print(getmetatable(p).__typename, getmetatable(getmetatable(q)).__typename) --> shapes.Point	shapes.Stack
local noise = nn.TestNoise(1)
print(noise:forward(torch.zeros(1))[1]) --> 0
noise:training()
print(noise:forward(torch.zeros(1))[1]) --> 1
print(nn.ReLU():__tostring__(), nn.tables.oneToOne(2)[2][1]) --> nn.ReLU	2
local frozen = nn.Linear(2, 2)
frozen.accGradParameters = function() end
frozen.updateOutput = function(self, input, more) return {input, more} end
frozen:zeroGradParameters()
frozen:backward(torch.ones(2), torch.ones(2))
print(frozen.gradWeight:sum(), #frozen:forward(torch.ones(2))) --> 0	1
local hash = require('tds').Hash()
hash.x = 1 hash.y = 2 hash.x = nil
print(#hash, hash.x, hash.y) --> 1	nil	2
print(select('#', ...), (...)) --> 2	first
