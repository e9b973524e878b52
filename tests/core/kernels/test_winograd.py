"""Convolution after Winograd against the reference in float64, and when it is left alone."""

import os
import subprocess
import sys
import threading
from contextvars import copy_context
from importlib import import_module

import numpy as np
import pytest

import rekindle
from rekindle.core import nn, ops
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError
from rekindle.core.kernels import convolution as kernels
from rekindle.core.kernels import dispatch, using
from rekindle.core.kernels.onednn import winograd as chosen
from rekindle.core.tensor import Parameter

FUSED = "rekindle.core.kernels.fused.winograd"
ONE = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1)}


@pytest.fixture(autouse=True)
def libraries(onednn, fused):
    """Skip where one of the two libraries is not installed; load numba."""
    import_module(FUSED)


@pytest.fixture
def any_threads():
    """Leave the number of threads as it was."""
    count = rekindle.get_num_threads()
    yield
    rekindle.set_num_threads(count)


@pytest.fixture
def everywhere(monkeypatch):
    """Compute small images this way, too."""
    monkeypatch.setattr(chosen, "LEAST", 1)
    monkeypatch.setattr(chosen, "TILES", 1)
    monkeypatch.setattr(chosen, "FRESH", 1)
    chosen._plan.cache_clear()
    yield
    chosen._plan.cache_clear()


@pytest.fixture
def directly(onednn, monkeypatch):
    """Compute by oneDNN's direct convolution."""

    def compute(function, *arrays, **params):
        with monkeypatch.context() as patch:
            patch.setattr(chosen, "_plan", lambda *_: None)
            return function(np, *arrays, **params)

    return compute


def calls():
    return dispatch.KERNELS["winograd"].calls


def singles(rng, *shapes):
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


SIZES = [
    ((1, 32, 6, 6), 32, (1, 1)),
    ((2, 64, 9, 7), 96, (1, 1)),
    ((3, 32, 8, 11), 64, (0, 0)),
    ((1, 96, 5, 7), 32, (2, 2)),
    ((2, 32, 1, 2), 64, (2, 2)),
    ((2, 32, 9, 2), 32, (0, 2)),
    ((1, 128, 31, 17), 160, (1, 0)),
    ((9, 64, 8, 8), 32, (1, 1)),
]


@pytest.mark.parametrize(("shape", "filters", "padding"), SIZES)
def test_convolution_and_its_gradient(
    everywhere, any_threads, onednn, layouts, rng, shape, filters, padding
):
    params = ONE | {"padding": padding}
    x, w, b = singles(rng, shape, (filters, shape[1], 3, 3), filters)
    for threads, lie in zip((1, 2, 3, 8), layouts.values(), strict=True):
        rekindle.set_num_threads(threads)
        before = calls()
        y = onednn.check(kernels.convolution, x, w, b, lie=lie, **params)
        (r,) = singles(rng, y.shape)
        onednn.check(kernels.convolution, x, w, None, r, lie=lie, rectify=True, **params)
        assert y.strides[1] == y.itemsize, "the result is not channels-last"
        if w.strides == lie(w).strides:  # other filters are oneDNN's
            assert calls() == before + 2
        size = shape[2:]
        onednn.check(kernels.convolution_input_gradient, r, w, lie=lie, size=size, **params)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 3), (1, 40)])
def test_tiny_images(everywhere, onednn, rng, size):
    x, w = singles(rng, (2, 32, *size), (32, 32, 3, 3))
    y = onednn.check(kernels.convolution, x, w, **ONE)
    onednn.check(kernels.convolution_input_gradient, y, w, size=size, **ONE)


@pytest.mark.parametrize(
    ("channels", "filters"), [(1, 32), (31, 32), (33, 32), (32, 1), (48, 64), (64, 130)]
)
def test_other_channels_are_computed_directly(everywhere, onednn, rng, channels, filters):
    before = calls()
    x, w = singles(rng, (1, channels, 8, 8), (filters, channels, 3, 3))
    y = onednn.check(kernels.convolution, x, w, **ONE)
    onednn.check(kernels.convolution_input_gradient, y, w, size=(8, 8), **ONE)
    assert calls() == before


