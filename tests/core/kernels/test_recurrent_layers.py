"""LSTM and GRU layers: reference and fused kernels, against operations for every time."""

import numpy as np
import pytest

from rekindle.core import nn
from rekindle.core.autograd import check_grads
from rekindle.core.errors import ShapeError
from rekindle.core.kernels import dispatch
from rekindle.core.kernels import recurrent as kernels
from rekindle.core.nn.functional import recurrent
from rekindle.core.tensor import Tensor

FUSED = dispatch.missing("fused") is None
WAYS = ["reference", pytest.param("fast", marks=pytest.mark.skipif(not FUSED, reason="no numba"))]


def operands(kind, times, batch, size, dtype):
    rng = np.random.default_rng(times)
    gates = {"lstm": 4, "gru": 3}[kind] * size
    sums, w = rng.normal(size=(times, batch, gates)), rng.normal(size=(gates, size)) / size**0.5
    h, c, bias = (rng.normal(size=s) for s in ((batch, size), (batch, size), (gates,)))
    last = [h, c] if kind == "lstm" else [bias, h]
    return [a.astype(dtype) for a in (sums, w, *last)]


def run(kind, function, arrays, reverse):
    """Return outputs and gradients of a layer, as `recurrent` computes it with `function`."""
    tensors = [Tensor(a.copy(), requires_grad=True) for a in arrays]
    if kind == "lstm":
        sums, w, h, c = tensors
        y, (h, c) = function(kind, sums, (h, c), w, None, *function.extra, reverse)
        loss = (y * y).sum() + (h * 2 + c * c).sum()
    else:
        sums, w, bias, h = tensors
        y, (h,) = function(kind, sums, (h,), w, bias, *function.extra, reverse)
        loss = (y * y).sum() + (h * h).sum()
    loss.backward()
    return [y.numpy(), *(t.grad.numpy() for t in tensors)]


recurrent._whole.extra, recurrent._stepped.extra = (), (None,)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("times", "batch", "size"), [(3, 2, 5), (1, 1, 1), (9, 33, 17)])
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_a_layer_is_its_steps(close, kind, times, batch, size, reverse, dtype, way):
    arrays = operands(kind, times, batch, size, dtype)
    with dispatch.using("reference"):
        exact = run(kind, recurrent._stepped, [a.astype(np.float64) for a in arrays], reverse)
    with dispatch.using(way):
        found = run(kind, recurrent._whole, arrays, reverse)
    for actual, expected in zip(found, exact, strict=True):
        close(actual, expected, dtype)
    if way == "fast" and dtype == np.float32 and times == 9:
        assert dispatch.KERNELS[f"{kind}_layer_gradient"].calls


@pytest.mark.skipif(not FUSED, reason="no numba")
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_any_strides_and_saturated_gates(kind):
    arrays = operands(kind, 5, 20, 30, np.float32)
    arrays[0][0] *= 1e4
    arrays[0][1, :, ::2] = np.inf
    views = [np.asfortranarray(a) for a in arrays]
    for view in views:
        view.flags.writeable = False
    call = getattr(kernels, f"{kind}_layer")
    with dispatch.using("fast"):
        fast = call(np, *views, reverse=False)
    with dispatch.using("reference"), np.errstate(all="ignore"):
        exact = call(np, *arrays, reverse=False)
    for f, e in zip(fast, exact, strict=True):
        np.testing.assert_allclose(f, e, rtol=0, atol=5e-6)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_second_derivatives_and_forward_mode(kind):
    arrays = operands(kind, 2, 2, 2, np.float64)

    def layer(*tensors):
        if kind == "lstm":
            sums, w, h, c = tensors
            y, (h, c) = recurrent._whole(kind, sums, (h, c), w, None, True)
            return y * y + c
        sums, w, bias, h = tensors
        return recurrent._whole(kind, sums, (h,), w, bias, False)[0] ** 2

    check_grads(layer, [Tensor(a) for a in arrays])


def test_operands_that_depend_on_each_other():
    layer = nn.GRU(3, 3, dtype=np.float64)
    x = Tensor(np.random.default_rng(0).normal(size=(4, 2, 3)), requires_grad=True)

    def energy(x):
        return (layer(x * x, x[:1])[0] ** 2).sum()

    check_grads(energy, [x])


def test_says_what_does_not_fit():
    sums, w, h, c = operands("lstm", 3, 2, 5, np.float32)
    with pytest.raises(ShapeError, match=r"lstm_layer: weight has shape \(20, 4\)"):
        kernels.lstm_layer(np, sums, w[:, :4], h, c, reverse=False)
    with pytest.raises(ShapeError, match="lstm_layer: c has shape"):
        kernels.lstm_layer(np, sums, w, h, c[:1], reverse=False)
