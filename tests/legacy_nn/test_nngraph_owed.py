"""Copies of gradients that a graph owes: whoever looks finds what Torch7 has there."""

import pickle

import numpy as np
import pytest

from rekindle import legacy_nn as nn
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.nngraph import program
from rekindle.legacy_nn.nngraph.owed import Owed, Owing


def gates(between=None):
    """Return a graph with the gates of an LSTM, and the modules at its sum."""
    x, h = nn.Identity()(), nn.Identity()()
    sums = nn.CAddTable()([nn.Linear(3, 64)(x), nn.Linear(2, 64)(h)])
    parts = nn.SplitTable(2)((between or nn.Reshape(4, 16))(sums)).split(4)
    model = nn.gModule([x, h], [nn.CMulTable()([nn.Sigmoid()(p) for p in parts[:2]]), *parts[2:]])
    kinds = {type(m): m for m in model.modules.array()}
    return model, kinds[nn.CAddTable], kinds[nn.SplitTable]


def given(seed=0, rows=40):
    random = np.random.default_rng(seed)
    x, *g = (Tensor(random.normal(size=(rows, n))) for n in (3, 16, 16, 16))
    return [x, Tensor(random.normal(size=(rows, 2)))], g


def run(model, seed=0, rows=40):
    """Run forward and back, and return the gradient that arrives at the sum."""
    x, g = given(seed, rows)
    model.zeroGradParameters()
    model.forward(x)
    model.backward(x, g)


def is_owed(tensor):
    return tensor._array is None and type(tensor._chain) is Owed and tensor._chain.value is None


def expected(seed=0, rows=40):
    """Return what a graph without rules computes: gradients at the sum, and of all parameters."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "is_plain", lambda module: False)
        model, table, _ = gates()
        for p, q in zip(model.parameters()[0], gates.parameters, strict=True):
            p.detach().copy_(q)
        run(model, seed, rows)
        return table.gradInput[1].numpy().copy(), [g.numpy() for g in model.parameters()[1]]


@pytest.fixture
def cell(request):
    model, table, split = gates(getattr(request, "param", None))
    gates.parameters = [p.detach().clone() for p in model.parameters()[0]]
    run(model)
    run(model, 1)
    assert all(map(is_owed, table.gradInput.array()))
    return model, table, split


@pytest.mark.parametrize("cell", [None, nn.View(4, 16)], indirect=True)
def test_owed_copies_hold_the_gradient_of_the_last_run(cell):
    model, table, split = cell
    kept = table.gradInput.array()
    for seed, rows in ((2, 40), (3, 40), (4, 60), (5, 60), (6, 60)):
        run(model, seed, rows)
        wanted, gradients = expected(seed, rows)
        assert all(a is b for a, b in zip(table.gradInput.array(), kept, strict=True))
        if seed != 3:  # once nobody looks
            for tensor in kept:
                assert tensor.shape == (rows, 64)
                assert tensor.dtype == np.float64
                np.testing.assert_array_equal(tensor.numpy(), wanted)
        np.testing.assert_array_equal(split.gradInput.numpy().reshape(rows, 64), wanted)
        for g, h in zip(model.parameters()[1], gradients, strict=True):
            np.testing.assert_array_equal(g.numpy(), h)


@pytest.mark.parametrize(
    "write",
    [
        lambda split: split.gradInput.zero_(),
        lambda split: split.gradInput.numpy().fill(0),
        lambda split: split.gradInput.storage().array.fill(0),
        lambda split: split.gradInput[0].fill_(0),
        lambda split: split.float(),
        lambda split: split.clearState(),
        lambda split: split.updateGradInput(*(getattr(split, n) for n in ("x", "g"))),
    ],
    ids=["zero_", "numpy", "storage", "part", "type", "clearState", "module"],
)
def test_what_copies_are_owed_of_may_be_written_to(cell, write):
    _, table, split = cell
    wanted, _ = expected(1)
    vars(split)["x"] = Tensor(np.zeros((40, 4, 16)))
    vars(split)["g"] = [Tensor(np.ones((40, 16)))] * 4
    write(split)
    for tensor in table.gradInput.array():
        np.testing.assert_array_equal(tensor.numpy(), wanted)


def test_each_copy_has_memory_of_its_own(cell):
    _, table, split = cell
    wanted, _ = expected(1)
    first, second = table.gradInput.array()
    first.fill_(7)
    np.testing.assert_array_equal(second.numpy(), wanted)
    np.testing.assert_array_equal(split.gradInput.numpy().reshape(40, 64), wanted)
    second.fill_(8)
    assert (first.numpy() == 7).all()


def test_who_holds_the_array_of_a_copy_sees_the_next_one(cell):
    model, table, _ = cell
    array, row = table.gradInput[1].numpy(), table.gradInput[2][3]
    for seed in (2, 3):
        run(model, seed)
        wanted, _ = expected(seed)
        np.testing.assert_array_equal(array, wanted)
        np.testing.assert_array_equal(row.numpy(), wanted[3])
    del array, row
    run(model, 2)
    assert all(map(is_owed, table.gradInput.array()))


def test_nothing_is_owed_of_memory_that_somebody_knows(cell):
    model, table, split = cell
    array = split.gradInput.numpy()
    run(model, 2)
    wanted, _ = expected(2)
    array.fill(0)
    np.testing.assert_array_equal(table.gradInput[1].numpy(), wanted)


def test_copies_of_the_model_have_what_was_owed(cell):
    model, _, _ = cell
    wanted, _ = expected(1)
    for other in (pickle.loads(pickle.dumps(model)), model.clone()):
        table = next(m for m in other.modules.array() if isinstance(m, nn.CAddTable))
        np.testing.assert_array_equal(table.gradInput[2].numpy(), wanted)
        run(other, 3)
        np.testing.assert_array_equal(table.gradInput[2].numpy(), expected(3)[0])


def test_another_graph_with_the_same_split_leaves_the_copies(cell):
    model, table, split = cell
    wanted, _ = expected(1)
    start = nn.Identity()()
    sums = nn.CAddTable()([nn.Linear(2, 64)(start), nn.Linear(2, 64)(start)])
    other = nn.gModule([start], [*split(nn.Reshape(4, 16)(sums)).split(4)])
    x = Tensor(np.ones((40, 2)))
    for _ in range(3):
        other.forward(x)
        other.backward(x, [Tensor(np.ones((40, 16)))] * 4)
    np.testing.assert_array_equal(table.gradInput[1].numpy(), wanted)
    run(model, 2)
    np.testing.assert_array_equal(table.gradInput[1].numpy(), expected(2)[0])


def test_a_sum_in_place_gives_the_gradient_itself(cell):
    model, table, split = cell
    table.inplace = True
    run(model, 2)
    wanted, _ = expected(2)
    for tensor in table.gradInput.array():
        np.testing.assert_array_equal(tensor.numpy(), wanted)
        assert np.may_share_memory(tensor.numpy(), split.gradInput.numpy())


def test_only_sums_of_linear_modules_are_owed():
    linear, other = nn.Linear(2, 2), nn.Tanh()
    modules = nn.SplitTable(2), nn.Reshape(4, 2), nn.CAddTable()
    assert Owing.of(modules, [linear, linear]) is not None
    assert Owing.of(modules, [linear, other]) is None
    assert Owing.of(modules, [linear]) is None
    assert Owing.of((other, *modules[1:]), [linear, linear]) is None
