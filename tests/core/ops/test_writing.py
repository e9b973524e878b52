"""Pure forms of writing: what an index spread adds, against a loop."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.creation import tensor

SHAPE = (4, 5, 6)
MASK = np.random.default_rng(1).normal(size=(4, 5)) > 0
INDICES = [
    1,
    (slice(1, 4, 2), None, ..., -1),
    np.array([2, 2, -2, 0]),
    (np.array([[2, 2], [-1, 0]]),),
    np.array(3),
    np.zeros(0, int),
    [1, 1],
    (slice(None), [0, 0, 4]),
    ([0, 0], slice(1, 3), [1, 1]),
    (..., [[5], [5]]),
    MASK,
    (MASK, [1]),
    (MASK[:, 0], slice(None), [2] * MASK[:, 0].sum()),
    (None, [3, 3], 2),
]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_spread_adds_as_often_as_named(index):
    positions = np.arange(120).reshape(SHAPE)[index]
    x = np.random.default_rng(3).normal(size=positions.shape)
    expected = np.zeros(120)
    for place, value in zip(positions.ravel().tolist(), x.ravel().tolist(), strict=True):
        expected[place] += value
    spread = ops.index_spread(tensor(x), shape=SHAPE, index=index)
    np.testing.assert_allclose(spread.numpy(), expected.reshape(SHAPE), rtol=1e-15)


def test_float16_is_added_up_in_float32():
    rows = np.zeros(4096, int)
    x = tensor(np.ones((4096, 2)), "float16")
    assert ops.index_spread(x, shape=(1, 2), index=rows).tolist() == [[4096, 4096]]


def test_integers_stay_integers():
    spread = ops.index_spread(tensor([1, 2, 3], "int8"), shape=(2,), index=np.array([1, 1, 0]))
    assert (spread.tolist(), spread.dtype) == ([3, 3], "int8")


def test_rows_outside_are_refused():
    with pytest.raises(IndexError, match=r"index_spread: .*out of bounds"):
        ops.index_spread(tensor(np.ones((1, 2))), shape=(3, 2), index=np.array([3]))
