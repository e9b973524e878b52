"""Products of matrices by oneDNN in float32 against NumPy in float64."""

import numpy as np
import pytest

from rekindle.core.backend.pool import holds_alone
from rekindle.core.kernels import dispatch, products
from rekindle.core.kernels.onednn import matmul as fast


@pytest.fixture(autouse=True)
def small_too(monkeypatch, onednn):
    """Let oneDNN compute small products as well."""
    monkeypatch.setattr(fast, "LEAST", 1)


SHAPES = [
    ((8, 9), (9, 10)),
    ((1, 70), (70, 5)),
    ((64,), (64, 5)),
    ((64,), (64,)),
    ((9, 70), (70,)),
    ((9, 70), (70, 1)),
    ((2, 5, 7), (7, 3)),
    ((2, 5, 7), (2, 7, 3)),
    ((5, 17), (2, 17, 3)),
    ((3, 1, 5, 7), (2, 7, 3)),
    ((2, 3, 5, 7), (7,)),
    ((70,), (2, 70, 3)),
    ((2, 3, 4, 3, 2), (2, 3, 1, 2, 6)),
    ((64, 1), (1, 5)),
]
ORDERS = {
    "rows": lambda x: x,
    "columns": lambda x: np.ascontiguousarray(x.T).T,
    "part": lambda x: np.pad(x, [(1, 2)] * x.ndim)[(slice(1, -2),) * x.ndim],
    "gaps": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "turned": lambda x: np.ascontiguousarray(x[::-1])[::-1],
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("shapes", SHAPES)
def test_products(onednn, rng, shapes, order):
    onednn.check(products.matmul, *(rng.normal(size=s) for s in shapes), lie=ORDERS[order])


def test_a_repeated_row(onednn, rng):
    x, y = rng.normal(size=(1, 9)).astype(np.float32), rng.normal(size=(9, 4)).astype(np.float32)
    x = np.broadcast_to(x, (8, 9))
    onednn.agrees(onednn(products.matmul, x, y), x.astype(float) @ y)


def test_heads_of_an_attention_as_they_lie(onednn, rng):
    q, k = (rng.normal(size=(2, 5, 3, 8)).astype(np.float32) for _ in range(2))
    q, k = q.transpose(0, 2, 1, 3), k.transpose(0, 2, 3, 1)
    onednn.agrees(onednn(products.matmul, q, k), q.astype(float) @ k)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("rows", [(), (1,), (16,), (2, 3)])
@pytest.mark.parametrize("biased", [False, True])
def test_linear(onednn, rng, rows, biased, order):
    x, w = rng.normal(size=(*rows, 64)), rng.normal(size=(10, 64))
    bias = rng.normal(size=10) if biased else None
    onednn.check(products.linear, x, w, bias, lie=ORDERS[order])


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("rows", [1, 16])
@pytest.mark.parametrize("biased", [False, True])
def test_linear_with_relu(onednn, rng, monkeypatch, rows, biased, within):
    assert fast.rectifies_products()
    monkeypatch.setattr(fast, "rectifies_products", lambda: within)
    x, w = rng.normal(size=(rows, 64)), rng.normal(size=(10, 64))
    bias = rng.normal(size=10) if biased else None
    onednn.check(products.linear, x, w, bias, rectify=True)
    w[3] = np.nan
    y = onednn(products.linear, x.astype(np.float32), w.astype(np.float32), rectify=True)
    assert np.isnan(y[:, 3]).all()


@pytest.mark.parametrize("shapes", [((8, 9), (8, 9)), ((2, 8, 9), (3, 9, 4))])
def test_what_does_not_fit_is_reported_as_by_numpy(rng, shapes):
    x, y = (rng.normal(size=s).astype(np.float32) for s in shapes)
    with pytest.raises(ValueError, match=r"matmul|broadcast") as expected:
        np.matmul(x, y)
    with pytest.raises(ValueError, match=r"matmul|broadcast") as found:
        products.matmul(np, x, y)
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("shapes", [((8, 9), (9, 0)), ((0, 99), (99, 2)), ((9, 0), (0, 2))])
def test_nothing_to_multiply(rng, shapes):
    x, y = (rng.normal(size=s).astype(np.float32) for s in shapes)
    assert np.array_equal(products.matmul(np, x, y), np.matmul(x, y))


def test_other_dtypes_are_left_to_numpy(rng):
    x = rng.integers(0, 9, (9, 9))
    before = dispatch.KERNELS["matmul"].declined["dtypes int64 and int64"]
    assert np.array_equal(products.matmul(np, x, x), x @ x)
    assert dispatch.KERNELS["matmul"].declined["dtypes int64 and int64"] == before + 1


def test_small_ones_are_left_to_numpy(monkeypatch, rng):
    monkeypatch.undo()
    x = rng.normal(size=(32, 32)).astype(np.float32)
    kernel = dispatch.KERNELS["matmul"]
    before = kernel.calls, dict(kernel.declined)
    products.matmul(np, x, x)
    assert (kernel.calls, dict(kernel.declined)) == before


def test_results_are_no_views(rng, onednn):
    a, b = (rng.normal(size=(64, 64)).astype(np.float32) for _ in range(2))
    assert holds_alone(onednn(products.matmul, a.T, b))
    assert holds_alone(onednn(products.linear, a, b))


@pytest.mark.parametrize("factor", [0.125, -3.0])
@pytest.mark.parametrize("shapes", [((8, 9), (9, 10)), ((1, 70), (70, 5)), ((2, 5, 7), (2, 7, 3))])
def test_a_factor(onednn, rng, shapes, factor):
    onednn.check(products.matmul, *(rng.normal(size=s) for s in shapes), factor=factor)


WOVEN = {
    "the second": lambda a, b: (a, b.swapaxes(1, 2)),
    "both": lambda a, b: (a.swapaxes(1, 2).swapaxes(-1, -2), b.swapaxes(1, 2)),
    "the first, transposed": lambda a, b: (a.swapaxes(1, 2).mT, b),
    "repeated": lambda a, b: (a, b[:1].swapaxes(1, 2)),
}


@pytest.mark.parametrize("which", WOVEN)
def test_results_lie_as_the_rows_of_an_operand_do(onednn, rng, which):
    shapes = {
        "the second": ((2, 3, 5, 7), (2, 7, 3, 4)),
        "both": ((2, 7, 3, 5), (2, 7, 3, 4)),
        "the first, transposed": ((2, 7, 3, 5), (2, 3, 7, 4)),
        "repeated": ((2, 3, 5, 7), (2, 7, 3, 4)),
    }[which]
    a, b = WOVEN[which](*(rng.normal(size=s).astype(np.float32) for s in shapes))
    y = onednn(products.matmul, a, b, factor=0.5)
    onednn.agrees(y, 0.5 * (a.astype(float) @ b))
    assert holds_alone(y)
    lines = y.mT if which == "the first, transposed" else y
    assert lines.swapaxes(1, 2).flags.c_contiguous


def test_what_is_not_woven_makes_row_major_results(onednn, rng):
    q, k = (rng.normal(size=(2, 5, 3, 8)).astype(np.float32).swapaxes(1, 2) for _ in range(2))
    assert onednn(products.matmul, q, k.mT).flags.c_contiguous
    assert onednn(products.matmul, np.ascontiguousarray(q), k.mT).flags.c_contiguous
