"""Upsampling against plain loops, adjoints, and recorded Torch7 runs."""

import itertools

import numpy as np
import pytest

from rekindle.core.dtypes import DtypeError
from rekindle.core.errors import ShapeError
from rekindle.core.kernels import interpolation as kernels

CASES = [
    ((2, 3, 5), (9,)),
    ((2, 3, 4, 3), (8, 9)),
    ((2, 3, 4, 3), (4, 3)),
    ((2, 3, 4, 5), (3, 11)),
    ((2, 3, 1, 5), (4, 1)),
    ((1, 2, 2, 3, 4), (4, 3, 5)),
    ((0, 3, 4, 3), (8, 9)),
]


def naive_linear(x, size, align_corners=True):
    y = np.zeros((*x.shape[:2], *size))
    for place in np.ndindex(*size):
        corners = []
        for i, n, m in zip(place, x.shape[2:], size, strict=True):
            if align_corners:
                position = i * (n - 1) / (m - 1) if m > 1 else 0.0
            else:
                position = max((2 * i + 1) * n / (2 * m) - 0.5, 0.0)
            low = min(int(position + 1e-9), n - 1)
            corners.append([(low, 1 - position + low), (min(low + 1, n - 1), position - low)])
        for corner in itertools.product(*corners):
            weight = np.prod([w for _, w in corner])
            y[(..., *place)] += weight * x[(..., *(i for i, _ in corner))]
    return y


@pytest.mark.parametrize(("shape", "size"), CASES, ids=str)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32])
def test_nearest_is_the_definition(shape, size, dtype):
    x = np.asfortranarray((np.random.default_rng(0).normal(size=shape) * 9).astype(dtype))
    x.flags.writeable = False
    y = kernels.upsample_nearest(np, x, size=size)
    expected = np.zeros((*shape[:2], *size), dtype)
    for place in np.ndindex(*size):
        source = [i * n // m for i, n, m in zip(place, shape[2:], size, strict=True)]
        expected[(..., *place)] = x[(..., *source)]
    np.testing.assert_array_equal(y, expected)
    assert y.dtype == dtype
    assert not np.shares_memory(x, y)


@pytest.mark.parametrize(("shape", "size"), CASES, ids=str)
def test_linear_is_the_definition(shape, size):
    x = np.random.default_rng(1).normal(size=shape)
    y = kernels.upsample_linear(np, x, size=size)
    # Positions are float32, as Torch7's are, so that double precision is not to be expected.
    np.testing.assert_allclose(y, naive_linear(x, size), rtol=0, atol=2e-6)
    assert not np.shares_memory(x, y)


@pytest.mark.parametrize(("shape", "size"), CASES, ids=str)
def test_linear_without_aligned_corners_is_the_definition(shape, size):
    x = np.random.default_rng(1).normal(size=shape)
    y = kernels.upsample_linear(np, x, size=size, align_corners=False)
    np.testing.assert_allclose(y, naive_linear(x, size, False), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_linear_keeps_the_dtype_and_takes_any_strides(close, dtype):
    x = np.random.default_rng(2).normal(size=(2, 3, 4, 5)).astype(dtype)[:, ::-1].swapaxes(2, 3)
    x.flags.writeable = False
    y = kernels.upsample_linear(np, x, size=(7, 9))
    close(y, kernels.upsample_linear(np, x.astype(np.float64), size=(7, 9)), dtype)
    gx = kernels.upsample_linear_gradient(np, y, size=(5, 4))
    assert gx.dtype == dtype
    gx = kernels.upsample_nearest_gradient(np, y, size=(5, 4))
    assert gx.dtype == dtype


@pytest.mark.parametrize(
    ("kind", "params"),
    [("nearest", {}), ("linear", {}), ("linear", {"align_corners": False})],
)
@pytest.mark.parametrize(("shape", "size"), CASES, ids=str)
def test_gradient_is_the_adjoint(shape, size, kind, params):
    rng = np.random.default_rng(3)
    x = rng.normal(size=shape)
    y = getattr(kernels, f"upsample_{kind}")(np, x, size=size, **params)
    g = rng.normal(size=y.shape)
    gx = getattr(kernels, f"upsample_{kind}_gradient")(np, g, size=shape[2:], **params)
    assert gx.shape == x.shape
    assert not np.shares_memory(g, gx)
    assert (x * gx).sum() == pytest.approx((y * g).sum(), rel=1e-10)


def test_the_same_size_changes_nothing():
    x = np.array([[[0.0, np.nan, np.inf, -0.0]]])
    np.testing.assert_array_equal(kernels.upsample_linear(np, x, size=(4,)), x)


def test_says_what_does_not_fit():
    x = np.zeros((1, 2, 3, 4))
    with pytest.raises(ShapeError, match="upsample_nearest: size is 2 integers"):
        kernels.upsample_nearest(np, x, size=(6,))
    with pytest.raises(ShapeError, match=r"upsample_linear: size is 2 integers .* 1 or more"):
        kernels.upsample_linear(np, x, size=(6, 0))
    with pytest.raises(ShapeError, match="has no pixels"):
        kernels.upsample_linear(np, x[:, :, :0], size=(6, 6))
    with pytest.raises(DtypeError, match="upsample_linear takes floating arrays"):
        kernels.upsample_linear(np, x.astype(int), size=(6, 6))


@pytest.mark.parametrize(
    "name", ["SpatialUpSamplingNearest__01", "SpatialUpSamplingNearest__02", "UpSampling__02"]
)
def test_nearest_of_torch7(recorded, close, name):
    record = recorded(name, spatial=3 if name.startswith("U") else 2)
    size = record.output.shape[2:]
    close(kernels.upsample_nearest(np, record.input, size=size), record.output)
    gradient = kernels.upsample_nearest_gradient(np, record.gradOutput, size=record.input.shape[2:])
    close(gradient, record.gradInput)


@pytest.mark.parametrize(
    ("name", "spatial"),
    [
        *((f"SpatialUpSamplingBilinear__0{i}", 2) for i in (1, 3, 4)),
        ("UpSampling__04", 3),
        ("UpSampling__05", 3),
        ("UpSampling__06", 2),
    ],
)
def test_linear_of_torch7(recorded, close, name, spatial):
    record = recorded(name, spatial=spatial)
    size = record.output.shape[2:]
    close(kernels.upsample_linear(np, record.input, size=size), record.output)
    gradient = kernels.upsample_linear_gradient(np, record.gradOutput, size=record.input.shape[2:])
    close(gradient, record.gradInput)
