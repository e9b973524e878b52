"""The normalisation operations on tensors against their formulas."""

import numpy as np

from rekindle.core import ops
from rekindle.core.creation import tensor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3, 5, 6)) * 2 + 1
MEAN, WEIGHT, BIAS = RNG.normal(size=(3, 3))
VARIANCE = RNG.uniform(0.5, 2, 3)


def each(array):
    return array[:, None, None]


def test_batch_norm():
    plain = (X - each(MEAN)) / np.sqrt(each(VARIANCE) + 1e-5)
    operands = [tensor(a) for a in (X, MEAN, VARIANCE, WEIGHT, BIAS)]
    y = ops.batch_norm(*operands)
    np.testing.assert_allclose(y.numpy(), plain * each(WEIGHT) + each(BIAS), rtol=1e-12)
    y = ops.batch_norm(*operands[:3], None, None)
    np.testing.assert_allclose(y.numpy(), plain, rtol=1e-12)
    np.testing.assert_array_equal(operands[0].numpy(), X)


def test_training_returns_the_moments():
    y, mean, variance = ops.batch_norm_training(tensor(X), tensor(WEIGHT), tensor(BIAS), eps=0.0)
    np.testing.assert_allclose(mean.numpy(), X.mean(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(variance.numpy(), X.var(axis=(0, 2, 3)), rtol=1e-12)
    same = ops.batch_norm(tensor(X), mean, variance, tensor(WEIGHT), tensor(BIAS), eps=0.0)
    np.testing.assert_allclose(y.numpy(), same.numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(y.numpy().mean(axis=(0, 2, 3)), BIAS, rtol=1e-10)
    np.testing.assert_allclose(y.numpy().std(axis=(0, 2, 3)), np.abs(WEIGHT), rtol=1e-10)


def test_layer_norm_takes_one_axis_or_several():
    y = ops.layer_norm(tensor(X), None, None, eps=0.0).numpy()
    np.testing.assert_allclose(y.std(axis=-1), 1, rtol=1e-10)
    y = ops.layer_norm(tensor(X), None, None, axes=(1, 2, 3), eps=0.0).numpy()
    np.testing.assert_allclose(y.reshape(4, -1).mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(y.reshape(4, -1).std(axis=1), 1, rtol=1e-10)


def test_local_response_norm_over_all_channels():
    y = ops.local_response_norm(tensor(X), size=5, alpha=0.5, beta=2.0, k=3.0)
    scale = 3 + 0.1 * (X**2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(y.numpy(), X / scale**2, rtol=1e-12)


def test_renorm_bounds_each_slice():
    y = ops.renorm(tensor(X), p=2, axis=1, limit=3.0).numpy()
    norms = np.sqrt((y**2).sum(axis=(0, 2, 3)))
    np.testing.assert_allclose(norms, 3, rtol=1e-6)
    assert (norms < 3).all()
    same = ops.renorm(tensor(X), p=2, axis=1, limit=1e6)
    np.testing.assert_array_equal(same.numpy(), X)
