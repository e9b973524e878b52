"""What the backend adds at an index, row by row or all at once, against NumPy's add.at."""

import numpy as np
import pytest

from rekindle.core import backend
from rekindle.core.backend.functions import LONG_ROW

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("run", [1, 3, LONG_ROW - 1, LONG_ROW])
@pytest.mark.parametrize(
    "index",
    [
        np.array([2, 0, 2, -1]),
        (np.array([[1, 1], [0, -3]]),),
        np.zeros(0, int),
        np.array([True, False, True]),
        ([0, 0, 2], slice(0, 1)),
        [1, 1],
        1,
    ],
    ids=str,
)
def test_add_at(index, run):
    start = RNG.normal(size=(3, run))
    values = RNG.normal(size=start[index].shape)
    for terms in (values, 1.5):
        out, expected = start.copy(), start.copy()
        backend.add_at(out, index, terms)
        np.add.at(expected, index, terms)
        np.testing.assert_allclose(out, expected, rtol=1e-14)


@pytest.mark.parametrize("run", [2, LONG_ROW])
def test_rows_outside_are_refused(run):
    with pytest.raises(IndexError, match="out of bounds"):
        backend.add_at(np.zeros((3, run)), np.array([0, 3]), 1.0)


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (1, True),
        ((slice(2), None, ..., -1), True),
        (np.array([True, False]), True),
        ([True, False], True),
        ((0, np.array(1)), True),
        ([0, 1], False),
        ((slice(2), np.array([1])), False),
    ],
)
def test_which_indices_name_an_element_once(index, expected):
    assert backend.names_once(index) is expected
