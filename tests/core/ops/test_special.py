"""Special functions at their edges; the registry compares them with Python's elsewhere."""

import math

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.creation import tensor
from rekindle.core.ops import OperandError


@pytest.mark.parametrize(
    ("op", "x", "expected"),
    [
        (ops.erf, [-math.inf, 0, math.inf], [-1, 0, 1]),
        (ops.erfc, [-math.inf, 0, math.inf], [2, 1, 0]),
        (ops.erfinv, [-1, 0, 1, 1.5], [-math.inf, 0, math.inf, math.nan]),
        (ops.lgamma, [-0.5, 1, 2, math.inf], [math.log(2 * math.sqrt(math.pi)), 0, 0, math.inf]),
        (ops.digamma, [-0.5, 1], [0.03648997397857652, -0.5772156649015329]),
    ],
)
def test_known_values(op, x, expected):
    np.testing.assert_allclose(op(tensor(x, "float64")).numpy(), expected, rtol=1e-14, atol=1e-15)


def test_integers_give_floats():
    np.testing.assert_allclose(ops.lgamma(tensor([5, 6])).numpy(), np.log([24, 120]))
    assert ops.erf(tensor([1, 2])).dtype == "float64"


def test_polygamma_counts_derivatives():
    assert abs(ops.polygamma(tensor(1.0, "float64"), n=1).item() - math.pi**2 / 6) < 1e-15
    with pytest.raises(OperandError, match="0 or more; given -1"):
        ops.polygamma(tensor(1.0), n=-1)


def test_a_small_tail_is_not_lost():
    assert ops.erfc(tensor(10.0, "float64")).item() == pytest.approx(2.088487583762545e-45)
    x = tensor(-9.0, "float64", requires_grad=True)
    ops.gelu(x).backward()
    assert x.grad.item() == pytest.approx(-9.137e-18, rel=1e-3)
