"""Modern style in files of models whose program stays Torch's, and where the two meet."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rekindle import nn
from rekindle.core.autograd import checkpoint
from rekindle.core.creation import ones, tensor
from rekindle.core.generators import Generator, using
from rekindle.legacy_nn.torch7 import random
from rekindle.transpiler.emit import Output, formatted
from rekindle.transpiler.project import Project, Source
from rekindle.transpiler.runtime import torch
from rekindle.transpiler.runtime.as_torch import MAKERS, as_torch
from rekindle.transpiler.runtime.modern import share_generator
from rekindle.transpiler.translate import Translation

_spec = importlib.util.spec_from_file_location(
    "modern_running", Path(__file__).with_name("modern_running.py")
)
assert _spec is not None
assert _spec.loader is not None
running = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(running)
agree, printed, translate = running.agree, running.printed, running.translate


@pytest.fixture(autouse=True)
def double_again():
    yield
    torch.setdefaulttensortype("torch.DoubleTensor")


def both(files: dict[str, str], tmp_path) -> dict[str, Translation]:
    """Check that a program prints the same in both styles; return its modern files."""
    texts, found = {}, {}
    for style in ("modern", "faithful"):
        sources = [Source(name, text.encode("latin-1")) for name, text in files.items()]
        translations = Project(sources, style).translate()
        Output(tmp_path / style).write(translations)
        command = [sys.executable, "main.py"]
        done = subprocess.run(
            command, cwd=tmp_path / style, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        texts[style] = done.stdout
        found[style] = {t.source: t for t in translations}
    agree(texts["modern"], texts["faithful"], 1e-6)
    return found["modern"]


DRIVER = (
    running.HEAD
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


LAYERS = [
    (nn.Linear(3, 4), (2, 3)),
    (nn.Linear(3, 4, bias=False), (2, 3)),
    (nn.Conv2d(2, 4, (3, 2), stride=(1, 2), padding=(0, 1)), (2, 2, 6, 7)),
    (nn.Conv2d(2, 4, 3, groups=2, bias=False), (2, 2, 6, 7)),
    (nn.Conv2d(2, 4, 3, dilation=2), (2, 2, 6, 7)),
    (
        nn.ConvTranspose2d(2, 3, (3, 4), stride=2, padding=1, output_padding=(0, 1)),
        (2, 2, 4, 5),
    ),
    (nn.Conv3d(2, 3, (1, 2, 3), stride=(1, 1, 2)), (1, 2, 4, 4, 5)),
    (nn.MaxPool2d((2, 3), ceil_mode=True), (1, 2, 5, 7)),
    (nn.AvgPool2d(2, stride=1), (1, 2, 5, 7)),
    (nn.AdaptiveAvgPool2d((2, 3)), (1, 2, 5, 7)),
    (nn.AdaptiveMaxPool2d((2, 3)), (1, 2, 5, 7)),
    (nn.BatchNorm1d(3), (4, 3)),
    (nn.BatchNorm2d(3, eps=1e-3), (4, 3, 2, 2)),
    (nn.BatchNorm3d(3), (4, 3, 2, 2, 2)),
    (nn.LocalResponseNorm(3, alpha=0.1, beta=0.5, k=2), (1, 4, 2, 2)),
    (nn.LogSoftmax(-1), (2, 3)),
    (nn.LogSoftmax(-3), (2, 3, 2, 2)),
    (nn.Softmax(-3), (2, 3, 2, 2)),
    (nn.Flatten(-3), (2, 3, 2, 2)),
    (nn.Unflatten(-1, (3, 2, 2)), (2, 12)),
    (nn.Upsample(scale_factor=2), (1, 2, 3, 3)),
    (nn.PixelShuffle(2), (1, 4, 3, 3)),
    (nn.ZeroPad2d((1, 2, 0, 1)), (1, 2, 3, 3)),
    (nn.ReflectionPad2d(1), (1, 2, 3, 3)),
    (nn.ReplicationPad2d((1, 2, 0, 1)), (1, 2, 3, 3)),
    (nn.PReLU(), (2, 3)),
    (nn.PReLU(3), (2, 3)),
    (nn.Threshold(0.1, 0.2), (2, 3)),
    (nn.LeakyReLU(0.3), (2, 3)),
    (nn.ELU(0.7), (2, 3)),
    (nn.Hardtanh(-0.2, 0.4), (2, 3)),
    (nn.Softplus(2.0), (2, 3)),
    (nn.Hardshrink(0.2), (2, 3)),
    (nn.Softshrink(0.2), (2, 3)),
    *((getattr(nn, n)(), (2, 3)) for n in ("Tanh", "Sigmoid", "LogSigmoid", "ReLU", "ReLU6")),
    *((getattr(nn, n)(), (2, 3)) for n in ("Softsign", "Tanhshrink", "Identity")),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda v: str(v)[:30])
def test_layers_as_torch_compute_what_core_computes(layer, shape):
    numbers = np.sin(np.arange(np.prod(shape)) * 1.7).reshape(shape)
    x = tensor(numbers, dtype="float64")
    layer.double()
    state = random.default.get_state()
    found = as_torch(layer)
    assert (random.default.get_state() == state).all()
    assert type(found).__name__ != "CoreModule"
    assert as_torch(layer) is found
    expected = layer(x)
    np.testing.assert_allclose(found.forward(x).numpy(), expected.detach().numpy(), rtol=1e-12)
    if list(layer.parameters()):
        expected.sum().backward()
    assert all(p is q for p, q in zip(layer.parameters(), found.parameters()[0], strict=True))
    assert all(p.grad is g for p, g in zip(*found.parameters(), strict=True))


def test_all_layers_that_become_torchs_are_tested():
    tested = {type(layer).__name__ for layer, _ in LAYERS}
    losses = {name for name in MAKERS if name.endswith("Loss")}
    assert MAKERS.keys() - tested == {"Embedding", "Dropout", "View", "Reshape", *losses}


def test_dropout_that_draws_from_torch_drops_the_same():
    source = running.HEAD + (
        "torch.manualSeed(3)\nlocal net = nn.Sequential():add(nn.Linear(4, 50)):add(nn.Dropout())\n"
        "show(net:forward(P(2, 4)))\nshow(torch.uniform())\n"
    )
    modern, faithful = translate(source, "modern"), translate(source, "faithful")
    assert "share_generator()" in modern.python
    agree(printed(modern), printed(faithful), 1e-6)


def test_the_state_of_torchs_generator_is_that_of_cores():
    with using(Generator()) as generator:
        share_generator()
        state = generator.get_state()
        drawn = random.default.uniform(3).tolist()
        generator.set_state(state)
        assert random.default.uniform(3).tolist() == drawn
        x = ones((4, 5)).requires_grad_()
        checkpoint(nn.functional.dropout, x).sum().backward()
        assert set(x.grad.numpy().ravel().tolist()) <= {0.0, 2.0}


def test_spatial_dropout_stays_torchs():
    """Torch scales when it evaluates, not when it trains."""
    source = "local net = nn.Sequential():add(nn.SpatialDropout(0.2)):add(nn.ReLU())\n"
    assert "legacy_nn.SpatialDropout(0.2)" in translate(source, "modern").python


PARALLEL = (
    running.HEAD
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
    running.HEAD
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


def test_sizes_that_are_computed_by_division_are_whole():
    source = (
        "torch.setdefaulttensortype('torch.FloatTensor')\n"
        "local n = 8\nlocal half = n / 2\nlocal net = nn.Sequential():add(nn.Linear(half, n / 4))"
        ":add(nn.Linear(2, 1))\nprint(net:forward(torch.ones(3, 4)):size(2))\n"
    )
    found = translate(source, "modern")
    assert "nn.Linear(int(half), int(n / 4))" in found.python
    assert printed(found) == "1\n"


def test_sizes_that_a_tensor_holds_are_whole():
    source = (
        "local sizes = torch.Tensor{3, 2}\nlocal net = nn.Sequential():add(nn.Linear(3, sizes[2]))"
        ":add(nn.Linear(2, 1))\nprint(net:forward(torch.ones(3, 3)):size(2))\n"
    )
    found = translate(source, "modern")
    assert "nn.Linear(3, int(tensor.part(sizes, 2)))" in found.python
    assert printed(found) == "1\n"


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
    running.HEAD
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


IN_BRANCHES = (
    running.HEAD
    + """
