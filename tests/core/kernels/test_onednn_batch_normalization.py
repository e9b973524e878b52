"""Batch normalisation by oneDNN in float32 against the reference in float64."""

import numpy as np
import pytest

from rekindle.core.kernels import dispatch
from rekindle.core.kernels import normalization as kernels
from rekindle.core.kernels.onednn import batch_normalization as fast


@pytest.fixture(autouse=True)
def small_too(monkeypatch, onednn):
    """Let oneDNN compute small arrays as well."""
    monkeypatch.setattr(fast, "LEAST", 1)


@pytest.fixture(params=["channels first", "channels last", "gaps", "turned"])
def lie(request, layouts):
    return layouts[request.param]


@pytest.fixture(params=[(7, 5), (3, 16, 7), (2, 5, 3, 4), (1, 64, 3, 3), (2, 3, 4, 3, 2)])
def x(request, rng):
    return rng.normal(size=request.param) * 3 + 10


@pytest.mark.parametrize("affine", ["", "w", "b", "wb"])
def test_batch_norm(onednn, rng, x, lie, affine):
    mean, variance = rng.normal(size=x.shape[1]), rng.uniform(0.5, 2, x.shape[1])
    w, b = (rng.normal(size=x.shape[1]) if name in affine else None for name in "wb")
    onednn.check(kernels.batch_norm, x, mean, variance, w, b, lie=lie, eps=1e-3)
    onednn.check(kernels.batch_norm_training, x, w, b, lie=lie, eps=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_its_gradients(onednn, rng, x, lie, weighted):
    g, w = rng.normal(size=x.shape), rng.normal(size=x.shape[1]) if weighted else None
    x = x - 10  # of numbers near each other single precision knows little
    _, mean, variance = onednn.reference(kernels.batch_norm_training, x, eps=1e-5)
    arrays = (a if a is None else a.astype(np.float32) for a in (g, x, w, mean, variance))
    g_, x_, w_, mean_, variance_ = arrays
    found = onednn(kernels.batch_norm_gradient, lie(g_), lie(x_), w_, mean_, variance_, eps=1e-5)
    expected = onednn.reference(kernels.batch_norm_gradient, g, x, w, mean, variance, eps=1e-5)
    for a, b in zip(found, expected, strict=True):
        onednn.agrees(a, b, 1e-4 if x[:, 0].size < 10 else 2e-5)


def test_the_gradient_of_another_layout_than_the_input(onednn, rng, layouts):
    x, g = (rng.normal(size=(2, 5, 3, 4)).astype(np.float32) for _ in range(2))
    w, m, v = rng.uniform(1, 2, (3, 5)).astype(np.float32)
    first, last = layouts["channels first"], layouts["channels last"]
    a = onednn(kernels.batch_norm_gradient, first(g), last(x), w, m, v, eps=1e-5)
    b = onednn(kernels.batch_norm_gradient, last(g), first(x), w, m, v, eps=1e-5)
    onednn.agrees(a[0], b[0].astype(float))
    assert a[0].strides == last(x).strides
    assert b[0].strides == first(x).strides


def test_a_channel_without_variance_and_eps_is_the_references(rng):
    x = np.ones((4, 3, 5, 5), np.float32)
    y, _, _ = kernels.batch_norm_training(np, x, eps=0.0)
    assert not y.any()
    assert any("eps" in why for why in dispatch.KERNELS["batch_norm_training"].declined)


def test_numbers_far_from_zero(onednn, rng):
    x = (rng.normal(size=(8, 4, 6, 6)) + 1000).astype(np.float32)
    y, mean, variance = onednn(kernels.batch_norm_training, x, eps=1e-5)
    expected = onednn.reference(kernels.batch_norm_training, x.astype(float), eps=1e-5)
    onednn.agrees(mean, expected[1])
    onednn.agrees(variance, expected[2], 1e-4)
    onednn.agrees(y, expected[0], 1e-4)
