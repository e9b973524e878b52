"""Reading and adding by tensors of indices."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.creation import tensor
from rekindle.core.errors import BoundsError, ShapeError


def test_embedding_reads_rows():
    weight = np.arange(12.0).reshape(4, 3)
    index = [[3, 0], [1, 1]]
    y = ops.embedding(tensor(weight), tensor(index))
    np.testing.assert_array_equal(y.numpy(), weight[index])


def test_embedding_gradient_adds_to_rows():
    y = tensor(np.array([[[1.0, 2], [4, 8]], [[16, 32], [64, 128]]]))
    table = ops.embedding_gradient(y, tensor([[3, 0], [3, 1]]), rows=5)
    np.testing.assert_array_equal(table.numpy(), [[4, 8], [64, 128], [0, 0], [17, 34], [0, 0]])
    with pytest.raises(BoundsError, match="embedding_gradient: indices run from 0 to 2"):
        ops.embedding_gradient(y, tensor([[3, 0], [3, 1]]), rows=3)
    with pytest.raises(ShapeError, match=r"g has shape \(2, 2, 2\), expected \(3, 2, 2\)"):
        ops.embedding_gradient(y, tensor([3, 0, 1]), rows=3)


def test_gather_reads_and_scatter_add_adds_along_an_axis():
    x = np.arange(12.0).reshape(3, 4)
    index = np.array([[0, 3], [1, 1], [2, 0]])
    read = ops.gather(tensor(x), tensor(index), axis=1)
    np.testing.assert_array_equal(read.numpy(), [[0, 3], [5, 5], [10, 8]])
    y = ops.scatter_add(tensor(x), tensor(index), tensor(np.ones((3, 2))), axis=1)
    np.testing.assert_array_equal(y.numpy() - x, [[1, 0, 0, 1], [0, 2, 0, 0], [1, 0, 1, 0]])


def test_gather_gradient_adds_along_an_axis():
    index = tensor(np.array([[0, 3], [1, 1], [2, 0]]))
    y = tensor(np.array([[1.0, 2], [4, 8], [16, 32]]))
    back = ops.gather_gradient(y, index, size=5, axis=-1)
    expected = [[1, 0, 0, 2, 0], [0, 12, 0, 0, 0], [32, 0, 16, 0, 0]]
    np.testing.assert_array_equal(back.numpy(), expected)
    with pytest.raises(BoundsError, match="gather_gradient: indices run from 0 to 2"):
        ops.gather_gradient(y, index, size=3, axis=1)


def test_index_add_adds_slices():
    x = tensor(np.zeros((2, 3)))
    y = ops.index_add(x, tensor([2, 0, 2]), tensor(np.array([[1.0, 2, 4], [8, 16, 32]])), axis=1)
    np.testing.assert_array_equal(y.numpy(), [[2, 0, 5], [16, 0, 40]])
    assert x.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_negative_indices_do_not_count_from_the_end():
    with pytest.raises(BoundsError, match="given -1 to 0"):
        ops.embedding(tensor(np.zeros((4, 3))), tensor([0, -1]))


def test_small_integers_index_what_is_large():
    index = tensor(np.array([[200]], np.uint8))
    y = tensor(np.ones((1, 1, 3)))
    table = ops.embedding_gradient(y, index, rows=201)
    np.testing.assert_array_equal(np.flatnonzero(table.numpy()), [600, 601, 602])
    zeros = tensor(np.zeros((1, 201, 3)))
    y = ops.index_add(zeros, index[0], y, axis=1)
    np.testing.assert_array_equal(np.flatnonzero(y.numpy()), [600, 601, 602])
    y = ops.scatter_add(
        zeros, tensor(np.full((1, 1, 3), 200, np.uint8)), tensor(np.ones((1, 1, 3))), axis=1
    )
    np.testing.assert_array_equal(np.flatnonzero(y.numpy()), [600, 601, 602])
