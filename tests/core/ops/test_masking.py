"""Masks: what they must be, what is kept, and writes through them."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.autograd import VersionError
from rekindle.core.creation import tensor
from rekindle.core.dtypes import DtypeError
from rekindle.core.errors import BoundsError, ShapeError

X = np.arange(6.0).reshape(2, 3)
MASK = np.array([[True, False, True], [False, True, False]])


@pytest.mark.parametrize(
    "use",
    [
        lambda x, m: x.masked_select(m),
        lambda x, m: x.masked_fill(m, 0),
        lambda x, m: x.masked_scatter(m, x),
    ],
)
def test_masks_are_bool_and_broadcast(use):
    with pytest.raises(DtypeError, match="takes a mask of bool; given uint8: write mask != 0"):
        use(tensor(X), tensor(MASK, "uint8"))
    with pytest.raises(ShapeError, match=r"given float64 of shape \(2, 3\), bool of shape \(2,\)"):
        use(tensor(X), tensor([True, False]))


def test_values_become_of_the_dtype():
    assert tensor([1, 2, 3]).masked_fill([True, False, False], -2.9).tolist() == [-2, 2, 3]
    x = tensor([1.0, 2.0]).masked_fill(tensor([True, False]), tensor(np.pi, "float64"))
    assert x.dtype == "float32"
    assert tensor([1, 2]).masked_scatter([False, True], tensor([7.5])).tolist() == [1, 7]


def test_a_source_may_be_longer_but_not_shorter():
    x = tensor(X).masked_scatter(tensor(MASK), tensor([[-1.0, -2.0], [-3.0, -4.0]]))
    assert x.tolist() == [[-1, 1, -2], [3, -3, 5]]
    with pytest.raises(ShapeError, match="the mask holds 3 times; given 2 elements"):
        tensor(X).masked_scatter(tensor(MASK), tensor([1.0, 2.0]))


def test_numbers_under_a_mask():
    assert tensor(3.0).masked_select(tensor(True)).tolist() == [3]
    assert tensor(3.0).masked_select(tensor(False)).shape == (0,)
    assert tensor(3.0).masked_fill(tensor(True), 4).item() == 4


def test_writes_in_place_follow_the_mask():
    x = tensor(X, requires_grad=True)
    y = x * 2
    y.masked_fill_(tensor(MASK), -1)
    y.masked_scatter_(tensor(~MASK), y[1])
    y.scatter_(tensor([[1], [1]]), 100.0, axis=1)
    assert y.tolist() == [[-1, 100, -1], [-1, 100, 10]]
    y.sum().backward()
    assert x.grad.tolist() == [[0, 0, 0], [0, 0, 2]]


def test_a_mask_overwritten_before_the_gradient_is_noticed():
    mask = tensor(MASK)
    y = tensor(X, requires_grad=True).masked_fill(mask, 0)
    mask.fill_(True)
    with pytest.raises(VersionError, match="gradient of masked_fill needs a value that fill_"):
        y.sum().backward()


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        ([[3], [0]], BoundsError, "scatter: indices run from 0 to 2; given 0 to 3"),
        ([[-1], [0]], BoundsError, "given -1 to 0"),
        ([0], ShapeError, r"scatter: .* given index \(1,\) for x \(2, 3\)"),
    ],
)
def test_scatter_checks_its_index(index, error, message):
    with pytest.raises(error, match=message):
        ops.scatter(tensor(X), tensor(index), 1.0, axis=1)
