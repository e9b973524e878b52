-- dpnn: modules as entries of `nn`, and the global `dpnn`.
--
-- Source: Element-Research/dpnn init.lua, Container.lua.

require 'nn'
local _, classes = ...
torch.AliasMultinomial, classes.AliasMultinomial = classes.AliasMultinomial, nil
for name, class in pairs(classes) do nn[name] = class end

function nn.Container:extend(...)
  for _, module in ipairs {...} do self:add(module) end
  return self
end

-- Containers that print how long their modules took, all of their class from then on.
-- Source: Element-Research/dpnn Module.lua, Sequential.lua, ParallelTable.lua.
function nn.Module:profile()
  for _, module in ipairs(self.modules or {}) do module:profile() end
  self.dpnn_profile = true
end

local function timed(module, method, ...)
  local timer = torch.Timer()
  local result = module[method](module, ...)
  print(('%s %s: %s s'):format(torch.type(module), method, timer:time().real))
  return result
end

function nn.Sequential:profile()
  local class = nn.Sequential

  function class:updateOutput(input)
    self.output = input
    for _, module in ipairs(self.modules) do
      self.output = timed(module, 'updateOutput', self.output)
    end
    return self.output
  end

  local function back(self, method, input, gradOutput, ...)
    for i = #self.modules, 1, -1 do
      local module, before = self.modules[i], self.modules[i - 1]
      timed(module, method, before and before.output or input, gradOutput, ...)
      gradOutput = module.gradInput
    end
    self.gradInput = gradOutput
    return gradOutput
  end
  for _, method in ipairs {'updateGradInput', 'backward', 'accGradParameters',
                           'accUpdateGradParameters'} do
    class[method] = function(self, input, gradOutput, ...)
      return back(self, method, input, gradOutput, ...)
    end
  end
  nn.Module.profile(self)
end

function nn.ParallelTable:profile()
  local class = nn.ParallelTable
  for method, field in pairs {updateOutput = 'output', updateGradInput = 'gradInput'} do
    class[method] = function(self, ...)
      local tables = {...}
      for i, module in ipairs(self.modules) do
        self[field][i] = timed(module, method, tables[1][i], tables[2] and tables[2][i])
      end
      return self[field]
    end
  end
  for _, method in ipairs {'accGradParameters', 'accUpdateGradParameters'} do
    class[method] = function(self, input, gradOutput, number)
      for i, module in ipairs(self.modules) do
        timed(module, method, input[i], gradOutput[i], number or 1)
      end
    end
  end
  nn.Module.profile(self)
end

local dpnn = {version = 2, require = require}
rawset(_G, 'dpnn', dpnn)
return dpnn
