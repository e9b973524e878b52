"""Sums over many rows against float64, in every layout; what NumPy would add row to row."""

import numpy as np
import pytest

from rekindle import ops, tensor
from rekindle.core.errors import RekindleError
from rekindle.core.kernels import dispatch, normalization, totals
from rekindle.core.kernels.programs import STEPS, compute_chain
from rekindle.core.kernels.sums import sum_products

TOLERANCE = {"e": 6e-4, "f": 1.5e-6, "d": 3e-15}
"""Of the largest sum. At most 512 rows are added one to the other, at most three times over: the
rounding errors of numbers between 0 and 1 are then below twelve units in the last place. Added
one to the other 400,000 rows of float32 are wrong by 2e-5, and in float16 from 2,048 on they
stay what they are, whose results are only rounded here."""

ROWS = np.random.default_rng(0).random((400_003, 8), dtype=np.float32)


def close(found, exact, char="f"):
    assert type(found) is np.ndarray or exact.ndim == 0
    assert found.dtype.char == char
    assert found.shape == exact.shape
    assert np.abs(found - exact).max() <= TOLERANCE[char] * np.abs(exact).max()


def layouts():
    rows = ROWS[:20_003]
    image = ROWS[:36_000].reshape(60, 25, 24, 8)
    yield "rows", rows, 0
    yield "columns", rows.T, 1
    yield "part", rows[:, ::3], 0
    yield "backwards", rows[::-1, ::-1], 0
    yield "repeated", np.broadcast_to(rows[:, :1], (20_003, 8)), 0
    yield "blocks", rows[:20_000].reshape(2, 10_000, 8), 1
    yield "images", ROWS[:40_000].reshape(5_000, 16, 2, 2), (0, 2, 3)
    yield "channels last", image.transpose(0, 3, 1, 2), (0, 2, 3)
    yield "negative axes", image.transpose(0, 3, 1, 2), (-1, 0, -2)
    yield "all", rows[:, ::2], None
    yield "none of them", ROWS[:, :1].reshape(1, -1), 0
    yield "one channel", ROWS[:20_003, :1], 0
    yield "inner", rows.reshape(8, -1), -1


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("char", "efd")
@pytest.mark.parametrize(("name", "x", "axis"), list(layouts()), ids=lambda v: str(v)[:9])
def test_sums_and_means(name, x, axis, char, keepdims):
    x = (x / 64 if char == "e" else x).astype(char)  # float16 ends at 65504
    before = x.copy()
    exact = x.astype(np.longdouble)
    for found, wanted in (
        (totals.total(np, x, axis=axis, keepdims=keepdims), exact.sum(axis, keepdims=keepdims)),
        (totals.mean(np, x, axis=axis, keepdims=keepdims), exact.mean(axis, keepdims=keepdims)),
    ):
        close(found, wanted, char)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(("name", "x", "axis"), list(layouts()), ids=lambda v: str(v)[:9])
def test_sums_of_products(name, x, axis):
    axes = (*range(x.ndim),) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    y = np.cos(3 * x) + 1
    for other in (y, np.asfortranarray(y)):
        found = sum_products(np, x, other, axes=axes)
        close(found, (x.astype(float) * y).sum(axes, keepdims=True))


def test_infinities_and_nan_are_kept():
    x = ROWS[:20_000].copy()
    x[5_000, 1], x[7_000, 2], x[11_000, 2], x[13_000, 3] = np.inf, np.inf, -np.inf, np.nan
    with np.errstate(invalid="ignore"):
        found = totals.total(np, x, axis=0)
    assert found[1] == np.inf
    assert np.isnan(found[2:4]).all()
    assert np.isfinite(found[[0, 4, 5, 6, 7]]).all()


def test_integers_and_errors_are_those_of_the_library():
    assert totals.total(np, np.ones((20_000, 2), np.uint8), axis=0, dtype=np.int64).tolist() == [
        20_000,
        20_000,
    ]
    for axis, message in ((2, "axis 2 is out of bounds"), ((0, 0), "duplicate")):
        with pytest.raises(RekindleError, match=f"sum: {message}"):
            ops.sum(tensor(ROWS[:20_000]), axis=axis)


def test_operations():
    x = tensor(ROWS)
    exact = ROWS.astype(float)
    close(ops.sum(x, axis=0).numpy(), exact.sum(0))
    close(ops.mean(x, axis=0, keepdims=True).numpy(), exact.mean(0, keepdims=True))
    close(ops.var(x, axis=0).numpy(), exact.var(0))
    close(ops.std(x, axis=0, correction=1).numpy(), exact.std(0, ddof=1))
    close(ops.norm(x, axis=0).numpy(), np.sqrt((exact**2).sum(0)))


@pytest.mark.parametrize("which", ["fast", "reference"])
@pytest.mark.parametrize("width", [8, 64])
def test_sums_of_chains(width, which):
    """Whose values are not written down."""
    rows = ROWS[:400_000].reshape(-1, width)
    steps = np.array([[STEPS.index("add"), 0, 1]])
    with dispatch.using(which):
        found = compute_chain(np, steps, [rows, 1.0], shape=rows.shape, sums=2)
    close(found, (rows + 1.0).sum(0, dtype=float))


@pytest.mark.parametrize("which", ["fast", "reference"])
def test_gradients_of_what_all_rows_share(which):
    """Of a bias, and of what was broadcast."""
    x = tensor(ROWS)
    bias, shift = (tensor(np.zeros(8, np.float32), requires_grad=True) for _ in range(2))
    weight = tensor(np.eye(8, dtype=np.float32), requires_grad=True)
    with dispatch.using(which):
        ops.linear(x, weight, bias).backward(x)
        (x + shift).backward(x)
    for gradient in (bias.grad, shift.grad):
        close(gradient.numpy(), ROWS.astype(float).sum(0))


@pytest.mark.parametrize("shape", [(400_003, 8), (50_000, 8, 8), (30, 8, 115, 115)])
def test_normalisation_of_a_batch(shape):
    """With its gradient, by the reference kernels."""
    count = np.prod(shape) // 8
    x = np.resize(ROWS, (count, 8)) if len(shape) > 2 else ROWS
    x = np.moveaxis(x.reshape(shape[0], *shape[2:], 8), -1, 1)  # channels are last in memory
    g = np.ascontiguousarray(np.cos(2 * x))  # and these are not
    axes = (0, *range(2, x.ndim))
    with dispatch.using("reference"):
        _, mean, variance = normalization.batch_norm_training(np, x, eps=1e-5)
        _, of_weight, of_bias = normalization.batch_norm_gradient(
            np, g, x, None, mean, variance, eps=1e-5
        )
    exact, slopes = x.astype(float), g.astype(float)
    close(mean, exact.mean(axes))
    close(variance, exact.var(axes))
    each = (-1, *(1,) * (x.ndim - 2))
    normal = (exact - exact.mean(axes).reshape(each)) / np.sqrt(exact.var(axes) + 1e-5).reshape(
        each
    )
    close(of_bias, slopes.sum(axes))
    close(of_weight, (slopes * normal).sum(axes))
