"""softmax and its relatives on tensors, as functions and as methods."""

import numpy as np
import pytest
from scipy import special

from rekindle.core import ops
from rekindle.core.autograd import grad
from rekindle.core.creation import tensor

X = np.random.default_rng(0).normal(size=(3, 4, 5)) * 5


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_agrees_with_scipy(name, axis):
    y = getattr(ops, name)(tensor(X), axis=axis)
    np.testing.assert_allclose(y.numpy(), getattr(special, name)(X, axis=axis), rtol=1e-12)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_the_last_axis_is_the_default_and_tensors_have_the_method(name):
    y = getattr(tensor(X), name)()
    np.testing.assert_allclose(y.numpy(), getattr(special, name)(X, axis=-1), rtol=1e-12)


def test_logsumexp_over_several_axes():
    y = ops.logsumexp(tensor(X), axis=(0, -1), keepdims=True)
    expected = special.logsumexp(X, axis=(0, 2), keepdims=True)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12)


def test_what_is_minus_infinity_has_no_slope():
    x = tensor(np.array([[0.0, -np.inf, 0.0], [-np.inf] * 3]), requires_grad=True)
    (g,) = grad(ops.logsumexp(x, axis=1).sum(), x)
    assert g.tolist() == [[0.5, 0, 0.5], [0, 0, 0]]
    (g,) = grad(ops.softmax(x[:1], axis=1)[0, 0], x)
    assert g.tolist() == [[0.25, 0, -0.25], [0, 0, 0]]
    (g,) = grad(ops.log_softmax(x[:1], axis=1)[0, 0], x)
    assert g.tolist() == [[0.5, 0, -0.5], [0, 0, 0]]
