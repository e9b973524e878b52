"""Forward mode, and both modes over each other, against closed forms."""

import numpy as np
import pytest
from graphs import constant, leaf

from rekindle.core import ops
from rekindle.core.autograd import grad, jvp
from rekindle.core.errors import ShapeError

X = 0.7


def chain(x):
    return ops.exp(ops.sin(x)) * ops.tanh(x)


def derivatives(x):
    """Return the first three derivatives of exp(sin x) tanh x."""
    s, c, t = np.sin(x), np.cos(x), np.tanh(x)
    e, u = np.exp(s), 1 - np.tanh(x) ** 2
    e1, e2, e3 = c * e, (c * c - s) * e, (c**3 - 3 * s * c - c) * e
    t1, t2, t3 = u, -2 * t * u, u * (6 * t * t - 2)
    return (
        e1 * t + e * t1,
        e2 * t + 2 * e1 * t1 + e * t2,
        e3 * t + 3 * e2 * t1 + 3 * e1 * t2 + e * t3,
    )


def forward(f):
    return lambda x: jvp(f, [x], [constant(1.0)])[1]


def reverse(f):
    def gradient(x):
        x = x if x.requires_grad else x.detach().requires_grad_()
        return grad(f(x), x, create_graph=True)[0]

    return gradient


@pytest.mark.parametrize("first", [forward, reverse])
@pytest.mark.parametrize("second", [forward, reverse])
@pytest.mark.parametrize("third", [forward, reverse])
def test_three_orders_in_every_mixture(first, second, third):
    f = chain
    for mode, expected in zip((first, second, third), derivatives(X), strict=True):
        f = mode(f)
        assert f(leaf(X)).item() == pytest.approx(expected, rel=1e-12)


def test_hessian_vector_products():
    """Of sum(x**3) + x0 x1, four ways."""
    x, v = leaf([0.3, -0.8]), constant([1.0, 2.0])

    def f(x):
        return (x**3).sum() + x[0] * x[1]

    def gradient(x):
        return grad(f(x), x, create_graph=True)[0]

    def slope(x):
        return jvp(f, [x], [v])[1]

    expected = [6 * 0.3 * 1 + 2, 6 * -0.8 * 2 + 1]
    ways = [
        grad(gradient(x), x, v)[0],
        jvp(gradient, [x], [v])[1],
        grad(slope(x), x)[0],
        grad((gradient(x) * v).sum(), x)[0],
    ]
    for way in ways:
        assert way.tolist() == pytest.approx(expected)


def test_several_arguments_and_results():
    x, y = leaf([3.0, 4.0]), leaf([1.0, 2.0])
    tangents = [constant([1.0, 0.0]), constant([0.0, 10.0])]
    value, tangent = jvp(lambda x, y: (x * y, x.sum(), y.detach()), [x, y], tangents)
    assert [v.tolist() for v in value] == [[3, 8], 7, [1, 2]]
    assert [t.tolist() for t in tangent] == [[1, 40], 1, [0, 0]]


def test_constants_and_inputs_themselves():
    x, t = constant([3.0]), constant([5.0])
    assert jvp(lambda x: x, [x], [t])[1].tolist() == [5]
    assert jvp(lambda x: constant([1.0, 2.0]), [x], [t])[1].tolist() == [0, 0]


def test_tangents_are_those_of_one_call():
    """A derivative inside does not mix its tangents with those outside."""
    x, t = constant(2.0), constant(1.0)

    def f(x):
        return x * jvp(lambda y: x + y, [constant(1.0)], [t])[1]

    assert jvp(f, [x], [t])[1].item() == 1


def test_writes_in_place_and_several_outputs():
    x, t = constant([3.0, 1.0, 2.0]), constant([1.0, 10.0, 100.0])

    def f(x):
        y = x * 1
        y[1:].mul_(x[:2])
        values, _ = ops.sort(y)
        return values

    value, tangent = jvp(f, [x], [t])
    assert value.tolist() == [2, 3, 3]
    # y = (x0, x1 x0, x2 x1), sorted: x2 x1 = 2, then x0 = 3 and x1 x0 = 3
    assert tangent.tolist() == [100 * 1 + 2 * 10, 1, 10 * 3 + 1 * 1]


def test_tangents_take_the_dtype_and_shape_of_the_value():
    x, t = leaf([[1.0], [2.0]]).astype("float32"), constant([[1.0], [1.0]])
    value, tangent = jvp(lambda x: x + leaf([1.0, 2.0, 3.0]), [x], [t])
    assert tangent.shape == value.shape
    assert tangent.dtype == value.dtype


def test_one_tangent_of_the_same_shape_for_each():
    x = leaf([1.0, 2.0])
    with pytest.raises(ShapeError, match="tangent 0 has shape"):
        jvp(chain, [x], [constant([1.0])])
    with pytest.raises(ShapeError, match="0 tangents for 1 primals"):
        jvp(chain, [x], [])
