"""The pooling operations on tensors: defaults, pairs of results, nothing shared."""

import numpy as np
import pytest
from transposes import assert_transposed

from rekindle.core import ops
from rekindle.core.autograd import check_grads
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
    average = ops.adaptive_avg_pool(tensor(X), size=(3, 2))
    np.testing.assert_allclose(average.numpy(), blocks.mean(axis=(3, 5)), rtol=1e-12)
    values, _ = ops.adaptive_max_pool(tensor(X), size=(3, 2))
    np.testing.assert_array_equal(values.numpy(), blocks.max(axis=(3, 5)))
    whole = ops.adaptive_avg_pool(tensor(X), size=1)
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
        (ops.adaptive_avg_pool, {"size": (6, 8)}),
        (ops.adaptive_max_pool, {"size": (6, 8)}),
    ],
)
def test_pooling_of_single_pixels_is_a_copy(op, params):
    x = tensor(X)
    y = op(x, **params)
    y = y[0] if isinstance(y, tuple) else y
    np.testing.assert_array_equal(y.numpy(), X)
    y.add_(1)
    np.testing.assert_array_equal(x.numpy(), X)


LINEAR = [
    (
        lambda x: ops.avg_pool(x, kernel=(3, 2), stride=(1, 2), padding=(1, 0)),
        lambda y: ops.avg_pool_gradient(
            y, size=(5, 4), kernel=(3, 2), stride=(1, 2), padding=(1, 0)
        ),
    ),
    (
        lambda x: ops.avg_pool(x, kernel=3, ceil_mode=True, padding=1, count_include_pad=False),
        lambda y: ops.avg_pool_gradient(
            y, size=(5, 4), kernel=3, ceil_mode=True, padding=1, count_include_pad=False
        ),
    ),
    (
        lambda x: ops.adaptive_avg_pool(x, size=(3, 2)),
        lambda y: ops.adaptive_avg_pool_gradient(y, size=(5, 4)),
    ),
    (
        lambda x: ops.max_pool_at(x, tensor(PLACES)),
        lambda y: ops.max_pool_gradient(y, tensor(PLACES), size=(5, 4)),
    ),
    (
        lambda x: ops.max_unpool_gradient(x, tensor(np.abs(PLACES))),
        lambda y: ops.max_unpool(y, tensor(np.abs(PLACES)), size=(5, 4)),
    ),
]
PLACES = np.array([3, -1, 3, 19, 0, 7]).reshape(1, 1, 3, 2)


@pytest.mark.parametrize(("op", "back"), LINEAR)
def test_gradients_are_transposes(op, back):
    assert_transposed(op, back, (1, 1, 5, 4))


def test_values_that_repeat_a_place():
    indices = tensor(np.array([[[2, 0, 2]]]))
    x = tensor(np.array([[[1.0, 2, 4]]]))
    assert ops.max_unpool(x, indices, size=4).tolist() == [[[2, 0, 4, 0]]]
    y = tensor(np.array([[[8.0, 16, 32, 64]]]))
    assert ops.max_unpool_gradient(y, indices).tolist() == [[[0, 8, 32]]]
    assert ops.max_pool_gradient(x, indices, size=4).tolist() == [[[2, 0, 5, 0]]]
    none = tensor(np.array([[[-1, 3]]]))
    assert ops.max_pool_at(y, none).tolist() == [[[0, 64]]]
    assert ops.max_pool_gradient(x[:, :, 1:], none, size=4).tolist() == [[[0, 0, 0, 4]]]


def test_equal_maxima_give_the_first_the_gradient():
    x = tensor(np.array([[[1.0, 3, 3, 0]]]), requires_grad=True)
    ops.max_pool(x, kernel=4)[0].sum().backward()
    assert x.grad.tolist() == [[[0, 1, 0, 0]]]


def test_power_average_pooling():
    blocks = X.reshape(2, 3, 3, 2, 4, 2)
    y = ops.lp_pool(tensor(X), p=2, kernel=2)
    np.testing.assert_allclose(y.numpy(), np.sqrt((blocks**2).sum(axis=(3, 5))), rtol=1e-12)
    y = ops.lp_pool(tensor(X), p=1, kernel=2)
    np.testing.assert_allclose(y.numpy(), blocks.sum(axis=(3, 5)), rtol=1e-12)
    y = ops.lp_pool(tensor(np.abs(X)), p=3.5, kernel=2)
    powers = (np.abs(blocks) ** 3.5).sum(axis=(3, 5))
    np.testing.assert_allclose(y.numpy(), powers ** (1 / 3.5), rtol=1e-12)


def test_power_average_pooling_has_derivatives():
    check_grads(lambda x: ops.lp_pool(x, p=3, kernel=2, stride=1), [tensor(np.abs(X[:1, :1]))])
    x = tensor(np.zeros((1, 1, 4)), requires_grad=True)
    ops.lp_pool(x, p=2, kernel=2).sum().backward()
    assert x.grad.tolist() == [[[0, 0, 0, 0]]]