@pytest.mark.parametrize(
    "params", [{"stride": (2, 1)}, {"dilation": (1, 2)}, {"groups": 2}, {"kernel": (3, 5)}], ids=str
)
def test_other_geometries_are_computed_directly(everywhere, onednn, rng, params):
    before, params = calls(), ONE | params
    kernel = params.pop("kernel", (3, 3))
    x, w = singles(rng, (1, 64, 9, 9), (64, 64 // params.get("groups", 1), *kernel))
    y = onednn.check(kernels.convolution, x, w, **params)
    onednn.check(kernels.convolution_input_gradient, y, w, size=(9, 9), **params)
    assert calls() == before


def test_a_gradient_with_more_padding_than_a_window_is_computed_directly(everywhere, onednn, rng):
    params = ONE | {"padding": (3, 3)}
    x, w = singles(rng, (1, 32, 6, 6), (32, 32, 3, 3))
    y, before = onednn.check(kernels.convolution, x, w, **params), calls()
    onednn.check(kernels.convolution_input_gradient, y, w, size=(6, 6), **params)
    assert calls() == before


@pytest.mark.parametrize("size", [(8, 7), (2, 2)])
def test_each_tap_reaches_the_right_result(everywhere, onednn, size):
    x, w = np.zeros((1, 32, *size), np.float32), np.zeros((32, 32, 3, 3), np.float32)
    x.reshape(32, -1)[5] = np.arange(1, x[0, 5].size + 1)
    w[7, 5] = np.arange(1, 10).reshape(3, 3)
    with using("reference"):
        expected = kernels.convolution(np, x, w, **ONE)
    before = calls()
    assert np.array_equal(kernels.convolution(np, x, w, **ONE), expected)
    assert calls() == before + 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("rectify", [False, True], ids=["", "rectified"])
def test_what_is_not_finite_stays_where_it_is(everywhere, directly, rng, value, rectify):
    reason = "results that are not finite"
    x, w, b = singles(rng, (1, 32, 9, 9), (32, 32, 3, 3), 32)
    (r,) = singles(rng, (1, 32, 9, 9))
    for place in (0, 3, 0, 0), (0, 31, 4, 5), (0, 0, 8, 8):
        changed = x.copy()
        changed[place] = value
        before = dispatch.KERNELS["winograd"].declined[reason]
        found = kernels.convolution(np, changed, w, b, r, rectify=rectify, **ONE)
        expected = directly(kernels.convolution, changed, w, b, r, rectify=rectify, **ONE)
        assert np.array_equal(found, expected, equal_nan=True)
        assert dispatch.KERNELS["winograd"].declined[reason] == before + 1
        gradient = kernels.convolution_input_gradient(np, changed, w, size=(9, 9), **ONE)
        expected = directly(kernels.convolution_input_gradient, changed, w, size=(9, 9), **ONE)
        assert np.array_equal(gradient, expected, equal_nan=True)
    changed = w.copy()
    changed[3, 4, 1, 1] = value
    found = kernels.convolution(np, x, changed, **ONE)
    expected = directly(kernels.convolution, x, changed, **ONE)
    if value == 3e38:
        assert np.isfinite(expected).all() == np.isfinite(found).all()
    else:
        assert np.array_equal(found, expected, equal_nan=True)


def test_what_is_added_may_be_anything(everywhere, onednn, rng):
    values = [np.nan, np.inf, -np.inf, -0.0, 3e38]
    x, w, b = singles(rng, (1, 32, 8, 8), (32, 32, 3, 3), 32)
    (r,) = singles(rng, (1, 32, 8, 8))
    b[:5] = values
    r[0, 7, 0, :5] = values
    before = calls()
    for rectify in (False, True):
        onednn.check(kernels.convolution, x, w, b, None, rectify=rectify, **ONE)
        onednn.check(kernels.convolution, x, w, None, r, rectify=rectify, **ONE)
    assert calls() == before + 4


@pytest.mark.parametrize("scale", [1e-30, 1e15])
def test_magnitudes(everywhere, onednn, rng, scale):
    x, w = singles(rng, (1, 64, 12, 12), (64, 64, 3, 3))
    before = calls()
    onednn.check(kernels.convolution, x * scale, w, **ONE)
    assert calls() == before + 1


def test_bias_and_residual_that_do_not_fit(everywhere, rng):
    x, w = singles(rng, (1, 32, 6, 6), (32, 32, 3, 3))
    for extra in [np.ones(31, np.float32)], [None, np.ones((1, 32, 5, 6), np.float32)]:
        with pytest.raises(ShapeError):
            kernels.convolution(np, x, w, *extra, **ONE)


def test_nothing_is_written_into_the_operands(everywhere, rng):
    given = singles(rng, (1, 32, 6, 6), (32, 32, 3, 3), 32, (1, 32, 6, 6))
    kept = [a.copy() for a in given]
    kernels.convolution(np, *given, rectify=True, **ONE)
    assert all(np.array_equal(a, b) for a, b in zip(given, kept, strict=True))


def test_several_threads_at_once(everywhere, rng):
    x, w = singles(rng, (2, 64, 14, 14), (64, 64, 3, 3))
    expected = kernels.convolution(np, x, w, **ONE)
    wrong = []

    def compute():
        for _ in range(20):
            y = kernels.convolution(np, x, w, **ONE)
            if not np.array_equal(y, expected):
                wrong.append(y)

    threads = [threading.Thread(target=copy_context().run, args=(compute,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_reference_is_asked_alone(everywhere, rng):
    x, w = singles(rng, (1, 32, 6, 6), (32, 32, 3, 3))
    before = calls()
    with using("reference"):
        kernels.convolution(np, x, w, **ONE)
    assert calls() == before


@pytest.mark.parametrize("lacking", ["numba", "processor"])
def test_where_something_is_missing_onednn_computes(everywhere, onednn, rng, monkeypatch, lacking):
    if lacking == "numba":
        monkeypatch.setattr(chosen._IMAGES, "sought", True)
        monkeypatch.setattr(chosen._IMAGES, "fast", None)
    else:
        monkeypatch.setattr(import_module(FUSED), "ENOUGH", False)
    x, w = (tensor(a) for a in singles(rng, (1, 32, 8, 8), (32, 32, 3, 3)))
    before = calls()
    for _ in range(3):
        onednn.check(kernels.convolution, x.numpy(), w.numpy(), **ONE)
        ops.convolution(x, w, padding=1)
    assert calls() == before


def test_gradients_of_a_loss(rng):
    x, w = (tensor(a) for a in singles(rng, (1, 64, 56, 56), (64, 64, 3, 3)))
    x.requires_grad_()
    w = Parameter(w)
    found = []
    before = calls()
    for which in ("fast", "reference"):
        x.grad = w.grad = None
        with using(which):
            ops.convolution(x, w, padding=1).square().mean().backward()
        found.append((x.grad.numpy().copy(), w.grad.numpy().copy()))
    assert calls() == before + 2
    for a, b in zip(*found, strict=True):
        assert np.abs(a - b).max() <= 1e-5 * np.abs(b).max()


def test_filters_that_change(rng):
    x, w = (tensor(a) for a in singles(rng, (1, 64, 30, 30), (64, 64, 3, 3)))
    transforms = dispatch.KERNELS["winograd_filters"]
    counts = []
    for change in (False, False, False, True, False, False):
        if change:
            w[5, 4, 1, 2] = 100.0
        before = transforms.calls
        y = ops.convolution(x, w, padding=1).numpy()
        counts.append(transforms.calls - before)
        with using("reference"):
            expected = ops.convolution(x, w, padding=1).numpy()
        assert np.abs(y - expected).max() <= 1e-5 * np.abs(expected).max()
    assert counts == [1, 1, 0, 1, 1, 0]


def test_few_tiles_wait_for_filters_that_stay(rng):
    x, w = (tensor(a) for a in singles(rng, (1, 128, 14, 14), (128, 128, 3, 3)))
    before, counts = calls(), []
    for change in (False, False, True, False):
        if change:
            w[0, 0, 0, 0] = 1.0
        ops.convolution(x, w, padding=1)
        counts.append(calls() - before)
    assert counts == [0, 1, 1, 2]


def test_models_for_inference(rng):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution = nn.Conv2d(64, 64, 3, padding=1)
            self.normalisation = nn.BatchNorm2d(64)

        def forward(self, x):
            return ops.relu(self.normalisation(self.convolution(x)) + x)

    model = nn.Sequential(Block(), Block()).eval()
    fast = rekindle.optimise(model)
    (x,) = singles(rng, (1, 64, 30, 30))
    with using("reference"):
        expected = model(tensor(x)).numpy()
    before = calls()
    for _ in range(3):
        y = fast(tensor(x)).numpy()
        assert np.abs(y - expected).max() <= 1e-5 * np.abs(expected).max()
    assert calls() == before + 6


SCRIPT = """
import sys
import rekindle
from rekindle import nn
fast = rekindle.optimise(nn.Sequential(nn.Conv2d(64, 64, 3, padding=1), nn.ReLU()).eval())
x = rekindle.ones((1, 64, 40, 40))
for _ in range(2):
    print("numba" in sys.modules)
    fast(x)
print("numba" in sys.modules)
"""


def test_one_call_does_not_load_numba():
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "REKINDLE_KERNELS": "fast"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split() == ["False", "False", "True"]
