"""Transposed convolutions to a few planes, against the reference in float64."""

import numpy as np
import pytest

from rekindle.core.kernels import convolution, using
from rekindle.core.kernels.checks import ShapeError
from rekindle.core.kernels.onednn import subpixel

# channels, planes, kernel, stride, padding, pixels, and how many more the result has
TAKEN = [
    (7, 3, (4, 4), (2, 2), (1, 1), (5, 6), (0, 0)),
    (16, 1, (5, 5), (2, 2), (2, 2), (6, 4), (1, 1)),
    (3, 4, (2, 2), (2, 2), (0, 0), (3, 5), (0, 0)),
    (5, 2, (4, 6), (2, 3), (1, 2), (4, 3), (0, 1)),
    (5, 1, (8, 8), (4, 4), (2, 2), (3, 3), (0, 0)),
    (9, 4, (8,), (4,), (2,), (11,), (0,)),
    (6, 2, (4, 4, 4), (2, 2, 2), (1, 1, 1), (3, 2, 4), (0, 0, 0)),
]
LEFT = [
    (7, 5, (4, 4), (2, 2), (1, 1), (5, 6), (0, 0)),  # too many planes
    (7, 3, (3, 3), (2, 2), (1, 1), (5, 6), (1, 1)),  # as many multiplications
    (7, 3, (4, 4), (1, 1), (1, 1), (5, 6), (0, 0)),
    (7, 3, (4, 4), (2, 2), (1, 1), (5, 6), (1, 0)),  # pixels at the border that come once
]


@pytest.fixture
def counted(monkeypatch):
    """How often there was a result, with small ones computed as well."""
    monkeypatch.setattr(subpixel, "LEAST", 1)
    found = []
    original = subpixel._interleaved
    monkeypatch.setattr(subpixel, "_interleaved", lambda *args: found.append(1) or original(*args))
    return found


def call(rng, channels, planes, kernel, stride, padding, pixels, more, order=lambda x: x):
    x, w = rng.normal(size=(2, channels, *pixels)), rng.normal(size=(channels, planes, *kernel))
    sizes = zip(pixels, kernel, stride, padding, more, strict=True)
    params = {
        "size": tuple((n - 1) * s + k - 2 * p + m for n, k, s, p, m in sizes),
        "stride": stride,
        "padding": padding,
        "dilation": (1,) * len(kernel),
    }
    with using("reference"):
        expected = convolution.convolution_input_gradient(np, x, w, **params)
    x, w = order(x.astype(np.float32)), w.astype(np.float32)
    return x, w, params, expected


@pytest.mark.parametrize("case", TAKEN)
@pytest.mark.parametrize("last", [False, True])
def test_planes(onednn, rng, counted, case, last):
    order = (lambda x: np.moveaxis(np.moveaxis(x, 1, -1).copy(), -1, 1)) if last else lambda x: x
    x, w, params, expected = call(rng, *case, order=order)
    y = onednn(convolution.convolution_input_gradient, x, w, **params)
    onednn.agrees(y, expected)
    assert np.moveaxis(y, 1, -1).flags.c_contiguous
    assert len(counted) == 1


@pytest.mark.parametrize("case", LEFT)
def test_what_is_left_to_onednn(onednn, rng, counted, case):
    x, w, params, expected = call(rng, *case)
    onednn.agrees(onednn(convolution.convolution_input_gradient, x, w, **params), expected)
    assert not counted


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_where_it_belongs(onednn, rng, counted, value):
    x, w, params, _ = call(rng, *TAKEN[0])
    x[0, 0, 2, 2] = value
    y = onednn(convolution.convolution_input_gradient, x, w, **params)
    strange = ~np.isfinite(y)
    assert not strange[1].any()
    assert strange[0].any(axis=0).sum() == 16  # one filter's
    assert not counted


def test_pixels_that_do_not_fit_are_reported(onednn, rng, counted):
    x, w = rng.normal(size=(2, 7, 5, 6)), rng.normal(size=(7, 3, 4, 4))
    x, w = x.astype(np.float32), w.astype(np.float32)
    with pytest.raises(ShapeError, match="convolution_input_gradient"):
        convolution.convolution_input_gradient(
            np, x, w, size=(10, 12), stride=(2, 2), padding=(2, 2), dilation=(1, 1)
        )
    assert not counted
