"""Normalisation against its formulas in float64, and recorded Torch7 runs."""

import numpy as np
import pytest

from rekindle.core.dtypes import DtypeError
from rekindle.core.errors import ShapeError
from rekindle.core.kernels import normalization as kernels

DTYPES = [np.float16, np.float32, np.float64]


def parameters(rng, dtype):
    return (
        rng.normal(size=3).astype(dtype),
        rng.uniform(0.5, 2, 3).astype(dtype),
        rng.normal(size=3).astype(dtype),
        rng.normal(size=3).astype(dtype),
    )


def per_channel(array, ndim):
    return array.astype(np.float64).reshape(-1, *(1,) * (ndim - 2))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 5), (2, 3, 4, 5), (2, 3, 2, 3, 4), (0, 3, 4)])
def test_batch_norm_with_given_moments(shape, dtype, close):
    rng = np.random.default_rng(0)
    x = np.asfortranarray(rng.normal(size=shape).astype(dtype))
    mean, variance, weight, bias = parameters(rng, dtype)
    x.flags.writeable = False
    m, v, w, b = (per_channel(a, x.ndim) for a in (mean, variance, weight, bias))
    plain = (x - m) / np.sqrt(v + 1e-3)
    close(kernels.batch_norm(np, x, mean, variance, eps=1e-3), plain, dtype)
    scaled = kernels.batch_norm(np, x, mean, variance, weight, bias, eps=1e-3)
    close(scaled, plain * w + b, dtype)
    close(kernels.batch_norm(np, x, mean, variance, weight, eps=1e-3), plain * w, dtype)
    close(kernels.batch_norm(np, x, mean, variance, None, bias, eps=1e-3), plain + b, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 5), (2, 3, 4, 5), (2, 3, 2, 3, 4)])
def test_batch_norm_with_own_moments(shape, dtype, close):
    rng = np.random.default_rng(1)
    x = (rng.normal(size=shape) * 3 + 1).astype(dtype)[::-1]
    x.flags.writeable = False
    _, _, weight, bias = parameters(rng, dtype)
    axes = (0, *range(2, x.ndim))
    exact = x.astype(np.float64)
    mean, variance = exact.mean(axes), exact.var(axes)
    m, v, w, b = (per_channel(a, x.ndim) for a in (mean, variance, weight, bias))
    y, mean_, variance_ = kernels.batch_norm_training(np, x, weight, bias, eps=1e-5)
    close(y, (x - m) / np.sqrt(v + 1e-5) * w + b, dtype)
    close(mean_, mean, dtype)
    close(variance_, variance, dtype)
    y, _, _ = kernels.batch_norm_training(np, x, eps=1e-5)
    close(y, (x - m) / np.sqrt(v + 1e-5), dtype)


def test_moments_of_many_and_far_from_zero_stay_exact(close):
    x = (np.random.default_rng(2).normal(size=(8, 3, 64, 64)) + 100).astype(np.float32)
    _, mean, variance = kernels.batch_norm_training(np, x, eps=0.0)
    exact = x.astype(np.float64)
    close(mean, exact.mean((0, 2, 3)), np.float32)
    close(variance, exact.var((0, 2, 3)), np.float32)


