"""Steps of optimisers: fused and in pieces, against the formulas in float64."""

import numpy as np
import pytest

from rekindle.core.kernels import blocks, dispatch, updates

FUSED = dispatch.missing("fused") is None
WAYS = ["reference", pytest.param("fast", marks=pytest.mark.skipif(not FUSED, reason="no numba"))]
SIZES = [(5003,), (3, 5, 401), (2 * blocks.BLOCK + 7,)]


def draw(shape, dtype, count):
    rng = np.random.default_rng(0)
    return [np.abs(rng.normal(size=shape)).astype(dtype) + dtype(0.1) for _ in range(count)]


def sgd(p, g, v, lr, decay, keep, add, ahead):
    g = g + decay * p
    if v is None:
        return p - lr * g, None
    v = keep * v + add * g
    return p - lr * (v if ahead is None else g + ahead * v), v


def adam(p, g, m, s, top, lr, beta1, beta2, eps, decay, shrink, root):
    p = p * shrink
    g = g + decay * p
    m = beta1 * m + (1 - beta1) * g
    s = beta2 * s + (1 - beta2) * g**2
    top = None if top is None else np.maximum(top, s)
    return p - lr * m / (np.sqrt(s if top is None else top) / root + eps), m, s, top


def rmsprop(p, g, s, m, v, lr, alpha, eps, decay, momentum):
    g = g + decay * p
    s = alpha * s + (1 - alpha) * g**2
    m = None if m is None else alpha * m + (1 - alpha) * g
    step = g / (np.sqrt(s if m is None else s - m**2) + eps)
    v = None if v is None else momentum * v + step
    return p - lr * (step if v is None else v), s, m, v


STEPS = [
    (sgd, "sgd_update", [1], {"keep": 0.0, "add": 1.0, "ahead": None}),
    (sgd, "sgd_update", [0], {"keep": 0.9, "add": 0.5, "ahead": None}),
    (sgd, "sgd_update", [0], {"keep": 0.9, "add": 1.0, "ahead": 0.9}),
    (
        adam,
        "adam_update",
        [0, 0, 1],
        {"beta1": 0.9, "beta2": 0.99, "eps": 1e-3, "shrink": 0.99, "root": 0.7},
    ),
    (
        adam,
        "adam_update",
        [0, 0, 0],
        {"beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "shrink": 1.0, "root": 0.7},
    ),
    (rmsprop, "rmsprop_update", [0, 1, 1], {"alpha": 0.9, "eps": 1e-8, "momentum": 0.0}),
    (rmsprop, "rmsprop_update", [0, 0, 0], {"alpha": 0.9, "eps": 1e-3, "momentum": 0.8}),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize(("formula", "name", "absent", "numbers"), STEPS)
def test_a_step(formula, name, absent, numbers, shape, dtype, way):
    arrays = draw(shape, dtype, 2 + len(absent))
    given = [*arrays[:2], *(None if a else x for a, x in zip(absent, arrays[2:], strict=True))]
    if name == "rmsprop_update" and given[3] is not None:
        given[3] *= dtype(0.01)  # the square of a mean is below the mean square
    given[1] = np.asfortranarray(given[1])
    given[1].flags.writeable = False
    numbers = {"lr": 0.1, "decay": 0.01, **numbers}
    before = [None if a is None else a.astype(np.float64) for a in given]
    expected = formula(*before, **numbers)
    calls = dispatch.KERNELS[name].calls
    with dispatch.using(way):
        getattr(updates, name)(np, *given, **numbers)
    found = [given[0], *given[2:]]
    for actual, wanted in zip(found, expected, strict=True):
        if wanted is not None:
            tolerance = 2e-6 if dtype == np.float32 else 1e-13
            np.testing.assert_allclose(actual, wanted, rtol=tolerance, atol=tolerance)
    if way == "fast" and absent != [0, 0, 0]:
        assert dispatch.KERNELS[name].calls == calls + 1


def test_a_parameter_that_is_a_view():
    whole = np.ones((100, 200), np.float32)
    p, g = whole[:, ::2], np.full((100, 100), 2, np.float32)
    updates.sgd_update(np, p, g, None, lr=0.5, decay=0.0, keep=0.0, add=1.0, ahead=None)
    assert (whole[:, ::2] == 0).all()
    assert (whole[:, 1::2] == 1).all()
