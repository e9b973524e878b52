"""Diagonals and triangles against NumPy."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError

X = np.random.default_rng(2).normal(size=(2, 3, 5))
OFFSETS = range(-4, 7)


@pytest.mark.parametrize("offset", OFFSETS)
def test_every_diagonal(offset):
    x = tensor(X)
    expected = np.diagonal(X, offset, 1, 2)
    np.testing.assert_array_equal(x.diagonal(offset=offset).numpy(), expected)
    np.testing.assert_array_equal(x.mT.diagonal(offset=-offset).numpy(), expected)
    np.testing.assert_allclose(x.trace(offset=offset).numpy(), expected.sum(-1))
    np.testing.assert_array_equal(x.tril(k=offset).numpy(), np.tril(X, offset))
    np.testing.assert_array_equal(x.triu(k=offset).numpy(), np.triu(X, offset))
    np.testing.assert_array_equal(
        ops.diag_embed(x, offset=offset).diagonal(offset=offset).numpy(), X
    )


@pytest.mark.parametrize("offset", OFFSETS)
def test_writes_into_a_diagonal_reach_the_matrix(offset):
    x = tensor(X, requires_grad=True)
    y = x * 2
    y.diagonal(offset=offset).fill_(7)
    y.sum().backward()
    mask = np.eye(3, 5, offset) == 1
    np.testing.assert_array_equal(y.detach().numpy(), np.where(mask, 7, X * 2))
    np.testing.assert_array_equal(x.grad.numpy(), np.broadcast_to(2.0 * ~mask, X.shape))


@pytest.mark.parametrize("op", [ops.tril, ops.triu, ops.diagonal, ops.trace])
def test_vectors_have_no_diagonal(op):
    with pytest.raises(ShapeError, match=r"two or more dimensions; given shape \(3,\)"):
        op(tensor([1.0, 2.0, 3.0]))


def test_a_number_is_no_diagonal():
    with pytest.raises(ShapeError, match="one or more dimensions"):
        ops.diag_embed(tensor(1.0))
