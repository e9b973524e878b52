-- Meters of rankings: precision, recall, and what is made of them.
--
-- Source: torchnet meter.

local tnt = require 'torchnet.env'
local argcheck = require 'argcheck'

-- Grows as samples come: rows added below those of a tensor.
local function below(kept, new)
  return kept:nElement() == 0 and new:clone() or torch.cat(kept, new, 1)
end

-- -- areas ------------------------------------------------------------------------------------

local AUCMeter = tnt.define_meter_('AUCMeter', {})

function AUCMeter:reset() self.scores, self.targets = torch.DoubleTensor(), torch.LongTensor() end

tnt.define_add_(AUCMeter, 'tnt.AUCMeter', function(self, output, target)
  local function vector(x)
    x = x:squeeze()
    return type(x) == 'number' and torch.Tensor {x} or x
  end
  output, target = vector(output), vector(target)
  assert(output:dim() == 1, 'dimensionality of output should be 1 (e.g., nn.Sigmoid output)')
  assert(target:dim() == 1, 'dimensionality of targets should be 1')
  assert(output:size(1) == target:size(1), 'number of outputs and targets does not match')
  tnt.check_binary_(target)
  self.scores = below(self.scores, output:double())
  self.targets = below(self.targets, target:long())
end)

function AUCMeter:value()
  if self.scores:nElement() == 0 then return 0.5 end
  local _, order = torch.sort(self.scores, 1, true)
  local positive = self.targets:index(1, order):double()
  local n = positive:size(1)
  local tpr, fpr = torch.DoubleTensor(n + 1):zero(), torch.DoubleTensor(n + 1):zero()
  tpr:narrow(1, 2, n):copy(positive:cumsum())
  fpr:narrow(1, 2, n):copy((-positive + 1):cumsum())
  tpr:div(positive:sum())
  fpr:div(n - positive:sum())
  local steps = fpr:narrow(1, 2, n) - fpr:narrow(1, 1, n)
  return torch.cmul(tpr:narrow(1, 1, n), steps):sum(), tpr, fpr
end

local APMeter = tnt.define_meter_('APMeter', {})

function APMeter:reset()
  self.scores, self.targets = torch.DoubleTensor(), torch.LongTensor()
  self.weights = torch.DoubleTensor()
end

local function columns(x, what)
  if x:dim() == 1 then return x:view(x:size(1), 1) end
  assert(x:dim() == 2, ('wrong %s size (should be 1D or 2D with one column per class)'):format(what))
  return x
end

local WEIGHT = {name = 'weight', type = 'torch.*Tensor', opt = true}

tnt.define_add_(APMeter, 'tnt.APMeter', function(self, output, target, weight)
  output, target = columns(output, 'output'), columns(target, 'target')
  assert(output:isSameSizeAs(target), 'dimensions for output and target does not match')
  tnt.check_binary_(target)
  assert(self.scores:nElement() == 0 or output:size(2) == self.scores:size(2),
         'dimensions for output should match previously added examples.')
  if weight then
    weight = weight:squeeze()
    if type(weight) == 'number' then weight = torch.Tensor {weight} end
    assert(weight:dim() == 1, 'Weight dimension should be 1')
    assert(weight:nElement() == target:size(1),
           'Weight dimension 1 should be the same as that of target')
    assert(torch.ge(weight, 0):all(), 'Weight should be non-negative only')
    self.weights = below(self.weights, weight:double())
  end
  self.scores = below(self.scores, output:double())
  self.targets = below(self.targets, target:long())
end, WEIGHT)

function APMeter:value()
  local n, classes = self.scores:size(1), self.scores:size(2)
  local ap = torch.DoubleTensor(classes):zero()
  for k = 1, classes do
    local _, order = torch.sort(self.scores:select(2, k), 1, true)
    local truth = self.targets:select(2, k):index(1, order):double()
    local all, right = torch.range(1, n), truth:clone()
    if self.weights:nElement() > 0 then
      local weight = self.weights:index(1, order)
      all, right = weight:cumsum(), right:cmul(weight)
    end
    local precision = right:cumsum():cdiv(all)
    ap[k] = precision:cmul(truth):sum() / math.max(truth:sum(), 1)
  end
  return ap
end

local mAPMeter = tnt.define_meter_('mAPMeter', {}, function(self) self.apmeter = tnt.APMeter() end)

function mAPMeter:reset() self.apmeter:reset() end

tnt.define_add_(mAPMeter, 'tnt.mAPMeter', function(self, output, target, weight)
  self.apmeter:add {output = output, target = target, weight = weight}
end, WEIGHT)

function mAPMeter:value() return self.apmeter:value():mean() end

-- -- thresholds -------------------------------------------------------------------------------

