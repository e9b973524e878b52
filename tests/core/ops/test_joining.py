"""Tensors of several tensors: grids, tiles, repetitions."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.creation import arange, tensor
from rekindle.core.errors import ShapeError
from rekindle.core.ops import OperandError


@pytest.mark.parametrize("indexing", ["xy", "ij"])
@pytest.mark.parametrize("lengths", [(), (3,), (3, 2), (3, 2, 4), (2, 0)])
def test_meshgrid(indexing, lengths):
    vectors = [np.arange(n) + 10.0 * n for n in lengths]
    grid = ops.meshgrid(*map(tensor, vectors), indexing=indexing)
    for actual, expected in zip(grid, np.meshgrid(*vectors, indexing=indexing), strict=True):
        np.testing.assert_array_equal(actual.numpy(), expected)


def test_gradients_of_a_grid_are_sums_over_it():
    x, y = tensor([1.0, 2.0], requires_grad=True), tensor([5.0, 6.0, 7.0], requires_grad=True)
    columns, rows = ops.meshgrid(x, y)
    (columns * rows).sum().backward()
    assert x.grad.tolist() == [18, 18]
    assert y.grad.tolist() == [3, 3, 3]


def test_what_makes_no_grid_is_refused():
    with pytest.raises(ShapeError, match=r"takes vectors; given shapes \[\(1, 2\)\]"):
        ops.meshgrid(tensor([[1, 2]]))
    with pytest.raises(OperandError, match='indexing is "xy" or "ij"; given \'yx\''):
        ops.meshgrid(arange(2), indexing="yx")


def test_tile_takes_its_numbers_one_by_one_too():
    x = tensor([[1, 2]])
    assert x.tile(2, 1, 2).tolist() == x.tile((2, 1, 2)).tolist() == [[[1, 2, 1, 2]]] * 2
    assert x.tile(0).shape == (1, 0)
    assert x.tile(2).tolist() == [[1, 2, 1, 2]]


def test_gradients_of_tiles_and_repetitions_of_nothing():
    x = tensor(np.ones((2, 3)), requires_grad=True)
    (x.tile(0, 2).sum() + ops.repeat(x, 0).sum() + ops.repeat(x, [0, 2], axis=0).sum()).backward()
    assert x.grad.tolist() == [[0, 0, 0], [2, 2, 2]]


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_large_ones(axis):
    x, y = np.arange(60000.0).reshape(200, 300), np.arange(200.0 * 300).reshape(300, 200).T
    joined = ops.concat([tensor(x), tensor(y), tensor(x)], axis=axis)
    np.testing.assert_array_equal(joined.numpy(), np.concatenate([x, y, x], axis))
    mixed = ops.concat([tensor(x.astype(np.float32)), tensor(y)], axis=axis)
    assert mixed.dtype == np.float64
    np.testing.assert_array_equal(mixed.numpy(), np.concatenate([x, y], axis))


@pytest.mark.parametrize(("shape", "axis"), [((200, 299), 0), ((200,), 0), ((200, 300), 2)])
def test_large_ones_that_do_not_fit(shape, axis):
    with pytest.raises((ValueError, IndexError), match="concat"):
        ops.concat([tensor(np.ones((200, 300))), tensor(np.ones(shape))], axis=axis)
