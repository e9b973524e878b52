"""Graphs run as lists of steps: the same numbers and tensors as module by module."""

import copy
import pickle

import numpy as np
import pytest

from rekindle import legacy_nn as nn
from rekindle.core.autograd import no_grad, profile
from rekindle.core.errors import RekindleError
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.errors import InputTypeError
from rekindle.legacy_nn.nngraph import program


def cell(inplace=False):
    x, c = nn.Identity()(), nn.Identity()()
    sums = nn.CAddTable(inplace)([nn.Linear(3, 8)(x), nn.Linear(2, 8)(c)])
    a, b, d, e = nn.SplitTable(2)(nn.Reshape(4, 2)(sums)).split(4)
    kept = nn.CMulTable()([nn.Sigmoid()(a), c])
    written = nn.CMulTable()([nn.Sigmoid()(b), nn.Tanh()(d)])
    new = nn.CAddTable()([kept, written])
    again = nn.CMulTable()([new, nn.Tanh()(new)])
    return nn.gModule([x, c], [again, nn.LogSoftMax()(nn.Tanh()(e))])


def given(rows=5, seed=0):
    random = np.random.default_rng(seed)
    return [Tensor(random.normal(size=(rows, n))) for n in (3, 2, 2, 2)]


def found(model, *, seed=0, rows=5):
    """Return what two runs leave: outputs, and gradients of inputs and parameters."""
    x, c, g, h = given(rows, seed)
    model.zeroGradParameters()
    for _ in range(2):
        output = model.forward([x, c])
        back = model.backward([x, c], [g, h])
    tensors = [*output.array(), *back.array(), *model.parameters()[1]]
    tensors += [m.output for m in model.modules.array() if isinstance(m.output, Tensor)]
    return [t.numpy().copy() for t in tensors]


@pytest.mark.parametrize("inplace", [False, True])
def test_steps_compute_what_modules_do(inplace, monkeypatch):
    model = cell(inplace)
    quick = found(model)
    fresh = [t.detach().numpy().copy() for t in model(given()[:2]).array()]
    monkeypatch.setattr(program, "is_plain", lambda module: False)
    slow = found(model.clone())
    assert len(quick) == len(slow) > 20
    for a, b in zip(quick, slow, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(fresh, slow, strict=False):
        np.testing.assert_array_equal(a, b)


def test_modules_keep_their_tensors_from_call_to_call():
    model = cell()
    found(model)
    kept = [(m.output, m.gradInput) for m in model.modules.array() if isinstance(m.output, Tensor)]
    entries = [g.array() for _, g in kept if not isinstance(g, Tensor)]
    found(model, seed=1)
    found(model, seed=2, rows=7)
    now = [(m.output, m.gradInput) for m in model.modules.array() if isinstance(m.output, Tensor)]
    own = [(a, b) for a, b in zip(kept, now, strict=True) if a[0] is b[0]]
    assert len(own) >= len(kept) - 2  # but for the inputs, which Identity passes on
    after = [g.array() for _, g in now if not isinstance(g, Tensor)]
    for a, b in zip(entries, after, strict=True):
        assert all(x is y for x, y in zip(a, b, strict=True))


def test_an_override_on_a_module_or_class_counts_from_the_next_call(monkeypatch):
    model = cell()
    x, c, *_ = given()
    sigmoid = next(m for m in model.modules.array() if isinstance(m, nn.Sigmoid))
    first = [t.numpy().copy() for t in model.forward([x, c]).array()]
    sigmoid.compute = lambda input: input * 0
    assert not np.array_equal(model.forward([x, c])[1].numpy(), first[0])
    assert not sigmoid.output.numpy().any()
    del sigmoid.compute
    np.testing.assert_array_equal(model.forward([x, c])[1].numpy(), first[0])
    with monkeypatch.context() as patch:
        patch.setattr(nn.Tanh, "compute", lambda self, input: input * 0)
        with no_grad():
            assert not np.array_equal(model([x, c])[1].numpy(), first[0])
    np.testing.assert_array_equal(model.forward([x, c])[1].numpy(), first[0])


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda m: m.clone(), lambda m: pickle.loads(pickle.dumps(m))],
    ids=["deepcopy", "clone", "pickle"],
)
def test_copies_run_their_own_modules(copied):
    model = cell()
    x, c, *_ = given()
    before = model.forward([x, c])[1].numpy().copy()
    other = copied(model)
    for p in other.parameters()[0]:
        p.detach().zero_()
    half = c.numpy() / 2  # gates are one half, and what is written is 0
    np.testing.assert_allclose(other.forward([x, c])[1].numpy(), half * np.tanh(half))
    np.testing.assert_array_equal(model.forward([x, c])[1].numpy(), before)


