----- a network with tables of parameters
local t = require 'torch'
local grad = require 'autograd'
local params = {W = {P(5, 4), P(4, 3)}, b = {P(4), P(3)}}
local function network(params, x, y)
   local h1 = t.tanh(x * params.W[1] + params.b[1])
   local h2 = t.tanh(h1 * params.W[2] + params.b[2])
   local out = h2 - t.log(t.sum(t.exp(h2)))
   return -t.sum(t.cmul(out, y))
end
local dnetwork = grad(network)
local x, y = P(1, 5), t.Tensor{{0, 0, 1}}
for step = 1, 3 do
   local grads, loss = dnetwork(params, x, y)
   show(loss, grads.W[1], grads.b[2])
   for i = 1, #params.W do
      params.W[i]:add(-0.1, grads.W[i])
      params.b[i]:add(-0.1, grads.b[i])
   end
end
show(params.W[2], network(params, x, y))
print(type(dnetwork(params, x, y)), #dnetwork(params, x, y).W)

----- globals, and the package as a function under another name
t = require 'torch'
grad = require 'autograd'
params = {w = P(3), scale = 2}
loss = function(p, x)
   local s = t.sum(t.cmul(p.w, x)) * p.scale
   return s * s / 2, s
end
dloss = grad(loss)
grads, value, s = dloss(params, P(3) + 1)
show(grads.w, grads.scale, value, s)
show(grad.grad(loss)(params, P(3)).w)

----- numbers that are differentiated
local autograd = require 'autograd'
local df = autograd(function(p)
   local a = p.a * 3 - 1
   local b = 2 / a + a ^ 2 - -p.b
   local c = 1 + b - 4 * p.a
   if autograd.util.gt(c, 0) then c = c * 2 end
   return c * 10 + torch.sum(torch.add(torch.mul(p.x, a), b))
end)
local g, value = df({a = 1.5, b = 0.25, x = P(4)})
show(g.a, g.b, g.x, value)

----- gradients of gradients
local d = require 'autograd'
d.optimize(true)
local x, y = P(4), P(4) * 0.5
local inner = function(p, y)
   return torch.sum(torch.pow(p.x - y, 3)) + torch.sum(torch.pow(p.x, 2)) * p.k
end
local outer = d(function(p, y)
   local grads = d(inner)(p, y)
   return torch.sum(torch.cmul(grads.x, grads.x)) + grads.k
end)
local gg, norm = outer({x = x, k = 0.7}, y)
show(gg.x, gg.k, norm)
local third = d(function(p)
   return torch.sum((d(function(p) return torch.sum((d(function(p) return torch.sum(torch.pow(p, 4)) end)(p))) end)(p)))
end)
show((third(x)))
d.optimize(false)

----- an inner function that sees an outer parameter
local d = require 'autograd'
show(d(function(a)
   local inner = d(function(b) return a * b * b end)
   return inner(3) * a
end)(2))

----- options
local grad = require 'autograd'
local f = function(a, b) return torch.sum(torch.cmul(a, torch.exp(b))), 'second' end
local a, b = P(3), P(3) + 0.1
show((grad(f, {gradArg = 2})(a, b)))
print(grad(f, {withGradients = false})(a, b), select('#', grad(f, {withForward = false})(a, b, 1)))
local g = function(a, b) return torch.cmul(a, torch.exp(b)) end
local partial = grad(g, {partialGrad = true})
local found, out = partial(a, b, torch.Tensor{1, 2, 3})
show(found, out)
local stable = grad(f, {stableGradients = true, optimize = true})
local first = stable(a, b)
local before = first:clone()
local again = stable(a, b * 2)
print(first == again)
show(before, first)

----- control flow and closures over tensors
local grad = require 'autograd'
local W = P(3, 3)
local depth = 4
local f = function(x, n)
   local h = x
   for i = 1, n do
      h = torch.tanh(W * h)
      if i % 2 == 0 then h = h * 0.5 end
   end
   return torch.sum(h), h
end
local df = grad(f)
local g, loss, h = df(P(3), depth)
show(g, loss, h)
show(df(P(3), 1))

----- elements and parts
local grad = require 'autograd'
local df = grad(function(p)
   local x = p.x
   local s = x[1][2] * x[{2, 3}] + torch.sum(x[{{1, 2}, {2, 3}}]) + torch.sum(x[3]) * 2
   local n = torch.narrow(x, 2, 1, 2)
   local c = x:select(1, 2):sum() + torch.cat(x, n, 2):size(2)
   local y = torch.cat({x, x}, 1)
   local m = x[torch.gt(p.m, 0)]
   return s + torch.sum(torch.pow(n, 2)) * c + torch.sum(torch.cmul(y, y)) + m:sum()
      + torch.sum(x:view(4, 3):t() * x:view(4, 3)) + torch.sum(torch.index(x, 1, torch.LongTensor{1, 3}))
end)
local g, v = df({x = P(3, 4), m = P(3, 4)})
show(g.x, v)

----- assignment to elements
local grad = require 'autograd'
local df = grad(function(p)
   local x = torch.cmul(p.x, p.x)
   x[2] = p.y * 3
   x[{{3, 4}}] = torch.narrow(p.x, 1, 1, 2)
   local out = torch.zeros(2, 3)
   local rows = out * torch.sum(p.x)
   rows[1] = torch.narrow(p.x, 1, 2, 3)
   return torch.sum(torch.pow(x, 2)) + torch.sum(rows)
end)
local p = {x = P(4), y = 0.3}
local g = df(p)
show(g.x, g.y, p.x)

----- what writes into a tensor is refused
local grad = require 'autograd'
local function try(f)
   local ok, message = pcall(grad(f), {x = P(3)})
   print(ok, message:match('autograd: [^(]+'))
end
try(function(p) p.x:add(1) return torch.sum(p.x) end)
try(function(p) p.x:mul(2) return torch.sum(p.x) end)
try(function(p) local y = p.x * 2 y:exp() return torch.sum(y) end)
try(function(p) return torch.sum(torch.qr(p.x)) end)
print(pcall(grad(function(p) return p.x * 2 end), {x = P(3)}))
print((pcall(grad(function(p) error('own') end), {x = P(3)})))
show(grad(function(p) return torch.sum(p.x) end)({x = P(2)}).x)

----- modules and criterions of nn as functions
require 'nn'
local grad = require 'autograd'
local linear1, acts1 = grad.nn.Linear(6, 5), grad.nn.Tanh()
local linear2 = grad.nn.Linear(5, 2)
local mse = grad.nn.MSECriterion()
local function loss(params, x, y)
   local h = acts1(linear1(params.linear1, x))
   return mse(linear2(params.linear2, h), y) * params.scale
end
local params = {linear1 = {P(5, 6), P(5)}, linear2 = {P(2, 5), P(2)}, scale = 3}
local g, l = grad(loss)(params, P(3, 6), P(3, 2))
show(l, g.linear1[1], g.linear1[2], g.linear2[1], g.scale)

----- functionalize
require 'nn'
local autograd = require 'autograd'
local model = nn.Sequential():add(nn.SpatialConvolutionMM(1, 2, 3, 3)):add(nn.Tanh()):add(nn.Reshape(8)):add(nn.Linear(8, 3))
local f, params = autograd.functionalize(model)
for i, p in ipairs(params) do p:copy(P(p:size())) end
local nll, logsoftmax = autograd.nn.ClassNLLCriterion(), autograd.functionalize(nn.LogSoftMax())
local function loss(params, x, y) return nll(logsoftmax(f(params, x)), y) end
local g, l = autograd(loss)(params, P(2, 1, 4, 4), torch.Tensor{1, 3})
print(#params, #g, torch.type(f.module), torch.type(nll.module))
show(l, g[1], g[4])
show(loss(params, P(2, 1, 4, 4), torch.Tensor{1, 3}))

----- modules made of functions
require 'nn'
local autograd = require 'autograd'
local function linear(input, weight, bias)
   return torch.cmul(input, weight) + bias
end
local function mse(input, target)
   local d = input - target
   return torch.sum(torch.cmul(d, d)) / input:nElement()
end
local net = nn.Sequential()
net:add(autograd.nn.AutoModule('SnippetScale')(linear, P(4), P(4)))
net:add(nn.Tanh())
local crit = autograd.nn.AutoCriterion('SnippetMse')(mse)
local params, gradParams = net:parameters()
for i = 1, 3 do
   net:zeroGradParameters()
   local out = net:forward(P(4))
   show(crit:forward(out, P(4) * 2))
   net:backward(P(4), crit:backward(out, P(4) * 2))
   for i = 1, #params do params[i]:add(-0.1, gradParams[i]) end
end
show(params[1], params[2])
print(torch.type(net:get(1)), autograd.auto.SnippetScale ~= nil)

----- losses
local grad = require 'autograd'
local loss = require 'autograd.loss'
local y = torch.Tensor{0, 1, 0}
for _, name in ipairs {'crossEntropy', 'binaryEntropy', 'leastSquares', 'margin'} do
   local g, l, out = grad(function(p, y) return loss[name](p.x, y) end)({x = P(3)}, y)
   show(g.x, l, out)
end
show((grad.loss.logMultinomialLoss(P(3), y)))

----- models
local grad = require 'autograd'
local function filled(params)
   for _, p in ipairs(params) do
      for _, name in ipairs {1, 2, 'W', 'b', 'V', 'c'} do
         if p[name] then p[name]:copy(P(p[name]:size())) end
      end
   end
end
for _, name in ipairs {'RecurrentNetwork', 'RecurrentLSTMNetwork', 'RecurrentGRUNetwork', 'RecurrentFWNetwork'} do
   local f, params = grad.model[name]({inputFeatures = 3, hiddenFeatures = 4, outputType = 'all'})
   filled(params)
   local df = grad(function(p, x) return torch.sum(torch.pow(f(p, x), 2)) end)
   local g, v = df(params, P(2, 3, 3))
   show(v, g[1].W, g[1].b)
end
local f, params = grad.model.NeuralNetwork({inputFeatures = 4, hiddenFeatures = {5, 3}, classifier = true, activations = 'Tanh'})
filled(params)
local g, v = grad(function(p, x) return torch.sum(torch.pow(f(p, x), 2)) end)(params, P(2, 4))
show(v, g[1][1], g[2][2])
local f, params = grad.model.SpatialNetwork({inputFeatures = 1, hiddenFeatures = {2, 2}, poolings = {2, 2}, kernelSize = 3, activations = 'Sigmoid'})
filled(params)
local g, v = grad(function(p, x) return torch.sum(f(p, x)) end)(params, P(1, 1, 8, 8))
show(v, g[1][1], g[2][2])

----- layers of autograd.module
local grad = require 'autograd'
local norm, params = grad.module.LayerNormalization({nOutputs = 4})
local g, v = grad(function(p, x) return torch.sum(torch.pow(norm(p, x), 3)) end)(params, P(2, 4))
show(v, g[1].gain, g[1].bias)
local attend, params = grad.module.SoftAttention({subjectFeatures = 3, subjectChoices = 4, hiddenFeatures = 2})
for _, name in ipairs {'W_att_subject', 'W_att_h', 'b_att'} do params[1][name]:copy(P(params[1][name]:size())) end
local g, v = grad(function(p, s, h) return torch.sum(torch.pow(attend(p, s, h), 2)) end)(params, P(2, 3, 4), P(2, 2))
show(v, g[1].W_att_subject, g[1].W_att_h, g[1].b_att)

----- optimisers for tables of parameters
local grad = require 'autograd'
local params = {w = {P(3), P(2)}, b = P(1)}
local df = grad(function(p, x)
   return torch.sum(torch.pow(p.w[1] - x, 2)) + torch.sum(torch.pow(p.w[2], 2)) + torch.sum(torch.pow(p.b - 1, 2))
end)
for _, name in ipairs {'sgd', 'adam', 'adagrad', 'rmsprop'} do
   local step, states = grad.optim[name](df, {learningRate = 0.1}, params)
   local grads, loss
   for i = 1, 3 do grads, loss = step(P(3) * 2) end
   print(#states)
   show(loss, grads.b, params.w[1], params.w[2], params.b)
end

----- utilities
local autograd = require 'autograd'
local util = require 'autograd.util'
show(util.oneHot(torch.LongTensor{1, 3, 2}, 4), util.cast({a = {P(2)}}, 'float').a[1]:double())
local df = autograd(function(p)
   local s = util.logSoftMax(p.x) + util.sigmoid(p.x)
   local c = util.cat({torch.sum(p.x), torch.max(p.x), p.k})
   local z = util.zerosLike(p.x) + util.fill(p.x, torch.sum(p.x))
   local rows = util.lookup(p.W, torch.LongTensor{2, 1, 2})
   return torch.sum(torch.cmul(s, z)) + torch.sum(torch.pow(c, 2)) + torch.sum(torch.pow(rows, 2))
      + util.logSumExp(p.x)
end)
local g, v = df({x = P(4), k = 0.2, W = P(3, 2)})
show(g.x, g.k, g.W, v)
local flat, keys = util.sortedFlattenKeys({b = 1, a = {2, 3}})
print(table.concat(flat, ' '), #keys, keys[1][1], keys[3][1])
local check = require 'autograd.gradcheck' {randomizeInput = false}
print(check(function(p) return torch.sum(torch.pow(p.x, 3)) end, {x = P(4) + 1}))

----- functions with gradients of their own
local autograd = require 'autograd'
local mine = {twice = function(x) return x * 2 end, count = function(x) return x:nElement() end, no = function(x) return x end}
autograd.overload.module('mine', mine, function(m)
   m.gradient('twice', {function(g, ans, x) return torch.mul(g, 2) end})
   m.static('count')
   m.unsupported('no')
end)
local g = autograd(function(p) return torch.sum(mine.twice(torch.pow(p.x, 2))) * mine.count(p.x) end)({x = P(3)})
show(g.x)
print(pcall(autograd(function(p) return torch.sum(mine.no(p.x)) end), {x = P(3)}))

----- single precision
torch.setdefaulttensortype('torch.FloatTensor')
local grad = require 'autograd'
local g, l = grad(function(p, x) return torch.sum(torch.sigmoid(p.W * x + p.b)) end)({W = P(3, 2), b = P(3)}, P(2))
print(torch.type(g.W), torch.type(l))
show(g.W:double(), g.b:double(), l)
torch.setdefaulttensortype('torch.DoubleTensor')

----- a debugger's hook
local grad = require 'autograd'
local said = 0
local df = grad(function(p) return torch.sum(torch.div(p.x, 0)) end, {debugHook = function(debugger, message, gen)
   said = said + 1
   print(message:match('(.-)\n'), type(gen.source), type(gen.line))
end})
df({x = P(2)})
print(said)

----- values inside of a function
local grad = require 'autograd'
local Value = require 'autograd.runtime.codegen.Value'
local getValue = require('autograd.node').getValue
local df = grad(function(p)
   local s = torch.sum(p.W[1])
   if s.raw > 0 then s = s * 2 end
   show(getValue(s), getValue(p.W[2]), p.W[1].raw)
   for i = 1, Value.len(p.W) do s = s + torch.sum(torch.pow(p.W[i], 2)) * i end
   return s
end)
local g = df({W = {P(2) + 1, P(3)}})
show(g.W[1], g.W[2])

----- gradients may be written to
local grad = require 'autograd'
local p = {a = P(2, 2), b = P(2, 2), c = P(2), d = P(2)}
local g = grad(function(p)
   return torch.sum(p.a + p.b) + torch.sum(p.c) + torch.sum(torch.pow(p.c + p.d, 2))
end)(p)
for name, x in pairs(g) do x:mul(3) end
g.c[1] = 7
show(g.a, g.b, g.c, g.d)
local partial = torch.ones(2)
local h = grad(function(p) return p + 1 end, {partialGrad = true})(P(2), partial)
h:mul(2)
show(h, partial)
