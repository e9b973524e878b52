"""A linear map with ReLU in one: values, and the graph of the two operations."""

import numpy as np
import pytest

from rekindle.core import nn, ops
from rekindle.core.autograd import check_grads, no_grad, profile
from rekindle.core.autograd.views import parent_of
from rekindle.core.nn import functional as F
from rekindle.core.tensor import Tensor

RNG = np.random.default_rng(3)


def drawn(*shape, dtype=np.float32, **options):
    return Tensor(RNG.normal(size=shape).astype(dtype), **options)


@pytest.mark.parametrize("shape", [(7, 5), (2, 3, 5), (5,), (300, 5)])
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_gradients_are_those_of_the_two(shape, biased, dtype):
    given = [drawn(*shape, dtype=dtype), drawn(700, 5, dtype=dtype), drawn(700, dtype=dtype)]
    given = given if biased else given[:2]
    found = []
    for function in (ops.linear_relu, lambda *x: ops.relu(ops.linear(*x))):
        operands = [x.detach().clone().requires_grad_() for x in given]
        y = function(*operands)
        (y * y).sum().backward()
        found.append([y.detach(), *(x.grad for x in operands)])
    for a, b in zip(*found, strict=True):
        assert a.dtype == dtype
        tolerance = 1e-5 if dtype == np.float32 else 1e-13
        assert np.abs(a.numpy() - b.numpy()).max() <= tolerance * np.abs(b.numpy()).max()


def test_the_graph_is_that_of_the_two():
    x, w = drawn(4, 5), drawn(6, 5, requires_grad=True)
    y = ops.linear_relu(x, w)
    assert parent_of(y).name == "relu"
    assert parent_of(y).parents[0].name == "linear"
    check_grads(ops.linear_relu, [drawn(3, 5, dtype=float), drawn(6, 5, dtype=float)])
    with no_grad():
        assert not ops.linear_relu(x, w).requires_grad
    assert not ops.linear_relu(x, w.detach()).requires_grad


@pytest.mark.parametrize("rows", [1, 6, 600])
def test_nan_stays_nan_and_nothing_is_minus_zero(rows):
    x = np.ones((rows, 2), np.float32)
    w = np.zeros((900, 2), np.float32)
    w[:5, 0] = np.nan, np.inf, -np.inf, -1, 1
    y = ops.linear_relu(Tensor(x), Tensor(w), Tensor(-np.zeros(900, np.float32))).numpy()
    expected = np.zeros_like(y)
    expected[:, [0, 1, 4]] = np.nan, np.inf, 1
    np.testing.assert_array_equal(y, expected)
    assert not np.signbit(y[:, 1:]).any()


@pytest.mark.parametrize(
    ("shapes", "message"), [(((2, 3), (4, 5)), "linear"), (((2, 5), (4, 5), (3,)), "linear")]
)
def test_what_does_not_fit(shapes, message):
    with pytest.raises(ValueError, match=message):
        ops.linear_relu(*(drawn(*s) for s in shapes))


def rectified_by(model, x):
    """Return how many maps of a model were computed with their ReLU."""
    count = []
    original = ops.linear_relu

    def counted(*args):
        count.append(1)
        return original(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ops, "linear_relu", counted)
        model(x)
    return len(count)


def test_sequential_takes_both_at_once():
    x = drawn(3, 5)
    model = nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 6), nn.ReLU(True), nn.Linear(6, 4))
    assert rectified_by(model, x) == 1
    expected = x
    for module in model:
        expected = module(expected)
    np.testing.assert_allclose(model(x).detach(), expected.detach(), rtol=1e-5, atol=1e-6)
    with profile() as seen:
        model(x)
    assert seen.calls["linear"] == 3


def _hooked(model):
    seen = []
    model[0].register_forward_hook(lambda module, args, y: seen.append(y))
    return seen


def test_nothing_is_left_out_where_somebody_looks():
    x = drawn(3, 5)
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU())
    seen = _hooked(model)
    assert rectified_by(model, x) == 0
    assert (seen[0].detach().numpy() < 0).any()

    class Doubled(nn.Linear):
        def forward(self, input):
            return 2 * super().forward(input)

    assert rectified_by(nn.Sequential(Doubled(5, 6), nn.ReLU()), x) == 0
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU())
    model[1].forward = lambda y: y
    assert rectified_by(model, x) == 0


@pytest.mark.parametrize(("activation", "count"), [(F.relu, 1), ("relu", 1), (F.gelu, 0)])
def test_transformers_do_too(activation, count):
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, activation=activation)
    assert rectified_by(layer, drawn(3, 2, 8)) == count