def test_another_type_is_refused_at_its_place():
    model = cell()
    x, c, *_ = given()
    model.forward([x, c])
    with pytest.raises(InputTypeError, match=r"float32[\s\S]*forwardnodes"):
        model.forward([x.astype("float32"), c])
    model.float()
    x, c = (t.astype("float32") for t in (x, c))
    assert model.forward([x, c])[1].numpy().dtype == np.float32


@pytest.mark.parametrize("quick", [True, False])
def test_who_views_what_a_graph_left_sees_the_next_run(quick, monkeypatch):
    if not quick:
        monkeypatch.setattr(program, "is_plain", lambda module: False)
    model = cell()
    found(model)
    outputs = [m.output for m in model.modules.array() if isinstance(m.output, Tensor)]
    views = [(y, y.numpy(), y[0]) for y in outputs]
    found(model, seed=1)
    for output, array, row in views:
        np.testing.assert_array_equal(array, output.numpy())
        np.testing.assert_array_equal(row.numpy(), output.numpy()[0])


def test_a_profiler_sees_the_operations_of_a_graph():
    model = cell()
    x, c, *_ = given()
    for _ in range(2):
        with profile() as seen:
            model.forward([x, c])
    assert {"linear", "add", "multiply", "sigmoid", "tanh"} <= seen.calls.keys()


def test_a_vector_is_split_into_tensors():
    x = nn.Identity()()
    model = nn.gModule([x], [*nn.SplitTable(1)(nn.Tanh()(x)).split(2)])
    for _ in range(2):
        parts = model.forward(Tensor(np.array([1.0, 2.0]))).array()
        np.testing.assert_array_equal([p.item() for p in parts], np.tanh([1.0, 2.0]))


@pytest.mark.parametrize("quick", [True, False])
def test_gradients_of_a_graph_are_tensors_of_its_modules_and_sums_of_its_nodes(quick, monkeypatch):
    """As in torch/nngraph gmodule.lua, where nothing is copied on the way out."""
    if not quick:
        monkeypatch.setattr(program, "is_plain", lambda module: False)
    linear = nn.Linear(3, 2)
    x, y = nn.Identity()(), nn.Identity()()
    both = [linear(x), nn.Tanh()(y), nn.Sigmoid()(y), nn.Tanh()(y)]
    model = nn.gModule([x, y], both)
    random = np.random.default_rng(0)
    a, b, *g = (Tensor(random.normal(size=(4, n))) for n in (3, 2, 2, 2, 2, 2))
    first = []
    for scale in (1, 3):
        model.forward([a, b])
        found = model.backward([a, b], [t * scale for t in g])
        assert found[1] is linear.gradInput
        assert found[2] is y.data.gradOutputBuffer
        slope = (1 - np.tanh(b.numpy()) ** 2) * (g[1] + g[3]).numpy()
        gate = 1 / (1 + np.exp(-b.numpy()))
        expected = scale * (slope + gate * (1 - gate) * g[2].numpy())
        np.testing.assert_allclose(found[2].numpy(), expected, rtol=1e-12)
        first.append([found, *found.array()])
    assert all(p is q for p, q in zip(*first, strict=True))
    model.clearState()
    assert y.data.get("gradOutputBuffer") is None


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("times", [1, 2])
def test_parameters_after_the_input_where_a_sum_arrives_in_place(nested, times):
    """The gradient of ReLU(true) stands in the buffer of the sum, which is not summed up again."""
    linear = nn.Linear(3, 3)
    start = linear()
    hidden = nn.ReLU(True)(start)
    model = nn.gModule([start], [nn.Tanh()(hidden), nn.Sigmoid()(hidden)])
    if nested:
        x = nn.Identity()()
        model = nn.gModule([x], [*model(x).split(2)])
    random = np.random.default_rng(0)
    x, *g = (Tensor(random.normal(size=(8, 3))) for _ in range(3))
    model.zeroGradParameters()
    model.forward(x)
    model.updateGradInput(x, g)
    for _ in range(times):
        model.accGradParameters(x, g)
    before = x.numpy() @ linear.weight.detach().numpy().T + linear.bias.detach().numpy()
    h = np.maximum(before, 0)
    gate = 1 / (1 + np.exp(-h))
    arrived = g[0].numpy() * (1 - np.tanh(h) ** 2) + g[1].numpy() * gate * (1 - gate)
    expected = times * (arrived * (before > 0)).T @ x.numpy()
    np.testing.assert_allclose(linear.gradWeight.numpy(), expected, rtol=1e-12)


