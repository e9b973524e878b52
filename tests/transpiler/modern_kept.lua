--[[ Programs that modern style leaves as they are, wholly or in part, since their numbers would
     be others: one after each line of five dashes, a name and a part of the reason. ]]
----- a layer that stands in a model twice | it stands in the model twice
local lin = nn.Linear(3, 3)
local net = nn.Sequential():add(lin):add(nn.ReLU()):add(lin)
local w, dw = net:getParameters()
w:copy(P(w:nElement()))
show(w:nElement())
local crit = nn.MSECriterion()
local x, y = P(4, 3), P(4, 3):mul(2)
for i = 1, 4 do
   dw:zero()
   local o = net:forward(x)
   show(crit:forward(o, y))
   net:backward(x, crit:backward(o, y))
   w:add(-0.1, dw)
end
show(lin.weight)
----- a transfer function that stands in a model twice | it stands in the model twice
local relu = nn.ReLU()
local net = nn.Sequential():add(nn.Linear(3, 4)):add(relu):add(nn.Linear(4, 4)):add(relu):add(nn.Linear(4, 2))
local crit = nn.MSECriterion()
local p, g = net:getParameters()
p:copy(P(p:nElement()))
local x, y = P(5, 3), P(5, 2):mul(2)
for i = 1, 3 do
   g:zero()
   local o = net:forward(x)
   show(crit:forward(o, y))
   net:backward(x, crit:backward(o, y))
   p:add(-0.1, g)
end
----- a block that a loop adds in each turn | it stands in the model twice
local block = nn.Sequential():add(nn.Linear(3, 3)):add(nn.Tanh())
local net = nn.Sequential()
for i = 1, 3 do net:add(block) end
local crit = nn.MSECriterion()
local p, g = net:getParameters()
p:copy(P(p:nElement()))
local x, y = P(5, 3), P(5, 3):mul(2)
for i = 1, 3 do
   g:zero()
   local o = net:forward(x)
   show(crit:forward(o, y))
   net:backward(x, crit:backward(o, y))
   p:add(-0.1, g)
end
show(p:norm())
----- a vector from before the model changed its type | flattened before it changed
local opt = {gpu = 0}
local net = nn.Sequential():add(nn.Linear(3, 3)):add(nn.Tanh())
local crit = nn.MSECriterion()
local p0 = net:getParameters()
p0:copy(P(p0:nElement()))
if opt.gpu > 0 then net:cuda(); crit:cuda() end
net:float()
local p, g = net:getParameters()
local x, y = P(5, 3):float(), P(5, 3):mul(0.3):float()
for i = 1, 3 do
  g:zero()
  local o = net:forward(x)
  show(crit:forward(o, y))
  net:backward(x, crit:backward(o, y))
  g:clamp(-0.01, 0.01)
  p:add(-0.5, g)
end
p0:zero()
show(net:forward(x))
----- a vector of a part, from before the whole was flattened | flattened before it changed
local enc = nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh())
local pe, ge = enc:getParameters()
local net = nn.Sequential():add(enc):add(nn.Linear(2, 3))
local p, g = net:getParameters()
p:copy(P(p:nElement()))
pe:zero()
local crit = nn.MSECriterion()
local x = P(4, 3)
for i = 1, 3 do
   g:zero()
   local o = net:forward(x)
   show(crit:forward(o, x), pe:norm())
   net:backward(x, crit:backward(o, x))
   p:add(-0.1, g)
end
----- shared weights by assignment | the model is kept in a table
local a, b = nn.Linear(3, 3), nn.Linear(3, 3)
b.weight = a.weight
b.gradWeight = a.gradWeight
local net = nn.Sequential():add(a):add(nn.Tanh()):add(b)
local crit = nn.MSECriterion()
local x, y = P(5, 3), P(5, 3):mul(2)
a.weight:copy(P(3, 3)); a.bias:zero(); b.bias:zero()
for i = 1, 3 do
   net:zeroGradParameters()
   local o = net:forward(x)
   show(crit:forward(o, y))
   net:backward(x, crit:backward(o, y))
   net:updateParameters(0.1)
