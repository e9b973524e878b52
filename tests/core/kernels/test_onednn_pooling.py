"""Pooling by oneDNN in float32 against the reference in float64."""

import itertools

import numpy as np
import pytest

from rekindle.core.kernels import average_pooling, dispatch
from rekindle.core.kernels import pooling as kernels
from rekindle.core.kernels.onednn import pooling

SIZES = {1: (45,), 2: (11, 9), 3: (7, 6, 5)}
WINDOWS = [(1, 2, 0, False), (2, 2, 0, True), (2, 3, 1, True), (3, 1, 1, False), (3, 2, 1, True)]
WINDOWS += [(3, 3, 0, True), (2, 1, 0, False), (3, 2, 0, False)]


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("channels", [1, 19])
def test_pooling(onednn, layouts, rng, ndim, channels):
    assert pooling.passes_nan_over()
    x = np.tile(rng.normal(size=(1, channels, *SIZES[ndim])), (30, *(1,) * (ndim + 1)))
    lies = itertools.cycle(layouts.values())
    for width, stride, border, ceil in WINDOWS:
        steps = {"kernel": (width,) * ndim, "stride": (stride,) * ndim, "ceil_mode": ceil}
        steps["padding"] = (border,) * ndim
        agrees(onednn, average_pooling.avg_pool_values, x, next(lies), **steps)
        agrees(
            onednn, average_pooling.avg_pool_values, x, next(lies), count_include_pad=False, **steps
        )
        for gap in (1, 2):
            agrees(onednn, kernels.max_pool_values, x, next(lies), dilation=(gap,) * ndim, **steps)


def agrees(onednn, function, x, lie, **params):
    """Compare with the reference, which may have to compute where windows reach far out."""
    kernel = dispatch.KERNELS[function.__name__]
    before = kernel.declined.total()
    found = function(np, lie(x.astype(np.float32)), **params)
    assert kernel.declined.total() == before or params["ceil_mode"]
    expected = onednn.reference(function, x.astype(np.float32).astype(float), **params)
    onednn.agrees(found, expected)


@pytest.mark.parametrize("channels", [1, 16, 19])
def test_nan_and_infinity(onednn, rng, channels):
    x = rng.normal(size=(2, channels, 16, 40)).astype(np.float32)
    for value in np.nan, np.inf, -np.inf:
        x[rng.random(x.shape) < 0.05] = value
    steps = {"kernel": (3, 3), "stride": (2, 2), "padding": (1, 1)}
    flat = {"dilation": (1, 1)}
    found = onednn(kernels.max_pool_values, x, **steps, **flat)
    expected = onednn.reference(kernels.max_pool_values, x, **steps, **flat)
    assert np.array_equal(found, expected)
    with np.errstate(invalid="ignore"):
        expected = onednn.reference(average_pooling.avg_pool_values, x.astype(float), **steps)
    onednn.agrees(onednn(average_pooling.avg_pool_values, x, **steps), expected)
    x[0, 0, :4, :4] = np.nan
    x[1, 0, :4, :4] = -np.inf
    expected = onednn.reference(kernels.max_pool_values, x, **steps, **flat)
    assert (expected == -np.inf).any()
    assert np.array_equal(kernels.max_pool_values(np, x, **steps, **flat), expected)


def test_a_library_that_treats_nan_in_another_way_is_not_used(onednn, rng, monkeypatch):
    monkeypatch.setattr(pooling, "passes_nan_over", lambda: False)
    x = rng.normal(size=(2, 16, 9, 9)).astype(np.float32)
    steps = dict.fromkeys(("kernel", "stride"), (2, 2))
    kernel = dispatch.KERNELS["max_pool_values"]
    before = kernel.declined.total()
    kernels.max_pool_values(np, x, padding=(0, 0), dilation=(1, 1), **steps)
    assert kernel.declined.total() == before + 1
