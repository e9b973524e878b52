"""Adaptive pooling against plain loops, adjoints, and recorded Torch7 runs."""

import itertools
import math

import numpy as np
import pytest

from rekindle.core.errors import ShapeError
from rekindle.core.kernels import adaptive_pooling as kernels
from rekindle.core.kernels.pooling import max_pool_gradient

CASES = [
    ((2, 3, 9), (4,)),
    ((2, 3, 5, 7), (2, 3)),
    ((2, 3, 6, 6), (3, 2)),
    ((2, 3, 7, 5), (1, 1)),
    ((1, 2, 3, 4), (5, 4)),
    ((1, 2, 4, 5, 6), (2, 5, 4)),
    ((0, 3, 5, 7), (2, 3)),
]


def ranges(n, out):
    """Return the windows in exact arithmetic, which these sizes do not tell from float32."""
    return [(i * n // out, math.ceil((i + 1) * n / out)) for i in range(out)]


def windows(x, out):
    per_axis = [ranges(n, o) for n, o in zip(x.shape[2:], out, strict=True)]
    for place in np.ndindex(*out):
        bounds = [axis[i] for axis, i in zip(per_axis, place, strict=True)]
        yield place, bounds, x[(..., *(slice(*b) for b in bounds))]


@pytest.mark.parametrize(("shape", "out"), CASES, ids=str)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_average_is_the_definition(shape, out, dtype, close):
    x = (
        np.random.default_rng(0)
        .normal(size=shape)
        .astype(dtype)
        .swapaxes(0, 1)
        .copy()
        .swapaxes(0, 1)
    )
    expected = np.zeros((*shape[:2], *out))
    for place, _, window in windows(x.astype(np.float64), out):
        expected[(..., *place)] = window.mean(axis=tuple(range(2, x.ndim)))
    close(kernels.adaptive_avg_pool(np, x, out=out), expected, dtype)


@pytest.mark.parametrize(("shape", "out"), CASES, ids=str)
def test_average_gradient_is_the_adjoint(shape, out):
    rng = np.random.default_rng(1)
    x = rng.normal(size=shape)
    y = kernels.adaptive_avg_pool(np, x, out=out)
    g = rng.normal(size=y.shape)
    gx = kernels.adaptive_avg_pool_gradient(np, g, size=shape[2:])
    assert gx.shape == x.shape
    assert (x * gx).sum() == pytest.approx((y * g).sum(), rel=1e-10)


@pytest.mark.parametrize(("shape", "out"), CASES, ids=str)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_first_maximum_of_each_window(shape, out, dtype):
    x = np.random.default_rng(2).normal(size=shape).round(1).astype(dtype)[..., ::-1]
    values, indices = kernels.adaptive_max_pool(np, x, out=out)
    assert values.dtype == dtype
    assert indices.dtype == np.int64
    for place, bounds, window in windows(x, out):
        for n, c in np.ndindex(*shape[:2]):
            plane = window[n, c]
            assert values[(n, c, *place)] == plane.max()
            first = next(p for p in np.ndindex(*plane.shape) if plane[p] == plane.max())
            position = [b[0] + p for b, p in zip(bounds, first, strict=True)]
            expected = np.ravel_multi_index(position, shape[2:])
            assert indices[(n, c, *place)] == expected


def test_maximum_passes_over_nan_and_what_is_not_above_the_lowest_float():
    x = np.full((1, 1, 2, 4), np.nan)
    x[0, 0, 1, 1] = -5
    x[0, 0, :, 2:] = -np.inf
    values, indices = kernels.adaptive_max_pool(np, x, out=(1, 2))
    np.testing.assert_array_equal(values[0, 0, 0], [-5, np.finfo(np.float32).min])
    np.testing.assert_array_equal(indices[0, 0, 0], [5, -1])
    half, _ = kernels.adaptive_max_pool(np, x.astype(np.float16), out=(1, 2))
    np.testing.assert_array_equal(half[0, 0, 0], [-5, np.finfo(np.float16).min])


def test_windows_are_rounded_in_float32_as_in_torch7():
    differing = [
        (n, o)
        for n, o in itertools.product(range(1, 60), range(1, 60))
        if kernels._max_ranges(n, o) != ranges(n, o)
    ]
    assert differing
    for n, o in differing:
        i = np.arange(o, dtype=np.float32)
        start = np.floor(i / np.float32(o) * np.float32(n)).astype(int).tolist()
        assert [a for a, _ in kernels._max_ranges(n, o)] == start
        assert all(0 <= a < b <= n for a, b in kernels._max_ranges(n, o))


def test_says_what_does_not_fit():
    x = np.zeros((1, 2, 4, 4))
    with pytest.raises(ShapeError, match="adaptive_avg_pool: out is 2 integers"):
        kernels.adaptive_avg_pool(np, x, out=(2,))
    with pytest.raises(ShapeError, match=r"adaptive_max_pool: out is 2 integers .* 1 or more"):
        kernels.adaptive_max_pool(np, x, out=(2, 0))
    with pytest.raises(ShapeError, match="has nothing to pool"):
        kernels.adaptive_max_pool(np, x[:, :, :0], out=(1, 1))
    with pytest.raises(ShapeError, match="size is 2 integers"):
        kernels.adaptive_avg_pool_gradient(np, x, size=(4, 4, 4))


@pytest.mark.parametrize("name", [f"SpatialAdaptiveAveragePooling__0{i}" for i in (1, 2)])
def test_average_pooling_of_torch7(recorded, close, name):
    record = recorded(name, spatial=2)
    out = (record.module["H"], record.module["W"])
    close(kernels.adaptive_avg_pool(np, record.input, out=out), record.output)
    gradient = kernels.adaptive_avg_pool_gradient(
        np, record.gradOutput, size=record.input.shape[2:]
    )
    close(gradient, record.gradInput)


@pytest.mark.parametrize("name", [f"SpatialAdaptiveMaxPooling__0{i}" for i in (1, 2)])
def test_max_pooling_of_torch7(recorded, close, name):
    record = recorded(name, spatial=2)
    out, size = (record.module["H"], record.module["W"]), record.input.shape[2:]
    values, indices = kernels.adaptive_max_pool(np, record.input, out=out)
    close(values, record.output)
    close(max_pool_gradient(np, record.gradOutput, indices, size=size), record.gradInput)
    # Torch7 keeps row and column in the window, from 1.
    rows, columns = record.after["indices"].reshape(2, *values.shape)
    tops, lefts = ([a for a, _ in ranges(n, o)] for n, o in zip(size, out, strict=True))
    flat = (rows - 1 + np.array(tops)[:, None]) * size[1] + columns - 1 + np.array(lefts)
    np.testing.assert_array_equal(indices, flat)
