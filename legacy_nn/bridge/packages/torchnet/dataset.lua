-- Datasets: tnt.Dataset, and those that list, join, pick and change samples.
--
-- Source: torchnet dataset.

local tnt = require 'torchnet.env'
local argcheck = require 'argcheck'
local tds = require 'tds'
local utable = tnt.utils.table

local Dataset = torch.class('tnt.Dataset', tnt)

function Dataset:__init() end

for _, name in ipairs {'size', 'get'} do
  Dataset[name] = function(self)
    error(('%s not implemented for class <%s>'):format(name, torch.type(self)), 2)
  end
end

-- Calls a method here, or of the first dataset below that has it.
function Dataset:exec(name, ...)
  if type(self[name]) == 'function' then return self[name](self, ...) end
  local below = self.dataset or self.__dataset
  if not below then error(('unknown function <%s>'):format(name)) end
  return below:exec(name, ...)
end

for method, class in pairs {batch = 'BatchDataset', sample = 'ResampleDataset',
                            shuffle = 'ShuffleDataset', split = 'SplitDataset',
                            transform = 'TransformDataset', iterator = 'DatasetIterator'} do
  Dataset[method] = function(...) return tnt[class](...) end
end

local function same(x) return x end
local function always() return true end
tnt.defaults_ = {same = same, always = always}  -- what samplers and filters are without one

Dataset.parallel = argcheck {
  {name = 'self', type = 'tnt.Dataset'},
  {name = 'init', type = 'function', default = function() end},
  {name = 'nthread', type = 'number'},
  {name = 'perm', type = 'function', default = same},
  {name = 'filter', type = 'function', default = always},
  {name = 'transform', type = 'function', default = same},
  {name = 'ordered', type = 'boolean', default = false},
  call = function(self, init, nthread, perm, filter, transform, ordered)
    return tnt.ParallelDatasetIterator(init, function() return self end, nthread, perm, filter,
                                       transform, ordered)
  end,
}

local function check(i, size, what)
  assert(i >= 1 and i <= size, what or 'index out of bound')
end
tnt.check_index_ = check

-- The method of a class that takes a position.
local function getter(typename, get)
  return argcheck {{name = 'self', type = typename}, {name = 'idx', type = 'number'}, call = get}
end
tnt.getter_ = getter

-- -- lists ------------------------------------------------------------------------------------

local ListDataset = torch.class('tnt.ListDataset', 'tnt.Dataset', tnt)

local function take_list(self, list, load, path)
  self.list, self.load, self.path = list, load, path
end

for _, kind in ipairs {'tds.Hash', 'table', 'tds.Vec', 'torch.LongTensor'} do
  ListDataset.__init = argcheck {
    {name = 'self', type = 'tnt.ListDataset'},
    {name = 'list', type = kind},
    {name = 'load', type = 'function'},
    {name = 'path', type = 'string', opt = true},
    overload = rawget(ListDataset, '__init'),
    call = take_list,
  }
end

