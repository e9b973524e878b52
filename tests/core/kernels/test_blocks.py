"""References that go by blocks against the same on small pieces, and their memory."""

import tracemalloc

import numpy as np
import pytest

from rekindle import ops, tensor
from rekindle.core.kernels import blocks, dispatch
from rekindle.core.kernels.likelihood import softmax_nll

SHAPES = [(5 * blocks.BLOCK + 3,), (700, 501), (20, 5, 4001)]
FUNCTIONS = {
    "silu": ops.silu,
    "gelu": ops.gelu,
    "gelu of tanh": lambda x: ops.gelu(x, approximate="tanh"),
}


def draw(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@pytest.fixture(autouse=True)
def references(monkeypatch):
    monkeypatch.setattr(blocks, "LEAST", 4 * blocks.BLOCK)
    with dispatch.using("reference"):
        yield


def both_ways(function, x, g):
    x = tensor(x, requires_grad=True)
    y = function(x)
    y.backward(tensor(g))
    return y.detach().numpy(), x.grad.numpy()


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activations_are_those_of_small_pieces(name, shape, dtype):
    x, g = draw(*shape, dtype=dtype), draw(*shape, seed=1, dtype=dtype)
    found = both_ways(FUNCTIONS[name], x, g)
    lines = x.reshape(-1), g.reshape(-1)
    step = 50_000
    pieces = [
        both_ways(FUNCTIONS[name], *(a[start : start + step] for a in lines))
        for start in range(0, x.size, step)
    ]
    for whole, parts in zip(found, zip(*pieces, strict=True), strict=True):
        assert whole.dtype == dtype
        assert whole.shape == shape
        np.testing.assert_allclose(whole.reshape(-1), np.concatenate(parts), 1e-6)


def test_other_orders_stay():
    images = np.moveaxis(draw(8, 70, 60, 16), -1, 1)
    y = ops.gelu(tensor(images), approximate="tanh")
    assert y.array.strides == (tensor(images) * 2.0).array.strides
    pieces = [ops.gelu(tensor(image), approximate="tanh").numpy() for image in images]
    np.testing.assert_array_equal(y.numpy(), np.stack(pieces))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(700, 1001), (3, 2 * blocks.BLOCK)], ids=str)
def test_losses_of_many_rows(shape, dtype):
    x = draw(*shape, dtype=dtype)
    target = np.random.default_rng(1).integers(0, shape[1], shape[0])
    target[1] = -100
    given = tensor(x, requires_grad=True)
    loss = ops.softmax_nll(given, tensor(target))
    weights = draw(shape[0], seed=2, dtype=dtype)
    loss.backward(tensor(weights))
    double = x.astype(float)
    shares = np.exp(double - double.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    rows = np.arange(shape[0])
    counted = target >= 0
    exact = np.where(counted, -np.log(shares[rows, target]), 0)
    shares[rows, target] -= 1
    gradient = shares * (weights * counted)[:, None]
    tolerance = 2e-3 if dtype == np.float16 else 2e-6
    for found, wanted in [(loss.detach().numpy(), exact), (given.grad.numpy(), gradient)]:
        assert found.dtype == dtype
        assert np.abs(found - wanted).max() <= tolerance * np.abs(wanted).max()


def test_no_rows():
    loss = softmax_nll(np, np.zeros((0, 5)), np.zeros(0, int), ignore_index=-100)
    assert loss.shape == (0,)


def peak(function, *arrays):
    """Return the bytes that NumPy takes at most, results included."""
    tracemalloc.start()
    function(np, *arrays)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def test_what_comes_between_takes_little_memory():
    x = draw(1024, 2048)
    assert peak(lambda xp, x: ops.gelu.forward(xp, x, approximate="tanh"), x) < 1.4 * x.nbytes
    target = np.zeros(1024, int)
    assert peak(lambda xp, x: softmax_nll(xp, x, target, ignore_index=-1), x) < 0.5 * x.nbytes
