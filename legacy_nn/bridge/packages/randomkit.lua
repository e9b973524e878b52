-- randomkit: distributions, and the global of this name.

require 'torch'
local _, randomkit = ...
rawset(_G, 'randomkit', randomkit)
return randomkit
