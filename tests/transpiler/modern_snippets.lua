--[[ Programs for the modern style: one after each line of five dashes and a name.
     P fills a tensor with numbers that are the same in every run. ]]
----- sequential and sgd with a closure inside of the call
local net = nn.Sequential()
net:add(nn.Linear(3, 4))
net:add(nn.Tanh())
net:add(nn.Linear(4, 2))
local crit = nn.MSECriterion()
local w, dw = net:getParameters()
w:copy(P(w:nElement()))
local x, y = P(5, 3), P(5, 2):mul(2)
local state = {learningRate = 0.1, momentum = 0.9}
for i = 1, 5 do
   local _, fs = optim.sgd(function(p)
      if p ~= w then w:copy(p) end
      dw:zero()
      local out = net:forward(x)
      local err = crit:forward(out, y)
      net:backward(x, crit:backward(out, y))
      return err, dw
   end, w, state)
   show(fs[1])
end
net:evaluate()
show(net:forward(x))
----- closure defined once, called twice
local net = nn.Sequential():add(nn.Linear(2, 3)):add(nn.Sigmoid()):add(nn.Linear(3, 1))
local crit = nn.AbsCriterion()
local w, dw = net:getParameters()
w:copy(P(w:nElement()))
local x, y = P(4, 2), P(4, 1)
local config = {learningRate = 0.05, weightDecay = 0.01}
local function feval(p)
   if p ~= w then w:copy(p) end
   dw:zero()
   local out = net:forward(x)
   local f = crit:forward(out, y)
   local d = crit:backward(out, y)
   net:backward(x, d)
   return f, dw
end
for i = 1, 3 do
   local _, fs = optim.adagrad(feval, w, config)
   show(fs[1])
end
optim.adagrad(feval, w, config)
show(net:forward(x), w:norm())
----- classes count from one, weights, decay of the rate
local model = nn.Sequential()
   :add(nn.Linear(4, 5))
   :add(nn.ReLU(true))
   :add(nn.Linear(5, 3))
   :add(nn.LogSoftMax())
local criterion = nn.ClassNLLCriterion(torch.Tensor{1, 2, 0.5})
local params, grads = model:getParameters()
params:copy(P(params:nElement()))
local optimState = {learningRate = 0.2, learningRateDecay = 0.1, momentum = 0.5, dampening = 0}
local inputs, targets = P(6, 4), torch.Tensor{1, 2, 3, 3, 2, 1}
local function feval(x)
   grads:zero()
   local output = model:forward(inputs)
   local loss = criterion:forward(output, targets)
   model:backward(inputs, criterion:backward(output, targets))
   grads:clamp(-0.5, 0.5)
   return loss, grads
end
for epoch = 1, 4 do
   local _, loss = optim.sgd(feval, params, optimState)
   show(loss[1])
end
for i = 1, 3 do
   local out = model:forward(inputs[i])
   show(criterion:forward(out, targets[i]), out)
