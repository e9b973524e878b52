-- Engines: loops of training and testing that call hooks.
--
-- Source: torchnet engine.

local tnt = require 'torchnet.env'
local argcheck = require 'argcheck'
require 'nn'

local Engine = torch.class('tnt.Engine', tnt)

local function unknown(_, name)
  assert(type(name) == 'string', 'hook name must be a string')
  error(('unknown hook <%s>'):format(name), 2)
end

Engine.__init = argcheck {
  nonamed = true,
  {name = 'self', type = 'tnt.Engine'},
  {name = 'hooks', type = 'table'},
  call = function(self, names)
    self.hooks = {}
    for _, name in ipairs(names) do
      assert(type(name) == 'string', 'hooks must be a table of hook names (strings)')
      self.hooks[name] = function() end
    end
    setmetatable(self.hooks, {__index = unknown, __newindex = unknown,
                              __call = function(hooks, name, ...) return hooks[name](...) end})
  end,
}

for _, name in ipairs {'train', 'test'} do
  Engine[name] = function()
    error(('A tnt.Engine should implement the %s() function.'):format(name), 2)
  end
end

local SGDEngine = torch.class('tnt.SGDEngine', 'tnt.Engine', tnt)

function SGDEngine:__init()
  Engine.__init(self, {'onStart', 'onStartEpoch', 'onSample', 'onForward', 'onForwardCriterion',
                       'onBackward', 'onBackwardCriterion', 'onEndEpoch', 'onUpdate', 'onEnd'})
end

-- Trains; `update(state)` changes the parameters after each sample.
local function train(self, state, update)
  state.sample, state.epoch, state.t, state.training = {}, 0, 0, true
  self.hooks('onStart', state)
  while state.epoch < state.maxepoch do
    state.network:training()
    self.hooks('onStartEpoch', state)
    for sample in state.iterator() do
      state.sample = sample
      self.hooks('onSample', state)
      state.network:forward(sample.input)
      self.hooks('onForward', state)
      state.criterion:forward(state.network.output, sample.target)
      self.hooks('onForwardCriterion', state)
      state.network:zeroGradParameters()
      if state.criterion.zeroGradParameters then state.criterion:zeroGradParameters() end
      state.criterion:backward(state.network.output, sample.target)
      self.hooks('onBackwardCriterion', state)
      state.network:backward(sample.input, state.criterion.gradInput)
      self.hooks('onBackward', state)
      update(state)
      state.t = state.t + 1
      self.hooks('onUpdate', state)
    end
    state.epoch = state.epoch + 1
    self.hooks('onEndEpoch', state)
  end
  self.hooks('onEnd', state)
end

local function descend(module, rate, name)
  assert(rate >= 0, name .. ' should be positive or zero')
  if rate > 0 and module.updateParameters then module:updateParameters(rate) end
end

SGDEngine.train = argcheck {
  {name = 'self', type = 'tnt.SGDEngine'},
  {name = 'network', type = 'nn.Module'},
  {name = 'criterion', type = 'nn.Criterion'},
  {name = 'iterator', type = 'tnt.DatasetIterator'},
  {name = 'lr', type = 'number'},
  {name = 'lrcriterion', type = 'number', defaulta = 'lr'},
  {name = 'maxepoch', type = 'number', default = 1000},
  call = function(self, network, criterion, iterator, lr, lrcriterion, maxepoch)
    local state = {network = network, criterion = criterion, iterator = iterator, lr = lr,
                   lrcriterion = lrcriterion, maxepoch = maxepoch}
    train(self, state, function()
      descend(state.criterion, state.lrcriterion, 'lrcriterion')
      descend(state.network, state.lr, 'lr')
    end)
  end,
}

SGDEngine.test = argcheck {
  {name = 'self', type = 'tnt.SGDEngine'},
  {name = 'network', type = 'nn.Module'},
  {name = 'iterator', type = 'tnt.DatasetIterator'},
  {name = 'criterion', type = 'nn.Criterion', opt = true},
  call = function(self, network, iterator, criterion)
    local state = {network = network, iterator = iterator, criterion = criterion, sample = {},
                   t = 0, training = false}
    self.hooks('onStart', state)
    state.network:evaluate()
    for sample in state.iterator() do
      state.sample = sample
      self.hooks('onSample', state)
      state.network:forward(sample.input)
      state.t = state.t + 1
      self.hooks('onForward', state)
      if state.criterion then
        state.criterion:forward(state.network.output, sample.target)
        self.hooks('onForwardCriterion', state)
      end
    end
    self.hooks('onEnd', state)
  end,
}

local OptimEngine = torch.class('tnt.OptimEngine', 'tnt.SGDEngine', tnt)

OptimEngine.train = argcheck {
  {name = 'self', type = 'tnt.OptimEngine'},
  {name = 'network', type = 'nn.Module'},
  {name = 'criterion', type = 'nn.Criterion'},
  {name = 'iterator', type = 'tnt.DatasetIterator'},
  {name = 'maxepoch', type = 'number', default = 1000},
  {name = 'optimMethod', type = 'function'},
  {name = 'config', type = 'table', opt = true},
  {name = 'optimState', type = 'table', opt = true},
  {name = 'paramFun', type = 'function', opt = true},
  call = function(self, network, criterion, iterator, maxepoch, optimMethod, config, optimState,
                  paramFun)
    local state = {network = network, criterion = criterion, iterator = iterator,
                   maxepoch = maxepoch, optimMethod = optimMethod, config = config or {},
                   optim = optimState or {}}
    if paramFun then
      state.params, state.gradParams = paramFun()
    else
      state.params, state.gradParams = network:getParameters()
    end
    local function feval() return state.criterion.output, state.gradParams end
    train(self, state, function()
      state.optimMethod(feval, state.params, state.config, state.optim)
    end)
  end,
}

return tnt
