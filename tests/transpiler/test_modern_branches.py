"""Models that branches, loops, methods and tables of a program put together."""

from __future__ import annotations

import pytest
from modern_running import HEAD, agree, both, printed, translate

from rekindle.transpiler.emit import formatted
from rekindle.transpiler.runtime import torch


@pytest.fixture(autouse=True)
def double_again():
    yield
    torch.setdefaulttensortype("torch.DoubleTensor")


IN_BRANCHES = (
    HEAD
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
    HEAD
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
    source = HEAD + PROTOS
    modern, faithful = translate(source, "modern"), translate(source, "faithful")
    assert "protos.embed = as_torch(nn.Sequential(nn.Linear(3, 4), nn.Tanh())" in modern.python
    assert "protos.softmax = as_torch(nn.Sequential(nn.Linear(4, 2), nn.Log" in modern.python
    agree(printed(modern), printed(faithful), 1e-10)
