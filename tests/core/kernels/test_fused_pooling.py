"""Pooling by numba against the reference."""

import itertools

import numpy as np
import pytest

from rekindle.core.errors import BoundsError, ShapeError
from rekindle.core.kernels import average_pooling
from rekindle.core.kernels import pooling as kernels

WINDOWS = [
    (kernel, stride, padding, ceil)
    for kernel, stride, padding, ceil in itertools.product(
        (1, 2, 3), (1, 2, 3), (0, 1), (False, True)
    )
    if 2 * padding <= kernel
]


@pytest.fixture(params=[(3, 5, 8, 7), (1, 40, 9, 6), (2, 3, 11)])
def x(request, rng):
    return rng.normal(size=request.param)


def given(x, kernel, stride, padding):
    names = {"kernel": kernel, "stride": stride, "padding": padding}
    return {name: (value,) * (x.ndim - 2) for name, value in names.items()}


def large_enough(x):
    """Repeat images until they are not left to NumPy for being few."""
    return np.tile(x, (6 if x.size > 200 else 18, 1, *(1,) * (x.ndim - 2)))


@pytest.mark.parametrize("dilation", [1, 2])
def test_max_pool(fused, layouts, x, dilation):
    x = large_enough(x)
    for (*window, ceil), lie in zip(WINDOWS, itertools.cycle(layouts.values()), strict=False):
        params = {**given(x, *window), "dilation": (dilation,) * (x.ndim - 2), "ceil_mode": ceil}
        values, indices = fused.check(kernels.max_pool, x, lie=lie, **params)
        g = lie(values * 2 + 1)
        found = kernels.max_pool_gradient(np, g, indices, size=x.shape[2:])
        with_reference = fused.reference(
            kernels.max_pool_gradient, g.astype(float), indices, size=x.shape[2:]
        )
        fused.agrees(found, with_reference)


@pytest.mark.parametrize("counted", [False, True])
def test_avg_pool(fused, layouts, x, counted):
    x = large_enough(x)
    for (*window, ceil), lie in zip(WINDOWS, itertools.cycle(layouts.values()), strict=False):
        params = {**given(x, *window), "ceil_mode": ceil, "count_include_pad": counted}
        y = fused.check(average_pooling.avg_pool, x, lie=lie, **params)
        if np.isfinite(y).all() and y.size >= 1024:
            size = x.shape[2:]
            fused.check(average_pooling.avg_pool_gradient, y * 2 + 1, lie=lie, size=size, **params)


@pytest.mark.parametrize("channels", [1, 10])
def test_volumes(fused, layouts, rng, channels):
    x = np.tile(rng.normal(size=(1, channels, 6, 5, 5)), (9, 1, 1, 1, 1))
    last = layouts["channels last"]
    for *window, ceil in WINDOWS:
        params = {**given(x, *window), "ceil_mode": ceil}
        for dilation in (1, 2):
            gaps = (dilation,) * 3
            values, _ = fused.check(kernels.max_pool, x, lie=last, dilation=gaps, **params)
            assert values.strides[1] == values.itemsize
        for counted in (False, True):
            y = fused.check(
                average_pooling.avg_pool, x, lie=last, count_include_pad=counted, **params
            )
            assert y.strides[1] == y.itemsize


def test_volumes_take_the_first_of_equal_maxima(fused, layouts, rng):
    x = rng.integers(0, 2, (4, 9, 6, 5, 7)).astype(np.float32)
    x[0, :, :3] = np.nan
    x[1, :, :3] = -np.inf
    params = {"kernel": (3, 2, 3), "stride": (2, 1, 2), "padding": (1, 0, 1)}
    params["dilation"] = (1, 2, 1)
    values, indices = fused(kernels.max_pool, layouts["channels last"](x), **params)
    expected = fused.reference(kernels.max_pool, x, **params)
    assert np.array_equal(values, expected[0])
    assert np.array_equal(indices, expected[1])
    assert (indices == -1).any()


def test_results_lie_as_the_images_do_unless_that_is_slow(fused, rng, layouts):
    params = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0)}
    first, last = layouts["channels first"], layouts["channels last"]
    for channels, lie in ((16, last), (4, last), (4, first)):
        x = rng.normal(size=(16, channels, 8, 8)).astype(np.float32)
        values, indices = fused(kernels.max_pool, lie(x), dilation=(1, 1), **params)
        gradient = fused(kernels.max_pool_gradient, values, indices, size=(8, 8))
        mean = fused(average_pooling.avg_pool, lie(x), **params)
        assert values.strides == mean.strides == lie(values).strides
        assert gradient.strides == lie(x).strides
    x = first(rng.normal(size=(4, 16, 8, 8)).astype(np.float32))
    assert fused(average_pooling.avg_pool, x, **params).strides[1] == 4


def test_nan_and_infinity_are_passed_over(fused, rng):
    x = rng.normal(size=(8, 8, 8, 8)).astype(np.float32)
    x[:, :, :2, :2] = np.nan
    x[:, :, 2:4, :2] = -np.inf
    x[:, ::2, 4:6, :2] = np.inf
    params = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0), "dilation": (1, 1)}
    values, indices = fused(kernels.max_pool, x, **params)
    expected = fused.reference(kernels.max_pool, x, **params)
    assert np.array_equal(values, expected[0])
    assert np.array_equal(indices, expected[1])
    assert indices[0, 0, 0, 0] == indices[0, 0, 1, 0] == -1
    g = np.ones_like(values)
    found = fused(kernels.max_pool_gradient, g, indices, size=(8, 8))
    assert found.sum() == np.count_nonzero(indices >= 0)


def test_errors_are_those_of_the_reference(fused, rng):
    x = rng.normal(size=(4, 8, 8, 8)).astype(np.float32)
    with pytest.raises(ShapeError, match="at most half the kernel"):
        average_pooling.avg_pool(np, x, kernel=(2, 2), stride=(2, 2), padding=(2, 2))
    with pytest.raises(BoundsError, match="indices run from -1 to 63"):
        kernels.max_pool_gradient(np, x, np.full(x.shape, 64), size=(8, 8))
    with pytest.raises(ShapeError, match="indices has shape"):
        kernels.max_pool_gradient(np, x, np.zeros((4, 8, 8, 7), int), size=(8, 8))
    with pytest.raises(ShapeError, match="g has shape"):
        average_pooling.avg_pool_gradient(
            np, x, size=(9, 9), kernel=(1, 1), stride=(1, 1), padding=(0, 0)
        )
