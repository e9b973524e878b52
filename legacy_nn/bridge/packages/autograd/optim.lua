-- autograd.optim: the optimisers of optim for a table of parameters, each with a state of its own.
--
-- Source: twitter/torch-autograd src/optim/init.lua.

local util = require 'autograd.util'

local function over_tables(optimise)
  return function(df, state, parameters)
    local flat, states = util.sortedFlatten(parameters), {}
    for i = 1, #flat do states[i] = util.deepCopy(state) end
    return function(...)
      local out = {df(parameters, ...)}
      for i, gradient in ipairs(util.sortedFlatten(out[1])) do
        optimise(function() return out[2], gradient end, flat[i], states[i])
      end
      return unpack(out)
    end, states
  end
end

local wrapped = {}
for name, optimise in pairs(require 'optim') do
  if type(optimise) == 'function' then wrapped[name] = over_tables(optimise) end
end
return wrapped
