"""Modern style in files of models whose program stays Torch's, and where the two meet."""

from __future__ import annotations

import pytest
from modern_running import HEAD, both, printed, translate

from rekindle.transpiler.emit import formatted
from rekindle.transpiler.runtime import torch


@pytest.fixture(autouse=True)
def double_again():
    yield
    torch.setdefaulttensortype("torch.DoubleTensor")


DRIVER = (
    HEAD
    + """
torch.setdefaulttensortype('torch.FloatTensor')
torch.manualSeed(7)
local opt = {depth = 10, kind = arg and arg[1] or 'KIND', tensorType = 'torch.FloatTensor'}
local made = require('models.' .. opt.kind)
local model = type(made) == 'function' and made(opt) or made
-- what no model of core has
print(model:get(1).mark, #model:findModules('nn.Linear'))
for i, m in ipairs(model.modules) do print(i, torch.type(m)) end
print(#model:findModules('nn.SpatialConvolution'), #model:listModules())
model:add(nn.Copy('torch.FloatTensor', 'torch.FloatTensor'))
local params, grads = model:getParameters()
print(params:nElement())
local k = 0
params:apply(function(v) k = k + 1; return 0.5 * v + 0.05 * math.sin(k) end)
local x = P(2, 3, 8, 8)
local crit = nn.ClassNLLCriterion()
for step = 1, 3 do
   local feval = function()
      grads:zero()
      local out = model:forward(x)
      local f = crit:forward(out, torch.Tensor{1, 3})
      model:backward(x, crit:backward(out, torch.Tensor{1, 3}))
      show(f, grads:norm())
      return f, grads
   end
   optim.sgd(feval, params, {learningRate = 0.05})
end
model:evaluate()
torch.save('model.t7', model)
show(torch.load('model.t7'):forward(x))
"""
)

RESIDUAL = """
require 'nn'
local Convolution = nn.SpatialConvolution
local Avg = nn.SpatialAveragePooling
local Norm = nn.SpatialBatchNormalization
local function createModel(opt)
   local planes
   local function shortcut(nIn, nOut, stride)
      if nIn ~= nOut then
         return nn.Sequential():add(Convolution(nIn, nOut, 1, 1, stride, stride)):add(Norm(nOut))
      else
         return nn.Identity()
      end
   end
   -- two convolutions
   local function basic(n, stride)
      local before = planes
      planes = n
      local s = nn.Sequential()
      s:add(Convolution(before, n, 3, 3, stride, stride, 1, 1))
      s:add(Norm(n))
      s:add(nn.ReLU(true))
      s:add(Convolution(n, n, 3, 3, 1, 1, 1, 1))
      return nn.Sequential()
         :add(nn.ConcatTable():add(s):add(shortcut(before, n, stride)))
         :add(nn.CAddTable(true))
         :add(nn.ReLU(true))
   end
   local function split(n)
      local cat = nn.ConcatTable()
      for i = 1, 2 do cat:add(nn.Sequential():add(Convolution(n, 2, 1, 1))) end
      return cat
   end
   local function layer(block, n, count, stride)
      local s = nn.Sequential()
      for i = 1, count do s:add(block(n, i == 1 and stride or 1)) end
      return s
   end
   local config = {[10] = {{1, 2}, basic}}
   local counts, block = table.unpack(config[opt.depth])
   planes = 4
   local function marked(module, mark)
      module.mark = mark
      return module
   end
   local model = nn.Sequential()
   model:add(marked(Convolution(3, 4, 3, 3, 1, 1, 1, 1), 'first'))
   model:add(layer(block, 4, counts[1]))
   model:add(layer(basic, 6, counts[2], 2))
   model:add(split(6))
   model:add(nn.JoinTable(2))
   model:add(Avg(4, 4, 1, 1))
   model:add(nn.View(4):setNumInputDims(3))
   model:add(nn.Linear(4, 3))
   model:add(nn.LogSoftMax())
   local function ConvInit(name)
      for k, v in pairs(model:findModules(name)) do
         v.weight:fill(0.02 * v.kW * v.nOutputPlane)
         v.bias = nil
         v.gradBias = nil
      end
   end
   local function NormInit(name)
      for _, v in pairs(model:findModules(name)) do
         v.weight:fill(1)
         v.bias:zero()
      end
   end
   ConvInit('cudnn.SpatialConvolution')
   ConvInit('nn.SpatialConvolution')
   NormInit('nn.SpatialBatchNormalization')
   for k, v in pairs(model:findModules('nn.Linear')) do v.weight:fill(0.3); v.bias:zero() end
   model:type(opt.tensorType)
   if opt.cudnn == 'deterministic' then
      model:apply(function(m) if m.setMode then m:setMode(1, 1, 1) end end)
   end
   model:get(1).gradInput = nil
   return model
end
return createModel
"""

