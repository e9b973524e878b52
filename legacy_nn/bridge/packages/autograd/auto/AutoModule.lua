-- AutoModule: modules whose gradients come from a function of (input, weight, bias).
--
-- Source: twitter/torch-autograd src/auto/AutoModule.lua.

require 'nn'
local auto = require 'autograd.auto'

return function(name)
  if name == nil then error('You must provide a name for your auto-differentiated module.', 2) end
  local typename = 'autograd.nn.module.' .. name
  if torch.getmetatable(typename) then return auto[name] end
  local Class, parent = torch.class(typename, 'nn.Module', auto)

  local first  -- all modules of a name have one function, also those from files

  function Class:__init(f, weight, bias)
    parent.__init(self)
    self.fn = f or error('An autograd function must be specified as input to AutoModule', 2)
    first = first or f
    self.weight, self.gradWeight = weight, weight and weight:clone()
    self.bias, self.gradBias = bias, bias and bias:clone()
  end

  function Class:updateOutput(input)
    self.grads = nil
    self.output = (first or self.fn)(input, self.weight, self.bias)
    return self.output
  end

  local function gradients(self, input, gradOutput)
    local f = first or self.fn
    local df = require('autograd').grad(function(p) return f(p.input, p.weight, p.bias) end,
                                        {withForward = false, partialGrad = true})
    return df({input = input, weight = self.weight, bias = self.bias}, gradOutput)
  end

  function Class:updateGradInput(input, gradOutput)
    self.grads = gradients(self, input, gradOutput)
    self.gradInput = self.grads.input
    return self.gradInput
  end

  function Class:accGradParameters(input, gradOutput, scale)
    if not self.weight and not self.bias then return end
    local grads = self.grads or gradients(self, input, gradOutput)
    if self.weight then self.gradWeight:add(scale or 1, grads.weight) end
    if self.bias then self.gradBias:add(scale or 1, grads.bias) end
  end

  return auto[name]
end