end
show(b.weight)
----- gradients that are scaled on their way | its gradients are scaled
local net = nn.Sequential():add(nn.Linear(3, 2)):add(nn.LogSoftMax())
local crit = nn.ClassNLLCriterion()
local p, g = net:getParameters()
p:copy(P(p:nElement()))
local data = {}
for i = 1, 6 do data[i] = {P(3):mul(i), i % 2 + 1} end
for epoch = 1, 2 do
   local sum, right = 0, 0
   g:zero()
   for i = 1, #data do
      local o = net:forward(data[i][1])
      sum = sum + crit:forward(o, data[i][2])
      net:backward(data[i][1], crit:backward(o, data[i][2]), 1 / #data)
      local _, k = o:max(1)
      if k[1] == data[i][2] then right = right + 1 end
   end
   p:add(-0.3, g)
   show(sum, right, g:norm())
end
----- an output that is read from the model | the field output of the model
local G = nn.Sequential():add(nn.Linear(2, 4)):add(nn.Tanh()):add(nn.Linear(4, 3))
local D = nn.Sequential():add(nn.Linear(3, 4)):add(nn.LeakyReLU(0.2)):add(nn.Linear(4, 1)):add(nn.Sigmoid())
local crit = nn.BCECriterion()
local pG, gG = G:getParameters()
local pD, gD = D:getParameters()
pG:copy(P(pG:nElement())); pD:copy(P(pD:nElement()))
local sG, sD = {learningRate = 0.05, beta1 = 0.5}, {learningRate = 0.1, beta1 = 0.5}
local real, noise = P(4, 3), P(4, 2)
local label = torch.Tensor(4, 1)
local fake
local fD = function(v)
   gD:zero()
   label:fill(1)
   local o = D:forward(real)
   local e1 = crit:forward(o, label)
   D:backward(real, crit:backward(o, label))
   fake = G:forward(noise)
   label:fill(0)
   o = D:forward(fake)
   local e2 = crit:forward(o, label)
   D:backward(fake, crit:backward(o, label))
   show(e1 + e2)
   return e1 + e2, gD
end
local fG = function(v)
   gG:zero()
   label:fill(1)
   local o = D.output
   local e = crit:forward(o, label)
   local d = crit:backward(o, label)
   local dg = D:updateGradInput(fake, d)
   G:backward(noise, dg)
   show(e)
   return e, gG
end
for i = 1, 4 do
   optim.adam(fD, pD, sD)
   optim.adam(fG, pG, sG)
end
show(G:forward(noise))
----- backward with another input | the forward pass that its backward pass belongs to
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
local crit = nn.MSECriterion()
local p, g = net:getParameters()
p:copy(P(p:nElement()))
local x, y = P(5, 3), P(5, 2):mul(2)

local x2 = P(5, 3):mul(-1)
for i = 1, 3 do
   g:zero()
   local o = net:forward(x)
   show(crit:forward(o, y))
   net:backward(x2, crit:backward(o, y))
   p:add(-0.1, g)
end
show(p:norm())
----- two methods of optim on one model | its table of options is not a variable of its own
local net = nn.Sequential():add(nn.Linear(3, 3)):add(nn.Tanh())
local crit = nn.MSECriterion()
local p, g = net:getParameters()
p:copy(P(p:nElement()))
local x, y = P(5, 3), P(5, 3):mul(0.3)
local a, b = {learningRate = 0.1, momentum = 0.9}, {learningRate = 0.01}
local function feval()
   g:zero()
   local o = net:forward(x)
   local l = crit:forward(o, y)
   net:backward(x, crit:backward(o, y))
   return l, g
end
for i = 1, 6 do
   local l
   if i % 2 == 0 then _, l = optim.sgd(feval, p, a) else _, l = optim.adagrad(feval, p, b) end
   show(l[1])
end
a = {learningRate = 0.05}
local _, l = optim.sgd(feval, p, a)
show(l[1], p:sum())
----- a state that is saved and loaded | used as one tensor
local net = nn.Sequential():add(nn.Linear(3, 3)):add(nn.Tanh())
local crit = nn.MSECriterion()
local p, g = net:getParameters()
p:copy(P(p:nElement()))
local x, y = P(5, 3), P(5, 3):mul(0.3)
local state = {learningRate = 0.1, beta1 = 0.8}
local function step()
   return optim.adam(function(v)
      g:zero()
      local o = net:forward(x)
      local l = crit:forward(o, y)
      net:backward(x, crit:backward(o, y))
      return l, g
   end, p, state)
end
for i = 1, 3 do local _, l = step(); show(l[1]) end
local name = os.tmpname()
torch.save(name, {net = net, state = state})
local back = torch.load(name)
os.remove(name)
state = back.state
show(state.t)
net:getParameters()
for i = 1, 2 do local _, l = step(); show(l[1]) end
show(back.net:forward(x))
----- modules that are removed and put in | the method
local net = nn.Sequential()
net:add(nn.Linear(3, 4))
net:add(nn.Tanh())
net:add(nn.Dropout(0.5))
net:add(nn.Linear(4, 5))
net:add(nn.LogSoftMax())
net:getParameters():copy(P(41))
net:remove(3)
net:insert(nn.Sigmoid(), 3)
net:remove()
net:add(nn.Linear(5, 2))
net:get(5).weight:copy(P(2, 5)); net:get(5).bias:zero()
show(net:forward(P(2, 3)))
show(net:get(1).weight, net:size())
local last = net:get(net:size())
show(last.weight:size(1), #net.modules)
----- two models with a part in common that run one after the other | runs again before it goes back
local enc = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh())
local a = nn.Sequential():add(enc):add(nn.Linear(4, 2))
local b = nn.Sequential():add(enc):add(nn.Linear(4, 1))
local crit = nn.MSECriterion()
enc:get(1).weight:copy(P(4, 3)); a:get(2).weight:copy(P(2, 4)); b:get(2).weight:copy(P(1, 4))
enc:get(1).bias:zero(); a:get(2).bias:zero(); b:get(2).bias:zero()
local x, x2, y, z = P(5, 3), P(5, 3):mul(2), P(5, 2), P(5, 1)
for i = 1, 3 do
   a:zeroGradParameters(); b:zeroGradParameters()
   local oa = a:forward(x)
   local ob = b:forward(x2)
   local la = crit:forward(oa, y)
   a:backward(x, crit:backward(oa, y))
   local lb = crit:forward(ob, z)
   b:backward(x2, crit:backward(ob, z))
   a:updateParameters(0.1)
   show(la, lb)
end
show(enc:forward(x))
----- a method that may leave its model before it is complete | it is put into a table
local M = {}
function M:build(n)
   self.a = nn.Sequential()
   for i = 1, 3 do
      self.a:add(nn.Linear(2, 2))
      if i == n then return i end
   end
   self.a:add(nn.Tanh())
   self.a:add(nn.Linear(2, 2))
   return 0
end
show(M:build(2), #M.a.modules)
show(M:build(9), #M.a.modules)
----- an error that leaves a part of a model | it is put into a table
local M = {}
function M:build(bad)
   self.a = nn.Sequential()
   for i = 1, 2 do
      self.a:add(nn.Linear(2, 2))
      if bad then error('no') end
   end
   self.a:add(nn.Tanh())
end
print(pcall(M.build, M, true))
show(#M.a.modules)
M:build(false)
show(#M.a.modules)
