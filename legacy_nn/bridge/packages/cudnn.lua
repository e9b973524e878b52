-- cudnn: the classes, the switches that choose algorithms on a GPU, and `cudnn.convert`.
--
-- Source: soumith/cudnn.torch init.lua, convert.lua.

require 'cutorch'
require 'nn'
local _, cudnn = ...
rawset(_G, 'cudnn', cudnn)

cudnn.benchmark, cudnn.fastest, cudnn.verbose = false, false, false
cudnn.version, cudnn.useFindEx, cudnn.configmath = 5110, false, nil

function cudnn.reset() end
function cudnn.getHandle() return 0 end

local CONVERTED = {
  'BatchNormalization', 'SpatialBatchNormalization', 'SpatialConvolution', 'SpatialCrossMapLRN',
  'SpatialFullConvolution', 'SpatialMaxPooling', 'SpatialAveragePooling', 'ReLU', 'Tanh', 'Sigmoid',
  'SoftMax', 'LogSoftMax', 'VolumetricBatchNormalization', 'VolumetricConvolution',
  'VolumetricMaxPooling', 'VolumetricAveragePooling', 'SpatialSoftMax', 'SpatialLogSoftMax',
}

-- Replaces the modules of one package by those of the other, which take over all fields.
function cudnn.convert(net, target, exclude)
  return net:replace(function(module)
    if exclude and exclude(module) then return module end
    local package, class = torch.type(module):match('^(%w+)%.(%w+)$')
    local source = target == nn and 'cudnn' or 'nn'
    if package ~= source then return module end
    for _, name in ipairs(CONVERTED) do
      if name == class and target[name] then
        local made = torch.factory((target == nn and 'nn.' or 'cudnn.') .. name)()
        for key, value in pairs(module) do made[key] = value end
        return made
      end
    end
    return module
  end)
end

return cudnn