ListDataset.__init = argcheck {
  {name = 'self', type = 'tnt.ListDataset'},
  {name = 'filename', type = 'string'},
  {name = 'load', type = 'function'},
  {name = 'maxload', type = 'number', opt = true},
  {name = 'path', type = 'string', opt = true},
  overload = ListDataset.__init,
  call = function(self, filename, load, maxload, path)
    local list = tds.hash()
    for line in io.lines(filename) do
      list[#list + 1] = line
      if maxload and maxload > 0 and #list == maxload then break end
    end
    take_list(self, list, load, path)
    print(('| loaded <%s> with %d examples'):format(filename, #list))
  end,
}

function ListDataset:size()
  return torch.isTensor(self.list) and self.list:size(1) or #self.list
end

ListDataset.get = getter('tnt.ListDataset', function(self, i)
  check(i, self:size(), 'out of bound')
  local element = self.list[i]
  return self.load(self.path and ('%s/%s'):format(self.path, element) or element)
end)

local TableDataset = torch.class('tnt.TableDataset', 'tnt.ListDataset', tnt)

TableDataset.__init = argcheck {
  noordered = true,
  {name = 'self', type = 'tnt.TableDataset'},
  {name = 'data', type = 'table'},
  call = function(self, data)
    local n = 0
    for _ in pairs(data) do n = n + 1 end
    assert(n == #data, 'keys are not contiguous integers starting at 1')
    self.data = data
  end,
}

function TableDataset:size() return #self.data end

TableDataset.get = getter('tnt.TableDataset', function(self, i)
  check(i, self:size())
  assert(i == math.floor(i), 'index must be an integer')
  return utable.clone(self.data[i])
end)

-- -- other datasets, changed ------------------------------------------------------------------

local ConcatDataset = torch.class('tnt.ConcatDataset', 'tnt.Dataset', tnt)

ConcatDataset.__init = argcheck {
  noordered = true,
  {name = 'self', type = 'tnt.ConcatDataset'},
  {name = 'datasets', type = 'table'},
  call = function(self, datasets)
    assert(#datasets > 0, 'datasets should not be an empty table')
    self.__datasets, self.__indices, self.__size = datasets, torch.LongTensor(#datasets, 2), 0
    for i, dataset in ipairs(datasets) do
      assert(torch.isTypeOf(dataset, 'tnt.Dataset'),
             'each member of datasets table should be a tnt.Dataset')
      self.__indices[i][1] = self.__size + 1
      self.__size = self.__size + dataset:size()
      self.__indices[i][2] = self.__size
    end
  end,
}

function ConcatDataset:size() return self.__size end

ConcatDataset.get = getter('tnt.ConcatDataset', function(self, i)
  check(i, self.__size)
  local first, last = 1, #self.__datasets
  while first < last do
    local middle = math.floor((first + last) / 2)
    if i > self.__indices[middle][2] then first = middle + 1 else last = middle end
  end
  return self.__datasets[first]:get(i - self.__indices[first][1] + 1)
end)

local ResampleDataset = torch.class('tnt.ResampleDataset', 'tnt.Dataset', tnt)

ResampleDataset.__init = argcheck {
  {name = 'self', type = 'tnt.ResampleDataset'},
  {name = 'dataset', type = 'tnt.Dataset'},
  {name = 'sampler', type = 'function', default = function(_, i) return i end},
  {name = 'size', type = 'number', opt = true},
  call = function(self, dataset, sampler, size)
    self.__dataset, self.__sampler, self.__size = dataset, sampler, size
  end,
}

function ResampleDataset:size()
  local size = self.__size
  return size and size > 0 and size or self.__dataset:size()
end

ResampleDataset.get = getter('tnt.ResampleDataset', function(self, i)
  check(i, self:size())
  local sampled = self.__sampler(self.__dataset, i)
  check(sampled, self.__dataset:size(), 'index out of bound (sampler)')
  return self.__dataset:get(sampled)
end)

local ShuffleDataset = torch.class('tnt.ShuffleDataset', 'tnt.ResampleDataset', tnt)

ShuffleDataset.__init = argcheck {
  {name = 'self', type = 'tnt.ShuffleDataset'},
  {name = 'dataset', type = 'tnt.Dataset'},
  {name = 'size', type = 'number', opt = true},
  {name = 'replacement', type = 'boolean', default = false},
  call = function(self, dataset, size, replacement)
    if size and not replacement and size > dataset:size() then
      error('size cannot be larger than underlying dataset size when sampling without replacement')
    end
    self.__replacement = replacement
    ResampleDataset.__init(self, {
      dataset = dataset, size = size, sampler = function(_, i) return self.__perm[i] end})
    self:resample()
  end,
}

function ShuffleDataset:resample()
  local all, size = self.__dataset:size(), self:size()
  if self.__replacement then
    self.__perm = torch.LongTensor(size):random(all)
  else
    self.__perm = torch.randperm(all):long():narrow(1, 1, size)
  end
end

local SplitDataset = torch.class('tnt.SplitDataset', 'tnt.Dataset', tnt)

SplitDataset.__init = argcheck {
  {name = 'self', type = 'tnt.SplitDataset'},
  {name = 'dataset', type = 'tnt.Dataset'},
  {name = 'partitions', type = 'table'},
  {name = 'initialpartition', type = 'string', opt = true},
  call = function(self, dataset, partitions, initialpartition)
    local names = {}
    for name in pairs(partitions) do names[#names + 1] = name end
    table.sort(names)
    assert(#names >= 2, 'SplitDataset should have at least two partitions')
    local sizes = torch.DoubleTensor(#names)
    self.__dataset, self.__names = dataset, {}
    for i, name in ipairs(names) do sizes[i], self.__names[name] = partitions[name], i end
    assert(sizes:min() >= 0, 'some partition sizes are negative')
    assert(sizes:max() > 0, 'all partitions are empty')
    if sizes:sum() <= 1 then
      sizes:mul(dataset:size()):floor()
    else
      assert(torch.eq(sizes, torch.floor(sizes)):all(),
             'partition sizes should be integer numbers, or sum up to <= 1 ')
    end
    assert(sizes:sum() <= dataset:size(), 'split cannot involve more samples than dataset size')
    self.__partitionsizes = sizes:long()
    if initialpartition then self:select(initialpartition) end
  end,
}

SplitDataset.select = argcheck {
  {name = 'self', type = 'tnt.SplitDataset'},
  {name = 'partition', type = 'string'},
  call = function(self, partition)
    local id = self.__names[partition]
    if not id then error('partition not found') end
    -- a tensor, which copies for threads share
    self.__partition = self.__partition or torch.LongTensor(1)
    self.__partition[1] = id
  end,
}

function SplitDataset:size()
  assert(self.__partition, 'select a partition before accessing data')
  return self.__partitionsizes[self.__partition[1]]
end

SplitDataset.get = getter('tnt.SplitDataset', function(self, i)
  check(i, self:size(), 'index out of bounds')
  local before = 0
  for k = 1, self.__partition[1] - 1 do before = before + self.__partitionsizes[k] end
  return self.__dataset:get(before + i)
end)

local TransformDataset = torch.class('tnt.TransformDataset', 'tnt.Dataset', tnt)

local function change(sample, key, f, ...)
  assert(sample[key], 'missing key in sample')
  sample[key] = f(sample[key], ...)
end

TransformDataset.__init = argcheck {
  {name = 'self', type = 'tnt.TransformDataset'},
  {name = 'dataset', type = 'tnt.Dataset'},
  {name = 'transform', type = 'function'},
  {name = 'key', type = 'string', opt = true},
  call = function(self, dataset, transform, key)
    self.dataset = dataset
    self.__transform = not key and transform or function(sample, i)
      change(sample, key, transform, i)
      return sample
    end
  end,
}

TransformDataset.__init = argcheck {
  {name = 'self', type = 'tnt.TransformDataset'},
  {name = 'dataset', type = 'tnt.Dataset'},
  {name = 'transforms', type = 'table'},
  overload = TransformDataset.__init,
  call = function(self, dataset, transforms)
    for _, f in pairs(transforms) do
      assert(type(f) == 'function', 'key/function table expected for transforms')
    end
    self.dataset, transforms = dataset, utable.copy(transforms)
    self.__transform = function(sample)
      for key, f in pairs(transforms) do change(sample, key, f) end
      return sample
    end
  end,
}

function TransformDataset:size() return self.dataset:size() end

TransformDataset.get = getter('tnt.TransformDataset', function(self, i)
  return self.__transform(self.dataset:get(i), i)
end)

return tnt
