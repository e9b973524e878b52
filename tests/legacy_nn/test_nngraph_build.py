"""Building graphs as nngraph does: calls on nodes, `-`, split, gModule."""

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn as nn
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.module import ArgumentError, ModuleError
from rekindle.legacy_nn.nngraph import gModule
from rekindle.legacy_nn.values import tensors_in


def doubles(*shape):
    return Tensor(np.random.default_rng(1).normal(size=shape))


def assert_same(a, b):
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12, atol=1e-14)


def test_a_chain_computes_what_its_modules_do():
    first, second = nn.Linear(3, 4), nn.Linear(4, 2)
    x = doubles(5, 3)
    start = first()
    model = gModule([start], [second(nn.Tanh()(start))])
    assert_same(model.forward(x), second(nn.Tanh()(first(x))))
    assert [m.t7_typename for m in model.modules.array()] == ["nn.Linear", "nn.Tanh", "nn.Linear"]


def test_minus_is_a_call():
    linear, tanh = nn.Linear(3, 4), nn.Tanh()
    start = -linear
    model = gModule([start], [start - tanh])
    x = doubles(2, 3)
    assert_same(model(x), tanh(linear(x)))


def test_several_inputs_outputs_and_backward():
    a, b = nn.Identity()(), nn.Identity()()
    left, right = nn.Linear(3, 4), nn.Linear(2, 4)
    summed = nn.CAddTable()([left(a), right(b)])
    model = gModule([a, b], [summed, nn.Tanh()(summed)])
    x = [doubles(5, 3), doubles(5, 2)]
    y = model.forward(x)
    assert_same(y[1], left(x[0]) + right(x[1]))
    assert_same(y[2], np.tanh(y[1].numpy()) + rekindle.zeros(1, np.float64))
    model.zeroGradParameters()
    g = [doubles(5, 4), doubles(5, 4)]
    found = model.backward(x, g)
    total = g[0] + g[1] * (1 - y[2] * y[2])
    assert_same(found[1], total @ left.weight.detach())
    assert_same(found[2], total @ right.weight.detach())
    assert_same(left.gradWeight, total.T @ x[0])


def test_split_and_nesting():
    parts = nn.SplitTable(2)()
    first, second = parts.split(2)
    inner = gModule([parts], [nn.CSubTable()([first, second])])
    start = nn.Identity()()
    outer = gModule([start], [nn.MulConstant(2)(inner(start))])
    x = doubles(3, 2)
    assert_same(outer.forward(x), (x[:, 0] - x[:, 1]) * 2)


def test_a_built_graph_is_saved_and_loaded(tmp_path):
    start = nn.Linear(3, 4)()
    model = gModule([start], [nn.CMulTable()([nn.Sigmoid()(start), nn.Tanh()(start)])])
    x = doubles(2, 3)
    rekindle.save(model, tmp_path / "model.t7")
    assert_same(rekindle.load(tmp_path / "model.t7").forward(x), model.forward(x))


def test_wrong_graphs():
    with pytest.raises(ArgumentError, match="is no node of a graph but a int"):
        nn.CAddTable()([nn.Identity()(), 3])
    node = nn.Identity()()
    with pytest.raises(ModuleError, match="takes the output of each other node once"):
        nn.CAddTable()([node, node])
    table = nn.SplitTable(2)()
    part = table.split(2)[0]
    with pytest.raises(ArgumentError, match="are unused"):
        gModule([table], [part])
    start = nn.Identity()()
    nn.Tanh()(start)
    output = nn.Sigmoid()(start)
    with pytest.raises(ArgumentError, match="does not connect to gmodule output"):
        gModule([start], [output])
    with pytest.raises(ArgumentError, match="needs outputs"):
        gModule([nn.Identity()()], [])


# -- what the nodes keep ------------------------------------------------------------------


def two_inputs():
    a, b = nn.Identity()(), nn.Linear(2, 3)()
    joined = nn.CAddTable()([nn.Tanh()(a), b])
    return gModule([a, b], [joined, nn.Sigmoid()(joined)])


def test_types_and_clearing_reach_the_nodes():
    model, x = two_inputs(), [doubles(4, 3), doubles(4, 2)]
    model.forward(x)
    model.backward(x, model.output)
    model.float()
    kept = [t for n in model.forwardnodes.array() for t in tensors_in(n.data.get("input"))]
    assert kept
    assert all(t.dtype == np.float32 for t in kept)
    single = [t.astype("float32") for t in x]
    assert model.forward(single)[1].dtype == np.float32
    assert model.backward(single, model.output)[2].shape == (4, 2)
    assert model.clearState() is model
    assert not any(n.data.get("input") for n in model.forwardnodes.array())
    assert not any(t.size for m in model.listModules() for t in tensors_in(m.output))
    assert model.forward(single)[2].shape == (4, 3)


def test_replace_reaches_the_nodes():
    model, x = two_inputs(), [doubles(4, 3), doubles(4, 2)]
    before = model.forward(x)[2].numpy().copy()
    swapped = model.replace(lambda m: nn.Identity() if isinstance(m, nn.Sigmoid) else m)
    assert swapped is model
    assert not model.findModules("nn.Sigmoid")[0]
    sums = model.forward(x)[2].numpy()
    np.testing.assert_allclose(1 / (1 + np.exp(-sums)), before)


def test_map_pairs_the_modules_of_two_graphs():
    model, other = two_inputs(), two_inputs()
    pairs = []
    model.map(other, lambda a, b: pairs.append((type(a), type(b))))
    assert all(a is b for a, b in pairs)
    assert len(pairs) == len(model.modules)
    with pytest.raises(ArgumentError, match="different structure"):
        model.map(gModule([node := nn.Identity()()], [nn.Tanh()(node)]), lambda a, b: None)
