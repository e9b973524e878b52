"""Reading and adding by index against numpy.add.at, plain loops, and recorded Torch7 runs."""

import array_api_strict
import numpy as np
import pytest

from rekindle.core.errors import BoundsError, ShapeError
from rekindle.core.kernels import indexing as kernels

DTYPES = [np.float16, np.float32, np.float64, np.int64]


def draw(rng, shape, dtype):
    """Return small whole numbers, so that sums are exact in every order and dtype."""
    return rng.integers(-8, 9, shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5,), (2, 3), (0,), ()])
def test_embedding(shape, dtype):
    rng = np.random.default_rng(0)
    weight, index = draw(rng, (7, 3), dtype), rng.integers(0, 7, shape)
    y = kernels.embedding(np, weight, index)
    np.testing.assert_array_equal(y, weight[index])
    assert y.dtype == dtype


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_gather_and_scatter_add_are_adjoint(axis):
    rng = np.random.default_rng(1)
    x = np.asfortranarray(rng.normal(size=(3, 4, 5)))
    shape = list(x.shape)
    shape[axis] = 6
    index = rng.integers(0, x.shape[axis], shape)[..., ::-1]
    read = kernels.gather(np, x, index, axis=axis)
    expected = np.zeros(shape)
    for place in np.ndindex(*shape):
        source = list(place)
        source[axis] = index[place]
        expected[place] = x[tuple(source)]
    np.testing.assert_array_equal(read, expected)
    source = rng.normal(size=shape)
    added = kernels.scatter_add(np, np.zeros(x.shape), index, source, axis=axis)
    assert (read * source).sum() == pytest.approx((x * added).sum())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_scatter_add(axis, dtype):
    rng = np.random.default_rng(2)
    x = draw(rng, (3, 4, 5), dtype).transpose(2, 1, 0)
    x.flags.writeable = False
    shape = list(x.shape)
    shape[axis] = 9
    index, source = rng.integers(0, x.shape[axis], shape), draw(rng, shape, dtype)
    expected = x.copy()
    for place in np.ndindex(*shape):
        target = list(place)
        target[axis] = index[place]
        expected[tuple(target)] += source[place]
    y = kernels.scatter_add(np, x, index, source, axis=axis)
    np.testing.assert_array_equal(y, expected)
    assert y.dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("count", [0, 1, 9])
def test_index_add(axis, dtype, count):
    rng = np.random.default_rng(3)
    x = draw(rng, (3, 4, 5), dtype).transpose(2, 1, 0)
    x.flags.writeable = False
    shape = list(x.shape)
    shape[axis] = count
    index, source = rng.integers(0, x.shape[axis], count), draw(rng, shape, dtype)
    expected = np.moveaxis(x.copy(), axis, 0)
    np.add.at(expected, index, np.moveaxis(source, axis, 0))
    y = kernels.index_add(np, x, index, source, axis=axis)
    np.testing.assert_array_equal(y, np.moveaxis(expected, 0, axis))
    assert y.dtype == dtype


def test_one_dimension():
    x, index = np.zeros(4), np.array([3, 0, 3])
    np.testing.assert_array_equal(kernels.index_add(np, x, index, np.ones(3), axis=0), [1, 0, 0, 2])
    y = kernels.scatter_add(np, x, index, np.ones(3), axis=0)
    np.testing.assert_array_equal(y, [1, 0, 0, 2])


def test_float16_sums_are_made_in_float32():
    index = np.zeros(4096, int)
    y = kernels.index_add(np, np.zeros(1, np.float16), index, np.ones(4096, np.float16), axis=0)
    assert y[0] == 4096  # counting up in float16 stops at 2048


def test_says_what_does_not_fit():
    x, index = np.zeros((3, 4)), np.zeros((3, 2), int)
    with pytest.raises(BoundsError, match=r"embedding: indices run from 0 to 2; given -1 to 0"):
        kernels.embedding(np, x, np.array([0, -1]))
    with pytest.raises(BoundsError, match=r"embedding: indices run from 0 to 2; given 0 to 3"):
        kernels.embedding(np, x, np.array([0, 3]))
    with pytest.raises(ShapeError, match="gather: the index has the shape of x but along axis 0"):
        kernels.gather(np, x, index, axis=0)
    with pytest.raises(ShapeError, match="gather: the index has the shape"):
        kernels.gather(np, x, index[0], axis=1)
    with pytest.raises(BoundsError, match="gather: indices run from 0 to 3"):
        kernels.gather(np, x, index + 4, axis=1)
    with pytest.raises(ShapeError, match="scatter_add: source has shape"):
        kernels.scatter_add(np, x, index, np.zeros((3, 3)), axis=1)
    with pytest.raises(ShapeError, match="index_add: source has shape"):
        kernels.index_add(np, x, index[0], np.zeros((3, 3)), axis=1)
    with pytest.raises(BoundsError, match="index_add: indices run from 0 to 3"):
        kernels.index_add(np, x, index[0] - 1, np.zeros((3, 2)), axis=1)


@pytest.mark.parametrize("name", [f"LookupTable__0{i}" for i in (1, 2, 3)])
def test_lookup_table_of_torch7(recorded, close, name):
    record = recorded(name)
    weight, index = record.module["weight"], record.input.astype(int) - 1
    close(kernels.embedding(np, weight, index), record.output)
    rows = record.gradOutput.reshape(-1, weight.shape[1])
    gradient = kernels.index_add(np, np.zeros_like(weight), index.reshape(-1), rows, axis=0)
    close(gradient, record.gradParams[1])


def test_reading_uses_only_what_the_array_api_has():
    x = np.random.default_rng(4).normal(size=(4, 3))
    index = np.array([[3, 0, 1], [2, 2, 0]])
    strict, places = array_api_strict.asarray(x), array_api_strict.asarray(index)
    rows = kernels.embedding(array_api_strict, strict, places)
    np.testing.assert_array_equal(np.asarray(rows), x[index])
    read = kernels.gather(array_api_strict, strict, places, axis=0)
    np.testing.assert_array_equal(np.asarray(read), np.take_along_axis(x, index, axis=0))
