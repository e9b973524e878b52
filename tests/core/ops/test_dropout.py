"""dropout: what it keeps, that its draw can be repeated, and that the mask is the derivative."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.autograd import check_grads
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError
from rekindle.core.random import Generator, RandomError, using

X = np.random.default_rng(0).normal(size=(40, 50, 5))


def test_elements_are_dropped_and_the_others_enlarged():
    y = ops.dropout(tensor(X), p=0.2, generator=Generator(1)).numpy()
    kept = y != 0
    np.testing.assert_allclose(y[kept], X[kept] / 0.8, rtol=1e-12)
    assert abs(kept.mean() - 0.8) < 0.02
    assert abs(kept.all(axis=2).mean() - 0.8**5) < 0.05  # each by itself


def test_channels_are_dropped_whole():
    y = ops.feature_dropout(tensor(X), p=0.5, generator=Generator(1)).numpy()
    kept = (y != 0).any(axis=2)
    np.testing.assert_allclose(y, X * kept[:, :, None] * 2, rtol=1e-12)
    assert abs(kept.mean() - 0.5) < 0.05
    with pytest.raises(ShapeError, match=r"given \(4,\)"):
        ops.feature_dropout(tensor(X[0, 0, :4]))


def test_a_draw_can_be_repeated():
    x = tensor(X)
    first = ops.dropout(x, generator=Generator(3)).numpy()
    with using(Generator(3)):
        np.testing.assert_array_equal(ops.dropout(x).numpy(), first)
        assert (ops.dropout(x).numpy() != first).any()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_gradient_passes_where_the_mask_holds(dtype):
    x = tensor(X, dtype, requires_grad=True)
    y = ops.dropout(x, p=0.75, generator=Generator(2))
    assert y.dtype == dtype
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), (y.numpy() != 0) * 4)


def test_derivatives_of_a_repeated_draw():
    check_grads(lambda x: ops.dropout(x * x, generator=Generator(5)), [tensor(X[:2, :3, 0])])


def test_the_ends():
    x = tensor(X)
    assert ops.dropout(x, p=0.9, training=False) is x
    assert ops.dropout(x, p=0) is x
    assert not ops.dropout(x, p=1).numpy().any()
    with pytest.raises(RandomError, match=r"p is from 0 to 1; given 1\.5"):
        ops.dropout(x, p=1.5)
