"""`parameters` written in Lua, asked by containers in Python."""

import pytest

from rekindle import legacy_nn as nn
from rekindle import lua as bridge

pytest.importorskip("lupa")

LAYERS = """
require 'nn'
local Scale = torch.class('nn.OwnScale', 'nn.Module')
function Scale:__init()
   nn.Module.__init(self)
   self.scale, self.gradScale = torch.ones(3), torch.ones(3)
   self.inner = nn.Linear(2, 2)
end
function Scale:parameters()
   local weights, gradients = self.inner:parameters()
   return {self.scale, weights}, {self.gradScale, gradients}
end
local Plain = torch.class('nn.OwnPlain', 'nn.Module')
function Plain:parameters() return end
return {nn.OwnScale(), nn.OwnPlain()}
"""


def test_tables_of_tables_become_lists():
    scale, plain = bridge.Runtime().execute(LAYERS).array()
    model = nn.Sequential().add(scale).add(plain)
    weights, gradients = model.parameters()
    assert [w.shape for w in weights] == [(3,), (2, 2), (2,)]
    assert gradients[0] is scale.gradScale
    assert plain.parameters() == ([], [])
    scale.zeroGradParameters()
    assert scale.gradScale.tolist() == [0, 0, 0]
    flat, _ = model.getParameters()
    assert flat.shape == (9,)
    assert scale.scale.storage() is flat.storage()
