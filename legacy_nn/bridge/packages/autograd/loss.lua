-- autograd.loss: losses of a network's output, and what the output is made into for them.
--
-- Source: twitter/torch-autograd src/loss/init.lua.

local util = require 'autograd.util'
local loss = {}

function loss.logMultinomialLoss(out, target) return -torch.sum(torch.cmul(out, target)) end

function loss.logBCELoss(out, target, p)
  if p then out = out + p end
  return -torch.sum(torch.cmul(target, torch.log(out))
                    + torch.cmul(-target + 1, torch.log(-out + 1)))
end

function loss.crossEntropy(out, target)
  local logs = util.logSoftMax(out)
  return -torch.sum(torch.cmul(logs, target)), logs
end

function loss.binaryCrossEntropy(out, target)
  local margin = 1e-6  -- keeps logarithms finite
  local p = util.sigmoid(out) * (1 - margin * 2) + margin
  return loss.logBCELoss(p, target), p
end
loss.binaryEntropy = loss.binaryCrossEntropy

function loss.leastSquares(out, target)
  local difference = out - target
  return torch.sum(torch.cmul(difference, difference)), out
end

function loss.margin(out, target, margin)
  local ones, zeros = out[torch.eq(target, 1)], out[torch.eq(target, 0)]
  local n, m = torch.size(ones, 1), torch.size(zeros, 1)
  local short = -(torch.expand(torch.view(ones, n, 1), n, m)
                  - torch.expand(torch.view(zeros, 1, m), n, m)) + (margin or 1)
  return torch.sum(torch.cmul(short, torch.typeAs(torch.gt(short, 0), short))), out
end

return loss
