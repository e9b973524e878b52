"""Fused kernels against the reference in float64, over shapes, layouts and special values."""

import os
import signal

import numpy as np
import pytest

from rekindle.core.kernels import dispatch, normalization, softmax
from rekindle.core.ops import gelu, silu
from rekindle.core.ops.gated_activation import gelu_gradient, silu_gradient
from rekindle.core.ops.layer_normalization import standardize_gradient
from rekindle.core.ops.namespaces import array_namespace
from rekindle.core.ops.softmax import log_softmax_gradient, softmax_gradient

pytestmark = pytest.mark.skipif(
    dispatch.missing("fused") is not None, reason="the fused kernels are not installed"
)

SPECIAL = np.array([0.0, -0.0, 1e-40, -1e-40, np.inf, -np.inf, np.nan, 88.5, -88.5, 3e38], "f4")
SHAPES = [(4096,), (4097, 1), (3, 5, 7, 41), (64, 129), (1, 5003)]
XP = array_namespace(np.zeros(1))


@pytest.fixture
def compared():
    """Compute with the fused kernel, which must not decline, and with the reference."""

    def compare(function, *args, tolerance=1e-6, xp=np, **params):
        def wide(a):
            if isinstance(a, list):
                return [wide(part) for part in a]
            single = isinstance(a, np.ndarray) and a.dtype == np.float32
            return a.astype(np.float64) if single else a

        kernel = dispatch.KERNELS[getattr(function, "name", function.__name__)]
        call = getattr(function, "forward", function)
        before = kernel.calls
        with np.errstate(all="ignore"):
            with dispatch.using("fast"):
                fast = call(xp, *args, **params)
            assert kernel.calls == before + 1, kernel.declined
            with dispatch.using("reference"):
                exact = call(xp, *map(wide, args), **params)
                plain = call(xp, *args, **params)
        several = isinstance(fast, tuple)
        for f, e, p in zip(*[r if several else [r] for r in (fast, exact, plain)], strict=True):
            assert f.dtype == p.dtype
            assert f.shape == p.shape
            finite = np.isfinite(e)
            np.testing.assert_array_equal(np.isnan(f), np.isnan(p))
            error = np.abs(f[finite] - e[finite]).max(initial=0)
            assert error <= tolerance * np.abs(e[finite]).max(initial=0), error
        return fast

    return compare


def layouts(shape, seed=0):
    x = (np.random.default_rng(seed).normal(size=shape) * 3).astype(np.float32)
    yield x
    yield np.asfortranarray(x)
    yield np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0)
    wide = np.zeros((*shape[:-1], 2 * shape[-1]), np.float32)[..., ::-2]
    wide[...] = x
    wide.flags.writeable = False
    yield wide
    yield np.broadcast_to(x[:1], shape)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gated_activations(compared, shape):
    others = [*layouts(shape, 1)]
    for x, g in zip(layouts(shape), others[1:] + others[:1], strict=True):
        for approximate in ("none", "tanh"):
            compared(gelu, x, approximate=approximate)
            compared(gelu_gradient, g, x, approximate, xp=XP, tolerance=2e-6)
        compared(silu, x)
        compared(silu_gradient, g, x, xp=XP, tolerance=2e-6)


def test_gated_activations_are_exact_in_the_tails():
    x = np.linspace(-12, 12, 20001).astype(np.float32)
    for call, params in [(gelu, {"approximate": "none"}), (silu, {})]:
        with dispatch.using("fast"):
            fast = call.forward(np, x, **params)
        exact = call.forward(np, x.astype(np.float64), **params)
        np.testing.assert_allclose(fast, exact, rtol=2e-6, atol=1e-37)


def test_special_values_of_activations(compared):
    x = np.resize(SPECIAL, 5000)
    for approximate in ("none", "tanh"):
        y = compared(gelu, x, approximate=approximate)
        np.testing.assert_array_equal(np.signbit(y[:4]), np.signbit(x[:4]))
        np.testing.assert_allclose(y[2:4], x[2:4] / 2, rtol=1e-4)
    compared(silu, x[~np.isneginf(x)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [((64, 129), (-1,)), ((7, 5, 9, 17), (2, 3)), ((5003,), (0,)), ((600, 9), (1,))],
)
def test_standardize(compared, shape, axes, dtype):
    tolerance = 2e-6 if dtype == np.float32 else 1e-12
    for x in layouts(shape):
        x = x.astype(dtype)
        x[..., :1] += 50
        result = compared(normalization.standardize, x, axes=axes, eps=1e-5, tolerance=tolerance)
        with np.errstate(all="ignore"), dispatch.using("reference"):
            out, _, variance = normalization.standardize(np, x, axes=axes, eps=1e-5)
        rng = np.random.default_rng(3)
        g = [rng.normal(size=r.shape).astype(dtype) for r in result]
        compared(standardize_gradient, g, out, variance, axes, 1e-5, xp=XP, tolerance=5 * tolerance)


def test_standardize_without_variance(compared):
    x = np.full((64, 100), 7, np.float32)
    out, mean, variance = compared(normalization.standardize, x, axes=(1,), eps=0.0)
    assert (out == 0).all()
    assert (mean == 7).all()
    assert (variance == 0).all()
    g = [np.ones_like(x), np.zeros_like(mean), np.zeros_like(mean)]
    compared(standardize_gradient, g, out, variance, (1,), 0.0, xp=XP)


@pytest.mark.parametrize("shape", [(64, 129), (5, 7, 130), (5003,), (5003, 1)], ids=str)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_and_its_logarithm(compared, shape, name):
    gradient = {"softmax": softmax_gradient, "log_softmax": log_softmax_gradient}[name]
    for x in layouts(shape):
        out = compared(getattr(softmax, name), x * 5, axis=-1)
        g = np.random.default_rng(1).normal(size=shape).astype(np.float32)
        compared(gradient, g, out, -1, xp=XP, tolerance=3e-6)


def test_softmax_of_infinities(compared):
    x = np.random.default_rng(0).normal(size=(50, 100)).astype(np.float32)
    x[0, :50] = -np.inf
    x[1, 3] = np.nan
    x[2] = -np.inf
    x[3, 7] = np.inf
    x[4] += 1e30
    compared(softmax.softmax, x, axis=-1)
    compared(softmax.log_softmax, x, axis=-1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_computes_with_the_reference():
    x = np.linspace(-3, 3, 100_000, dtype=np.float32)
    expected = gelu.forward(np, x)
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # OpenMP would wait for threads that are not there
        before = dispatch.KERNELS["gelu"].calls
        same = np.allclose(gelu.forward(np, x), expected, atol=1e-5)
        os._exit(0 if same and dispatch.KERNELS["gelu"].calls == before else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_what_is_declined_is_the_references():
    x = np.random.default_rng(0).normal(size=(80, 90))
    for array in (x, x.astype(np.float16)):
        with dispatch.using("fast"):
            y = gelu.forward(np, array)
        with dispatch.using("reference"):
            np.testing.assert_array_equal(y, gelu.forward(np, array))
    assert dispatch.KERNELS["gelu"].declined["dtype float64"] >= 1
    with dispatch.using("fast"):
        y = softmax.softmax(np, x.astype(np.float32), axis=0)
    np.testing.assert_allclose(y.sum(axis=0), 1, rtol=1e-5)
