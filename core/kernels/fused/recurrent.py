"""LSTM and GRU layers: one kernel for each time, after its product of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import empty
from .. import recurrent as reference
from .. import totals
from ..checks import same_shape
from ..dispatch import Declined
from ..products import linear, matmul
from .arrays import SINGLE, Array, other_dtype
from .compiling import kernel, prange
from .functions import sigmoid, tanh

f32 = np.float32


@kernel
def _lstm_step(sums: Any, products: Any, c: Any, gates: Any, h_next: Any, c_next: Any) -> None:
    size = c.shape[1]
    for n in prange(c.shape[0]):
        given, added, out = sums[n], products[n], gates[n]
        for j in range(2 * size):
            out[j] = sigmoid(given[j] + added[j])
        for j in range(2 * size, 3 * size):
            out[j] = tanh(given[j] + added[j])
        for j in range(3 * size, 4 * size):
            out[j] = sigmoid(given[j] + added[j])
        i, f, g, o = out[:size], out[size:], out[2 * size :], out[3 * size :]
        before, after, shown = c[n], c_next[n], h_next[n]
        for j in range(size):
            after[j] = f[j] * before[j] + i[j] * g[j]
            shown[j] = o[j] * tanh(after[j])


@kernel
def _lstm_step_gradient(
    g_out: Any, g_h: Any, g_c: Any, gates: Any, before: Any, after: Any, g_sums: Any
) -> None:
    size = before.shape[1]
    one = f32(1)
    for n in prange(before.shape[0]):
        i, f = gates[n, :size], gates[n, size : 2 * size]
        g, o = gates[n, 2 * size : 3 * size], gates[n, 3 * size :]
        old, new = before[n], after[n]
        g_i, g_f = g_sums[n, :size], g_sums[n, size : 2 * size]
        g_g, g_o = g_sums[n, 2 * size : 3 * size], g_sums[n, 3 * size :]
        out, through, carried = g_out[n], g_h[n], g_c[n]
        for j in range(size):
            bent = tanh(new[j])
            arriving = out[j] + through[j]
            g_o[j] = arriving * bent * o[j] * (one - o[j])
            carried[j] = carried[j] + arriving * o[j] * (one - bent * bent)
        for j in range(size):
            g_i[j] = carried[j] * g[j] * i[j] * (one - i[j])
            g_g[j] = carried[j] * i[j] * (one - g[j] * g[j])
        for j in range(size):
            g_f[j] = carried[j] * old[j] * f[j] * (one - f[j])
            carried[j] = carried[j] * f[j]


@kernel
def _gru_step(sums: Any, products: Any, h: Any, gates: Any, hidden: Any, h_next: Any) -> None:
    size = h.shape[1]
    for n in prange(h.shape[0]):
        given, added, out = sums[n], products[n], gates[n]
        for j in range(2 * size):
            out[j] = sigmoid(given[j] + added[j])
        r, z, candidate = out[:size], out[size : 2 * size], out[2 * size :]
        given_n, added_n, kept = given[2 * size :], added[2 * size :], hidden[n]
        before, after = h[n], h_next[n]
        for j in range(size):
            kept[j] = added_n[j]
            candidate[j] = tanh(given_n[j] + r[j] * added_n[j])
        for j in range(size):
            after[j] = candidate[j] + z[j] * (before[j] - candidate[j])


@kernel
def _gru_step_gradient(
    g_out: Any, g_h: Any, gates: Any, hidden: Any, before: Any, g_sums: Any, g_products: Any
) -> None:
    size = before.shape[1]
    one = f32(1)
    for n in prange(before.shape[0]):
        r, z, candidate = gates[n, :size], gates[n, size : 2 * size], gates[n, 2 * size :]
        g_r, g_z, g_n = g_sums[n, :size], g_sums[n, size : 2 * size], g_sums[n, 2 * size :]
        added, old, out, carried = hidden[n], before[n], g_out[n], g_h[n]
        for j in range(size):
            arriving = out[j] + carried[j]
            g_n[j] = arriving * (one - z[j]) * (one - candidate[j] * candidate[j])
            g_z[j] = arriving * (old[j] - candidate[j]) * z[j] * (one - z[j])
            carried[j] = arriving * z[j]
        for j in range(size):
            g_r[j] = g_n[j] * added[j] * r[j] * (one - r[j])
        target = g_products[n]
        for j in range(2 * size):
            target[j] = g_sums[n, j]
        scaled = target[2 * size :]
        for j in range(size):
            scaled[j] = g_n[j] * r[j]


def _declined(*arrays: Array | None) -> Declined | None:
    return next((other_dtype(a) for a in arrays if a is not None and a.dtype != SINGLE), None)


def lstm_layer(
    sums: Array, weight: Array, h: Array, c: Array, *, reverse: bool
) -> tuple[Array, Array, Array] | Declined:
    """See `core.kernels.recurrent.lstm_layer`."""
    reference.check(np, "lstm_layer", sums, weight, h, 4)
    same_shape("lstm_layer", "c", c, h.shape)
    if (declined := _declined(c)) or (declined := _declined(sums)):
        return declined
    times, (batch, size) = len(sums), h.shape
    hs, cs = empty((times, batch, size), SINGLE), empty((times, batch, size), SINGLE)
    gates = empty(sums.shape, SINGLE)
    sums, h, c = (np.ascontiguousarray(a) for a in (sums, h, c))
    for t in reference.order(times, reverse):
        _lstm_step(sums[t], linear(np, h, weight), c, gates[t], hs[t], cs[t])
        h, c = hs[t], cs[t]
    return hs, cs, gates


def lstm_layer_gradient(
    g_hs: Array,
    g_c: Array,
    weight: Array,
    h: Array,
    c: Array,
    hs: Array,
    cs: Array,
    gates: Array,
    *,
    reverse: bool,
) -> tuple[Array, Array, Array, Array] | Declined:
    """See `core.kernels.recurrent.lstm_layer_gradient`."""
    if declined := _declined(g_hs, g_c, gates):
        return declined
    g_sums = empty(gates.shape, SINGLE)
    g_hs, c = np.ascontiguousarray(g_hs), np.ascontiguousarray(c)
    g_h, g_c = np.zeros_like(c), np.array(g_c, order="C")
    for t in reference.order(len(hs), not reverse):
        near = reference.has_previous(t, len(hs), reverse)
        before = cs[reference.previous(t, reverse)] if near else c
        _lstm_step_gradient(g_hs[t], g_h, g_c, gates[t], before, cs[t], g_sums[t])
        g_h = matmul(np, g_sums[t], weight)
    return g_sums, reference.weight_gradient(np, g_sums, h, hs, reverse), g_h, g_c


def gru_layer(
    sums: Array, weight: Array, bias: Array | None, h: Array, *, reverse: bool
) -> tuple[Array, Array, Array] | Declined:
    """See `core.kernels.recurrent.gru_layer`."""
    reference.check(np, "gru_layer", sums, weight, h, 3)
    if declined := _declined(sums):
        return declined
    times, (batch, size) = len(sums), h.shape
    hs, hidden = empty((times, batch, size), SINGLE), empty((times, batch, size), SINGLE)
    gates = empty(sums.shape, SINGLE)
    sums, h = np.ascontiguousarray(sums), np.ascontiguousarray(h)
    for t in reference.order(times, reverse):
        _gru_step(sums[t], linear(np, h, weight, bias), h, gates[t], hidden[t], hs[t])
        h = hs[t]
    return hs, gates, hidden


def gru_layer_gradient(
    g_hs: Array, weight: Array, h: Array, hs: Array, gates: Array, hidden: Array, *, reverse: bool
) -> tuple[Array, Array, Array, Array] | Declined:
    """See `core.kernels.recurrent.gru_layer_gradient`."""
    if declined := _declined(g_hs, gates):
        return declined
    g_sums, g_products = empty(gates.shape, SINGLE), empty(gates.shape, SINGLE)
    g_hs, h = np.ascontiguousarray(g_hs), np.ascontiguousarray(h)
    g_h = np.zeros_like(h)
    for t in reference.order(len(hs), not reverse):
        near = reference.has_previous(t, len(hs), reverse)
        before = hs[reference.previous(t, reverse)] if near else h
        _gru_step_gradient(g_hs[t], g_h, gates[t], hidden[t], before, g_sums[t], g_products[t])
        g_h += matmul(np, g_products[t], weight)
    g_weight = reference.weight_gradient(np, g_products, h, hs, reverse)
    return g_sums, g_weight, totals.total(np, g_products, axis=(0, 1)), g_h
