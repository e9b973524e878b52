"""Linear operations as matrices: a gradient operation is the transpose of the other."""

import math

import numpy as np

from rekindle.core.creation import tensor


def matrix(op, shape):
    """Return what `op` makes of each unit tensor of `shape`, one a row."""
    units = np.eye(math.prod(shape)).reshape(-1, *shape)
    return np.stack([op(tensor(unit)).numpy().ravel() for unit in units])


def assert_transposed(op, back, shape):
    """Assert that `back` is the transpose of the linear `op` on tensors of `shape`."""
    result = op(tensor(np.zeros(shape)))
    there = matrix(op, shape)
    assert there.any()
    np.testing.assert_allclose(matrix(back, result.shape), there.T, rtol=1e-12, atol=1e-14)
