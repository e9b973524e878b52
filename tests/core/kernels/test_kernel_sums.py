"""Sums of products and linear combinations against their formulas in float64."""

import numpy as np
import pytest

from rekindle.core.dtypes import DtypeError
from rekindle.core.errors import ShapeError
from rekindle.core.kernels import sums as kernels

DTYPES = [np.float16, np.float32, np.float64]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axes", [(), (0,), (-1, 0), (0, 1, 2)])
def test_sum_products(axes, dtype, close):
    x, y = np.random.default_rng(0).normal(size=(2, 4, 3, 50)).astype(dtype)[..., ::-1]
    products = x.astype(np.float64) * y
    close(kernels.sum_products(np, x, y, axes=axes), products.sum(axis=axes, keepdims=True), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_linear_combination_in_several_blocks(dtype, close):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 5, 3, 60000)).astype(dtype)
    a, b, c = (rng.normal(size=s).astype(dtype) for s in ((1, 3, 1), (5, 1, 1), (5, 3, 1)))
    exact = [v.astype(np.float64) for v in (x, y, a, b, c)]
    expected = exact[0] * exact[2] + exact[1] * exact[3] + exact[4]
    close(kernels.linear_combination(np, x, y, a, b, c), expected, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_affine(dtype, close):
    rng = np.random.default_rng(2)
    x, a, c = (rng.normal(size=s).astype(dtype) for s in ((2, 3, 4), (3, 1), (2, 1, 4)))
    close(kernels.affine(np, x.T.copy().T, a, c), x.astype(np.float64) * a + c, dtype)


def test_says_what_does_not_fit():
    x = np.zeros((2, 3))
    with pytest.raises(ShapeError, match=r"sum_products: y has shape \(3, 2\), expected \(2, 3\)"):
        kernels.sum_products(np, x, x.T, axes=(0,))
    with pytest.raises(DtypeError, match="linear_combination takes floating arrays of one dtype"):
        kernels.linear_combination(np, x, x, x, x, x.astype(np.float32))
