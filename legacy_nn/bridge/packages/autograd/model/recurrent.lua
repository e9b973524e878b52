-- Recurrent networks: functions of parameters, a sequence (batch x time x features, or without a
-- batch), and a state to begin with. They return the last output, or all, and the state at the end.
--
-- Source: twitter/torch-autograd src/model/Recurrent*.lua.

local wrapper = require 'autograd.nnwrapper'

local M = {}

-- The function that goes over the steps: `step(p, x, previous, layers, t)` returns the next state.
local function over_steps(options, step)
  return function(list, x, state, layers)
    local p = list[1] or list
    if torch.nDimension(x) == 2 then x = torch.view(x, 1, torch.size(x, 1), torch.size(x, 2)) end
    local batch, outputs = torch.size(x, 1), {}
    state = state or {}
    for t = 1, torch.size(x, 2) do
      state = step(p, torch.select(x, 2, t), state, layers, t)
      outputs[t] = state.h
    end
    if (options.outputType or 'last') == 'last' then return state.h, state, layers end
    for t, h in ipairs(outputs) do outputs[t] = torch.view(h, batch, 1, torch.size(h, 2)) end
    return torch.cat(outputs, 2), state, layers
  end
end

local function sizes(options)
  local hidden = options.hiddenFeatures or 100
  return (options.inputFeatures or 10) + hidden, hidden
end

local function append(parameters, p)
  parameters = parameters or {}
  parameters[#parameters + 1] = p
  return parameters
end

local function zeros(x, ...) return x.new(...):zero() end
local function affine(x, h, weight, bias)
  local product = torch.cat(x, h, 2) * weight
  return product + torch.expand(bias, torch.size(product))
end

function M.RecurrentNetwork(options, parameters)
  options = options or {}
  local all, hidden = sizes(options)
  local p = {W = torch.zeros(all, hidden), b = torch.zeros(1, hidden)}
  return over_steps(options, function(p, x, state)
    local h = state.h or zeros(x, torch.size(x, 1), hidden)
    return {h = torch.tanh(affine(x, h, p.W, p.b))}
  end), append(parameters, p)
end

function M.RecurrentGRUNetwork(options, parameters)
  options = options or {}
  local all, hidden = sizes(options)
  local p = {W = torch.zeros(all, 2 * hidden), b = torch.zeros(1, 2 * hidden),
             V = torch.zeros(all, hidden), c = torch.zeros(1, hidden)}
  return over_steps(options, function(p, x, state)
    local batch = torch.size(x, 1)
    local h = state.h or zeros(x, batch, hidden)
    local gates = torch.sigmoid(torch.view(affine(x, h, p.W, p.b), batch, 2, hidden))
    local reset, update = torch.select(gates, 2, 1), torch.select(gates, 2, 2)
    local value = torch.tanh(affine(x, torch.cmul(h, reset), p.V, p.c))
    return {h = torch.cmul(1 - update, h) + torch.cmul(update, value)}
  end), append(parameters, p)
end

function M.RecurrentLSTMNetwork(options, parameters)
  options = options or {}
  local all, hidden = sizes(options)
  local p, layers = {W = torch.zeros(all, 4 * hidden), b = torch.zeros(1, 4 * hidden)}, {}
  local normalised = options.batchNormalization
  if normalised then
    layers.lstm_bn, layers.cell_bn = {}, {}
    for i = 1, options.maxBatchNormalizationLayers or 10 do
      local gates, gate_parameters = wrapper.functionalize(nn.BatchNormalization(4 * hidden))
      local cell, cell_parameters = wrapper.functionalize(nn.BatchNormalization(hidden))
      layers.lstm_bn[i], layers.cell_bn[i] = gates, cell
      if i == 1 then
        p.lstm_bn_1, p.lstm_bn_2 = gate_parameters[1]:fill(0.1), gate_parameters[2]:zero()
        p.cell_bn_1, p.cell_bn_2 = cell_parameters[1]:fill(0.1), cell_parameters[2]:zero()
      end
    end
  end
  return over_steps(options, function(p, x, state, layers, t)
    local batch = torch.size(x, 1)
    local h = state.h or zeros(x, batch, hidden)
    local c = state.c or zeros(x, batch, hidden)
    local dots
    if normalised then
      local gates = layers.lstm_bn[t] or layers.lstm_bn[#layers.lstm_bn]
      dots = gates({p.lstm_bn_1, p.lstm_bn_2}, torch.cat(x, h, 2) * p.W)
    else
      dots = affine(x, h, p.W, p.b)
    end
    dots = torch.view(dots, batch, 4, hidden)
    local gates = torch.sigmoid(torch.narrow(dots, 2, 1, 3))
    local value = torch.tanh(torch.select(dots, 2, 4))
    c = torch.cmul(torch.select(gates, 2, 2), c) + torch.cmul(torch.select(gates, 2, 1), value)
    if normalised then
      local cell = layers.cell_bn[t] or layers.cell_bn[#layers.cell_bn]
      c = cell({p.cell_bn_1, p.cell_bn_2}, c)
    end
    return {h = torch.cmul(torch.select(gates, 2, 3), torch.tanh(c)), c = c}
  end), append(parameters, p), layers
end

-- Ba et al.: Using Fast Weights to Attend to the Recent Past. Always normalised by layer.
function M.RecurrentFWNetwork(options, parameters)
  options = options or {}
  local all, hidden = sizes(options)
  local decay, rate, steps = options.lambda or 0.9, options.eta or 0.5, options.S or 1
  local normalise = require('autograd.module').LayerNormalization
  local relu = wrapper.functionalize(nn.ReLU())
  local layer = normalise {nOutputs = hidden}
  local unit = {gain = torch.ones(1, hidden), bias = torch.zeros(1, hidden)}
  local p = {W = torch.zeros(all, hidden), b = torch.zeros(1, hidden)}
  return over_steps(options, function(p, x, state)
    local batch = torch.size(x, 1)
    local h = state.h or zeros(x, batch, hidden)
    local fast = state.A or zeros(x, batch, hidden, hidden)
    local column, row = torch.view(h, batch, hidden, 1), torch.view(h, batch, 1, hidden)
    fast = fast * decay + torch.bmm(column, row) * rate
    local dot, ones = affine(x, h, p.W, p.b), unit
    if torch.type(dot) ~= torch.type(unit.gain) then ones = require('autograd.util').cast(unit, torch.type(dot)) end
    local out = zeros(x, batch, hidden)
    for _ = 0, steps do
      local attended = torch.view(torch.bmm(fast, torch.view(out, batch, hidden, 1)), batch, hidden)
      out = relu(layer(ones, dot + attended))
    end
    return {h = out, A = fast}
  end), append(parameters, p)
end

return M
