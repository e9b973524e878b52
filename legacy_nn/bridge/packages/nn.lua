-- nn: the global that `torch.class('nn.X', ...)` writes into.

require 'torch'
local _, nn = ...
rawset(_G, 'nn', nn)
return nn
