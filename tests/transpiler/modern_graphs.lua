----- a recurrent step of several layers, with options
local Net = {}
-- one step
function Net.step(size, width, n, dropout)
   dropout = dropout or 0
   local inputs = {}
   table.insert(inputs, nn.Identity()()) -- x
   for L = 1, n do
      table.insert(inputs, nn.Identity()())
      table.insert(inputs, nn.Identity()())
   end
   local x, wide
   local outputs = {}
   for L = 1, n do
      local prev_h = inputs[L * 2 + 1]
      local prev_c = inputs[L * 2]
      if L == 1 then
         x = nn.Tanh()(inputs[1])
         wide = size
      else
         x = outputs[(L - 1) * 2]
         if dropout > 0 then x = nn.Dropout(dropout)(x) end -- some
         wide = width
      end
      local i2h = nn.Linear(wide, 4 * width)(x):annotate{name = 'i2h_' .. L}
      local h2h = nn.Linear(width, 4 * width)(prev_h):annotate{name = 'h2h_' .. L}
      local sums = nn.CAddTable()({i2h, h2h})
      local reshaped = nn.Reshape(4, width)(sums)
      local n1, n2, n3, n4 = nn.SplitTable(2)(reshaped):split(4)
      local next_c = nn.CAddTable()({
         nn.CMulTable()({nn.Sigmoid()(n1), prev_c}),
         nn.CMulTable()({nn.Sigmoid()(n2), nn.Tanh()(n4)})
      })
      local next_h = nn.CMulTable()({nn.Sigmoid()(n3), nn.Tanh()(next_c)})
      table.insert(outputs, next_c)
      table.insert(outputs, next_h)
   end
   local top = outputs[#outputs]
   if dropout > 0 then top = nn.Dropout(dropout)(top) end
   local proj = nn.Linear(width, size)(top):annotate{name = 'decoder'}
   table.insert(outputs, nn.LogSoftMax()(proj))
   return nn.gModule(inputs, outputs)
end
net = Net.step(5, 4, 2, 0.5)
for _, node in ipairs(net.forwardnodes) do
   if node.data.annotations.name == 'i2h_2' then node.data.module.bias[{{5, 8}}]:fill(1) end
end
input = {P(3, 5), P(3, 4), P(3, 4), P(3, 4), P(3, 4)}
----- parts of a graph that functions build
local opt = {width = 4}
local function gate(name, a, b)
   local sum = nn.CAddTable(){nn.Linear(opt.width, opt.width)(a), nn.Linear(opt.width, opt.width)(b)}
   return nn.Sigmoid()(sum)
end
function build(options)
   local x = nn.Identity()()
   local h = nn.Identity()()
   local count = 2 * options.width
   local function transformed(n)
      local wide = nn.Linear(options.width, n)(x)
      return nn.Linear(n, options.width)(nn.ReLU(true)(wide))
   end
   local reset = gate('r', x, h)
   local update = gate('u', x, h)
   local new = nn.Tanh()(nn.CAddTable(){transformed(count), nn.CMulTable(){reset, h}})
   local kept = nn.CMulTable(){nn.AddConstant(1, false)(nn.MulConstant(-1, false)(update)), h}
   local out = nn.CAddTable(){nn.CMulTable(){update, new}, kept}
   return nn.gModule({x, h}, {out, nn.Narrow(2, 2, options.width - 2)(new)})
end
net = build(opt)
input = {P(3, 4), P(3, 4)}
----- images, with activations that write over what is used again
function defineG(planes, n)
   local net = nil
   -- halves
   local e1 = - nn.SpatialConvolution(planes, n, 4, 4, 2, 2, 1, 1)
   local e2 = e1 - nn.LeakyReLU(0.2, true) - nn.SpatialConvolution(n, n * 2, 4, 4, 2, 2, 1, 1) - nn.SpatialBatchNormalization(n * 2)
   local e3 = e2 - nn.ReLU(true) - nn.SpatialConvolution(n * 2, n, 4, 4, 2, 2, 1, 1)
   -- doubles
   local d1_ = e3 - nn.ReLU(true) - nn.SpatialFullConvolution(n, n * 2, 4, 4, 2, 2, 1, 1) - nn.Dropout(0.5)
   local d1 = {d1_, e2} - nn.JoinTable(2)
   local d2_ = d1 - nn.ReLU(true) - nn.SpatialFullConvolution(n * 4, n, 4, 4, 2, 2, 1, 1)
   local d2 = {d2_, e1} - nn.JoinTable(2)
   local d3 = d2 - nn.ReLU(true) - nn.SpatialFullConvolution(n * 2, planes, 4, 4, 2, 2, 1, 1)
   local o1 = d3 - nn.Tanh()
   net = nn.gModule({e1}, {o1})
   return net
end
net = defineG(2, 3)
input = P(2, 2, 8, 8)
----- a method, tables of layers, tables as input and output
require 'nn'
local Cell = torch.class('Cell')
function Cell:__init(n) self.n = n; self.net = self:new_cell(2) end
function Cell:new_cell(layers)
   local x, states = nn.Identity()(), nn.Identity()()
   local hidden = {[0] = nn.Linear(self.n, self.n)(x)}
   local split = {states:split(layers)}
   local after = {}
   for i = 1, layers do
      hidden[i] = nn.Tanh()(nn.Linear(2 * self.n, self.n)(nn.JoinTable(2){hidden[i - 1], split[i]}))
      table.insert(after, hidden[i])
   end
   local l = nn.Linear(self.n, 2)
   local out = l(nn.Dropout(0)(hidden[layers]))
   local module = nn.gModule({x, states}, {out, nn.Identity()(after)})
   if self.net ~= nil then module:share(self.net, 'weight') end
   return module
end
net = Cell(3).net
input = {P(2, 3), {P(2, 3), P(2, 3)}}
----- words, and states that are one table
local params = {words = 5, width = 4, layers = 2, dropout = 0.5}
local function step(x, prev_c, prev_h)
   local i2h = nn.Linear(params.width, 4 * params.width)(x)
   local h2h = nn.Linear(params.width, 4 * params.width)(prev_h)
   local gates = nn.CAddTable()({i2h, h2h})
   local reshaped = nn.Reshape(4, params.width)(gates)
   local sliced = nn.SplitTable(2)(reshaped)
   local next_c = nn.CAddTable()({
      nn.CMulTable()({nn.Sigmoid()(nn.SelectTable(1)(sliced)), prev_c}),
      nn.CMulTable()({nn.Sigmoid()(nn.SelectTable(2)(sliced)), nn.Tanh()(nn.SelectTable(3)(sliced))})
   })
   return next_c, nn.CMulTable()({nn.Sigmoid()(nn.SelectTable(4)(sliced)), nn.Tanh()(next_c)})
end
local function create_network()
   local x = nn.Identity()()
   local prev_s = nn.Identity()()
   local i = {[0] = nn.LookupTable(params.words, params.width)(x)}
   local next_s = {}
   local split = {prev_s:split(2 * params.layers)}
   for layer_idx = 1, params.layers do
      local prev_c = split[2 * layer_idx - 1]
      local prev_h = split[2 * layer_idx]
      local dropped = nn.Dropout(params.dropout)(i[layer_idx - 1])
      local next_c, next_h = step(dropped, prev_c, prev_h)
      table.insert(next_s, next_c)
      table.insert(next_s, next_h)
      i[layer_idx] = next_h
   end
   local h2y = nn.Linear(params.width, params.words)
   local dropped = nn.Dropout(params.dropout)(i[params.layers])
   local pred = nn.LogSoftMax()(h2y(dropped))
   return nn.gModule({x, prev_s}, {pred, nn.Identity()(next_s)})
end
net = create_network()
input = {torch.Tensor{1, 2, 5}, {P(3, 4), P(3, 4), P(3, 4), P(3, 4)}}
----- losses inside of the graph
local params = {words = 5, width = 4}
local function create_network()
   local x = nn.Identity()()
   local y = nn.Identity()()
   local z = nn.Identity()()
   local hidden = nn.Tanh()(nn.Linear(params.width, params.width)(x))
   local h2y = nn.Linear(params.width, params.words)
   local pred = nn.LogSoftMax()(h2y(hidden))
   local err = nn.ClassNLLCriterion()({pred, y})
   local far = nn.MSECriterion()({hidden, z})
   local rough = nn.SmoothL1Criterion()({nn.Linear(params.width, params.width)(hidden), z})
   local module = nn.gModule({x, y, z}, {err, far, nn.CAddTable()({rough, far})})
   module:getParameters():uniform(-0.1, 0.1)
   return module
end
net = create_network()
input = {P(3, 4), torch.Tensor{1, 2, 5}, P(3, 4):mul(2)}
----- a loss of scores
local function criterion_net(width)
   local x, y, p = nn.Identity()(), nn.Identity()(), nn.Identity()()
   local scores = nn.Linear(width, 3)(x)
   local loss = nn.CrossEntropyCriterion()({scores, y})
   local apart = nn.AbsCriterion()({scores, p})
   return nn.gModule({x, y, p}, {loss, apart})
end
net = criterion_net(4)
input = {P(2, 4), torch.Tensor{3, 1}, P(2, 3):abs()}
