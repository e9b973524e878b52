"""Reductions: what the samples of the registry do not show."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.autograd import check_grads
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64"])
def test_integers_are_summed_as_int64(dtype):
    x = tensor([[1, 1], [1, 1]] if dtype == "bool" else [[100, 100], [100, 27]], dtype)
    assert x.sum().dtype == x.prod(axis=1).dtype == "int64"
    assert x.sum().item() == np.sum(x.numpy(), dtype=np.int64)
    assert x.mean().dtype == x.var().dtype == x.norm().dtype == "float64"
    np.testing.assert_allclose(x.norm().item(), np.linalg.norm(x.numpy().astype(float).ravel()))
    np.testing.assert_allclose(x.var().item(), np.var(x.numpy().astype(float)))


def test_squares_of_float16_do_not_overflow():
    x = tensor([300.0, 400.0], np.float16)
    assert x.norm().item() == 500
    assert x.norm().dtype == x.var().dtype == np.float16
    assert tensor([-300.0, 300.0], np.float16).std().item() == 300


def test_reductions_of_nothing():
    x = tensor(np.zeros((0, 3)))
    assert x.sum(axis=0).tolist() == [0, 0, 0]
    assert x.prod().item() == 1
    assert x.sum(axis=1).shape == (0,)
    assert (x.any().item(), x.all().item()) == (False, True)
    for name in ("max", "min", "argmax", "argmin"):
        with pytest.raises(ShapeError, match=f"{name}: .*empty|{name}: zero-size"):
            getattr(x, name)()


def test_nan_wins():
    x = tensor([1.0, np.nan, 3.0])
    assert np.isnan([x.max().item(), x.min().item(), x.sum().item()]).all()
    assert x.argmax().item() == 1


def test_correction_of_the_variance():
    x = tensor([1.0, 2.0, 4.0], np.float64)
    assert abs(x.var(correction=1).item() - 7 / 3) < 1e-12
    with pytest.warns(RuntimeWarning, match="divide"):
        assert x.var(correction=3).item() == np.inf
    with pytest.warns(RuntimeWarning, match="divide"):
        assert x.var(correction=5).item() == np.inf


@pytest.mark.parametrize("p", [0, -1])
def test_the_order_of_a_norm_is_above_zero(p):
    with pytest.raises(ShapeError, match="above 0"):
        tensor([1.0]).norm(p=p)


@pytest.mark.parametrize("axis", [None, 1, (2, 0), ()])
@pytest.mark.parametrize("zeros", [[], [0], [0, 5], range(24)])
def test_slopes_of_products_with_zeros(axis, zeros):
    x = np.random.default_rng(4).normal(size=(3, 4, 2))
    x.ravel()[zeros] = 0
    check_grads(lambda t: t.prod(axis=axis), [tensor(x)])


def test_nothing_nonzero_in_nothing():
    assert tensor([[0.0, -0.0, np.nan], [1, 0, 2]]).count_nonzero(axis=1).tolist() == [1, 2]
    assert tensor([True, False]).count_nonzero().item() == 1
    assert tensor(np.zeros((0, 2))).count_nonzero(axis=0).tolist() == [0, 0]


def test_the_deviation_of_equal_numbers_has_slope_zero():
    x = tensor([[2.0, 2.0, 2.0], [0.0, 3.0, 0.0]], "float64", requires_grad=True)
    x.std(axis=1).sum().backward()
    assert x.grad[0].tolist() == [0, 0, 0]
    np.testing.assert_allclose(x.grad[1].numpy(), np.array([-1, 2, -1]) * 2**0.5 / 6)


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "logsumexp", "softmax", "norm"])
def test_what_has_no_dimension_is_reduced_along_the_first(name, axis):
    # As NumPy and PyTorch do; forward and back.
    x = Tensor(np.array(0.5), requires_grad=True)
    y = getattr(ops, name)(x, axis=axis)
    expected = 1.0 if name == "softmax" else 0.5
    assert y.shape == ()
    assert y.item() == pytest.approx(expected)
    y.backward()
    assert x.grad.item() == (0 if name == "softmax" else 1)