torch.manualSeed(3)
local kind = arg and arg[2] or 'deep'
if not arg or arg[1] == nil then
   -- define it
   model = nn.Sequential()
   if kind == 'deep' then
      -- two layers
      model:add(nn.Linear(4, 3))
      model:add(nn.Tanh())
   else
      model:add(nn.Linear(4, 3)) -- one
   end
   for i = 1, 2 do model:add(nn.Linear(3, 3)) end
else
   model = torch.load(arg[1])
end
model:add(nn.LogSoftMax())
local function check(net) print(#net:listModules(), net.train) end
local function make(n)
   local net = nn.Sequential()
   net:add(nn.Linear(4, n))
   for i = 1, 2 do net:add(nn.Linear(n, n)):add(nn.ReLU()) end
   check(net)
   net:get(1).bias:fill(0.5)
   return net
end
local net = make(3)
show(net:forward(P(2, 4)), net:get(1).output, model:forward(P(2, 4)))
show(model:backward(P(2, 4), P(2, 3)), model:getParameters())
"""
)


def test_models_that_branches_put_together_are_torchs_behind_them(tmp_path):
    text = formatted({"a": both({"main.lua": IN_BRANCHES}, tmp_path)["main.lua"].python})["a"]
    assert "        model.append(nn.Tanh())\n" in text
    assert "    for i in range(1, 3):\n        model.append(nn.Linear(3, 3).double())\n" in text
    assert "    model = as_torch(model)\nelse:\n    model = torch.load(" in text
    assert "    net = as_torch(net)\n    check(net)\n" in text


STACK = """
require 'nn'
local Stack, parent = torch.class('nn.Stack', 'nn.Module')
function Stack:__init(size, width, depth, drop)
   parent.__init(self)
   -- all layers
   self.net = nn.Sequential()
   self.sizes = {size, width}
   self.gates = {}
   for i = 1, depth do
      local wide = width
      if i == 1 then wide = self.sizes[1] end
      self.net:add(nn.Linear(wide, width)) -- a layer
      if drop then
         self.net:add(nn.BatchNormalization(width))
      end
      local gate = nn.Mul()
      self.gates[i] = gate
      self.net:add(gate)
   end
   self.view = nn.View(-1, 2)
   self.net:add(self.view):add(nn.Linear(2, 2))
   self.net:add(nn.Tanh())
   self.other = nn.Sequential()
   self:fill(3)
   self.other:add(nn.Linear(2, 2))
end
function Stack:fill(n) for i = 1, n do self.other:add(nn.Linear(2, 2)) end end
function Stack:updateOutput(input)
   self.output = self.other:forward(self.net:forward(input))
   return self.output
end
function Stack:updateGradInput(input, gradOutput)
   local inner = self.other:updateGradInput(self.net.output, gradOutput)
   self.gradInput = self.net:updateGradInput(input, inner)
   return self.gradInput
end
function Stack:accGradParameters(input, gradOutput, scale)
   self.other:accGradParameters(self.net.output, gradOutput, scale)
   self.net:accGradParameters(input, self.other.gradInput, scale)
end
function Stack:parameters()
   local w, g = self.net:parameters()
   local v, h = self.other:parameters()
   for i = 1, #v do w[#w + 1] = v[i]; g[#g + 1] = h[i] end
   return w, g
end
"""

STACKED = (
    running.HEAD
    + """
require 'stack'
local crit = nn.MSECriterion()
for _, drop in ipairs{true, false} do
   local model = nn.Stack(3, 4, 2, drop)
   local w, dw = model:getParameters()
   w:copy(P(w:nElement()))
   local x, y = P(5, 3), P(10, 2)
   for i = 1, 3 do
      model:zeroGradParameters()
      local out = model:forward(x)
      show(crit:forward(out, y))
      show(model:backward(x, crit:backward(out, y)))
      w:add(-0.2, dw)
   end
   show(model.gates[2].weight, model.net:get(2).train ~= false and 1 or 0, #model.net.modules)
   model.net:evaluate()
   show(model:forward(x))
end
"""
)


def test_models_that_loops_put_into_fields_are_cores(tmp_path):
    found = both({"main.lua": STACKED, "stack.lua": STACK}, tmp_path)["stack.lua"]
    text = formatted({"a": found.python})["a"]
    assert "        # all layers\n        net = nn.Sequential()\n" in text
    assert "            net.append(nn.Linear(wide, width).double())  # a layer\n" in text
    assert "        self.net = as_torch(net)\n" in text
    assert "self.other.add(legacy_nn.Linear(2, 2))" in text  # a method adds to it in between


PROTOS = """
local protos = {}
protos.embed = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh())
protos.softmax = nn.Sequential()
protos.softmax:add(nn.Linear(4, 2))
protos.softmax:add(nn.LogSoftMax())
protos.criterion = nn.ClassNLLCriterion()
local v = protos.embed:getParameters()
v:copy(P(v:nElement()))
local w, dw = protos.softmax:getParameters()
w:copy(P(w:nElement()))
local x, y = P(5, 3), torch.Tensor{1, 2, 1, 1, 2}
for i = 1, 3 do
   dw:zero()
   local h = protos.embed:forward(x)
   local o = protos.softmax:forward(h)
   show(protos.criterion:forward(o, y))
   local dh = protos.softmax:backward(h, protos.criterion:backward(o, y))
   protos.embed:backward(x, dh)
   w:add(-0.3, dw)
end
"""


def test_models_in_tables_of_a_file_are_cores():
    source = running.HEAD + PROTOS
    modern, faithful = translate(source, "modern"), translate(source, "faithful")
    assert "protos.embed = as_torch(nn.Sequential(nn.Linear(3, 4), nn.Tanh())" in modern.python
    assert "protos.softmax = as_torch(nn.Sequential(nn.Linear(4, 2), nn.Log" in modern.python
    agree(printed(modern), printed(faithful), 1e-10)
