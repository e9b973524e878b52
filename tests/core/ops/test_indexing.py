"""Reading and writing by index, as NumPy does."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.autograd import check_grads
from rekindle.core.creation import tensor
from rekindle.core.errors import BoundsError, ShapeError
from rekindle.core.ops import OperandError
from rekindle.core.tensor import Tensor

X = np.arange(24.0).reshape(2, 3, 4)
BASIC = [
    0,
    -1,
    (1, 2),
    (1, 2, 3),
    (..., 1),
    (slice(None), slice(1, None)),
    (slice(None, None, -1), ..., slice(0, 4, 2)),
    None,
    (None, 0, None, ..., None),
    ...,
    (),
    np.int64(1),
]
ADVANCED = [
    [1, 0, 1],
    np.array([[0, 1], [1, 0]]),
    (slice(None), [2, 0]),
    ([0, 1], [2, 0]),
    ([0, 1], slice(None), [3, 3]),
    (0, [1, 2], 3),
    (slice(None), np.zeros(0, int)),
    X > 5,
    X[..., 0] > 3,
    ([True, False], 1),
    (slice(None), slice(None), np.array([True, False, False, True])),
    np.zeros((2, 3, 4), bool),
    np.int8([1, 0]),
]


def as_tensors(index):
    """Return the index with its arrays and lists as tensors."""
    if isinstance(index, tuple):
        return tuple(map(as_tensors, index))
    return tensor(index) if isinstance(index, (list, np.ndarray)) else index


@pytest.mark.parametrize("index", BASIC, ids=str)
def test_basic_reads_are_views(index):
    x = tensor(X)
    part = x[index]
    np.testing.assert_array_equal(part.numpy(), X[index], strict=True)
    assert isinstance(part, Tensor)
    assert part.storage() is x.storage()
    part.fill_(-1)
    assert (x.numpy() == -1).sum() == part.size


@pytest.mark.parametrize("index", ADVANCED, ids=str)
def test_advanced_reads_are_copies(index):
    x = tensor(X)
    for i in (index, as_tensors(index)):
        part = x[i]
        np.testing.assert_array_equal(part.numpy(), X[index], strict=True)
        assert not np.shares_memory(part.numpy(), x.numpy())


@pytest.mark.parametrize("index", BASIC + ADVANCED, ids=str)
def test_writes(index):
    numbers = np.linspace(-1, -2, X[index].size, dtype=np.float32).reshape(X[index].shape)
    for value, plain in [(7, 7), (tensor(numbers), numbers), (numbers, numbers)]:
        x, expected = tensor(X), X.copy()
        x[as_tensors(index)] = value
        expected[index] = plain
        np.testing.assert_array_equal(x.numpy(), expected)
        assert x.version == 1


def test_tensors_as_single_positions():
    x = tensor(X)
    np.testing.assert_array_equal(x[tensor(1)].numpy(), X[1])
    np.testing.assert_array_equal(x[tensor(1), :, tensor([0, 1])].numpy(), X[1, :, [0, 1]])
    np.testing.assert_array_equal(x[[tensor(1), tensor(0)]].numpy(), X[[1, 0]])
    assert list(range(5))[tensor(1) : tensor(3)] == [1, 2]
    np.testing.assert_array_equal(x[:, tensor(0) : tensor(2)].numpy(), X[:, 0:2])


def test_bytes_are_positions_not_a_mask():
    # Torch7's masks are ByteTensors; here, as in NumPy, a mask is bool.
    x = tensor([10.0, 11.0, 12.0])
    mask = tensor([1, 0, 1], np.uint8)
    assert x[mask].tolist() == [11, 10, 11]
    assert x[mask != 0].tolist() == [10, 12]


def test_writes_convert_to_the_dtype():
    x = tensor([1, 2, 3])
    x[0] = 2.9
    x[1:] = tensor([5.5, -5.5])
    assert x.tolist() == [2, 5, -5]


def test_a_write_may_read_what_it_overwrites():
    x = tensor([1.0, 2.0, 3.0])
    x[1:] = x[:-1]
    assert x.tolist() == [1, 1, 2]


def test_writing_into_one_element_of_a_view():
    x = tensor(X)
    x[1][2][3] += 1
    assert x[1, 2, 3].item() == 24


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("index", [np.int64(1), np.array([1, 0, 1]), np.zeros((2, 0), int)])
def test_take(axis, index):
    np.testing.assert_array_equal(ops.take(X, index, axis=axis).numpy(), np.take(X, index, axis))


@pytest.mark.parametrize("index", [[2], [-1], [0, 7]])
def test_take_refuses_what_is_not_there(index):
    with pytest.raises(BoundsError, match="take: indices run from 0 to 1; given"):
        tensor(X).take(index, axis=0)
    with pytest.raises(OperandError, match="given 1: see select"):
        tensor(X).take(1, axis=0)
    with pytest.raises(BoundsError, match="take: dimension 3 is not one of 3"):
        tensor(X).take([0], axis=3)


@pytest.mark.parametrize("x", [X - 5, X > 3, np.zeros((2, 0)), np.array([0.0, np.nan])])
def test_nonzero(x):
    np.testing.assert_array_equal(ops.argwhere(tensor(x)).numpy(), np.argwhere(x))
    for found, expected in zip(tensor(x).nonzero(), np.nonzero(x), strict=True):
        np.testing.assert_array_equal(found.numpy(), expected)
    np.testing.assert_array_equal(tensor(x)[tensor(x).nonzero()].numpy(), x[np.nonzero(x)])


def test_a_number_has_no_positions():
    assert ops.argwhere(tensor(3.0)).shape == (1, 0)
    assert ops.argwhere(tensor(0.0)).shape == (0, 0)
    with pytest.raises(ShapeError, match="no positions"):
        tensor(3.0).nonzero()


@pytest.mark.parametrize("index", BASIC + ADVANCED, ids=str)
def test_slopes_of_reading_and_writing(index):
    check_grads(lambda x: x[index] * x[index], [tensor(X)])
    values = tensor(np.random.default_rng(1).normal(size=X[index].shape))
    if len(np.unique(places := np.arange(24).reshape(X.shape)[index])) == np.size(places):
        check_grads(lambda x, v: ops.index_put(x, v, index=index) ** 2, [tensor(X / 9), values])
