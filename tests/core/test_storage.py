"""Storages: memory that tensors share, as it is in a file until it is used."""

import copy
import pickle

import numpy as np
import pytest

from rekindle.core import ops  # noqa: F401  # fills the methods
from rekindle.core.storage import Storage, ViewError, check_view
from rekindle.core.tensor import Tensor


def unaligned(values):
    """Return a copy of `values` that starts at an odd address."""
    memory = bytearray(1 + values.nbytes)
    memory[1:] = values.tobytes()
    array = np.frombuffer(memory, values.dtype, offset=1)
    assert not array.flags.aligned
    return array


def swapped(values):
    return values.astype(values.dtype.newbyteorder("S"))


@pytest.mark.parametrize("foreign", [unaligned, swapped, lambda v: unaligned(swapped(v))])
def test_foreign_memory_is_copied_once_for_all_its_tensors(foreign):
    values = np.arange(12.0)
    raw = foreign(values)
    storage = Storage(raw)
    first = Tensor.view_of(storage, 0, (3, 4), (4, 1))
    second = Tensor.view_of(storage, 4, (4,), (1,))
    assert storage.raw is raw  # nothing was touched yet
    assert storage.dtype == "float64"
    assert (storage.size, storage.nbytes) == (12, 96)
    np.testing.assert_array_equal(first.numpy(), values.reshape(3, 4))
    array = storage.array
    assert array is storage.raw
    assert array.flags.aligned
    assert array.dtype.isnative
    second.fill_(-1)
    assert storage.array is array
    np.testing.assert_array_equal(first.numpy()[1], [-1] * 4)


def test_ordinary_memory_is_never_copied():
    memory = np.arange(6.0)
    storage = Storage(memory)
    assert storage.array is memory
    assert np.shares_memory(Tensor.view_of(storage, 1, (2,), (2,)).numpy(), memory)


def test_looking_at_a_storage_does_not_copy_it():
    raw = unaligned(np.arange(20.0))
    storage = Storage(raw)
    assert repr(storage) == (
        "Storage([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, ...], size=20, dtype=float64)"
    )
    assert (len(storage), storage[3], storage[-1]) == (20, 3.0, 19.0)
    assert storage.tolist() == list(storage) == list(range(20))
    assert storage.raw is raw


@pytest.mark.parametrize("raw", [np.ones((2, 2)), np.ones(6)[::2], np.ones(())])
def test_a_storage_is_flat_and_without_gaps(raw):
    with pytest.raises(ViewError, match="one-dimensional and contiguous"):
        Storage(raw)


@pytest.mark.parametrize(
    ("size", "offset", "shape", "strides"),
    [
        (6, 0, (2, 3), (3, 1)),
        (6, 5, (1,), (1,)),
        (6, 5, (3, 2), (-2, -1)),
        (1, 0, (10**9, 10**9), (0, 0)),
        (6, 6, (0,), (1,)),
        (6, 0, (0, 5), (10**6, 1)),
        (0, 0, (0,), (1,)),
        (6, 3, (), ()),
    ],
)
def test_views_inside(size, offset, shape, strides):
    check_view(size, offset, shape, strides)


@pytest.mark.parametrize(
    ("size", "offset", "shape", "strides", "message"),
    [
        (6, 1, (2, 3), (3, 1), "needs elements 1 to 6 of a storage of 6"),
        (6, 4, (3, 2), (-2, -1), "needs elements -1 to 4"),
        (6, -1, (2,), (1,), "needs elements -1 to 0"),
        (6, 7, (0,), (1,), "needs elements 7"),
        (0, 0, (), (), "of a storage of 0"),
        (6, 0, (2,), (2**62,), "needs elements 0 to"),
        (6, 0, (-1,), (1,), "0 or more"),
        (6, 0, (2, 3), (1,), "one stride per dimension"),
    ],
)
def test_views_outside(size, offset, shape, strides, message):
    with pytest.raises(ViewError, match=message):
        check_view(size, offset, shape, strides)
    with pytest.raises(ValueError, match=message):
        Tensor.view_of(Storage(np.zeros(size)), offset, shape, strides)


def test_a_storage_pickles_and_copies():
    storage = Storage(swapped(np.arange(3, dtype=np.int16)))
    for other in (pickle.loads(pickle.dumps(storage)), copy.deepcopy(storage)):
        assert other.dtype == "int16"
        assert other.tolist() == [0, 1, 2]
        assert not np.shares_memory(other.array, storage.array)
