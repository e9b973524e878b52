-- Networks of layers one after the other.
--
-- Source: twitter/torch-autograd src/model/NeuralNetwork.lua, SpatialNetwork.lua, AlexNet.lua.

local nn = require('autograd.nnwrapper').functionalize('nn')
local util = require 'autograd.util'

local M = {}

-- Layers, their parameters, and which parameters belong to which layer.
local function building(parameters, layers, places)
  local b = {parameters = parameters or {}, layers = layers or {}, places = places or {}}
  function b.add(layer, own)
    b.layers[#b.layers + 1] = layer
    if own then
      b.parameters[#b.parameters + 1] = own
      b.places[#b.layers] = #b.parameters
    end
  end
  function b.finish(options)
    if options.cuda then
      for i, own in ipairs(b.parameters) do b.parameters[i] = util.cast(own, 'cuda') end
    end
    return function(list, input)
      for i, layer in ipairs(b.layers) do
        local place = b.places[i]
        if place then input = layer(list[place], input) else input = layer(input) end
      end
      return input
    end, b.parameters, b.layers
  end
  return b
end

function M.NeuralNetwork(options, parameters, layers, places)
  options = options or {}
  local b = building(parameters, layers, places)
  local features = options.inputFeatures or 10
  local widths, dropouts = options.hiddenFeatures or {100, 2}, options.dropoutProbs or {}
  b.add(nn.Reshape(features))
  for i, width in ipairs(widths) do
    local plain = options.classifier and i == #widths
    local dropout = dropouts[i] or options.dropoutProb or 0
    if dropout > 0 then b.add(nn.Dropout(dropout)) end
    b.add(nn.Linear(features, width))
    if options.batchNormalization and not plain then b.add(nn.BatchNormalization(width)) end
    if not plain then b.add(nn[options.activations or 'ReLU']()) end
    features = width
  end
  return b.finish(options)
end

function M.SpatialNetwork(options, parameters, layers, places)
  options = options or {}
  local b = building(parameters, layers, places)
  local features, stride = options.inputFeatures or 3, options.inputStride or 1
  local size, dropouts = options.kernelSize or 5, options.dropoutProbs or {}
  local padding = options.padding or math.ceil(size - 1) / 2
  local poolings = options.poolings or {1, 1, 1}
  for i, width in ipairs(options.hiddenFeatures or {16, 32, 64}) do
    local dropout, pooling = dropouts[i] or options.dropoutProb or 0, poolings[i] or 1
    if dropout > 0 then b.add(nn.SpatialDropout(dropout)) end
    b.add(nn.SpatialConvolutionMM(features, width, size, size, stride, stride, padding, padding))
    if options.batchNormalization then b.add(nn.SpatialBatchNormalization(width)) end
    b.add(nn[options.activations or 'ReLU']())
    if pooling > 1 then b.add(nn.SpatialMaxPooling(pooling, pooling)) end
    features, stride = width, 1
  end
  return b.finish(options)
end

function M.AlexNet(depth, height, width, convolutions, upper, parameters, layers, places)
  convolutions, upper = convolutions or {}, upper or {}
  if convolutions.kernelSizes or convolutions.paddings then
    error('Currently, per-layer kernel sizes and paddings are not supported', 2)
  end
  if upper.inputFeatures then
    error('Input features on the fully-connected layers cannot be manually set, do not specify', 2)
  end
  convolutions.inputFeatures = depth
  convolutions.cuda = convolutions.cuda or upper.cuda
  upper.cuda, upper.classifier = convolutions.cuda, true
  layers, places = layers or {}, places or {}
  local spatial, found = M.SpatialNetwork(convolutions, parameters, layers, places)
  local size = spatial(found, torch.randn(1, depth, height, width):typeAs(found[1][1])):size()
  upper.inputFeatures = size[2] * size[3] * size[4]
  return M.NeuralNetwork(upper, found, layers, places)
end

return M
