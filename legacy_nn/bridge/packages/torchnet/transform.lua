-- tnt.transform: functions that make functions of samples.
--
-- Source: torchnet transform.lua.

local tnt = require 'torchnet.env'
local argcheck = require 'argcheck'
local utable = tnt.utils.table

local transform = {}
tnt.transform = transform

local function check_functions(functions, walk)
  for _, f in walk(functions) do
    assert(type(f) == 'function', 'table of functions expected')
  end
end

function transform.identity(...)
  local values, n = {...}, select('#', ...)
  return function() return unpack(values, 1, n) end
end

transform.compose = argcheck {
  {name = 'transforms', type = 'table'},
  call = function(transforms)
    check_functions(transforms, ipairs)
    transforms = utable.copy(transforms)
    return function(z)
      for _, f in ipairs(transforms) do z = f(z) end
      return z
    end
  end,
}

transform.merge = argcheck {
  {name = 'transforms', type = 'table'},
  call = function(transforms)
    check_functions(transforms, pairs)
    transforms = utable.copy(transforms)
    return function(z)
      return utable.mergetensor(utable.foreach(transforms, function(f) return f(z) end))
    end
  end,
}

function transform.tablenew() return utable.copy end

transform.tableapply = argcheck {
  {name = 'transform', type = 'function'},
  call = function(f)
    return function(t) return utable.foreach(t, f) end
  end,
}

-- From tables of samples to samples of tables.
function transform.tablemergekeys()
  return function(samples)
    local merged = {}
    for i, sample in pairs(samples) do
      for key, value in pairs(sample) do
        merged[key] = merged[key] or {}
        merged[key][i] = value
      end
    end
    return merged
  end
end

transform.makebatch = argcheck {
  {name = 'merge', type = 'function', opt = true},
  call = function(merge)
    local function field(values)
      return utable.canmergetensor(values) and utable.mergetensor(values) or values
    end
    local made = transform.compose {transform.tablemergekeys(), merge or transform.tableapply(field)}
    return function(samples)
      assert(type(samples) == 'table', 'makebatch: table of samples expected')
      return made(samples)
    end
  end,
}

transform.randperm = argcheck {
  {name = 'size', type = 'number'},
  call = function(size)
    local permuted = torch.randperm(size, 'torch.LongTensor')
    return function(i) return permuted[i] end
  end,
}

transform.normalize = argcheck {
  {name = 'threshold', type = 'number', default = 0},
  call = function(threshold)
    return function(z)
      local deviation = z:std()
      z:add(-z:mean())
      return deviation > threshold and z:div(deviation) or z
    end
  end,
}

return transform
