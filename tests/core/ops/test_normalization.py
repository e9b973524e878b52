"""The normalisation operations on tensors against their formulas."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.autograd import check_grads
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError

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


def test_the_gradient_of_moments_that_are_used_further():
    def statistics(x):
        y, mean, variance = ops.batch_norm_training(x, None, None)
        return y * 2 + ops.reshape(mean * variance, (3, 1, 1)), variance

    check_grads(statistics, [tensor(X[:2, :, :2, :2])])


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 2)])
def test_a_channel_without_variance_has_no_slope(shape):
    x = tensor(np.ones(shape), requires_grad=True)
    y = ops.batch_norm_training(x, None, None, eps=0.0)[0]
    (y * tensor(RNG.normal(size=shape))).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 0)


def test_standardize_returns_the_moments():
    out, mean, variance = ops.standardize(tensor(X), axes=(0, 2), eps=0.5)
    np.testing.assert_allclose(mean.numpy(), X.mean(axis=(0, 2), keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(variance.numpy(), X.var(axis=(0, 2), keepdims=True), rtol=1e-12)
    expected = (X - mean.numpy()) / np.sqrt(variance.numpy() + 0.5)
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-12)


def test_layer_norm_takes_one_axis_or_several():
    y = ops.layer_norm(tensor(X), None, None, eps=0.0).numpy()
    np.testing.assert_allclose(y.std(axis=-1), 1, rtol=1e-10)
    y = ops.layer_norm(tensor(X), None, None, axes=(1, 2, 3), eps=0.0).numpy()
    np.testing.assert_allclose(y.reshape(4, -1).mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(y.reshape(4, -1).std(axis=1), 1, rtol=1e-10)


def test_layer_norm_scales_and_shifts():
    weight, bias = RNG.normal(size=(2, 6))
    y = ops.layer_norm(tensor(X), tensor(weight), tensor(bias), eps=0.1).numpy()
    plain = (X - X.mean(axis=3, keepdims=True)) / np.sqrt(X.var(axis=3, keepdims=True) + 0.1)
    np.testing.assert_allclose(y, plain * weight + bias, rtol=1e-12)


def test_group_norm_of_one_two_and_all_groups():
    x = RNG.normal(size=(2, 4, 3, 5))
    weight, bias = RNG.normal(size=(2, 4))
    for groups in (1, 2, 4):
        y = ops.group_norm(tensor(x), tensor(weight), tensor(bias), groups=groups, eps=0.1)
        parts = x.reshape(2, groups, -1)
        mean, var = parts.mean(axis=2, keepdims=True), parts.var(axis=2, keepdims=True)
        plain = ((parts - mean) / np.sqrt(var + 0.1)).reshape(x.shape)
        np.testing.assert_allclose(y.numpy(), plain * each(weight) + each(bias), rtol=1e-12)
    single = ops.instance_norm(tensor(x), tensor(weight), tensor(bias), eps=0.1)
    np.testing.assert_array_equal(single.numpy(), y.numpy())
    with pytest.raises(ShapeError, match=r"shape \(2, 4, 3, 5\) and 3 groups"):
        ops.group_norm(tensor(x), groups=3)


def test_channel_sums():
    x = np.arange(5.0).reshape(1, 5)
    y = ops.channel_sums(tensor(x), before=1, after=2)
    assert y.tolist() == [[3, 6, 10, 9, 7]]
    with pytest.raises(ShapeError, match="before -1"):
        ops.channel_sums(tensor(x), before=-1, after=0)


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
