"""argsort, sort and topk against Python's stable sort; median against NumPy's quantiles."""

import numpy as np
import pytest

from rekindle.core import dtypes, ops
from rekindle.core.creation import tensor
from rekindle.core.errors import BoundsError, ShapeError

RNG = np.random.default_rng(8)


def expected_order(row, descending):
    return sorted(range(len(row)), key=lambda i: -row[i] if descending else row[i])


@pytest.mark.parametrize("dtype", dtypes.SUPPORTED, ids=str)
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_equal_elements_keep_their_order(dtype, descending, axis):
    x = RNG.integers(0, 5, (3, 40, 2)).astype(dtype)
    values, indices = ops.sort(tensor(x), axis=axis, descending=descending)
    rows = np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis]).astype(float).tolist()
    orders = np.reshape(
        [expected_order(row, descending) for row in rows], np.moveaxis(x, axis, -1).shape
    )
    np.testing.assert_array_equal(indices.numpy(), np.moveaxis(orders, -1, axis))
    assert (values.dtype, indices.dtype) == (dtype, "int64")
    np.testing.assert_array_equal(
        values.numpy(), np.take_along_axis(x, np.moveaxis(orders, -1, axis), axis)
    )
    same = ops.argsort(tensor(x), axis=axis, descending=descending)
    np.testing.assert_array_equal(same.numpy(), indices.numpy())


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("k", [0, 1, 3, 6])
def test_topk_is_the_head_of_the_order(k, largest):
    x = RNG.integers(0, 4, (4, 6)).astype(float)
    values, indices = tensor(x).topk(k, largest=largest)
    for row, found, where in zip(x.tolist(), values.tolist(), indices.tolist(), strict=True):
        assert where == expected_order(row, largest)[:k]
        assert found == [row[i] for i in where]


def test_nan_counts_as_the_largest():
    x = tensor([np.nan, 1.0, np.inf, -np.inf])
    assert x.argsort().tolist() == [3, 1, 2, 0]
    assert x.argsort(descending=True).tolist() == [0, 2, 1, 3]
    assert np.isnan(x.topk(1)[0].item())


def test_gradients_go_where_values_came_from():
    x = tensor([[3.0, 1.0, 2.0]], requires_grad=True)
    values, indices = x.sort(axis=1)
    assert not indices.requires_grad
    (values * tensor([[1.0, 10.0, 100.0]])).sum().backward()
    assert x.grad.tolist() == [[100, 1, 10]]


def test_k_is_checked():
    x = tensor(np.zeros((2, 3)))
    with pytest.raises(ShapeError, match=r"topk: k is from 0 to 3; given 4 for shape \(2, 3\)"):
        x.topk(4)
    with pytest.raises(ShapeError, match="given -1"):
        x.topk(-1)
    with pytest.raises(BoundsError, match="topk: dimension 2"):
        x.topk(1, axis=2)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1, None])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_median_is_the_lower_middle(dtype, axis, keepdims):
    x = RNG.integers(-9, 9, (3, 4, 5)).astype(dtype)
    values, indices = tensor(x).median(axis=axis, keepdims=keepdims)
    expected = np.quantile(x, 0.5, axis=axis, keepdims=keepdims, method="lower")
    np.testing.assert_array_equal(values.numpy(), expected)
    assert (values.dtype, indices.dtype, values.shape) == (dtype, np.int64, expected.shape)
    if axis is None:
        assert x.ravel()[indices.item()] == values.item()
    else:
        where = indices.numpy() if keepdims else np.expand_dims(indices.numpy(), axis)
        found = np.take_along_axis(x, where, axis)
        np.testing.assert_array_equal(found, values.numpy().reshape(found.shape))


def test_median_of_nan_and_of_nothing():
    values, indices = tensor([[np.nan, 1.0, 2.0], [3.0, np.nan, np.nan], [2.0, 1.0, 0.0]]).median(
        axis=1
    )
    np.testing.assert_array_equal(values.numpy(), [np.nan, np.nan, 1])
    assert indices.tolist() == [0, 1, 1]
    assert tensor(4.0).median()[0].item() == 4
    with pytest.raises(ShapeError, match=r"median: no elements .* \(0, 3\)"):
        tensor(np.zeros((0, 3))).median(axis=0)
    with pytest.raises(BoundsError, match="median: dimension 2"):
        tensor(np.zeros((2, 3))).median(axis=2)


def test_the_gradient_of_a_median_is_that_of_the_element():
    x = tensor([[5.0, 1.0, 2.0, 9.0], [0.0, 0.5, 7.0, 8.0]], requires_grad=True)
    (x.median(axis=-1)[0] * tensor([10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [[0, 0, 10, 0], [0, 100, 0, 0]]
    del x.grad
    x.median()[0].backward()
    assert x.grad.tolist() == [[0, 0, 1, 0], [0, 0, 0, 0]]
