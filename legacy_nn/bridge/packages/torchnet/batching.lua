-- tnt.BatchDataset and tnt.CoroutineBatchDataset: samples that are batches.
--
-- Source: torchnet dataset/batchdataset.lua, dataset/coroutinebatchdataset.lua.

local tnt = require 'torchnet.env'
local argcheck = require 'argcheck'

local POLICIES = {
  ['include-last'] = math.ceil,
  ['skip-last'] = math.floor,
  ['divisible-only'] = function(batches)
    assert(batches == math.floor(batches), 'dataset size is not divisible by batch size')
    return batches
  end,
}

local function define(name, parent)
  local class = torch.class('tnt.' .. name, parent, tnt)
  class.__init = argcheck {
    {name = 'self', type = 'tnt.' .. name},
    {name = 'dataset', type = 'tnt.Dataset'},
    {name = 'batchsize', type = 'number'},
    {name = 'perm', type = 'function', default = tnt.defaults_.same},
    {name = 'merge', type = 'function', opt = true},
    {name = 'policy', type = 'string', default = 'include-last'},
    {name = 'filter', type = 'function', default = tnt.defaults_.always},
    call = function(self, dataset, batchsize, perm, merge, policy, filter)
      assert(batchsize > 0 and math.floor(batchsize) == batchsize,
             'batchsize should be a positive integer number')
      self.dataset, self.batchsize, self.perm = dataset, batchsize, perm
      self.makebatch = tnt.transform.makebatch {merge = merge}
      self.policy, self.filter = policy, filter
      self:size()  -- looks at the policy
    end,
  }
  return class
end

local BatchDataset = define('BatchDataset', 'tnt.Dataset')

function BatchDataset:size()
  local count = POLICIES[self.policy]
  if not count then
    error('invalid policy (include-last | skip-last | divisible-only expected)')
  end
  return count(self.dataset:size() / self.batchsize)
end

-- Positions of the samples of a batch, in the dataset below.
local function positions(self, i)
  tnt.check_index_(i, self:size())
  local all, found = self.dataset:size(), {}
  for k = (i - 1) * self.batchsize + 1, math.min(i * self.batchsize, all) do
    found[#found + 1] = self.perm(k, all)
  end
  return found
end

local function batch_of(self, samples, n)
  local kept = {}
  for k = 1, n do
    if self.filter(samples[k]) then kept[#kept + 1] = samples[k] end
  end
  return self.makebatch(kept)
end

BatchDataset.get = tnt.getter_('tnt.BatchDataset', function(self, i)
  local samples, places = {}, positions(self, i)
  for k, place in ipairs(places) do samples[k] = self.dataset:get(place) end
  return batch_of(self, samples, #places)
end)

-- Datasets below may yield once before they return a sample: first all are asked, then all fetched.
local CoroutineBatchDataset = define('CoroutineBatchDataset', 'tnt.BatchDataset')

local function resumed(thread)
  local ok, sample = coroutine.resume(thread)
  if not ok then error(('dataset threw error: %s'):format(sample), 0) end
  return sample
end

CoroutineBatchDataset.get = tnt.getter_('tnt.CoroutineBatchDataset', function(self, i)
  assert(i == math.floor(i), 'index should be integer value')
  local threads, samples, places = {}, {}, positions(self, i)
  for k, place in ipairs(places) do
    threads[k] = coroutine.create(function() return self.dataset:get(place) end)
    samples[k] = resumed(threads[k])
  end
  for k, thread in ipairs(threads) do
    if coroutine.status(thread) == 'suspended' then
      samples[k] = resumed(thread)
      assert(coroutine.status(thread) == 'dead', 'coroutine did not die')
    end
  end
  return batch_of(self, samples, #places)
end)

return tnt
