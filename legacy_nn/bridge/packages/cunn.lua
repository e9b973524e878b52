-- cunn: what nn needs for CUDA, which is nothing here.

require 'cutorch'
return require 'nn'
