"""Shape operations: bounds, and shapes at the edge."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: ops.narrow(x, 1, 3, 2), "narrow: 2 elements from 3 on are not inside"),
        (lambda x: ops.narrow(x, 1, -1, 1), "narrow: 1 elements from -1"),
        (lambda x: ops.narrow(x, 1, 2, -1), "narrow: -1 elements"),
        (lambda x: ops.narrow(x, 2, 0, 1), "narrow: dimension 2 is not one of 2"),
        (lambda x: ops.select(x, 1, 4), "select: index 4 is not one of 4"),
        (lambda x: ops.select(x, 1, -5), "select: index -5"),
        (lambda x: ops.select(x, -3, 0), "select: dimension -3"),
        (lambda x: x.transpose(0, 2), "transpose: dimension 2"),
        (lambda x: x.flatten(start=2), "flatten: dimension 2"),
    ],
)
def test_shape_operations_check_their_bounds(function, message):
    with pytest.raises(IndexError, match=message):
        function(tensor(np.zeros((3, 4))))


def test_shapes_at_the_edge():
    x = tensor(np.arange(6.0))
    assert x[0].flatten().shape == (1,)
    assert ops.narrow(x, 0, 6, 0).shape == (0,)
    assert ops.narrow(x, -1, 2, 3).tolist() == [2, 3, 4]
    assert ops.select(x, 0, -1).storage() is x.storage()
    assert x.reshape([2, 3]).shape == x.reshape(2, -1).shape == x.reshape((2, 3)).shape == (2, 3)
    assert x.reshape(np.int64(6)).shape == (6,)
    assert x[0].permute().shape == ()
    with pytest.raises(ShapeError, match="dimension 1 comes after dimension 0"):
        x.reshape(2, 3).flatten(start=1, end=0)


@pytest.mark.parametrize(
    ("source", "destination"), [(0, -1), (-1, 0), ((0, 1), (2, 0)), ([2, 0], [0, 1]), ((), ())]
)
def test_moveaxis(source, destination):
    x = np.arange(24.0).reshape(2, 3, 4)
    moved = tensor(x).moveaxis(source, destination)
    np.testing.assert_array_equal(moved.numpy(), np.moveaxis(x, source, destination))


@pytest.mark.parametrize(
    ("source", "destination", "message"),
    [
        ((0, 0), (1, 2), "are no pairs of dimensions"),
        ((0, 1), (2, -1), "are no pairs of dimensions"),
        ((0, 1), 2, "are no pairs of dimensions"),
        (3, 0, "moveaxis: dimension 3 is not one of 3"),
    ],
)
def test_moveaxis_needs_pairs(source, destination, message):
    with pytest.raises((ShapeError, IndexError), match=message):
        tensor(np.zeros((2, 3, 4))).moveaxis(source, destination)


def test_methods_that_are_shapes():
    x = tensor(np.arange(6.0).reshape(1, 2, 3))
    assert x.mT.shape == (1, 3, 2)
    assert x.mT.storage() is x.storage()
    assert x.flip(1, 2).tolist() == x.flip((1, 2)).tolist() == [[[5, 4, 3], [2, 1, 0]]]
    assert x.flip(-1).tolist() == [[[2, 1, 0], [5, 4, 3]]]


def test_expand_keeps_sizes_of_minus_one():
    x = tensor(np.arange(6.0).reshape(2, 1, 3))
    assert x.expand(4, -1, 5, -1).shape == (4, 2, 5, 3)
    assert x.expand(-1, 5, 3).tolist() == np.broadcast_to(x.numpy(), (2, 5, 3)).tolist()
    with pytest.raises(ShapeError, match="expand"):
        x.expand(-1, 2, 1, 3)  # there is no size to keep


def test_gradients_of_expanded_tensors_add_up():
    x = tensor(np.ones((2, 1))).requires_grad_()
    x.expand(3, -1, 4).sum().backward()
    assert x.grad.tolist() == [[12.0], [12.0]]


LARGE = np.arange(40000.0, dtype=np.float32).reshape(10, 20, 200)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 0, 2), (2, 0, 1), (0, 2, 1)])
def test_large_arrays_are_copied_in_row_major_order(axes, dtype):
    x, expected = tensor(LARGE.astype(dtype)), LARGE.astype(dtype).transpose(axes)
    turned = ops.permute(x, axes)
    for shape in ((-1,), (100, -1, 5), (40000, 1), (2, 5, -1, 20)):
        np.testing.assert_array_equal(turned.reshape(shape).numpy(), expected.reshape(shape))
    for copied in (turned.clone(), turned.contiguous()):
        np.testing.assert_array_equal(copied.numpy(), expected)
        assert copied.is_contiguous()
    assert turned.clone().storage() is not x.storage()
    assert (turned.contiguous().storage() is x.storage()) == (axes == (0, 1, 2))


@pytest.mark.parametrize("shape", [(-1, -1), (7, -1), (40001,), (0, -1)])
def test_shapes_that_do_not_fit_large_arrays(shape):
    for x in (tensor(LARGE), tensor(LARGE).permute(2, 0, 1)):
        with pytest.raises(ValueError, match="reshape"):
            x.reshape(shape)
