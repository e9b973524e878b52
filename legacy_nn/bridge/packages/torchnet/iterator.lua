-- tnt.DatasetIterator and tnt.ParallelDatasetIterator: loops over samples.
--
-- Source: torchnet dataset/datasetiterator.lua, dataset/paralleldatasetiterator.lua.

local tnt = require 'torchnet.env'
local argcheck = require 'argcheck'
local Threads = require 'threads'
local same, always = tnt.defaults_.same, tnt.defaults_.always

local DatasetIterator = torch.class('tnt.DatasetIterator', tnt)

DatasetIterator.__init = argcheck {
  {name = 'self', type = 'tnt.DatasetIterator'},
  {name = 'dataset', type = 'tnt.Dataset'},
  {name = 'perm', type = 'function', default = same},
  {name = 'filter', type = 'function', default = always},
  {name = 'transform', type = 'function', default = same},
  call = function(self, dataset, perm, filter, transform)
    self.dataset = dataset
    function self.run()
      local size, i = dataset:size(), 0
      return function()
        while i < size do
          i = i + 1
          local sample = transform(dataset:get(perm(i)))
          if filter(sample) then return sample end
        end
      end
    end
  end,
}

DatasetIterator.__init = argcheck {
  {name = 'self', type = 'tnt.DatasetIterator'},
  {name = 'iterator', type = 'tnt.DatasetIterator'},
  {name = 'filter', type = 'function', default = always},
  {name = 'transform', type = 'function', default = same},
  overload = DatasetIterator.__init,
  call = function(self, iterator, filter, transform)
    self.iterator = iterator
    function self.run()
      local following = iterator:run()
      return function()
        for sample in following do
          sample = transform(sample)
          if filter(sample) then return sample end
        end
      end
    end
  end,
}

function DatasetIterator:__call__(...) return self:run(...) end

function DatasetIterator:exec(name, ...)
  if type(self[name]) == 'function' then return self[name](self, ...) end
  local below = self.dataset or self.iterator
  if not below then error(('unknown function <%s>'):format(name)) end
  return below:exec(name, ...)
end

function DatasetIterator:filter(f) return tnt.DatasetIterator {iterator = self, filter = f} end
function DatasetIterator:transform(f) return tnt.DatasetIterator {iterator = self, transform = f} end

local ParallelDatasetIterator =
    torch.class('tnt.ParallelDatasetIterator', 'tnt.DatasetIterator', tnt)

ParallelDatasetIterator.__init = argcheck {
  {name = 'self', type = 'tnt.ParallelDatasetIterator'},
  {name = 'init', type = 'function', default = function() end},
  {name = 'closure', type = 'function'},
  {name = 'nthread', type = 'number'},
  {name = 'perm', type = 'function', default = same},
  {name = 'filter', type = 'function', default = always},
  {name = 'transform', type = 'function', default = same},
  {name = 'ordered', type = 'boolean', default = false},
  call = function(self, init, closure, nthread, perm, filter, transform, ordered)
    local threads = Threads(nthread, init, function(i)
      gdataset = closure(i)  -- a global of each thread
      assert(torch.isTypeOf(gdataset, 'tnt.Dataset'), 'closure should return a Dataset class')
    end)
    self.__threads, self.__nthread = threads, nthread

    function self.run()
      threads:synchronize()
      local size, asked, sample, place
      threads:addjob(function() return gdataset:size() end, function(n) size = n end)
      threads:synchronize()
      asked = 0
      local function enqueue()
        while asked < size and threads:acceptsjob() do
          asked = asked + 1
          threads:addjob(function(k, i) return gdataset:get(k), i end,
                         function(found, i) sample, place = found, i end, perm(asked), asked)
        end
      end

      -- Returns a sample that has come, whether it is wanted, and its place.
      local function take()
        threads:dojob()
        if threads:haserror() then threads:synchronize() end
        enqueue()
        local found = transform(sample)
        return found, filter(found), place
      end

      enqueue()
      if not ordered then
        return function()
          while threads:hasjob() do
            local found, wanted = take()
            if wanted then return found end
          end
        end
      end
      local come, next_place = {}, 1  -- {sample, whether it is wanted} by place
      return function()
        while true do
          while come[next_place] == nil and threads:hasjob() do
            local found, wanted, i = take()
            come[i] = {found, wanted}
          end
          local entry = come[next_place]
          if entry == nil then return nil end
          come[next_place], next_place = nil, next_place + 1
          if entry[2] then return entry[1] end
        end
      end
    end
  end,
}

-- Calls a method of the dataset of the first free thread.
function ParallelDatasetIterator:execSingle(name, ...)
  assert(not self.__threads:hasjob(), 'cannot execSingle during loop')
  local arguments, n, results = {...}, select('#', ...), nil
  self.__threads:addjob(function() return gdataset:exec(name, unpack(arguments, 1, n)) end,
                        function(...) results = {...} end)
  self.__threads:synchronize()
  return unpack(results)
end

-- Calls a method of the datasets of all threads; returns a table.
function ParallelDatasetIterator:exec(name, ...)
  assert(not self.__threads:hasjob(), 'cannot exec during loop')
  local arguments, n, results = {...}, select('#', ...), {}
  self.__threads:specific(true)
  for i = 1, self.__nthread do
    self.__threads:addjob(i, function() return gdataset:exec(name, unpack(arguments, 1, n)) end,
                          function(...) results[i] = select('#', ...) > 1 and {...} or (...) end)
  end
  self.__threads:specific(false)
  return results
end

return tnt
