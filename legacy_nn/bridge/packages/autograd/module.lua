-- autograd.module: layers written with torch's functions.
--
-- Source: twitter/torch-autograd src/module.

local module = {}

local function parameters_of(list, p)
  list = list or {}
  list[#list + 1] = p
  return list
end

local function normalised(x, p, eps)
  local sizes = torch.size(x)
  local centred = x - torch.expand(torch.mean(x, 2), sizes)
  local variance = torch.sum(torch.cmul(centred, centred) / torch.size(x, 2), 2)
  local deviation = torch.expand(torch.sqrt(variance + eps), sizes)
  return torch.cmul(torch.cdiv(centred, deviation), torch.expand(p.gain, sizes))
         + torch.expand(p.bias, sizes)
end

-- Ba, Kiros, Hinton: Layer Normalization.
function module.LayerNormalization(options, parameters)
  local n = (options or {}).nOutputs or 10
  local own = {gain = torch.ones(1, n), bias = torch.zeros(1, n)}
  return function(list, x, eps)
    local rows = torch.nDimension(x) == 1 and torch.view(x, 1, torch.size(x, 1)) or x
    return torch.view(normalised(rows, list[1] or list, eps or 1e-5), torch.size(x))
  end, parameters_of(parameters, own)
end

-- Laurent et al.: Batch Normalized Recurrent Neural Networks; only what the mask has as 1 counts.
function module.MaskedBatchNormalization(options, parameters)
  options = options or {}
  local n = options.nOutputs or 10
  local state = {momentum = options.momentum or 0.1, train = 1,
                 running_mean = torch.zeros(1, n), running_std = torch.ones(1, n)}
  local own = {gain = torch.zeros(1, n):fill(0.1), bias = torch.zeros(1, n)}

  local function rows(x)
    if torch.nDimension(x) == 3 then return torch.view(x, -1, torch.size(x, 3)) end
    if torch.nDimension(x) == 1 then return torch.view(x, 1, torch.size(x, 1)) end
    return x
  end

  return function(list, x, mask, state, eps)
    local p = list[1] or list
    local share = (state.momentum or 0.1) * (state.train or 1)
    local count = torch.sum(mask)
    local flat = rows(x)
    local sizes = torch.size(flat)
    mask = torch.expand(rows(mask), sizes)
    local kept = torch.cmul(flat, mask)
    state.running_mean = share * torch.sum(kept / count, 1) + (1 - share) * state.running_mean
    -- torch-autograd takes off the running deviation here, not the mean; so do files it trained
    local centred = torch.cmul(kept - torch.expand(state.running_std, sizes), mask)
    local deviation = torch.sqrt(torch.sum(torch.cmul(centred, centred) / count, 1) + (eps or 1e-5))
    state.running_std = share * deviation + (1 - share) * state.running_std
    local normed = torch.cdiv(centred, torch.expand(state.running_std, sizes))
    local out = torch.cmul(normed, torch.expand(p.gain, sizes)) + torch.expand(p.bias, sizes)
    return torch.view(out, torch.size(x))
  end, parameters_of(parameters, own), state
end

-- Xu et al.: Show, Attend and Tell. Returns what is attended to, and how much each choice is.
function module.SoftAttention(options, parameters)
  options = options or {}
  local choices = options.subjectChoices or 20
  local own = {W_att_subject = torch.zeros(1, 1, options.subjectFeatures or 15),
               W_att_h = torch.zeros(options.hiddenFeatures or 10, choices)}
  if options.layerNormalization then
    own.focus_ln_gain, own.focus_ln_bias = torch.ones(1, choices), torch.zeros(1, choices)
  else
    own.b_att = torch.zeros(1, choices)
  end
  local softmax = require('autograd.nnwrapper').functionalize(nn.SoftMax())

  return function(list, subject, h)
    local p, single = list[1] or list, torch.nDimension(subject) == 2
    if single then subject = torch.view(subject, 1, torch.size(subject, 1), torch.size(subject, 2)) end
    if torch.nDimension(h) == 1 then h = torch.view(h, 1, torch.size(h, 1)) end
    local batch, features, n = torch.size(subject, 1), torch.size(subject, 2), torch.size(subject, 3)
    local weights = torch.expand(p.W_att_subject, batch, 1, features)
    local logits = torch.view(torch.bmm(weights, subject), batch, n) + h * p.W_att_h
    if options.layerNormalization then
      logits = normalised(logits, {gain = p.focus_ln_gain, bias = p.focus_ln_bias}, 1e-5)
    else
      logits = logits + torch.expand(p.b_att, batch, n)
    end
    local focus = softmax(logits)
    local spread = torch.expand(torch.view(focus, batch, 1, n), torch.size(subject))
    local attended = torch.view(torch.sum(torch.cmul(subject, spread), 3), batch, features)
    if single then
      attended, focus = torch.view(attended, features), torch.view(focus, n)
    end
    return attended, focus
  end, parameters_of(parameters, own)
end

return module
