"""The upsampling operations on tensors."""

import numpy as np
import pytest
from transposes import assert_transposed

from rekindle.core import ops
from rekindle.core.creation import tensor

X = np.random.default_rng(0).normal(size=(2, 3, 4, 5))


def test_nearest_repeats_pixels():
    y = ops.upsample_nearest(tensor(X), size=(8, 15))
    np.testing.assert_array_equal(y.numpy(), X.repeat(2, axis=2).repeat(3, axis=3))
    y = ops.upsample_nearest(tensor(X[:, :, :, :4]), size=8)
    assert y.shape == (2, 3, 8, 8)


def test_linear_is_exact_for_ramps_and_keeps_the_corners():
    ramp = np.arange(5.0) * 3 - np.arange(4.0)[:, None]
    y = ops.upsample_linear(tensor(ramp[None, None]), size=(7, 9)).numpy()[0, 0]
    expected = np.linspace(0, 12, 9) - np.linspace(0, 3, 7)[:, None]
    np.testing.assert_allclose(y, expected, atol=1e-5)
    y = ops.upsample_linear(tensor(X), size=(7, 9)).numpy()
    np.testing.assert_array_equal(y[..., ::6, ::8], X[..., ::3, ::4])


def test_linear_with_the_edges_of_corners_kept():
    x = tensor([[[0.0, 4.0, 8.0]]])
    y = ops.upsample_linear(x, size=6, align_corners=False)
    assert y.tolist() == [[[0, 1, 3, 5, 7, 8]]]


@pytest.mark.parametrize(
    ("op", "back", "params"),
    [
        (ops.upsample_nearest, ops.upsample_nearest_gradient, {}),
        (ops.upsample_linear, ops.upsample_linear_gradient, {}),
        (ops.upsample_linear, ops.upsample_linear_gradient, {"align_corners": False}),
    ],
)
@pytest.mark.parametrize("size", [(7, 3), (2, 5)])
def test_gradients_are_transposes(op, back, params, size):
    assert_transposed(
        lambda x: op(x, size=size, **params),
        lambda y: back(y, size=(3, 4), **params),
        (1, 2, 3, 4),
    )


def test_the_same_size_is_a_copy():
    for op in (ops.upsample_nearest, ops.upsample_linear):
        x = tensor(X)
        op(x, size=(4, 5)).add_(1)
        np.testing.assert_array_equal(x.numpy(), X)
