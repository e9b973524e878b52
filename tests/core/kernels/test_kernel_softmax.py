"""softmax against SciPy, and recorded Torch7 runs."""

import array_api_strict
import numpy as np
import pytest
import scipy.special

from rekindle.core.dtypes import DtypeError
from rekindle.core.kernels import softmax as kernels


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_agrees_with_scipy(name, dtype, axis, close):
    x = np.asfortranarray((np.random.default_rng(0).normal(size=(4, 3, 5)) * 4).astype(dtype))
    x.flags.writeable = False
    y = getattr(kernels, name)(np, x, axis=axis)
    close(y, getattr(scipy.special, name)(x.astype(np.float64), axis=axis), dtype)


def test_keeps_the_axis_when_told(close):
    x = np.random.default_rng(1).normal(size=(4, 3))
    y = kernels.logsumexp(np, x, axis=1, keepdims=True)
    close(y, scipy.special.logsumexp(x, axis=1, keepdims=True))


@pytest.mark.parametrize("shift", [-1e30, -1000, 1000, 1e30])
def test_does_not_overflow(shift):
    x = np.array([[0.0, 1.0, 2.0]]) * (abs(shift) < 1e9) + shift
    y = kernels.softmax(np, x)
    np.testing.assert_allclose(y, scipy.special.softmax(x - shift, axis=-1), rtol=1e-12)
    np.testing.assert_allclose(kernels.log_softmax(np, x), np.log(y), rtol=1e-9)
    total = scipy.special.logsumexp(x - shift, axis=-1) + shift
    np.testing.assert_allclose(kernels.logsumexp(np, x), total, rtol=1e-12)


def test_minus_infinity_is_probability_zero():
    x = np.array([-np.inf, 0.0, -np.inf, 0.0])
    np.testing.assert_array_equal(kernels.softmax(np, x), [0, 0.5, 0, 0.5])
    half = np.log(0.5)
    np.testing.assert_allclose(kernels.log_softmax(np, x), [-np.inf, half, -np.inf, half])
    assert kernels.logsumexp(np, x) == pytest.approx(np.log(2))
    assert kernels.logsumexp(np, x[:1]) == -np.inf
    assert kernels.logsumexp(np, np.array([np.inf, 0.0])) == np.inf


def test_empty_batches():
    x = np.zeros((0, 3), np.float32)
    assert kernels.softmax(np, x).shape == (0, 3)
    assert kernels.log_softmax(np, x).shape == (0, 3)
    assert kernels.logsumexp(np, x).shape == (0,)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_takes_floats(name):
    with pytest.raises(DtypeError, match=f"{name} takes floating arrays"):
        getattr(kernels, name)(np, np.arange(3))


def axis_of(record):
    """Return the axis that Torch7 normalises over: the features or the planes."""
    return {1: 0, 2: 1, 3: 0, 4: 1}[record.input.ndim]


@pytest.mark.parametrize(
    "name",
    [*(f"SoftMax__0{i}" for i in (1, 4, 5, 6)), "SpatialSoftMax__01", "SpatialSoftMax__02"],
)
def test_softmax_of_torch7(recorded, close, name):
    record = recorded(name)
    close(kernels.softmax(np, record.input, axis=axis_of(record)), record.output)


@pytest.mark.parametrize(
    "name",
    [
        *(f"LogSoftMax__0{i}" for i in (1, 2, 3, 4)),
        "SpatialLogSoftMax__02",
        "SpatialLogSoftMax__03",
    ],
)
def test_log_softmax_of_torch7(recorded, close, name):
    record = recorded(name)
    close(kernels.log_softmax(np, record.input, axis=axis_of(record)), record.output)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_uses_only_what_the_array_api_has(name, close):
    x = np.random.default_rng(2).normal(size=(4, 3)).astype(np.float32)
    y = getattr(kernels, name)(array_api_strict, array_api_strict.asarray(x), axis=0)
    close(np.asarray(y), getattr(kernels, name)(np, x, axis=0))
