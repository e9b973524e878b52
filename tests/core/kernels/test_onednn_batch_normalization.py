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


@pytest.fixture(params=[1, fast.PIXELS], ids=["all precise", "few not"])
def pixels(request, monkeypatch):
    """From how many numbers on sums are not oneDNN's."""
    monkeypatch.setattr(fast, "PIXELS", request.param)


@pytest.fixture(params=["channels first", "channels last", "gaps", "turned"])
def lie(request, layouts):
    return layouts[request.param]


@pytest.fixture(params=[(7, 5), (3, 16, 7), (2, 5, 3, 4), (1, 64, 3, 3), (2, 3, 4, 3, 2)])
def x(request, rng):
    return rng.normal(size=request.param) * 3 + 10


@pytest.mark.usefixtures("pixels")
@pytest.mark.parametrize("affine", ["", "w", "b", "wb"])
def test_batch_norm(onednn, rng, x, lie, affine):
    mean, variance = rng.normal(size=x.shape[1]), rng.uniform(0.5, 2, x.shape[1])
    w, b = (rng.normal(size=x.shape[1]) if name in affine else None for name in "wb")
    onednn.check(kernels.batch_norm, x, mean, variance, w, b, lie=lie, eps=1e-3)
    onednn.check(kernels.batch_norm_training, x, w, b, lie=lie, eps=1e-5)


@pytest.mark.usefixtures("pixels")
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


@pytest.mark.usefixtures("pixels")
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


@pytest.mark.usefixtures("pixels")
def test_numbers_far_from_zero(onednn, rng):
    x = (rng.normal(size=(8, 4, 6, 6)) + 1000).astype(np.float32)
    y, mean, variance = onednn(kernels.batch_norm_training, x, eps=1e-5)
    expected = onednn.reference(kernels.batch_norm_training, x.astype(float), eps=1e-5)
    onednn.agrees(mean, expected[1])
    onednn.agrees(variance, expected[2], 1e-4)
    onednn.agrees(y, expected[0], 1e-4)


@pytest.mark.parametrize("order", ["channels first", "channels last"])
@pytest.mark.parametrize("channels", [1, 3, 8])
def test_sums_of_many_numbers_are_precise(onednn, rng, layouts, order, channels):
    lie, shape = layouts[order], (3, channels, 301, 333)
    g, x, w = (rng.normal(size=s) + 1 for s in (shape, shape, channels))
    _, mean, variance = onednn.check(kernels.batch_norm_training, x, lie=lie, eps=1e-5)
    x = x.astype(np.float32).astype(float)
    exact = onednn.reference(kernels.batch_norm_training, x, eps=1e-5)
    onednn.agrees(mean, exact[1], 2e-7)
    onednn.agrees(variance, exact[2], 4e-7)
    x, g = x.astype(np.float32), g.astype(np.float32)
    arrays = (w.astype(np.float32), mean, variance)
    found = onednn(kernels.batch_norm_gradient, lie(g), lie(x), *arrays, eps=1e-5)
    arrays = (a.astype(float) for a in (g, x, *arrays))
    exact = onednn.reference(kernels.batch_norm_gradient, *arrays, eps=1e-5)
    for a, b in zip(found, exact, strict=True):
        onednn.agrees(a, b, 5e-6)
    assert found[0].strides == lie(x).strides


@pytest.mark.usefixtures("pixels")
@pytest.mark.parametrize("order", ["channels first", "channels last"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_channel(onednn, rng, layouts, order, value):
    x = rng.normal(size=(2, 5, 30, 40))
    x[1, 2, 3, 4] = value
    y, mean, variance = onednn(
        kernels.batch_norm_training, layouts[order](x.astype(np.float32)), eps=1e-5
    )
    assert not np.isfinite(y[:, 2]).any()
    assert not np.isfinite(mean[2])
    assert np.isnan(variance[2])
    for part in (np.moveaxis(y, 1, 0), mean, variance):
        assert np.isfinite(np.delete(part, 2, axis=0)).all()
