"""Results that wait on the way forward: which do, and that their values and gradients are right."""

import operator

import numpy as np
import pytest
from waits import C, R, close, draw, leaf, results_wait, waits

import rekindle
from rekindle import no_grad, ops, tensor
from rekindle.core.errors import RekindleError
from rekindle.core.kernels import dispatch


@pytest.fixture(autouse=True)
def computed_here(monkeypatch):
    with results_wait(monkeypatch):
        yield


@pytest.mark.parametrize("function", [operator.add, operator.sub, operator.mul, operator.truediv])
def test_arithmetic_waits_and_is_right(function):
    row, column, values = draw(C, seed=1), draw(R, 1, seed=2), draw(R, C).astype(float)
    for value in (2, -0.3, row, column, values):
        for turned in (False, True):
            x = leaf()
            other = x if value is values else tensor(value) if np.ndim(value) else value
            y = function(other, x) if turned else function(x, other)
            exact = function(value, values) if turned else function(values, value)
            if turned and np.size(value) in (R, C):
                continue  # NumPy computes what begins with few elements
            assert waits(y)
            assert (y.shape, y.ndim, y.size, y.dtype) == ((R, C), 2, R * C, np.float32)
            assert (y.stride(), y.is_contiguous(), str(y.device)) == ((C, 1), True, "cpu")
            assert y.nbytes == 4 * R * C
            assert waits(y)
            np.testing.assert_allclose(y.array, exact, 1e-5, 1e-6)
            assert y.array is y.array


@pytest.mark.parametrize("name", ["negative", "square", "tanh", "exp", "sigmoid"])
def test_functions_wait_and_are_right(name):
    values = draw(R, C)
    values[0, :7] = [np.nan, np.inf, -np.inf, 0.0, -0.0, 90, -110]
    y = getattr(ops, name)(tensor(values, requires_grad=True))
    assert waits(y)
    with np.errstate(all="ignore"):
        exact = getattr(ops, name)(tensor(values.astype(float))).numpy().astype(np.float32)
    np.testing.assert_allclose(y.numpy(), exact, rtol=3e-6)
    np.testing.assert_array_equal(np.signbit(y.numpy()[0, 1:]), np.signbit(exact[0, 1:]))


def test_what_does_not_wait():
    x = leaf()
    with no_grad():
        assert not waits(x * 2)
    with dispatch.using("reference"):
        assert not waits(x * 2)
    assert not waits(tensor(draw(R, C)) * 2)  # nothing is recorded
    assert not waits(leaf().astype(rekindle.float64) * 2.0)
    assert not waits(x[:, ::2] * 2)
    assert not waits(x.transpose(0, 1) * 2)
    known = rekindle.Tensor(draw(R, C), requires_grad=True)
    assert not waits(known * 2)
    assert not waits(x * leaf(1))
    assert not waits(ops.tanh(x * 2) * ops.tanh(leaf(1) * 2))
    assert not waits(tensor(draw(7), requires_grad=True) * 2)
    short = tensor(draw(R * C, 2), requires_grad=True)
    assert not waits(short * 2)


def test_two_arrays_are_read_at_once_and_their_chains_wait_on():
    x, y = leaf(), leaf(1)
    a, b = ops.tanh(x * 2), ops.sigmoid(y + 1)
    z = a * b
    assert z._array is not None
    assert waits(a)
    assert waits(b)
    z.sum().backward()
    t, s = np.tanh(2.0 * draw(R, C).astype(float)), 1 / (1 + np.exp(-draw(R, C, seed=1) - 1.0))
    close(z.numpy(), t * s)
    close(x.grad.numpy(), 2 * (1 - t * t) * s)
    close(y.grad.numpy(), t * s * (1 - s))


def test_sums_are_those_of_chains():
    exact = 2 * draw(R, C).astype(float) + 1
    for way in ("sum", "mean"):
        for axis in (None, -1, 0, (0, 1), (1,), (-2, 1), np.int64(1)):
            for keepdims in (False, True):
                y = leaf() * 2 + 1
                found = getattr(y, way)(axis=axis, keepdims=keepdims)
                assert waits(y)
                wanted = getattr(exact, way)(axis=axis, keepdims=keepdims)
                assert type(found.array) is np.ndarray
                assert found.dtype == np.float32
                assert found.shape == wanted.shape
                np.testing.assert_allclose(found.numpy(), wanted, 1e-4, 1e-5)
    y = leaf() * 2
    with pytest.raises(RekindleError, match="mean: axis 2 is out of bounds"):
        y.mean(axis=2)
    with pytest.raises(RekindleError, match="sum: duplicate"):
        y.sum(axis=(1, 1))


def test_a_long_chain_that_is_summed_is_written_down():
    x = leaf()
    y = x
    for _ in range(7):
        y = y * 0.5 + x
    y.mean(axis=-1)
    assert not waits(y)
    assert waits(y - 1)


def test_errors_are_those_of_the_call():
    y = leaf() * 2
    for other in (tensor(draw(C - 1)), tensor(draw(3, 1, C + 1))):
        with pytest.raises(RekindleError, match="add: operands could not be broadcast") as info:
            y + other
        with dispatch.using("reference"), pytest.raises(RekindleError) as wanted:
            y + other
        assert str(info.value) == str(wanted.value)


def test_memory_is_no_more_than_without():
    x = leaf()
    kept = [x]
    for k in range(40):
        kept.append(kept[-1] * 0.9 + float(k))
    before = rekindle.memory_stats().used
    total = sum(waits(y) for y in kept)
    held = {id(a) for y in kept[1:] if waits(y) for a in y._chain.arrays()}
    assert len(held) + sum(not waits(y) for y in kept) <= len(kept)
    assert total
    del kept
    assert rekindle.memory_stats().used <= before


def test_second_gradients_forward_mode_and_hooks():
    x = leaf()
    exact = draw(R, C).astype(float)
    (g,) = rekindle.grad((ops.tanh(x) * x).sum(), x, create_graph=True)
    t = np.tanh(exact)
    close(g.detach().numpy(), t + exact * (1 - t * t), 5e-5)
    (h,) = rekindle.grad(g.sum(), x)
    close(h.numpy(), 2 * (1 - t * t) - 2 * exact * t * (1 - t * t), 5e-5)
    seen = []
    x = leaf()
    y = x * 3
    y.register_hook(lambda g: seen.append(g.numpy().copy()))
    y.retain_grad()
    (y * y).sum().backward()
    close(seen[0], 6 * exact)
    close(y.grad.numpy(), 6 * exact)
    close(x.grad.numpy(), 18 * exact)


def test_kept_graphs_give_the_same_again():
    x = leaf()
    y = ops.sigmoid(x * 2) * x
    loss = (y * y).sum()
    loss.backward(retain_graph=True)
    first = x.grad.numpy().copy()
    for _ in range(3):
        x.grad = None
        loss.backward(retain_graph=True)
        close(x.grad.numpy(), first, 1e-6)
