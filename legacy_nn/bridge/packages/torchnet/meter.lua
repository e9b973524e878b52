-- Meters: of numbers, times, errors and confusions.
--
-- Source: torchnet meter.

local tnt = require 'torchnet.env'
local argcheck = require 'argcheck'

local Meter = torch.class('tnt.Meter', tnt)

function Meter:__init() end

for _, name in ipairs {'reset', 'value', 'add'} do
  Meter[name] = function()
    error(('A tnt.Meter should implement the %s() function.'):format(name), 2)
  end
end

-- Defines a meter; `init` gets what the rules name.
function tnt.define_meter_(name, rules, init)
  local typename = 'tnt.' .. name
  local class = torch.class(typename, 'tnt.Meter', tnt)
  table.insert(rules, 1, {name = 'self', type = typename})
  function rules.call(self, ...)
    if init then init(self, ...) end
    self:reset()
  end
  class.__init = argcheck(rules)
  return class
end

-- Defines `add(output, target)`.
function tnt.define_add_(class, typename, add, more)
  class.add = argcheck {
    {name = 'self', type = typename},
    {name = 'output', type = 'torch.*Tensor'},
    {name = 'target', type = 'torch.*Tensor'},
    more,
    call = add,
  }
end

-- Defines `value(k)`, which without k is a table of `of(self, k)` for all ks.
function tnt.define_values_(class, typename, keys, of)
  class.value = argcheck {
    {name = 'self', type = typename},
    {name = 'k', type = 'number', opt = true},
    call = function(self, k)
      if k then return of(self, k) end
      local values = {}
      for _, key in ipairs(self[keys]) do values[key] = of(self, key) end
      return values
    end,
  }
end

-- A vector as one row; matrices as they are.
function tnt.rows_(x)
  if x:dim() == 1 then return x:view(1, x:size(1)) end
  return x
end

function tnt.check_binary_(target, message)
  assert(torch.eq(target, 0):add(torch.eq(target, 1)):min() == 1,
         message or 'targets should be binary (0 or 1)')
end

-- -- numbers ----------------------------------------------------------------------------------

local AverageValueMeter = tnt.define_meter_('AverageValueMeter', {})

function AverageValueMeter:reset() self.sum, self.n, self.var = 0, 0, 0 end

AverageValueMeter.add = argcheck {
  {name = 'self', type = 'tnt.AverageValueMeter'},
  {name = 'value', type = 'number'},
  {name = 'n', type = 'number', default = 1},
  call = function(self, value, n)
    assert(n >= 0, 'example weights cannot be negative')
    self.sum, self.n = self.sum + n * value, self.n + n
    self.var = self.var + n * value * value
  end,
}

function AverageValueMeter:value()
  local mean = self.sum / self.n
  return mean, math.sqrt((self.var - self.n * mean * mean) / (self.n - 1))
end

local MovingAverageValueMeter = tnt.define_meter_('MovingAverageValueMeter',
    {{name = 'windowsize', type = 'number'}}, function(self, size)
  self.windowsize, self.valuequeue = size, torch.Tensor(size)
end)

function MovingAverageValueMeter:reset()
  self.sum, self.n, self.var = 0, 0, 0
  self.valuequeue:zero()
end

MovingAverageValueMeter.add = argcheck {
  {name = 'self', type = 'tnt.MovingAverageValueMeter'},
  {name = 'value', type = 'number'},
  call = function(self, value)
    local place = self.n % self.windowsize + 1
    local old = self.valuequeue[place]
    self.sum, self.var = self.sum + value - old, self.var + value * value - old * old
    self.valuequeue[place], self.n = value, self.n + 1
  end,
}

function MovingAverageValueMeter:value()
  local n = math.min(self.n, self.windowsize)
  local mean = self.sum / math.max(1, n)
  return mean, math.sqrt((self.var - n * mean * mean) / math.max(1, n - 1))
end

local MSEMeter = tnt.define_meter_('MSEMeter', {{name = 'root', type = 'boolean', default = false}},
                                   function(self, root) self.root = root end)

function MSEMeter:reset() self.n, self.sesum = 0, 0 end

tnt.define_add_(MSEMeter, 'tnt.MSEMeter', function(self, output, target)
  assert(output:isSameSizeAs(target), 'output and target not the same size')
  assert(torch.typename(output) == torch.typename(target),
         'output and target not the same type')
  self.n = self.n + output:nElement()
  self.sesum = self.sesum + torch.add(output, -1, target):pow(2):sum()
end)

function MSEMeter:value()
  local mean = self.sesum / math.max(1, self.n)
  return self.root and math.sqrt(mean) or mean
end

local TimeMeter = tnt.define_meter_('TimeMeter', {{name = 'unit', type = 'boolean', default = false}},
    function(self, unit) self.unit, self.timer = unit, torch.Timer() end)

function TimeMeter:reset()
  self.timer:reset()
  self.n = 0
end

function TimeMeter:stop() self.timer:stop() end
function TimeMeter:resume() self.timer:resume() end
function TimeMeter:incUnit(value) self.n = self.n + (value or 1) end

function TimeMeter:value()
  local seconds = self.timer:time().real
  return self.unit and seconds / self.n or seconds
end

-- -- classes ----------------------------------------------------------------------------------