-- Precision and recall: right ones among those found, or among those that are there.
local function define_threshold_meter(name, others, count)
  local typename = 'tnt.' .. name
  local class = tnt.define_meter_(name, {
    noordered = true,
    {name = 'threshold', type = 'table', default = {0.5}},
    {name = 'perclass', type = 'boolean', default = false},
  }, function(self, thresholds, perclass)
    self.threshold, self.perclass = {}, perclass
    for _, t in pairs(thresholds) do
      assert(t >= 0 and t <= 1, 'threshold should be between 0 and 1')
      table.insert(self.threshold, t)
    end
    table.sort(self.threshold)
  end)

  function class:reset()
    self.tp, self[others] = {}, {}
    for _, t in ipairs(self.threshold) do
      self.tp[t], self[others][t] = torch.Tensor(), torch.Tensor()
    end
  end

  tnt.define_add_(class, typename, function(self, output, target)
    output, target = tnt.rows_(output:squeeze()), tnt.rows_(target)
    assert(output:dim() == 2, 'wrong output size (1D or 2D expected)')
    assert(target:isSameSizeAs(output), 'target and output do not match')
    local function sums(mask) return mask:double():sum(1):view(-1) end
    for _, t in ipairs(self.threshold) do
      for _, kept in ipairs {self.tp, self[others]} do
        if kept[t]:nElement() == 0 then kept[t] = torch.DoubleTensor(target:size(2)):zero() end
      end
      local found = torch.ge(output, t)
      self.tp[t]:add(sums(torch.cmul(found, torch.ne(target, 0))))
      self[others][t]:add(sums(count(found, target)))
    end
  end)

  tnt.define_values_(class, typename, 'threshold', function(self, t)
    local right, all = self.tp[t], self[others][t]
    assert(right and all, ('%f is an incorrect threshold [not set]'):format(t))
    if self.perclass then
      local shares = torch.cdiv(right, all):mul(100)
      shares[torch.eq(all, 0)] = 100
      return shares
    end
    return all:sum() == 0 and 100 or right:sum() / all:sum() * 100
  end)
end

define_threshold_meter('PrecisionMeter', 'tpfp', function(found) return found end)
define_threshold_meter('RecallMeter', 'tpfn', function(_, target) return target end)

-- -- the first k ------------------------------------------------------------------------------

local PrecisionAtKMeter = tnt.define_meter_('PrecisionAtKMeter', {
  noordered = true,
  {name = 'topk', type = 'table', default = {10}},
  {name = 'dim', type = 'number', default = 2},
  {name = 'online', type = 'boolean', default = false},
}, function(self, topk, dim, online)
  assert(dim == 1 or dim == 2, 'value of dimension should be 1 or 2')
  self.topk = torch.LongTensor(topk):sort():totable()
  self.maxk, self.dim, self.online = self.topk[#self.topk], dim, online
end)

function PrecisionAtKMeter:reset()
  self.tp, self.n = {}, 0
  for _, k in ipairs(self.topk) do self.tp[k] = 0 end
end

-- The targets of the best k, best first, and their outputs.
local function best(output, target, k, dim)
  local outputs, order = torch.sort(output, dim, true)
  return target:gather(dim, order):narrow(dim, 1, k), outputs:narrow(dim, 1, k)
end

tnt.define_add_(PrecisionAtKMeter, 'tnt.PrecisionAtKMeter', function(self, output, target)
  output, target = tnt.rows_(output:squeeze()), tnt.rows_(target)
  assert(output:dim() == 2, 'wrong output size (1D or 2D expected)')
  assert(target:isSameSizeAs(output), 'target and output do not match')
  local dim, other = self.dim, self.dim == 1 and 2 or 1
  if self.online then  -- the best of all that was added
    if self.__topkoutput then
      output = torch.cat(self.__topkoutput, output, dim)
      target = torch.cat(self.__topktarget, target, dim)
    end
    self.__topktarget, self.__topkoutput = best(output, target, self.maxk, dim)
    self.n = output:size(other)
    for _, k in ipairs(self.topk) do self.tp[k] = self.__topktarget:narrow(dim, 1, k):sum() end
    return
  end
  local targets = best(output, target, self.maxk, dim)
  for _, k in ipairs(self.topk) do
    self.tp[k] = self.tp[k] + targets:narrow(dim, 1, k):sum()
  end
  self.n = self.n + target:size(other)
end)

tnt.define_values_(PrecisionAtKMeter, 'tnt.PrecisionAtKMeter', 'topk', function(self, k)
  assert(self.tp[k], 'invalid k (not provided at construction time)')
  return self.tp[k] / (self.n * k) * 100
end)

local NDCGMeter = tnt.define_meter_('NDCGMeter', {
  noordered = true,
  {name = 'K', type = 'table', default = {1}},
}, function(self, K) self.K = torch.LongTensor(K):sort():totable() end)

function NDCGMeter:reset()
  self.ndcg, self.n = {}, 0
  for _, k in ipairs(self.K) do self.ndcg[k] = 0 end
end

-- What a ranking gains: relevances, weakened by the logarithm of their place.
local function gain(relevance, k)
  local sum = relevance[1]
  for i = 2, k do sum = sum + relevance[i] * math.log(2) / math.log(i) end
  return sum
end

tnt.define_add_(NDCGMeter, 'tnt.NDCGMeter', function(self, output, relevance)
  output, relevance = tnt.rows_(output), tnt.rows_(relevance):double()
  assert(output:dim() == 2 and relevance:isSameSizeAs(output), 'result size must match')
  assert(relevance:size(2) >= self.K[#self.K], 'too few results for value of K')
  local _, order = torch.sort(output, 2, true)
  local ideal = torch.sort(relevance, 2, true)
  for n = 1, output:size(1) do
    local ranked = relevance[n]:index(1, order[n])
    for _, k in ipairs(self.K) do
      self.ndcg[k] = self.ndcg[k] + gain(ranked, k) / gain(ideal[n], k)
    end
  end
  self.n = self.n + output:size(1)
end)

tnt.define_values_(NDCGMeter, 'tnt.NDCGMeter', 'K', function(self, k)
  assert(self.ndcg[k], 'invalid k (was not provided at construction time)')
  return self.ndcg[k] / self.n
end)

return tnt