def test_a_channel_without_variance_becomes_its_bias():
    x, bias = np.full((4, 2), 7.0), np.array([1.0, -2.0])
    y, mean, variance = kernels.batch_norm_training(np, x, None, bias, eps=0.0)
    np.testing.assert_array_equal(y, np.broadcast_to(bias, (4, 2)))
    np.testing.assert_array_equal(mean, [7, 7])
    np.testing.assert_array_equal(variance, [0, 0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axes", [(-1,), (1, 2), (0,)])
def test_standardize(axes, dtype, close):
    x = np.random.default_rng(3).normal(size=(4, 3, 5)).astype(dtype).transpose(1, 0, 2)
    exact = x.astype(np.float64)
    mean, variance = exact.mean(axes, keepdims=True), exact.var(axes, keepdims=True)
    y, mean_, variance_ = kernels.standardize(np, x, axes=axes, eps=1e-5)
    close(y, (exact - mean) / np.sqrt(variance + 1e-5), dtype)
    np.testing.assert_allclose(mean_, mean, atol=np.finfo(dtype).eps)
    close(variance_, variance, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_channel_sums(dtype, close):
    x = np.random.default_rng(4).normal(size=(2, 6, 3)).astype(dtype)[..., ::-1]
    for before, after in ((0, 0), (1, 2), (7, 0)):
        expected = [
            x[:, max(c - before, 0) : c + after + 1].astype(np.float64).sum(axis=1)
            for c in range(6)
        ]
        y = kernels.channel_sums(np, x, before=before, after=after)
        close(y, np.stack(expected, axis=1), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
def test_local_response_norm(size, dtype, close):
    x = np.random.default_rng(4).normal(size=(2, 6, 3, 4)).astype(dtype)[..., ::-1]
    exact = x.astype(np.float64)
    expected = np.zeros(x.shape)
    before = (size - 1) // 2
    for c in range(6):
        window = exact[:, max(c - before, 0) : c - before + size]
        scale = 1.5 + 0.3 / size * (window**2).sum(axis=1)
        expected[:, c] = exact[:, c] * scale**-0.75
    y = kernels.local_response_norm(np, x, size=size, alpha=0.3, beta=0.75, k=1.5)
    close(y, expected, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("p", [1, 2, 3.5])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_renorm(dtype, p, axis, close):
    x = np.random.default_rng(5).normal(size=(4, 3, 5)).astype(dtype)
    rows = np.moveaxis(x.astype(np.float64), axis, 0)
    norms = (np.abs(rows) ** p).sum(axis=(1, 2)) ** (1 / p)
    limit = float(np.median(norms)) + 0.01
    factors = np.where(norms > limit, limit / (norms + 1e-7), 1)
    expected = np.moveaxis(rows * factors[:, None, None], 0, axis)
    close(kernels.renorm(np, x, p=p, axis=axis, limit=limit), expected, dtype)


def test_says_what_does_not_fit():
    x, c = np.zeros((2, 3, 4)), np.ones(3)
    with pytest.raises(ShapeError, match=r"batch_norm: weight has shape \(4,\), expected \(3,\)"):
        kernels.batch_norm(np, x, c, c, np.ones(4), eps=1e-5)
    with pytest.raises(ShapeError, match="batch_norm_training takes an input of shape"):
        kernels.batch_norm_training(np, c, eps=1e-5)
    with pytest.raises(ShapeError, match="nothing to average along axes"):
        kernels.batch_norm_training(np, x[:0], eps=1e-5)
    with pytest.raises(DtypeError, match="batch_norm takes floating arrays of one dtype"):
        kernels.batch_norm(np, x.astype(np.float32), c, c, eps=1e-5)
    with pytest.raises(DtypeError, match="standardize takes floating"):
        kernels.standardize(np, x.astype(int), axes=(-1,), eps=1e-5)
    with pytest.raises(ShapeError, match="size of 1 or more"):
        kernels.local_response_norm(np, x, size=0, alpha=1, beta=1, k=1)
    with pytest.raises(ShapeError, match="positive p"):
        kernels.renorm(np, x, p=0, axis=0, limit=1)
    with pytest.raises(ShapeError, match="2 or more dimensions"):
        kernels.renorm(np, c, p=2, axis=0, limit=1)


@pytest.mark.parametrize(
    "name",
    [
        *(f"BatchNormalization__0{i}" for i in (1, 2, 5, 6, 7)),
        *(f"SpatialBatchNormalization__0{i}" for i in (1, 3, 4, 6)),
        *(f"VolumetricBatchNormalization__0{i}" for i in (1, 3, 4, 5)),
    ],
)
def test_batch_normalization_of_torch7(recorded, close, name):
    record = recorded(name)
    module, x = record.module, record.input
    weight, bias = module.get("weight"), module.get("bias")
    eps, momentum = module["eps"], module["momentum"]
    mean, variance = module["running_mean"], module["running_var"]
    if not record.train:
        y = kernels.batch_norm(np, x, mean, variance, weight, bias, eps=eps)
        close(y, record.output)
        return
    y, batch_mean, batch_variance = kernels.batch_norm_training(np, x, weight, bias, eps=eps)
    close(y, record.output)
    count = x.size // x.shape[1]
    unbiased = batch_variance * (count / (count - 1))
    mean = (1 - momentum) * mean + momentum * batch_mean
    variance = (1 - momentum) * variance + momentum * unbiased
    close(mean.astype(x.dtype), record.after["running_mean"])
    close(variance.astype(x.dtype), record.after["running_var"])
    inverse = (1 / np.sqrt(batch_variance + eps)).astype(x.dtype)
    close(inverse, record.after["save_std"])


@pytest.mark.parametrize("name", ["SpatialCrossMapLRN__01", "SpatialCrossMapLRN__02"])
def test_cross_map_normalization_of_torch7(recorded, close, name):
    record = recorded(name, spatial=2)
    params = {key: record.module[key] for key in ("size", "alpha", "beta", "k")}
    close(kernels.local_response_norm(np, record.input, **params), record.output)


def test_max_norm_of_torch7(recorded, close):
    record = recorded("LookupTable__05")
    rows = record.module["weight"][record.input.astype(int) - 1]
    limit = record.module["maxNorm"]
    close(kernels.renorm(np, rows, p=2, axis=0, limit=limit), record.output)
