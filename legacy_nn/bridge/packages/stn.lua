-- stn: spatial transformers as entries of `nn`.
--
-- Source: qassemoquab/stnbhwd init.lua.

require 'nn'
local _, classes = ...
for name, class in pairs(classes) do nn[name] = class end
return nn
