"""Operations on large tensors, which go other ways than on small ones, against NumPy in float64."""

import operator

import numpy as np
import pytest

from rekindle import ops, tensor
from rekindle.core.kernels import dispatch
from rekindle.core.kernels.chains import LARGE

FUSED = dispatch.missing("fused") is None
WAYS = ["reference", pytest.param("fast", marks=pytest.mark.skipif(not FUSED, reason="no numba"))]
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv]
SHAPES = [(LARGE + 5,), (200, LARGE // 200 + 3), (7, 300, LARGE // 2100 + 9), (LARGE, 3)]


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def check(result, exact, tolerance=1e-6):
    assert result.dtype == np.float32
    assert result.shape == exact.shape
    finite = np.isfinite(exact)
    np.testing.assert_array_equal(np.isfinite(result.numpy()), finite)
    error = np.abs(result.numpy()[finite] - exact[finite])
    assert (error <= tolerance * np.abs(exact[finite]) + 1e-37).all()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("function", OPERATORS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_arithmetic(function, shape, way):
    x = draw(*shape)
    others = [draw(*shape, seed=1), draw(shape[-1], seed=2), draw(*shape[:-1], 1, seed=3)]
    others += [draw(1), np.asfortranarray(others[0]), np.broadcast_to(draw(1), shape)]
    with dispatch.using(way):
        for y in others:
            exact = function(x.astype(float), y)
            check(function(tensor(x), tensor(y)), exact)
            check(function(tensor(y), tensor(x)), function(y.astype(float), x), 2e-6)
        for number in (2, 0.3, -1e-3):
            exact = np.float64(np.float32(number))
            check(function(tensor(x), number), function(x.astype(float), exact))
            check(function(number, tensor(x)), function(exact, x.astype(float)))


@pytest.mark.parametrize("way", WAYS)
def test_layout_and_dtype_stay(way):
    images = np.moveaxis(draw(4, 70, 60, 8), -1, 1)
    with dispatch.using(way):
        result = tensor(images) * tensor(images)
        assert result.array.strides == (tensor(images) * 1.5).array.strides
        assert (tensor(images[:, :, ::2]) + 1.0).shape == (4, 8, 35, 60)
        for dtype in (np.float64, np.int64, np.float16):
            x = tensor(np.ones((400, 400), dtype))
            assert (x + x).dtype == dtype
        mixed = tensor(np.ones((400, 400), np.float32)) + tensor(np.ones((400, 400)))
        assert mixed.dtype == np.float64


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["tanh", "exp"])
def test_functions(name, way):
    x = np.linspace(-20, 20, LARGE + 11, dtype=np.float32).reshape(-1, 1)
    x[:9, 0] = [0.0, -0.0, 1e-40, -1e-40, np.inf, -np.inf, 88.5, -103.0, 89.5]
    with dispatch.using(way), np.errstate(all="ignore"):
        result = getattr(ops, name)(tensor(x))
        exact = getattr(np, name)(x.astype(np.float64)).astype(np.float32).astype(np.float64)
        check(result, exact, 3e-7)
        assert np.isnan(
            getattr(ops, name)(tensor(np.full(LARGE, np.nan, np.float32))).numpy()
        ).all()
    np.testing.assert_array_equal(np.signbit(result.numpy()), np.signbit(exact))


def test_memory_of_results_goes_round():
    x = tensor(draw(400, 400))
    address = (x * 2.0).array.ctypes.data
    found = {(x * 2.0).array.ctypes.data for _ in range(3)}
    assert found == {address}
