"""Backward passes on large arrays, through chains, against small pieces of the same and float64."""

import numpy as np
import pytest

from rekindle import ops, tensor
from rekindle.core.kernels import chains, dispatch, programs
from rekindle.core.kernels.chains import LARGE, Chain

FUSED = dispatch.missing("fused") is None
WAYS = ["reference", pytest.param("fast", marks=pytest.mark.skipif(not FUSED, reason="no numba"))]
R, C = 160, LARGE // 160 + 3


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def norm(x, w, b):
    y = 0.5 * x * (1 + ops.tanh(0.8 * (x + 0.04 * x * x * x)))
    c = y - y.mean(axis=-1, keepdims=True)
    v = (c * c).mean(axis=-1, keepdims=True)
    return c * (v + 1e-5) ** -0.5 * w + b


def gates(x, w, b):
    return ops.sigmoid(x * w) * ops.tanh(x / (b * b + 1)) - ops.exp(-x * x) / 3 + x


def reused(x, w, b):
    y = x * w
    return y * y + y - (b - y) * 2 + (y + x) * (y + x)


def long(x, w, b):
    for _ in range(12):
        x = x * w * 0.5 + b
    return x


def mixed(x, w, b):
    y = ops.relu(x * w + b) * x
    return ops.sqrt(y * y + 1) * y.sum(axis=0)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("program", [norm, gates, reused, long, mixed])
