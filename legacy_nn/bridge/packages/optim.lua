-- optim, which is a global too.

require 'torch'
local _, optim = ...
rawset(_G, 'optim', optim)
return optim
