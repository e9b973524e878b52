"""The pooling operations on tensors: defaults, pairs of results, nothing shared."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.creation import tensor

X = np.random.default_rng(0).normal(size=(2, 3, 6, 8))


def test_stride_is_the_kernel_by_default():
    blocks = X.reshape(2, 3, 3, 2, 4, 2)
    values, indices = ops.max_pool(tensor(X), kernel=2)
    np.testing.assert_array_equal(values.numpy(), blocks.max(axis=(3, 5)))
    planes = np.take_along_axis(X.reshape(2, 3, 48), indices.numpy().reshape(2, 3, 12), axis=2)
    np.testing.assert_array_equal(planes.reshape(values.shape), values.numpy())
    average = ops.avg_pool(tensor(X), kernel=2)
    np.testing.assert_allclose(average.numpy(), blocks.mean(axis=(3, 5)), rtol=1e-12)


def test_adaptive_pooling_of_sizes_that_divide():
    blocks = X.reshape(2, 3, 3, 2, 2, 4)
    average = ops.adaptive_avg_pool(tensor(X), out=(3, 2))
    np.testing.assert_allclose(average.numpy(), blocks.mean(axis=(3, 5)), rtol=1e-12)
    values, _ = ops.adaptive_max_pool(tensor(X), out=(3, 2))
    np.testing.assert_array_equal(values.numpy(), blocks.max(axis=(3, 5)))
    whole = ops.adaptive_avg_pool(tensor(X), out=1)
    np.testing.assert_allclose(whole.numpy()[:, :, 0, 0], X.mean(axis=(2, 3)), rtol=1e-12)


def test_unpooling_undoes_pooling_of_maxima():
    sparse = np.zeros_like(X)
    sparse[:, :, ::2, 1::2] = np.abs(X[:, :, ::2, 1::2])
    values, indices = ops.max_pool(tensor(sparse), kernel=2)
    back = ops.max_unpool(values, indices, size=(6, 8))
    np.testing.assert_array_equal(back.numpy(), sparse)


@pytest.mark.parametrize(
    ("op", "params"),
    [
        (ops.max_pool, {"kernel": 1}),
        (ops.avg_pool, {"kernel": 1}),
        (ops.adaptive_avg_pool, {"out": (6, 8)}),
        (ops.adaptive_max_pool, {"out": (6, 8)}),
    ],
)
def test_pooling_of_single_pixels_is_a_copy(op, params):
    x = tensor(X)
    y = op(x, **params)
    y = y[0] if isinstance(y, tuple) else y
    np.testing.assert_array_equal(y.numpy(), X)
    y.add_(1)
    np.testing.assert_array_equal(x.numpy(), X)
