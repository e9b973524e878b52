"""check_grads finds what is wrong, and only that."""

import numpy as np
import pytest
from graphs import constant

from rekindle.core import ops
from rekindle.core.autograd import Function, GradientMismatch, check_grads
from rekindle.core.creation import tensor

X = np.random.default_rng(4).normal(size=(3, 2))


def wrong_at(order):
    """Return a square whose derivative of that order is wrong."""

    class Slope(Function):
        @staticmethod
        def forward(ctx, g, x):
            ctx.save_for_backward(g, x)
            return g * x * 2

        @staticmethod
        def backward(ctx, h):
            g, x = ctx.saved_tensors
            return h * x * 2, h * g * (2 if order != 2 else 2.001)

    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return Slope.apply(g, x) * (1 if order != 1 else 1.001)

    return Square.apply


def test_right_derivatives_pass():
    check_grads(wrong_at(0), [tensor(X)])
    check_grads(lambda x, y: (x @ y, ops.exp(x)), [tensor(X), tensor(X.T.copy())], order=3)


@pytest.mark.parametrize(("modes", "path"), [(("rev",), "rev"), (("fwd",), "fwd")])
def test_a_wrong_first_derivative(modes, path):
    with pytest.raises(GradientMismatch, match=f"derivative {path}: .* finite differences say"):
        check_grads(wrong_at(1), [tensor(X)], modes=modes)


@pytest.mark.parametrize("modes", [("rev",), ("fwd", "rev")])
def test_a_wrong_second_derivative(modes):
    check_grads(wrong_at(2), [tensor(X)], order=1, modes=modes)
    with pytest.raises(AssertionError, match="of "):
        check_grads(wrong_at(2), [tensor(X)], order=2, modes=modes)


def test_a_missing_derivative():
    with pytest.raises(GradientMismatch):
        check_grads(lambda x: x * x.detach(), [tensor(X)], order=1)


def test_arguments_stay_as_they_are():
    x = constant(X)
    check_grads(lambda x: x * x, [x])
    assert x.version == 0
    assert x.grad is None
    assert not x.requires_grad
