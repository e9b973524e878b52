----- a network of the readme
t = require 'torch'
grad = require 'autograd'
params = {
   W = {torch.linspace(-0.6, 0.8, 20):view(5, 4), torch.linspace(-0.6, 0.8, 12):view(4, 3)}, -- weights
   b = {torch.linspace(-0.6, 0.8, 4):view(4), torch.linspace(-0.6, 0.8, 3):view(3)}
}
neuralNet = function(params, x, y)
   local h1 = t.tanh(x * params.W[1] + params.b[1])
   local h2 = t.tanh(h1 * params.W[2] + params.b[2])
   local yHat = h2 - t.log(t.sum(t.exp(h2)))
   local loss = - t.sum(t.cmul(yHat, y))
   return loss
end
dneuralNet = grad(neuralNet)
x = t.DoubleTensor(1, 5):fill(0.3)
y = t.Tensor(1, 3):zero() y[1][3] = 1
for step = 1, 3 do
   dparams, loss = dneuralNet(params, x, y)
   show(loss, dparams.W[1], dparams.b[2])
   for i = 1, #params.W do
      params.W[i]:add(-.1, dparams.W[i])
      params.b[i]:add(-.1, dparams.b[i])
   end
end
show(neuralNet(params, x, y) * 2, params.W[2])

----- helpers, results beside the loss, an update by assignment
local grad = require 'autograd'
local util = require 'autograd.util'
local lossFuns = require 'autograd.loss'
grad.optimize(true)
local predict, f, params
function predict(params, input)
   local h = input
   for i = 1, #params.W do
      h = torch.tanh(h * params.W[i] + params.B[i])
   end
   local out = util.logSoftMax(h)
   return out
end
function f(params, input, target)
   local prediction = predict(params, input)
   local loss = lossFuns.logMultinomialLoss(prediction, target)
   return loss, prediction
end
local W1, W2 = torch.linspace(-0.6, 0.8, 30):view(6, 5), torch.linspace(-0.6, 0.8, 20):view(5, 4)
params = {W = {W1, W2}, B = {torch.linspace(-0.6, 0.8, 5):view(5), torch.linspace(-0.6, 0.8, 4):view(4)}}
local df = grad(f, {optimize = true})
for i = 1, 4 do
   local x = torch.mul(torch.ones(1, 6), i * 0.1)
   local y = torch.view(torch.linspace(-0.6, 0.8, 4):view(4), 1, 4)
   local grads, loss, prediction = df(params, x, y)
   for i = 1, #params.W do
      params.W[i] = params.W[i] - grads.W[i] * 0.01
      params.B[i] = params.B[i] - grads.B[i] * 0.01
   end
   show(loss, prediction, params.W[1], params.B[2])
end
local last, out = f(params, torch.ones(1, 6), torch.view(torch.linspace(-0.6, 0.8, 4):view(4), 1, 4))
show(last, out)

----- gradients only, of a tensor, and for another argument
local autograd = require 'autograd'
local function energy(x, k)
   return torch.sum(torch.pow(x, 2)) * k / 2 + torch.mean(torch.exp(-x))
end
local x = torch.linspace(0, 1, 5):view(5)
show((autograd(energy)(x, 3)))
local dw = autograd(function(x, w) return torch.sum(torch.cmul(x, torch.cmul(w, w))) end, {gradArg = 2})
show((dw(torch.ones(4), torch.Tensor{1, 2, 3, 4})))

----- gradients of gradients
local d = require 'autograd'
local A = torch.Tensor{{2, 1}, {1, 3}}
local inner = function(p, b)
   return torch.sum(torch.pow(A * p.x - b, 3)) + torch.sum(torch.pow(p.x, 4))
end
local outer = d(function(p, b)
   local g = d(inner)(p, b)
   return torch.sum(torch.cmul(g.x, g.x))
end)
local p, b = {x = torch.Tensor{0.5, -1}}, torch.Tensor{1, 2}
local gg, norm = outer(p, b)
show(gg.x, norm)