PLAIN = """
require 'nn'
local net = nn.Sequential()
net.imageSize = 8 -- a field of the program's
local function Block(...)
   local given = {...}
   net:add(nn.SpatialConvolution(...))
   net:add(nn.LeakyReLU(0.1, true))
   return net
end
net:add(nn.SpatialConvolution(3, 4, 3, 3, 2, 2)):add(nn.Dropout(0.3))
Block(4, 5, 1, 1)
net:add(nn.SpatialMaxPooling(2, 2, 2, 2):ceil())
local classifier = nn.Sequential()
classifier:add(nn.View(5 * 2 * 2)):add(nn.Linear(20, net.imageSize - 4)):add(nn.LogSoftMax())
net:add(classifier)
return net
"""


def test_a_file_of_models_is_rewritten_where_its_program_is_not(tmp_path):
    files = {"main.lua": DRIVER.replace("KIND", "residual"), "models/residual.lua": RESIDUAL}
    found = both(files, tmp_path)
    text = formatted({"a": found["models/residual.lua"].python})["a"]
    assert "from rekindle import nn" in text
    assert "return as_torch(model)" in text
    assert "return nn.Sequential(Sum(s, shortcut(before, n, stride)), nn.ReLU())" in text
    assert "Joined(*split(6), dim=1)," in text
    assert "ConvInit(nn.Conv2d)\n    NormInit(nn.BatchNorm2d)\n" in text
    assert "v.bias = None" in text
    assert "nn.init.constant_(v.weight, 1)\n            nn.init.zeros_(v.bias)" in text
    assert "deterministic" not in text
    assert "legacy" not in text
    assert "from rekindle import nn" not in found["main.lua"].python


def test_a_file_that_returns_a_model_gives_the_weights_of_torch(tmp_path):
    """Layers draw the same numbers from Torch's generator as those of Torch."""
    files = {"main.lua": DRIVER.replace("KIND", "plain"), "models/plain.lua": PLAIN}
    text = both(files, tmp_path)["models/plain.lua"].python
    assert "as_torch(net)" in text
    assert "net.imageSize = 8" in text
    assert "nn.Conv2d(3, 4, 3, stride=2)" in text


PARALLEL = (
    HEAD
    + """
torch.setdefaulttensortype('torch.FloatTensor')
torch.manualSeed(5)
require 'parallel'
require 'models.two'
local model = createModel(2, 6)
local branch = makeBranch()
torch.save('branch.t7', {branch = branch, size = 4})
show(model:forward(P(3, 4)), torch.load('branch.t7').branch:forward(P(2, 4)))
print(model.imageSize, torch.type(model), torch.type(model.modules[1]))
"""
)

STAGES = """
require 'nn'
function createModel(count, width)
   local half = width / 2
   local features = nn.Sequential()
   features:add(nn.Linear(4, width)):add(nn.Tanh())
   features:add(nn.Linear(width, 3))
   features:float()
   features = parallel(features, count)
   local sum = nn.ConcatTable()
   local a = nn.Sequential():add(nn.Linear(3, 5))
   local b = nn.Sequential():add(nn.Linear(3, 5))
   sum:add(a):add(b)
   local classifier = nn.Sequential()
   classifier:add(sum):add(nn.CAddTable())
   classifier:add(nn.LogSoftMax())
   local model = nn.Sequential():add(features):add(classifier)
   model.imageSize = 256
   return model
end
function makeBranch()
   local net = nn.Sequential()
   net:add(nn.Linear(4, 2)):add(nn.ReLU())
   torch.save('net.t7', {net = net})
   net:add(nn.Dropout(0.1))
   return net
end
"""

WRAPPED = """
function parallel(model, count)
   local wrapped = nn.Decorator(model)
   wrapped.count = #model:listModules() + count
   wrapped:evaluate()
   return wrapped
end
"""


def test_models_are_handed_to_functions_that_stay_and_saved(tmp_path):
    files = {"main.lua": PARALLEL, "models/two.lua": STAGES, "parallel.lua": WRAPPED}
    text = formatted({"a": both(files, tmp_path)["models/two.lua"].python})["a"]
    assert "features = G.parallel(as_torch(features), count)" in text
    assert "sum.extend([a, b])" in text
    assert 'torch.save("net.t7", Table(net=as_torch(net)))' in text
    assert "model = nn.Sequential(features, classifier)" in text
    assert "    return as_torch(model)\n" in text
    assert "    return net\n" in text
    assert "legacy" not in text


FIELDS = (
    HEAD
    + """
torch.manualSeed(11)
local Model = require 'coder'
Model:build(6)
local coder, crit = Model.coder, nn.MSECriterion()
local x = P(4, 6)
local w, dw = coder:getParameters()
for i = 1, 3 do
   dw:zero()
   local out = coder:forward(x)
   show(crit:forward(out, x), coder:backward(x, crit:backward(out, x)), Model.encoder.output)
   w:add(-0.3, dw)
end
torch.save('coder.t7', coder)
show(torch.load('coder.t7'):get(1):forward(x), w:norm())
"""
)