@pytest.mark.parametrize("shape", [(R, C), (8, R // 8, C)], ids=str)
def test_gradients_are_those_in_double_precision(program, shape, way):
    arrays = [draw(*shape), draw(shape[-1], seed=1), draw(shape[-1], seed=2)]
    weight = draw(*shape, seed=3)
    found = []
    for dtype in (np.float64, np.float32):
        tensors = [tensor(a.astype(dtype), requires_grad=True) for a in arrays]
        with dispatch.using(way):
            (program(*tensors) * tensor(weight.astype(dtype))).sum().backward()
        found.append([t.grad.numpy() for t in tensors])
    for exact, single in zip(*found, strict=True):
        assert single.dtype == np.float32
        assert single.shape == exact.shape
        assert np.abs(single - exact).max() <= 2e-5 * np.abs(exact).max()


def test_gradients_are_apart():
    x, y = (tensor(draw(R, C, seed=s), requires_grad=True) for s in (0, 1))
    z = x + y
    w = (z * 2 + z) - y
    w.backward(tensor(np.ones((R, C), np.float32)))
    first = x.grad.numpy().copy()
    (x + y).backward(tensor(np.full((R, C), 2, np.float32)))
    np.testing.assert_array_equal(first, 3)
    np.testing.assert_array_equal(x.grad.numpy(), 5)
    np.testing.assert_array_equal(y.grad.numpy(), 4)
    assert not np.shares_memory(x.grad.numpy(), y.grad.numpy())


def test_the_given_gradient_stays_as_it_is():
    x = tensor(draw(R, C), requires_grad=True)
    g = tensor(np.ones((R, C), np.float32))
    (x + 1.0).backward(g)
    (x * 2).backward(g)
    np.testing.assert_array_equal(g.numpy(), 1)
    np.testing.assert_array_equal(x.grad.numpy(), 3)


def test_hooks_retained_gradients_and_second_passes():
    x = tensor(draw(R, C), requires_grad=True)
    y = x * x
    y.retain_grad()
    z = y * 3 + y
    seen = []
    z.register_hook(lambda g: seen.append(g.numpy().copy()))
    loss = (z * 2).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert len(seen) == 2
    np.testing.assert_array_equal(seen[0], 2)
    np.testing.assert_array_equal(y.grad.numpy(), 16)
    np.testing.assert_allclose(x.grad.numpy(), 32 * x.numpy(), rtol=1e-6)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", [(3, 5), (1, 2048), (2049, 1), (7,), (2, 3, 1025)], ids=str)
def test_chains_are_arrays(shape, way):
    a, b = draw(*shape), draw(*shape, seed=1)
    row, column = draw(shape[-1], seed=2), draw(*shape[:-1], 1, seed=3)
    wide = np.zeros((*shape[:-1], 2 * shape[-1]), np.float32)[..., ::2]
    wide[...] = b

    def program(x, y, z):
        u = (x * row - 2.0) / (y * y + 1)
        v = function("tanh", u) - 0.1 * function("exp", -u * u) * function("sigmoid", x * 3)
        return v * u + column * z - 1 / (u * u + 3) + np.float32(4) - (y - (x - 1))

    def function(name, x):
        if type(x) is Chain:
            return x.function(name)
        return 1 / (1 + np.exp(-x)) if name == "sigmoid" else getattr(np, name)(x)

    with dispatch.using(way):
        chain = program(Chain.of(a), Chain.of(wide), Chain.of(np.broadcast_to(row, shape)))
        exact = program(a.astype(float), b.astype(float), row.astype(float))
        assert type(chain) is Chain
        assert chain.shape == shape
        for axes in [(-1,), tuple(range(len(shape) - 1)), tuple(range(len(shape)))]:
            for kept in (True, False) if axes else ():
                total = chain.sum(axes, kept)
                wanted = exact.sum(axes, keepdims=kept)
                assert total.shape == wanted.shape
                np.testing.assert_allclose(total, wanted, rtol=2e-5, atol=2e-3)
                beside = program(Chain.of(a), Chain.of(wide), Chain.of(np.broadcast_to(row, shape)))
                np.testing.assert_allclose(beside.sum(axes, kept, keep=True), total, 1e-5, 1e-3)
                assert beside.length == 0
                np.testing.assert_allclose(beside.value, exact, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(chain.evaluated(), exact, rtol=1e-5, atol=1e-5)
    assert chain.length == 0


def test_what_is_taken_often_is_written_down_once():
    x = Chain.of(draw(R, C))
    shared = x
    for _ in range(chains.WORTH):
        shared = shared * 1.5 + x
    lengths = []
    for k in range(4):
        (shared * float(k)).evaluated()
        lengths.append(shared.length)
    often = -(-chains.OFTEN // (2 * chains.WORTH))
    assert lengths == [2 * chains.WORTH] * often + [0] * (4 - often)
    np.testing.assert_allclose(
        (shared * 2).evaluated(), x.value * (2 * 1.5**6 + 4 * (1.5**6 - 1)), rtol=1e-5
    )


def test_a_step_may_name_a_result_twice():
    x = Chain.of(draw(R, C))
    y = x * 2 - 1
    for chain, exact in [(y * y, 1), (y + y * y, 2), (y - y, 3), ((y * y) * (y + y), 4)]:
        v = x.value.astype(float) * 2 - 1
        exact = {1: v * v, 2: v + v * v, 3: v - v, 4: v * v * 2 * v}[exact]
        np.testing.assert_allclose(chain.evaluated(), exact, rtol=1e-5, atol=1e-5)


def test_references_of_long_programs_take_few_buffers():
    x = draw(R, C)
    y, exact = Chain.of(x), x.astype(float)
    for k in range(12):
        y = (y * 0.5 + float(k)) * (0.1 - y * y.function("sigmoid"))
        exact = (exact * 0.5 + k) * (0.1 - exact / (1 + np.exp(-exact)))
        exact, y = exact / (k + 1), y / float(k + 1)
        if y.length > 30:
            break
    steps, values = chains.program(y)
    places = programs._places(steps.tolist(), len(values))
    assert len(places) > 15
    assert max(places) < 3
    with dispatch.using("reference"):
        total = y.sum((0,), keepdims=False)
        found = y.evaluated()
    assert np.abs(found - exact).max() <= 1e-5 * np.abs(exact).max()
    assert np.abs(total - exact.sum(0)).max() <= 1e-5 * np.abs(exact.sum(0)).max()


def test_what_chains_cannot_take_becomes_an_array():
    x = Chain.of(draw(4, 5))
    for other in (np.ones((4, 5)), np.ones((4, 5), np.int64)):
        result = (x * 2) * other
        assert type(result) is np.ndarray
        assert result.dtype == np.float64
    assert type(np.ones((4, 5), np.float32) - x) is Chain
    long = x
    for _ in range(chains.LONGEST + 1):
        long = long * 1.5
    assert long.length == 0
    np.testing.assert_allclose(long.value, x.value * 1.5 ** (chains.LONGEST + 1), rtol=1e-5)


def test_channels_last_gradients_stay_so():
    images = np.moveaxis(draw(2, 70, 60, 32), -1, 1)
    x = tensor(images, requires_grad=True)
    y = x * x
    y.retain_grad()
    (y * 3.0).backward(tensor(images))
    assert y.grad.array.strides == y.array.strides
    np.testing.assert_allclose(x.grad.numpy(), 6 * images**2, rtol=1e-5)
