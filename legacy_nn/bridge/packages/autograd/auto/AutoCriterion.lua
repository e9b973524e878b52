-- AutoCriterion: criterions whose gradients come from a function of (input, target).
--
-- Source: twitter/torch-autograd src/auto/AutoCriterion.lua.

require 'nn'
local auto = require 'autograd.auto'

return function(name)
  if name == nil then error('You must provide a name for your auto-differentiated criterion.', 2) end
  local typename = 'autograd.nn.criterion.' .. name
  if torch.getmetatable(typename) then return auto[name] end
  local Class, parent = torch.class(typename, 'nn.Criterion', auto)

  local first  -- all criterions of a name have one function, also those from files

  function Class:__init(f)
    parent.__init(self)
    self.fn = f or error('An autograd function must be specified as input to AutoCriterion', 2)
    first = first or f
  end

  function Class:updateOutput(input, target)
    self.output = (first or self.fn)(input, target)
    return self.output
  end

  function Class:updateGradInput(input, target)
    self.gradInput = require('autograd').grad(first or self.fn)(input, target)
    return self.gradInput
  end

  return auto[name]
end
