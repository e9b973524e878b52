-- autograd.model: networks as functions of their parameters, and the parameters.
--
-- Source: twitter/torch-autograd src/model, README.md.

local layered = require 'autograd.model.layered'
local recurrent = require 'autograd.model.recurrent'

return {
  NeuralNetwork = layered.NeuralNetwork,
  SpatialNetwork = layered.SpatialNetwork,
  AlexNet = layered.AlexNet,
  RecurrentNetwork = recurrent.RecurrentNetwork,
  RecurrentLSTMNetwork = recurrent.RecurrentLSTMNetwork,
  RecurrentGRUNetwork = recurrent.RecurrentGRUNetwork,
  RecurrentFWNetwork = recurrent.RecurrentFWNetwork,
}