----- functions of nn
local grad = require 'autograd'
local linear1, acts1 = grad.nn.Linear(5, 4), grad.nn.Tanh()
local linear2 = grad.nn.Linear(4, 3)
local mse = grad.nn.MSECriterion()
local params = {first = {torch.ones(4, 5) * 0.1, torch.ones(4)}, second = {torch.ones(3, 4) * 0.2, torch.zeros(3)}}
local function loss(params, x, y)
   local h = acts1(linear1(params.first, x))
   return mse(linear2(params.second, h), y)
end
local dloss = grad(loss)
local g, l = dloss(params, torch.ones(2, 5), torch.ones(2, 3))
show(l, g.first[1], g.second[2])

----- loops, branches, parts
local autograd = require 'autograd'
local scale, deep = 0.5, true
local f = function(p, n)
   local h = p.x
   for i = 1, n do
      h = torch.sigmoid(p.W * h) * scale
   end
   local total = torch.sum(h)
   for i = 1, 3 do
      total = total + h[i] * i + torch.sum(torch.narrow(p.W, 1, i, 1)) ^ 2
   end
   local rows = torch.sum(p.W, 2)
   return total + torch.max(rows) - torch.dot(p.x, p.x) + torch.sum(torch.t(p.W) * p.x)
end
local df = autograd(f)
local g, v = df({x = torch.Tensor{1, -1, 2}, W = torch.ones(3, 3) * 0.3}, 4)
show(v, g.x, g.W)

----- gradients with results inside of another function, and losses of two results
local d = require 'autograd'
local W = torch.linspace(-0.6, 0.8, 12):view(3, 4)
local f = function(p, x, y)
   local out = p.W * x + p.b
   local loss, logs = d.loss.crossEntropy(out, y)
   local squares = d.loss.leastSquares(logs, y)
   return loss + squares * 0.1, logs
end
local df = d(f)
local function projected(p, x, y, v)
   local grads, loss, logs = df(p, x, y)
   local total = torch.sum(torch.cmul(grads.W, v)) + torch.sum(grads.b)
   return total + loss * 2
end
local dprojected = d(projected)
local p = {W = W, b = torch.Tensor{0.1, -0.2, 0.3}}
local x, y = torch.Tensor{1, -1, 0.5, 2}, torch.Tensor{0, 1, 0}
local grads, loss, logs = df(p, x, y)
show(loss, logs, grads.W)
local hv, total = dprojected(p, x, y, torch.ones(3, 4) * 0.5)
show(total, hv.W, hv.b)

----- steps in functions, results that are declared before
local grad = require 'autograd'
local p = {w = torch.ones(3)}
local df = grad(function(p, x, k) return torch.sum(torch.cmul(p.w, x)) * k, 3 end)
local grads, loss, n
for i = 1, 2 do
   grads, loss, n = df(p, torch.ones(3) * i, 2)
   show(loss, n, grads.w)
end
local function step(x, k)
   local g, l = df(p, x, k)
   p.w:add(0.1, g.w)
   return l
end
show(step(torch.Tensor{1, 2, 3}, 1), step(torch.ones(3), 0.5), p.w)

----- gradients that are written to
local grad = require 'autograd'
local p = {a = torch.ones(2, 2), b = torch.ones(2, 2), c = {torch.ones(2)}}
local df = grad(function(p, k) return torch.sum(p.a + p.b) * k + torch.sum(torch.pow(p.c[1], 2)) end)
local g, loss = df(p, 2)
g.a:mul(3)
g.c[1][1] = 7
show(g.a, g.b, g.c[1], loss)
local function clip(x) x:clamp(-1, 1) end
local h = grad(function(p) return torch.sum(torch.pow(p.x + p.y, 2)) end)({x = p.a, y = p.b})
clip(h.x)
show(h.x, h.y)
