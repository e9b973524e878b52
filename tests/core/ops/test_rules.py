"""Derivative rules that ask for what calls cannot give are refused where they are stated."""

import numpy as np
import pytest

from rekindle.core.autograd import grad
from rekindle.core.ops.op import Op
from rekindle.core.ops.operators import install_operator
from rekindle.core.ops.rules import RuleError
from rekindle.core.tensor import Tensor

Array = "Array"


def product(xp, x: "Array", y: "Array"):
    """Return x * y."""
    return xp.multiply(x, y)


def scaled(xp, x: "Array", *, scale):
    """Return x * scale."""
    return x * scale


def make(forward, variadic=False):
    return Op(forward, lambda rng: [], ("out",), False, variadic)


@pytest.mark.parametrize("define", ["def_vjp", "def_jvp", "def_derivative"])
def test_a_name_that_no_call_keeps(define):
    op = make(product)
    with pytest.raises(
        RuleError, match=r"rule of product for y names z, axis; .* x_shape, y_shape"
    ):
        getattr(op, define)(x=lambda g, y: g * y, y=lambda g, z, axis: g)
    assert not op.vjp_rules
    assert not op.jvp_rules
    with pytest.raises(TypeError, match="no operand 'z'"):
        getattr(op, define)(z=lambda g: g)


def test_metadata_and_positions():
    op = make(scaled)
    op.def_derivative(x=lambda g, scale: g * scale)
    with pytest.raises(RuleError, match="names i;"):
        op.def_vjp(x=lambda g, i: g)
    make(scaled, variadic=True).def_vjp(x=lambda g, i: g)


def test_shapes_reach_the_rules_of_operators(monkeypatch):
    # Operators have a way of their own to save; whatever a rule may name has to come by it.
    op = make(product)
    seen = []

    def rule(other):
        def of(xp, g, x_shape, y_shape, out, x, y):
            seen.append((x_shape, y_shape, out.shape))
            return g * (x, y)[other]

        return of

    op.def_vjp(x=rule(1), y=rule(0))
    monkeypatch.setattr(Tensor, "__and__", Tensor.__and__)
    monkeypatch.setattr(Tensor, "__rand__", Tensor.__rand__)
    install_operator(op, "and")
    x = Tensor(np.array([[1.0, 2.0], [3.0, 4.0]]), requires_grad=True)
    y = Tensor(np.array([5.0, 6.0]), requires_grad=True)
    gx, gy = grad((x & y).sum(), [x, y])
    np.testing.assert_array_equal(gx.numpy(), [[5, 6], [5, 6]])
    np.testing.assert_array_equal(gy.numpy(), [4, 6])
    (gx,) = grad((2.0 & x).sum(), [x])
    np.testing.assert_array_equal(gx.numpy(), np.full((2, 2), 2.0))
    assert seen == [((2, 2), (2,), (2, 2))] * 2 + [((), (2, 2), (2, 2))]