CODER = """
require 'nn'
local Model = {width = 3}
function Model:build(size)
   -- to a few numbers
   self.encoder = nn.Sequential()
   self.encoder:add(nn.View(-1, size)) -- rows
   self.encoder:add(nn.Linear(size, self.width))
   self.encoder:add(nn.Tanh())
   self.decoder = nn.Sequential():add(nn.Linear(self.width, size)):add(nn.Reshape(1, size))
   self.decoder:add(nn.View(-1, size))

   self.coder = nn.Sequential()
   self.coder:add(self.encoder)
   self.coder:add(self.decoder)
end
function Model:other(size)
   self.list = nn.Sequential():add(nn.Linear(2, 3)):add(nn.Tanh())
   self.list:forward(torch.ones(2))
end
return Model
"""


def test_models_in_fields_are_written_in_one_piece(tmp_path):
    files = {"main.lua": FIELDS, "coder.lua": CODER}
    text = formatted({"a": both(files, tmp_path)["coder.lua"].python})["a"]
    assert "self.coder = as_torch(nn.Sequential(self.encoder, self.decoder))" in text
    assert "View(-1, size),  # rows" in text
    assert "legacy_nn.View" not in text
    assert "Reshape(1, size)" in text
    assert "self.list = legacy_nn.Sequential()" in text


def test_what_holds_only_torchs_stays_torchs():
    source = "local function make(x)\n   local net = nn.Sequential()\n   net:add(x):add(nn.Mean(1))"
    source += ":add(nn.ReLU())\n   return net\nend\nprint(make(nn.Foo()):forward(torch.ones(2)))\n"
    found = translate(source, "modern")
    assert "from rekindle import nn" not in found.python
    assert any("all in modules of Torch" in k.reason for k in found.kept)


def test_a_function_that_is_handed_on_stays_where_models_are_torchs():
    source = (
        "local function block(n) return nn.Sequential():add(nn.Linear(n, n)):add(nn.ReLU()) end\n"
        "local function stack(make, n)\n   local s = nn.Sequential()\n   s:add(make(n))\n"
        "   return s\nend\nlocal model = stack(block, 3)\nprint(#model:listModules())\n"
    )
    found = translate(source, "modern")
    assert "from rekindle import nn" not in found.python
    assert printed(found) == "4\n" == printed(translate(source, "faithful"))


GIVEN_AWAY = (
    HEAD
    + """
torch.manualSeed(3)
local function init(model)
   for _, m in ipairs(model:findModules('nn.Linear')) do m.bias:zero() end
   model.mark = #model.modules
end
local model
if not arg or arg[1] == nil then
   -- a new one
   model = nn.Sequential()
   model:add(nn.Linear(4, 3)) -- hidden
   model:add(nn.Tanh())
   model:add(nn.Linear(3, 2))
else
   model = torch.load(arg[1])
end
init(model)
local list = {}
local other = nn.Sequential()
other:add(nn.Linear(2, 2)):add(nn.Sigmoid())
list[1] = other
local x = P(3, 4)
local flat, grads = model:getParameters()
local out = list[1]:forward(model:forward(x))
show(out, model.mark, list[1]:backward(model.output, P(3, 2)))
show(model:updateGradInput(x, list[1].gradInput), flat, model:get(2).output)
torch.save('model.t7', model)
show(torch.load('model.t7'):forward(x))
"""
)


def test_models_of_which_more_is_done_are_cores_where_they_are_put_together(tmp_path):
    text = formatted({"a": both({"main.lua": GIVEN_AWAY}, tmp_path)["main.lua"].python})["a"]
    assert (
        """
    # a new one
    model = as_torch(
        nn.Sequential(
            nn.Linear(4, 3),  # hidden
            nn.Tanh(),
            nn.Linear(3, 2),
        ).double()
    )
else:
    model = torch.load("""
        in text
    )
    assert "other = as_torch(nn.Sequential(nn.Linear(2, 2), nn.Sigmoid()).double())" in text


@pytest.mark.parametrize(
    ("source", "what", "reason"),
    [
        ("torch.class('nn.X', 'nn.Module')", "nn.X", "class of the program's own"),
        ("print(nn.MSECriterion():forward(a, b))", "nn.MSECriterion", "the criterion of"),
        ("print(nn.Linear(2, 3):forward(a))", "nn.Linear", "no part of a model"),
        ("local m = torch.load('a.t7').net; m:forward(a)", "m", "loaded from a file"),
        ("function f(m) m.net:forward(a) end", "net", "from a table or from a caller"),
    ],
)
def test_what_a_file_has_of_nn_besides_is_named(source, what, reason):
    found = translate("local nn = require 'nn'\n" + source, "modern")
    assert [k for k in found.kept if k.what == what and reason in k.reason], found.kept
