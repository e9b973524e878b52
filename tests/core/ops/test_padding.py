"""The padding operations on tensors against numpy.pad."""

import numpy as np
import pytest
from transposes import assert_transposed

from rekindle.core import ops
from rekindle.core.creation import tensor

X = np.random.default_rng(0).normal(size=(2, 3, 4, 5))


@pytest.mark.parametrize(
    ("op", "mode"),
    [
        (ops.pad, "constant"),
        (ops.pad_reflect, "reflect"),
        (ops.pad_replicate, "edge"),
        (ops.pad_circular, "wrap"),
    ],
)
def test_agrees_with_numpy(op, mode):
    y = op(tensor(X), padding=[(1, 2), (3, 0)])
    np.testing.assert_array_equal(y.numpy(), np.pad(X, [(0, 0), (0, 0), (1, 2), (3, 0)], mode=mode))
    y = op(tensor(X), padding=[(-1, 0), (0, -2)])
    np.testing.assert_array_equal(y.numpy(), X[:, :, 1:, :-2])


@pytest.mark.parametrize("op", [ops.pad, ops.pad_reflect, ops.pad_replicate, ops.pad_circular])
@pytest.mark.parametrize("padding", [[], [(0, 0)], [(-1, 0), (0, 0), (0, 0), (0, 0)]])
def test_no_memory_is_shared(op, padding):
    x = tensor(X)
    op(x, padding=padding).add_(1)
    np.testing.assert_array_equal(x.numpy(), X)


def test_the_value_of_the_border():
    y = ops.pad(tensor(np.zeros((1, 2), np.float32)), padding=[(1, 1)], value=0.5)
    assert y.tolist() == [[0.5, 0, 0, 0.5]]


@pytest.mark.parametrize("padding", [[(1, 2), (2, 0)], [(-1, 1), (2, -2)]])
@pytest.mark.parametrize(
    ("op", "back"),
    [
        (ops.pad_reflect, ops.pad_reflect_gradient),
        (ops.pad_replicate, ops.pad_replicate_gradient),
        (ops.pad_circular, ops.pad_circular_gradient),
    ],
)
def test_gradients_are_transposes(op, back, padding):
    assert_transposed(
        lambda x: op(x, padding=padding), lambda y: back(y, padding=padding), (2, 3, 4)
    )
