"""Slopes of arithmetic where formulas break down."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.autograd import grad
from rekindle.core.creation import tensor


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 2.0])
@pytest.mark.parametrize("as_tensor", [False, True])
def test_powers_at_zero(exponent, as_tensor):
    x = tensor([0.0, 2.0, -3.0], "float64", requires_grad=True)
    values = x.detach().numpy()
    y = x ** (tensor(exponent, "float64") if as_tensor else exponent)
    (slope,) = grad([y.sum()], [x], create_graph=True)
    np.testing.assert_array_equal(slope.detach().numpy(), exponent * values ** max(exponent - 1, 0))
    (curvature,) = grad([slope.sum()], [x])
    factor = exponent * (exponent - 1)
    np.testing.assert_array_equal(curvature.numpy(), factor * values ** max(exponent - 2, 0))


def test_the_slope_of_a_length_is_zero_at_the_origin():
    x, y = tensor([0.0, 3.0], requires_grad=True), tensor([0.0, 4.0], requires_grad=True)
    ops.hypot(x, y).sum().backward()
    np.testing.assert_allclose([x.grad.numpy(), y.grad.numpy()], [[0, 0.6], [0, 0.8]], rtol=1e-6)


def test_atan2_knows_all_four_quadrants():
    y, x = tensor([1.0, 1.0, -1.0, -1.0], "float64"), tensor([1.0, -1.0, -1.0, 1.0], "float64")
    np.testing.assert_allclose(y.atan2(x).numpy() / np.pi, [0.25, 0.75, -0.75, -0.25], rtol=1e-15)
