"""Borders against numpy.pad and slicing, adjoints, and recorded Torch7 runs."""

import numpy as np
import pytest

from rekindle.core.errors import ShapeError
from rekindle.core.kernels import padding as kernels

CASES = [
    ((2, 3, 6), [(1, 2)]),
    ((2, 3, 4, 5), [(1, 2), (0, 3)]),
    ((2, 3, 4, 5), [(3, 3), (4, 4)]),
    ((2, 3, 4, 5), [(-1, 2), (3, -2)]),
    ((2, 3, 4, 5), [(2, -4), (-1, -3)]),
    ((2, 3, 4, 5), [(0, 0), (0, 0)]),
    ((1, 2, 3, 4, 5), [(1, 0), (-1, 1), (2, 2)]),
    ((0, 3, 4, 5), [(1, 1), (1, 1)]),
]
NUMPY_MODE = {
    "constant": "constant",
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
}
KINDS = list(NUMPY_MODE)
FORWARD = {
    "constant": kernels.pad,
    "reflect": kernels.pad_reflect,
    "replicate": kernels.pad_replicate,
    "circular": kernels.pad_circular,
}
GRADIENT = {
    "reflect": kernels.pad_reflect_gradient,
    "replicate": kernels.pad_replicate_gradient,
    "circular": kernels.pad_circular_gradient,
}


def numpy_pad(x, padding, kind):
    """Pad by what is positive, then crop by what is negative."""
    outer = [(0, 0)] * (x.ndim - len(padding))
    grown = [*outer, *((max(b, 0), max(a, 0)) for b, a in padding)]
    x = np.pad(x, grown, mode=NUMPY_MODE[kind])
    crop = [*outer, *((max(-b, 0), max(-a, 0)) for b, a in padding)]
    return x[tuple(slice(b, n - a) for n, (b, a) in zip(x.shape, crop, strict=True))]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("shape", "padding"), CASES, ids=str)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.uint8])
def test_forward_agrees_with_numpy(shape, padding, kind, dtype):
    x = (np.random.default_rng(0).normal(size=shape) * 9).astype(np.int8).astype(dtype)
    x = np.asfortranarray(x)[..., ::-1]
    x.flags.writeable = False
    y = FORWARD[kind](np, x, padding=padding)
    np.testing.assert_array_equal(y, numpy_pad(x, padding, kind))
    assert y.dtype == dtype
    assert not np.shares_memory(x, y)


def test_other_value():
    y = kernels.pad(np, np.zeros((1, 1, 1, 2)), padding=[(1, 0)], value=-np.inf)
    np.testing.assert_array_equal(y[0, 0], [[-np.inf, 0, 0]])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("shape", "padding"), CASES, ids=str)
def test_gradient_is_the_adjoint(shape, padding, kind):
    rng = np.random.default_rng(1)
    x = rng.normal(size=shape)
    y = FORWARD[kind](np, x, padding=padding)
    g = rng.normal(size=y.shape)
    if kind == "constant":
        gx = kernels.pad(np, g, padding=[(-b, -a) for b, a in padding])
    else:
        gx = GRADIENT[kind](np, g, padding=padding)
    assert gx.shape == x.shape
    assert not np.shares_memory(g, gx)
    assert (x * gx).sum() == pytest.approx((y * g).sum(), rel=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_says_what_does_not_fit(kind):
    x = np.zeros((1, 2, 3, 4))
    name = FORWARD[kind].__name__
    with pytest.raises(ShapeError, match=f"{name}: padding is .before, after. for each"):
        FORWARD[kind](np, x, padding=[(-2, -2), (0, 0)])
    with pytest.raises(ShapeError, match=f"{name}: padding is"):
        FORWARD[kind](np, x, padding=[(1, 1)] * 5)


def test_borders_need_something_to_copy():
    x = np.zeros((1, 2, 3, 4))
    with pytest.raises(ShapeError, match="dimension 2, which has 3 elements, has at most 2;"):
        kernels.pad_reflect(np, x, padding=[(3, 0), (0, 0)])
    with pytest.raises(ShapeError, match=r"pad_reflect_gradient: a border .* at most 2"):
        kernels.pad_reflect_gradient(np, np.zeros((1, 2, 6, 4)), padding=[(3, 0), (0, 0)])
    with pytest.raises(ShapeError, match="which has 3 elements, has at most 3;"):
        kernels.pad_circular(np, x, padding=[(0, 4), (0, 0)])
    with pytest.raises(ShapeError, match=r"pad_circular_gradient: a border .* at most 3"):
        kernels.pad_circular_gradient(np, np.zeros((1, 2, 7, 4)), padding=[(4, 0), (0, 0)])
    with pytest.raises(ShapeError, match="which has 0 elements, has at most 0;"):
        kernels.pad_replicate(np, x[:, :, :0], padding=[(1, 0), (0, 0)])
    with pytest.raises(ShapeError, match="pad_replicate_gradient: padding is"):
        kernels.pad_replicate_gradient(np, x, padding=[(2, 2), (0, 0)])


def _borders(module):
    if "ptop" in module:
        sides = [("pfront", "pback"), ("ptop", "pbottom"), ("pleft", "pright")]
    else:
        sides = [("pad_t", "pad_b"), ("pad_l", "pad_r")]
    return [(module[before], module[after]) for before, after in sides]


@pytest.mark.parametrize("name", ["SpatialZeroPadding__02", "SpatialZeroPadding__03"])
def test_zero_padding_of_torch7(recorded, close, name):
    record = recorded(name)
    padding = _borders(record.module)
    close(kernels.pad(np, record.input, padding=padding), record.output)
    opposite = [(-before, -after) for before, after in padding]
    close(kernels.pad(np, record.gradOutput, padding=opposite), record.gradInput)


@pytest.mark.parametrize("name", ["SpatialReflectionPadding__01", "SpatialReflectionPadding__02"])
def test_reflection_padding_of_torch7(recorded, close, name):
    record = recorded(name)
    padding = _borders(record.module)
    close(kernels.pad_reflect(np, record.input, padding=padding), record.output)
    gradient = kernels.pad_reflect_gradient(np, record.gradOutput, padding=padding)
    close(gradient, record.gradInput)


@pytest.mark.parametrize(
    "name",
    [
        "SpatialReplicationPadding__01",
        "SpatialReplicationPadding__02",
        "VolumetricReplicationPadding__01",
        "VolumetricReplicationPadding__02",
    ],
)
def test_replication_padding_of_torch7(recorded, close, name):
    record = recorded(name)
    padding = _borders(record.module)
    close(kernels.pad_replicate(np, record.input, padding=padding), record.output)
    gradient = kernels.pad_replicate_gradient(np, record.gradOutput, padding=padding)
    close(gradient, record.gradInput)
