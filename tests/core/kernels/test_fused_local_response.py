"""Local response normalisation in float32 against the reference in float64."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.creation import tensor
from rekindle.core.kernels import using
from rekindle.core.kernels.normalization import local_response_norm

SHAPES = [(2, 96, 9, 7), (5, 17, 4, 4), (15, 3, 30, 30), (20, 1, 9, 40), (3, 64, 21), (40, 50)]
NUMBERS = [(1e-4, 0.75, 1.0), (0.5, 0.75, 2.0), (2, 1.5, 1), (0.3, 0.5, 0.1)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 120])
def test_agrees(fused, layouts, rng, shape, size):
    x = rng.normal(size=shape) * 3
    for lie, (alpha, beta, k) in zip(layouts.values(), NUMBERS, strict=True):
        params = {"size": size, "alpha": alpha, "beta": beta, "k": k}
        y = fused.check(local_response_norm, x, lie=lie, **params)
        assert y.strides[1] == y.itemsize


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 4, 5, 120])
def test_gradients(fused, layouts, rng, shape, size):
    x, g = rng.normal(size=shape) * 3, rng.normal(size=shape)

    def gradient(dtype, lie, **params):
        given = tensor(x.astype(np.float32).astype(dtype), requires_grad=True)
        y = ops.local_response_norm(given, size=size, **params)
        y.backward(tensor(lie(g.astype(np.float32).astype(dtype))))
        return given.grad.numpy()

    for lie, (alpha, beta, k) in zip(layouts.values(), NUMBERS, strict=True):
        params = {"alpha": alpha, "beta": beta, "k": k}
        with using("reference"):
            expected = gradient(np.float64, np.asarray, **params)
        fused.agrees(gradient(np.float32, lie, **params), expected)


def test_what_is_no_number_stays_where_it_is(fused, rng):
    x = rng.normal(size=(2, 16, 9, 9)).astype(np.float32)
    x[0, 3, 4, 4], x[1, 8, 2, 2], x[1, 1, 1, 1] = np.nan, np.inf, -np.inf
    params = {"size": 5, "alpha": 1.0, "beta": 0.75, "k": 1.0}
    with np.errstate(invalid="ignore"):
        expected = fused.reference(local_response_norm, x.astype(float), **params)
    fused.agrees(fused(local_response_norm, x, **params), expected)