def test_gradients_that_lie_in_what_is_written_are_read_first():
    """Models whose buffers were made to share memory compute what they did before."""
    model = cell()
    expected = found(model)
    table = next(m for m in model.modules.array() if isinstance(m, nn.CMulTable))
    split = next(m for m in model.modules.array() if isinstance(m, nn.SplitTable))
    x, c, g, h = given()
    for target in (table.gradInput[1], table.gradInput[2], split.gradInput):
        model.zeroGradParameters()
        for _ in range(2):
            model.forward([x, c])
            flat = target.numpy().reshape(-1)
            flat[: g.size] = g.numpy().reshape(-1)
            back = model.backward([x, c], [Tensor(flat[: g.size].reshape(g.shape)), h])
        after = [t.numpy() for t in (*back.array(), *model.parameters()[1])]
        for p, q in zip(after, expected[2:], strict=False):
            np.testing.assert_allclose(p, q, rtol=1e-12)


@pytest.mark.parametrize("rows", [5, 1, 0, None])
@pytest.mark.parametrize(
    ("shape", "dimension", "count"),
    [
        (lambda: nn.Reshape(4, 2), 2, 4),
        (lambda: nn.Reshape(4, 2, True), 3, 2),
        (lambda: nn.View(4, 2).setNumInputDims(1), -2, 4),
        (lambda: nn.View(-1, 4, 2), 2, 4),
        (lambda: nn.Reshape(2, 2, 2), 2, 2),
    ],
)
def test_rows_that_are_reshaped_and_split_are_parts_of_them(
    shape, dimension, count, rows, monkeypatch
):
    start = nn.Identity()()
    split = nn.SplitTable(dimension)(shape()(nn.Tanh()(start)))
    model = nn.gModule([start], [nn.Tanh()(part) for part in split.split(count)])
    x = np.random.default_rng(0).normal(size=8 if rows is None else (rows, 8))

    def found():
        given = Tensor(x, requires_grad=True)
        try:
            with no_grad():
                fresh = [t.numpy() for t in model(given).array()]
            parts = model(given).array()
        except RekindleError as error:
            return type(error), str(error), error.__notes__
        sum((part * k).sum() for k, part in enumerate(parts, 1)).backward()
        return *fresh, *(t.detach().numpy() for t in parts), given.grad.numpy()

    quick = found()
    monkeypatch.setattr(program, "is_plain", lambda module: False)
    model = model.clone()
    for a, b in zip(quick, found(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_columns_are_put_in_order_before_they_are_reshaped():
    start = nn.Identity()()
    parts = nn.SplitTable(2)(nn.Reshape(2, 2)(start)).split(2)
    model = nn.gModule([start], [*parts])
    columns = Tensor(np.arange(12.0).reshape(4, 3)).transpose(0, 1)
    assert not columns.is_contiguous()
    first, second = model(columns).array()
    np.testing.assert_array_equal(first.numpy(), columns.numpy()[:, :2])
    np.testing.assert_array_equal(second.numpy(), columns.numpy()[:, 2:])