local ClassErrorMeter = tnt.define_meter_('ClassErrorMeter', {
  noordered = true,
  {name = 'topk', type = 'table', default = {1}},
  {name = 'accuracy', type = 'boolean', default = false},
}, function(self, topk, accuracy)
  self.topk, self.accuracy = torch.LongTensor(topk):sort():totable(), accuracy
end)

function ClassErrorMeter:reset()
  self.sum, self.n = {}, 0
  for _, k in ipairs(self.topk) do self.sum[k] = 0 end
end

tnt.define_add_(ClassErrorMeter, 'tnt.ClassErrorMeter', function(self, output, target)
  target, output = target:squeeze(), output:squeeze()
  if output:dim() == 1 then
    assert(type(target) == 'number', 'target and output do not match')
    target = torch.Tensor {target}
  end
  output = tnt.rows_(output)
  assert(output:dim() == 2, 'wrong output size (1D or 2D expected)')
  assert(type(target) ~= 'number' and target:dim() == 1 and target:size(1) == output:size(1),
         'target and output do not match')
  local n = output:size(1)
  local _, predicted = output:double():topk(self.topk[#self.topk], 2, true, true)
  local right = predicted:typeAs(target):eq(target:view(n, 1):expandAs(predicted))
  for _, k in ipairs(self.topk) do
    self.sum[k] = self.sum[k] + n - right:narrow(2, 1, k):sum()
  end
  self.n = self.n + n
end)

tnt.define_values_(ClassErrorMeter, 'tnt.ClassErrorMeter', 'topk', function(self, k)
  assert(self.sum[k], 'invalid k (this k was not provided at construction time)')
  local errors = self.sum[k] / self.n
  return (self.accuracy and 1 - errors or errors) * 100
end)

local ConfusionMeter = tnt.define_meter_('ConfusionMeter', {
  {name = 'k', type = 'number'},
  {name = 'normalized', type = 'boolean', default = false},
}, function(self, k, normalized)
  self.conf, self.normalized = torch.LongTensor(k, k), normalized
end)

function ConfusionMeter:reset() self.conf:zero() end

tnt.define_add_(ConfusionMeter, 'tnt.ConfusionMeter', function(self, output, target)
  target, output = target:squeeze(), tnt.rows_(output:squeeze())
  if type(target) == 'number' then target = torch.Tensor {target} end
  assert(output:size(2) == self.conf:size(1),
         'number of outputs does not match size of confusion matrix')
  if target:dim() == 1 and output:size(1) == 1 and target:size(1) > 1 then target = tnt.rows_(target) end
  assert(target:size(1) == output:size(1), 'number of targets and outputs do not match')
  if target:dim() > 1 then
    assert(target:size(2) == output:size(2),
           'target should be 1D Tensor or have size of output (one-hot)')
    tnt.check_binary_(target, 'in one-hot encoding, target values should be 0 or 1')
    assert(torch.eq(target:sum(2), 1):all(), 'multi-label setting is not supported')
    local _, classes = target:max(2)
    target = classes:squeeze(2)
  end
  local _, predicted = output:double():max(2)
  for n = 1, predicted:size(1) do
    local row = self.conf[target[n]]
    row[predicted[n][1]] = row[predicted[n][1]] + 1
  end
end)

function ConfusionMeter:value()
  if not self.normalized then return self.conf end
  local shares = self.conf:double()
  return shares:cdiv(shares:sum(2):cmax(1e-12):expandAs(shares))
end

local MultiLabelConfusionMeter = tnt.define_meter_('MultiLabelConfusionMeter', {
  {name = 'k', type = 'number'},
  {name = 'normalized', type = 'boolean', default = true},
}, function(self, k, normalized)
  self.conf, self.normalized = torch.DoubleTensor(k, k), normalized
end)

function MultiLabelConfusionMeter:reset() self.conf:zero() end

tnt.define_add_(MultiLabelConfusionMeter, 'tnt.MultiLabelConfusionMeter',
                function(self, output, target)
  target, output = tnt.rows_(target:squeeze()), tnt.rows_(output:squeeze())
  assert(target:isSameSizeAs(output), 'number of targets and outputs do not match')
  tnt.check_binary_(target, 'target values should be 0 or 1')
  local classes = target:size(2)
  assert(classes == self.conf:size(1), 'target size does not match size of confusion matrix')
  local _, ranked = output:double():sort(2, true)
  for n = 1, target:size(1) do
    local count = target[n]:sum()
    local predicted, missed, wrong = {}, {}, {}
    for k = 1, count do predicted[ranked[n][k]] = true end
    for class = 1, classes do
      local is = target[n][class] == 1
      if is and predicted[class] then
        self.conf[class][class] = self.conf[class][class] + 1
      elseif is then
        missed[#missed + 1] = class
      elseif predicted[class] then
        wrong[#wrong + 1] = class
      end
    end
    for _, class in ipairs(missed) do
      for _, other in ipairs(wrong) do
        self.conf[class][other] = self.conf[class][other] + 1 / #wrong
      end
    end
  end
end)

function MultiLabelConfusionMeter:value()
  local shares = self.conf:clone()
  if self.normalized then shares:cdiv(shares:sum(2):add(1e-8):expandAs(shares)) end
  return shares
end

return tnt
