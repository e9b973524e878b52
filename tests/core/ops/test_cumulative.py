"""Running sums and products: dtypes, and slopes where elements are 0."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.autograd import check_grads
from rekindle.core.creation import tensor


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64"])
def test_integers_run_up_as_int64(dtype):
    x = tensor([1, 1, 1] if dtype == "bool" else [100, 100, 27], dtype)
    assert x.cumsum(axis=0).dtype == x.cumprod(axis=0).dtype == "int64"
    assert x.cumsum(axis=0).tolist() == np.cumsum(x.numpy().astype(int)).tolist()


def test_float16_runs_up_in_float32():
    x = tensor(np.ones(4096), "float16")
    assert x.cumsum(axis=0)[-1].item() == 4096


@pytest.mark.parametrize("zeros", [[], [0], [3, 11], [9, 10], range(12)])
def test_slopes_of_running_products_with_zeros(zeros):
    x = np.random.default_rng(4).normal(size=(2, 6))
    x.ravel()[zeros] = 0
    check_grads(lambda t: t.cumprod(axis=1), [tensor(x)])
    check_grads(lambda t: t.cumprod(axis=0), [tensor(x)])


def test_third_derivatives_of_a_running_product():
    check_grads(lambda t: ops.cumprod(t, axis=0), [tensor([2.0, 0.0, 3.0], "float64")], order=3)


def test_slopes_of_nothing():
    x = tensor(np.zeros((2, 0)), requires_grad=True)
    (x.cumsum(axis=1).sum() + x.cumprod(axis=1).sum() + x.prod(axis=1).sum()).backward()
    assert x.grad.shape == (2, 0)


@pytest.mark.parametrize("op", [ops.cumsum, ops.cumprod])
@pytest.mark.parametrize(("shape", "axis"), [((), 0), ((2, 3), 2)])
def test_running_along_nothing_is_refused(op, shape, axis):
    with pytest.raises(IndexError, match=f"{op.name}: dimension {axis} is not one of"):
        op(tensor(np.ones(shape)), axis=axis)