end
----- cross entropy of one sample at a time, summed and divided
local model = nn.Sequential():add(nn.Linear(3, 3))
local criterion = nn.CrossEntropyCriterion()
local params, gradParams = model:getParameters()
params:copy(P(params:nElement()))
local batch = {{P(3), 1}, {P(3):mul(-1), 3}, {P(3):add(0.3), 2}}
local state = {learningRate = 0.3}
for iter = 1, 4 do
   local feval = function(x)
      if x ~= params then params:copy(x) end
      gradParams:zero()
      local f = 0
      for i = 1, #batch do
         local output = model:forward(batch[i][1])
         local err = criterion:forward(output, batch[i][2])
         f = f + err
         local df_do = criterion:backward(output, batch[i][2])
         model:backward(batch[i][1], df_do)
      end
      gradParams:div(#batch)
      f = f / #batch
      return f, gradParams
   end
   local _, fs = optim.sgd(feval, params, state)
   show(fs[1])
end
----- updateParameters in loops
local mlp = nn.Sequential()
mlp:add(nn.Linear(2, 3))
mlp:add(nn.HardTanh())
mlp:add(nn.Linear(3, 1))
local flat = mlp:getParameters()
flat:copy(P(flat:nElement()))
local criterion = nn.SmoothL1Criterion()
local rate = 0.05
for epoch = 1, 3 do
   local total = 0
   for i = 1, 4 do
      local input, target = P(2):mul(i), torch.Tensor{i / 4}
      total = total + criterion:forward(mlp:forward(input), target)
      mlp:zeroGradParameters()
      mlp:backward(input, criterion:backward(mlp.output, target))
      mlp:updateParameters(rate)
   end
   show(total)
   rate = rate
end
show(mlp:forward(P(2)))
----- a plain layer, its weights written and read
local net = nn.Linear(2, 2)
net.weight:copy(P(2, 2))
net.bias:fill(0.25)
local crit = nn.MSECriterion()
local x, t = P(3, 2), P(3, 2):mul(3)
for i = 1, 10 do
   net:zeroGradParameters()
   local out = net:forward(x)
   local loss = crit:forward(out, t)
   local g = crit:backward(out, t)
   net:backward(x, g)
   net:updateParameters(0.1)
   if i % 5 == 0 then show(loss, net.gradBias) end
end
show(net.weight, net.bias, net:forward(x))
----- convolutions, pooling, batch norm, training and evaluation
local net = nn.Sequential()
net:add(nn.SpatialConvolution(2, 3, 3, 2, 1, 1, 1, 0))
net:add(nn.SpatialBatchNormalization(3, 1e-3, 0.2))
net:add(nn.LeakyReLU(0.2, true))
net:add(nn.SpatialMaxPooling(2, 2, 2, 2):ceil())
net:add(nn.SpatialAveragePooling(2, 1))
net:add(nn.View(3 * 2 * 3):setNumInputDims(3))
net:add(nn.Dropout(0))
net:add(nn.Linear(18, 4))
net:add(nn.SoftMax())
local crit = nn.DistKLDivCriterion()
local w, dw = net:getParameters()
w:copy(P(w:nElement()))
local x = P(2, 2, 5, 7)
local t = P(2, 4):abs()
local s = {learningRate = 0.01, alpha = 0.9}
net:training()
for i = 1, 3 do
   local f = function(p)
      dw:zero()
      local o = net:forward(x)
      local e = crit:forward(o, t)
      net:backward(x, crit:backward(o, t))
      return e, dw
   end
   local _, fs = optim.rmsprop(f, w, s)
   show(fs[1], dw:norm())
end
net:evaluate()
show(net:forward(x))
show(net:get(2).running_mean, net:get(2).running_var)
----- layers of other strides, full convolution, unflatten
local net = nn.Sequential()
   :add(nn.Linear(3, 2 * 3 * 3))
   :add(nn.View(2, 3, 3))
   :add(nn.SpatialFullConvolution(2, 2, 4, 3, 2, 1, 1, 0))
   :add(nn.ELU())
   :add(nn.SpatialConvolution(2, 1, 2, 2, 2, 1))
   :add(nn.SpatialUpSamplingNearest(2))
   :add(nn.SpatialZeroPadding(1, 0, 2, 1))
   :add(nn.SpatialAveragePooling(3, 2, 2, 2))
   :add(nn.Tanh())
local w = net:getParameters()
w:copy(P(w:nElement()))
local o = net:forward(P(2, 3))
show(o:size(1), o:size(2), o:size(3), o:size(4), o)
----- words
local model = nn.Sequential()
model:add(nn.LookupTable(7, 3))
model:add(nn.Mean(1))
model:add(nn.Linear(3, 2))
model:add(nn.LogSoftMax())
local criterion = nn.ClassNLLCriterion()
local p, g = model:getParameters()
p:copy(P(p:nElement()))
local state = {learningRate = 0.1}
local words = torch.LongTensor{1, 7, 3}
for i = 1, 3 do
   local _, fs = optim.sgd(function()
      g:zero()
      local out = model:forward(words)
      local err = criterion:forward(out, 2)
      model:backward(words, criterion:backward(out, 2))
      return err, g
   end, p, state)
   show(fs[1])
end
show(model:forward(words))
----- functions that build parts, appended in loops
local function block(from, to)
   local b = nn.Sequential()
   b:add(nn.Linear(from, to))
   b:add(nn.Tanh())
   return b
end
local sizes = {3, 4, 5}
local net = nn.Sequential()
for i = 1, #sizes - 1 do
   net:add(block(sizes[i], sizes[i + 1]))
end
net:add(nn.Linear(5, 2))
local crit = nn.MSECriterion()
crit.sizeAverage = false
local w, dw = net:getParameters()
w:copy(P(w:nElement()))
local x, y = P(4, 3), P(4, 2)
local state = {learningRate = 0.02, beta1 = 0.8, epsilon = 1e-40}
for i = 1, 3 do
   local function feval()
      dw:zero()
      local out = net:forward(x)
      local err = crit:forward(out, y)
      net:backward(x, crit:backward(out, y))
      return err, dw
   end
   local _, fs = optim.adam(feval, w, state)
   show(fs[1])
   if i == 2 then state.learningRate = state.learningRate / 2 end
end
show(net:forward(x), state.learningRate, net:size())
----- globals and functions around them
model = nn.Sequential()
model:add(nn.Linear(2, 3))
model:add(nn.SoftPlus())
model:add(nn.Linear(3, 2))
criterion = nn.MSECriterion()
parameters, gradParameters = model:getParameters()
parameters:copy(P(parameters:nElement()))
function train(x, y)
   model:training()
   sgdState = sgdState or {learningRate = 0.1, momentum = 0.9, learningRateDecay = 1e-2}
   local _, fs = optim.sgd(function(p)
      if p ~= parameters then parameters:copy(p) end
      gradParameters:zero()
      local out = model:forward(x)
      local f = criterion:forward(out, y)
      model:backward(x, criterion:backward(out, y))
      show(out)
      return f, gradParameters
   end, parameters, sgdState)
   return fs[1]
end
function test(x)
   model:evaluate()
   local out = model:forward(x)
   return out
end
for i = 1, 3 do show(train(P(3, 2), P(3, 2):mul(i))) end
show(test(P(1, 2)))
----- adadelta, plain gradient steps on the flat vectors, more than one criterion
local net = nn.Sequential():add(nn.Linear(2, 2)):add(nn.Sigmoid())
local bce, l1 = nn.BCECriterion(), nn.AbsCriterion()
local w, dw = net:getParameters()
w:copy(P(w:nElement()))
local x, y = P(3, 2), P(3, 2):abs():clamp(0.1, 0.9)
local opts = {rho = 0.9, eps = 1e-4}
for i = 1, 3 do
   local _, fs = optim.adadelta(function()
      dw:zero()
      local out = net:forward(x)
      local loss = bce:forward(out, y)
      net:backward(x, bce:backward(out, y))
      return loss, dw
   end, w, opts)
   show(fs[1])
end
for i = 1, 3 do
   dw:zero()
   local out = net:forward(x)
   local err = l1:forward(out, y)
   net:backward(x, l1:backward(out, y))
   w:add(-0.1, dw)
   show(err, out)
end
----- float tensors
torch.setdefaulttensortype('torch.FloatTensor')
local net = nn.Sequential():add(nn.Linear(3, 3)):add(nn.Tanh())
local w = net:getParameters()
w:copy(P(w:nElement()))
show(net:forward(P(2, 3)))
----- names that would clash stay in a closure
local net = nn.Sequential():add(nn.Linear(2, 1))
local crit = nn.MSECriterion()
local w, dw = net:getParameters()
w:copy(P(w:nElement()))
local x, y = P(3, 2), P(3, 1)
local state = {learningRate = 0.1}
local out = 5
for i = 1, 2 do
   local function feval()
      dw:zero()
      local out = net:forward(x)
      local err = crit:forward(out, y)
      net:backward(x, crit:backward(out, y))
      return err, dw
   end
   local _, fs = optim.sgd(feval, w, state)
   show(fs[1], out)
end
----- nested models, one used alone
local encoder = nn.Sequential():add(nn.Linear(4, 2)):add(nn.Tanh())
local decoder = nn.Sequential():add(nn.Linear(2, 4))
local ae = nn.Sequential():add(encoder):add(decoder)
local crit = nn.MSECriterion()
local w, dw = ae:getParameters()
w:copy(P(w:nElement()))
local x = P(3, 4)
local state = {learningRate = 0.5, momentum = 0.9, nesterov = true, dampening = 0}
for i = 1, 3 do
   local feval = function()
      dw:zero()
      local rec = ae:forward(x)
      local loss = crit:forward(rec, x)
      ae:backward(x, crit:backward(rec, x))
      return loss, dw
   end
   local _, l = optim.sgd(feval, w, state)
   show(l[1])
end
local code = encoder:forward(x)
show(code, decoder:forward(code), ae:get(1):get(1).weight)
----- residual blocks: branches that are added up
local function conv_bn(net, from, to, size, step)
   local edge = math.floor(size / 2)
   net:add(nn.SpatialConvolution(from, to, size, size, step, step, edge, edge))
   return net:add(nn.SpatialBatchNormalization(to))
end
local function residual(from, to, step)
   local F = conv_bn(nn.Sequential(), from, to, 3, step)
   F:add(nn.ReLU(true))
   conv_bn(F, to, to, 3, 1)
   local P = (from == to and step == 1) and nn.Identity() or conv_bn(nn.Sequential(), from, to, 1, step)
   local sum = nn.Sequential()
   sum:add(nn.ConcatTable():add(F):add(P))
   sum:add(nn.CAddTable(true)):add(nn.ReLU(true))
   return sum
end
local model = nn.Sequential()
model:add(nn.SpatialConvolution(1, 2, 3, 3, 1, 1, 1, 1))
for _, spec in ipairs{{2, 2, 1}, {2, 4, 2}} do model:add(residual(unpack(spec))) end
model:add(nn.SpatialAveragePooling(3, 3))
model:add(nn.View(4):setNumInputDims(3))
model:add(nn.Linear(4, 3))
local crit = nn.CrossEntropyCriterion()
local p, gp = model:getParameters()
p:copy(P(p:nElement()))
local x, labels = P(2, 1, 6, 6), torch.Tensor{3, 1}
model:training()
for step = 1, 3 do
   local out = model:forward(x)
   local loss = crit:forward(out, labels)
   model:zeroGradParameters()
   model:backward(x, crit:backward(out, labels))
   show(loss, gp:norm())
   p:add(-0.05, gp)
end
model:evaluate()
show(model:forward(x))
----- inception: branches side by side, in several ways
local function inception(from)
   local concat = nn.Concat(2)
   local conv1 = nn.Sequential()
   conv1:add(nn.SpatialConvolution(from, 2, 1, 1)):add(nn.ReLU(true))
   concat:add(conv1)
   local conv3 = nn.Sequential()
   conv3:add(nn.SpatialConvolution(from, 3, 3, 3, 1, 1, 1, 1)):add(nn.ReLU(true))
   concat:add(conv3)
   local pool = nn.Sequential()
   pool:add(nn.SpatialMaxPooling(3, 3, 1, 1, 1, 1))
   concat:add(pool)
   return concat
end
local net = nn.Sequential()
net:add(inception(2))
local branches = nn.ConcatTable()
for i = 1, 2 do branches:add(nn.SpatialConvolution(7, 2, i, i)) end
branches:add(nn.SpatialAveragePooling(1, 1))
local other = nn.Sequential():add(nn.ConcatTable():add(nn.Identity()):add(nn.Tanh())):add(nn.JoinTable(1, 3))
net:add(other)
net:add(nn.ConcatTable():add(nn.Tanh()):add(nn.Sigmoid()))
net:add(nn.CMulTable())
local w = net:getParameters()
w:copy(P(w:nElement()))
show(net:forward(P(2, 2, 4, 5)))
----- models and criterions from one function, and a layer that core has not
local Convolution = nn.SpatialConvolution
local function create(width)
   local m = nn.Sequential()
   local scale = nn.Mul()
   m:add(Convolution(1, width, 3, 3))
   m:add(scale)
   m:add(nn.Reshape(width * 4))
   m:add(nn.Linear(width * 4, 2))
   return m, nn.MSECriterion()
end
local model, criterion = create(3)
local p, g = model:getParameters()
p:copy(P(p:nElement()))
local x, y = P(2, 1, 4, 4), P(2, 2)
local state = {learningRate = 0.1}
for i = 1, 2 do
   local _, l = optim.sgd(function()
      g:zero()
      local out = model:forward(x)
      local loss = criterion:forward(out, y)
      model:backward(x, criterion:backward(out, y))
      return loss, g
   end, p, state)
   show(l[1])
end
print(criterion ~= nil)
----- layers of a class are given their weights in a loop
local function create()
   local model = nn.Sequential()
   model:add(nn.SpatialConvolution(1, 2, 3, 3)):add(nn.ReLU(true))
   model:add(nn.SpatialBatchNormalization(2))
   model:add(nn.SpatialConvolution(2, 2, 2, 2):noBias())
   local function init(name)
      for k, v in pairs(model:findModules(name)) do
         local n = v.kW * v.kH * v.nOutputPlane
         v.weight:copy(P(v.weight:nElement()):view(v.weight:size())):mul(math.sqrt(2 / n))
         if v.bias then v.bias:zero() end
      end
   end
   init 'nn.SpatialConvolution'
   for _, bn in ipairs(model:findModules('nn.SpatialBatchNormalization')) do
      bn.weight:fill(1)
      bn.bias:fill(0.5)
   end
   return model
end
show(create():forward(P(2, 1, 5, 5)))
----- everything global, as in scripts of the time
model = nn.Sequential()
ninputs = 2; noutputs = 1
model:add(nn.Linear(ninputs, noutputs))
criterion = nn.MSECriterion()
x, dl_dx = model:getParameters()
x:copy(P(x:nElement()))
data = P(6, 3)
feval = function(x_new)
   if x ~= x_new then
      x:copy(x_new)
   end
   _nidx_ = (_nidx_ or 0) + 1
   if _nidx_ > (#data)[1] then _nidx_ = 1 end
   local sample = data[_nidx_]
   local target = sample[{ {1} }]
   local inputs = sample[{ {2,3} }]
   dl_dx:zero()
   local loss_x = criterion:forward(model:forward(inputs), target)
   model:backward(inputs, criterion:backward(model.output, target))
   return loss_x, dl_dx
end
sgd_params = {
   learningRate = 1e-1,
   learningRateDecay = 1e-4,
   weightDecay = 0,
   momentum = 0
}
for i = 1, 2 do
   current_loss = 0
   for i = 1, (#data)[1] do
      _, fs = optim.sgd(feval, x, sgd_params)
      current_loss = current_loss + fs[1]
   end
   current_loss = current_loss / (#data)[1]
   show(current_loss)
end
show(model:forward(P(2)))
----- functions that are given a model, and words looked up by a model of a function
local function build(n)
   local m = nn.Sequential()
   m:add(nn.LookupTable(n, 3))
   m:add(nn.Sum(1))
   m:add(nn.Linear(3, 2))
   return m
end
local model = build(5)
local criterion = nn.MSECriterion()
local p, g = model:getParameters()
p:copy(P(p:nElement()))
local function train(net, crit, x, y, rate)
   net:zeroGradParameters()
   local out = net:forward(x)
   local err = crit:forward(out, y)
   net:backward(x, crit:backward(out, y))
   net:updateParameters(rate)
   return err
end
local function extend(net)
   net:add(nn.View(1, 2, 1, 1))
   net:add(nn.SpatialUpSamplingNearest(2))
end
for i = 1, 3 do show(train(model, criterion, torch.LongTensor{5, i, 1}, P(2), 0.2)) end
extend(model)
model:add(nn.SoftMax())
show(model:forward(torch.LongTensor{1, 5}))
----- gradients of several passes add up
local net = nn.Linear(2, 2)
local w, dw = net:getParameters()
w:copy(P(w:nElement()))
local c = nn.MSECriterion()
local x, y = P(3, 2), P(3, 2):mul(2)
for i = 1, 3 do
   local o = net:forward(x)
   local e = c:forward(o, y)
   net:backward(x, c:backward(o, y))
   if i % 2 == 0 then w:add(-0.1, dw); dw:zero() end
   show(e)
end
show(net:forward(x))
----- two losses of one forward pass
local net = nn.Sequential():add(nn.Linear(2, 2)):add(nn.Tanh())
local w, dw = net:getParameters()
w:copy(P(w:nElement()))
local c1, c2 = nn.MSECriterion(), nn.AbsCriterion()
local x, y = P(3, 2), P(3, 2):mul(2)
for i = 1, 2 do
   net:zeroGradParameters()
   local o = net:forward(x)
   local e1 = c1:forward(o, y)
   net:backward(x, c1:backward(o, y))
   local e2 = c2:forward(o, y)
   net:backward(x, c2:backward(o, y))
   net:updateParameters(0.1)
   show(e1 + e2, dw:norm())
end
----- variables with the names that modern style uses
local ops, p, loss, sum, m, str, optimizer, core_tensor, scheduler, no_grad, tensor = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
local net = nn.Sequential():add(nn.ConcatTable():add(nn.Linear(2, 2)):add(nn.Identity())):add(nn.CAddTable()):add(nn.Linear(2, 2)):add(nn.LogSoftMax())
local w, dw = net:getParameters()
w:copy(P(w:nElement()))
local c = nn.ClassNLLCriterion()
local T = torch.Tensor{1, 2, 1}
local X = P(3, 2)
local state = {learningRate = 0.1, learningRateDecay = 0.5}
for i = 1, 2 do
   local function f()
      dw:zero()
      local o = net:forward(X)
      local e = c:forward(o, T)
      net:backward(X, c:backward(o, T))
      return e, dw
   end
   local _, fs = optim.sgd(f, w, state)
   show(fs[1])
end
for _, l in ipairs(net:findModules('nn.Linear')) do show(l.weight) end
show(ops, p, loss, sum, m, str, optimizer, core_tensor, scheduler, no_grad, tensor, w:norm(), w:nElement(), net:forward(P(1, 2)))
----- models in conditions
local net = nn.Linear(2, 1)
local w, dw = net:getParameters()
w:copy(P(w:nElement()))
local c = nn.MSECriterion()
local x, y = P(3, 2), P(3, 1)
local n = 0
repeat
   n = n + 1
   net:zeroGradParameters()
   local o = net:forward(x)
   local e = c:forward(o, y)
   net:backward(x, c:backward(o, y))
   net:updateParameters(0.3)
until c:forward(net:forward(x), y) < 0.01 or n > 20
show(n, c:forward(net:forward(x), y))
while net:forward(P(2))[1] > 100 do n = n + 1 end
if net:forward(P(2))[1] < 100 then show(net:forward(P(2))) end
----- two models that are trained side by side
local a, b = nn.Linear(2, 1), nn.Sequential():add(nn.Linear(2, 3)):add(nn.Linear(3, 1))
local wa, da = a:getParameters()
local wb, db = b:getParameters()
wa:copy(P(wa:nElement())); wb:copy(P(wb:nElement()))
local c = nn.MSECriterion()
local x, y = P(3, 2), P(3, 1):mul(3)
for i = 1, 3 do
   a:zeroGradParameters()
   b:zeroGradParameters()
   local oa = a:forward(x)
   local ob = b:forward(x)
   local ea = c:forward(oa, y)
   a:backward(x, c:backward(oa, y))
   local eb = c:forward(ob, y)
   b:backward(x, c:backward(ob, y))
   a:updateParameters(0.1)
   b:updateParameters(0.2)
   show(ea, eb)
end
----- sizes of height and width, arguments that are left out
local net = nn.Sequential():add(nn.SpatialConvolution(1, 2, 2, 3, 2, 1, 0, 1)):add(nn.SpatialBatchNormalization(2, nil, nil, false)):add(nn.SpatialMaxPooling(3, 2, 1, 2, 1, 0)):add(nn.SpatialAdaptiveMaxPooling(2, 1)):add(nn.View(-1, 4)):add(nn.LogSoftMax())
local w = net:getParameters()
w:copy(P(w:nElement()))
show(net:forward(P(2, 1, 7, 8)))
net:evaluate()
show(net:forward(P(2, 1, 7, 8)))
----- activations and their arguments
local net = nn.Sequential():add(nn.Linear(2, 4)):add(nn.PReLU()):add(nn.Threshold(0.1, -3)):add(nn.HardTanh(-2, 0.5)):add(nn.SoftPlus(2)):add(nn.SoftShrink(0.2)):add(nn.LeakyReLU()):add(nn.ELU(0.5)):add(nn.LogSigmoid())
local w = net:getParameters()
w:copy(P(w:nElement()))
show(net:forward(P(3, 2)))
----- layers that are chosen while the program runs
local use = #arg > 5
local net = nn.Sequential()
net:add(nn.Linear(2, 2))
if use then net:add(nn.ReLU()) else net:add(nn.Tanh()) end
for i = 1, 2 do net:add(nn.Linear(2, 2)); if i == 1 then net:add(nn.SoftMax()) end end
local w = net:getParameters()
w:copy(P(w:nElement()))
show(net:forward(P(3, 2)), net:size())
----- losses in tables, closures and texts
local net = nn.Linear(2, 1)
local w, dw = net:getParameters()
w:copy(P(w:nElement()))
local c = nn.MSECriterion()
local x, y = P(3, 2), P(3, 1)
local losses = {}
for i = 1, 3 do
   dw:zero()
   local o = net:forward(x)
   local e = c:forward(o, y)
   losses[#losses + 1] = e
   local f = function() return e * 2 end
   net:backward(x, c:backward(o, y))
   w:add(-0.1, dw)
   show(f(), o[1][1], o:mean())
   if e > 1e6 then error('diverged') end
   print(string.format('%.3f', e) .. ' ' .. ('x' .. (e > 0 and 'pos' or 'neg')))
end
for _, l in ipairs(losses) do show(l) end
----- backward passes that are given a gradient
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
local w, dw = net:getParameters()
w:copy(P(w:nElement()))
local x, y = P(5, 3), P(5, 2)
local reward = P(5, 2):mul(0.3)
for i = 1, 3 do
   net:zeroGradParameters()
   local out = net:forward(x)
   local loss = torch.cmul(out, reward):sum()
   net:backward(x, reward)
   show(loss, dw:norm())
   net:updateParameters(0.1)
end
for i = 1, 2 do
   dw:zero()
   net:forward(x)
   local difference = torch.add(net.output, -1, y)
   net:backward(x, difference:mul(0.1))
   local total = net:forward(y:narrow(2, 1, 1):expand(5, 3)):sum()
   local norm = dw:norm()
   show(total, norm)
   w:add(-0.2, dw)
end
local function objective(input)
   local sum = 2 * net:forward(input):sum()
   net:backward(input, torch.Tensor(5, 2):fill(2))
   return sum
end
dw:zero()
show(objective(x), dw:norm())
----- the default type depends on the program
if math.sin(1) > 0 then torch.setdefaulttensortype('torch.FloatTensor') end
local function block(n) return nn.Sequential():add(nn.Linear(n, 4)):add(nn.ReLU()) end
local net = block(3)
for i = 1, 2 do net:add(nn.Linear(4, 4)) end
net:add(nn.LogSoftMax())
local w = net:getParameters()
w:copy(P(w:nElement()))
show(net:forward(P(2, 3)))
if math.sin(1) > 0 then torch.setdefaulttensortype('torch.DoubleTensor') end
local other = nn.Linear(3, 2)
other.weight:copy(P(2, 3))
other.bias:zero()
show(other:forward(P(2, 3)))
----- weights that a function fills for all modules
local function init(m)
   local name = torch.type(m)
   if name:find('Convolution') then
      m.weight:normal(0.0, 0.2)
      m.bias:fill(0.1)
   elseif name:find('Normalization') then
      if m.weight then m.weight:normal(1.0, 0.2) end
      if m.bias then m.bias:fill(0) end
   end
end
local net = nn.Sequential():add(nn.SpatialConvolution(2, 3, 3, 3)):add(nn.ReLU())
net:add(nn.SpatialBatchNormalization(3)):add(nn.SpatialConvolution(3, 1, 2, 2))
torch.manualSeed(4) -- batch norms of Torch have drawn
net:apply(init)
show(net:forward(P(2, 2, 6, 6)), torch.uniform())
----- a table of options among other variables, a sequence of tables
require 'rnn'
local net = nn.Sequential():add(nn.Sequencer(nn.Linear(2, 3))):add(nn.SelectTable(-1)):add(nn.Linear(3, 1))
local crit = nn.MSECriterion()
local w, dw = net:getParameters()
w:copy(P(w:nElement()))
local total, state, count = 0, {learningRate = 0.1}, 0
local x, y = {P(4, 2), P(4, 2):mul(0.5)}, P(4, 1)
for i = 1, 3 do
   local _, fs = optim.sgd(function()
      dw:zero()
      local loss = crit:forward(net:forward(x), y)
      net:backward(x, crit:backward(net.output, y))
      dw:clamp(-1, 1)
      return loss, dw
   end, w, state)
   total = total + fs[1]
   count = count + 1
end
show(total, count)
----- options in one table, memory in another
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
local crit = nn.MSECriterion()
local w, dw = net:getParameters()
w:copy(P(w:nElement()))
local x, y = P(5, 3), P(5, 2)
local opt = {lr = 0.1, decay = 0.05}
local config = {learningRate = opt.lr, momentum = 0.9, learningRateDecay = opt.decay}
local state = {}
local function feval(p)
   dw:zero()
   local out = net:forward(x)
   local err = crit:forward(out, y)
   net:backward(x, crit:backward(out, y))
   return err, dw
end
for i = 1, 4 do
   local _, fs = optim.sgd(feval, w, config, state)
   show(fs[1])
end
show(net:forward(x))
----- views where it is not known what comes in
local net = nn.Sequential():add(nn.View(6)):add(nn.Linear(6, 4)):add(nn.Threshold()):add(nn.View(-1, 2)):add(nn.SoftMax())
local rows = nn.Sequential():add(nn.Reshape(2 * 3)):add(nn.Linear(6, 3)):add(nn.LogSoftMax())
local images = nn.Sequential():add(nn.View(-1, 1, 2, 3)):add(nn.SpatialConvolution(1, 2, 2, 2)):add(nn.View(-1):setNumInputDims(3)):add(nn.Linear(4, 2))
local flat = nn.Sequential():add(nn.Reshape(6, true)):add(nn.Linear(6, 2)):add(nn.Reshape(1, 1, 2)):add(nn.SpatialConvolution(1, 1, 1, 1))
local v = net:getParameters()
local w = rows:getParameters()
local u = images:getParameters()
local t = flat:getParameters()
v:copy(P(28)); w:copy(P(21)); u:copy(P(20)); t:copy(P(16))
local crit = nn.MSECriterion()
for _, x in ipairs{P(4, 2, 3), P(2, 3), P(1, 2, 3), P(1, 6), P(6)} do
   local out = net:forward(x)
   show(out:dim(), out)
end
for _, x in ipairs{P(4, 2, 3), P(1, 2, 3), P(1, 6), P(2, 3)} do
   local out = rows:forward(x)
   show(out:dim(), out)
   out = images:forward(x)
   show(out:dim(), out)
end
local out = flat:forward(P(3, 2, 3))
show(out:dim(), out)
for i = 1, 2 do
   rows:zeroGradParameters()
   local y = rows:forward(P(4, 2, 3))
   show(crit:forward(y, P(4, 3)))
   rows:backward(P(4, 2, 3), crit:backward(y, P(4, 3)))
   rows:updateParameters(0.5)
end
----- the best parameters are kept, and a vector that has no name is filled
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
net:getParameters():uniform(-0.1, 0.1)
net:getParameters():copy(P(26))
local crit = nn.MSECriterion()
local p, g = net:getParameters()
local x, y = P(5, 3), P(5, 2):mul(2)
local state = {learningRate = 0.9}
local best, slopes, lowest = p:clone(), g:clone(), math.huge
for i = 1, 6 do
   local _, f = optim.sgd(function()
      g:zero()
      local out = net:forward(x)
      local loss = crit:forward(out, y)
      net:backward(x, crit:backward(out, y))
      return loss, g
   end, p, state)
   if f[1] < lowest then
      lowest = f[1]
      best:copy(p)
      slopes:copy(g)
   end
   state.learningRate = 0.9 / (1 + i)
   show(f[1], state.learningRate)
end
p:copy(best)
show(lowest, slopes, net:forward(x))
----- names that small classes have as well
local prod, View = 3, nn.View
function Reshape(x) return x * prod end
local net = nn.Sequential():add(View(6)):add(nn.Linear(6, prod)):add(nn.Reshape(3 * 1)):add(nn.LogSoftMax())
net:getParameters():fill(0.5)
for whole = 1, 2 do show(Reshape(whole), math.sqrt(4), net:forward(torch.ones(2, 6))) end
----- decay and clipping of all gradients as a vector
local net = nn.Sequential():add(nn.Linear(3, 3)):add(nn.Tanh()):add(nn.Linear(3, 1))
local crit = nn.MSECriterion()
local p, g = net:getParameters()
p:copy(P(p:nElement()))
local x, y = P(5, 3), P(5, 1):mul(9)
local state = {learningRate = 0.1}
local maxnorm = 0.5
local function feval(v)
   if v ~= p then p:copy(v) end
   g:zero()
   local o = net:forward(x)
   local l = crit:forward(o, y)
   net:backward(x, crit:backward(o, y))
   local norm = g:norm()
   if norm > maxnorm then g:mul(maxnorm / norm) end
   l = l + 0.01 * p:norm()^2 / 2
   g:add(0.01, p)
   return l, g
end
for i = 1, 4 do
   local _, l = optim.rmsprop(feval, p, state)
   show(l[1], g:norm(), p:norm())
end
