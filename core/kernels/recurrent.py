"""LSTM and GRU layers over all times, and their gradients.

What the input adds is given for all times. The gradient of the recurrent weights is one product
over all times, at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import totals
from .checks import Array, floating, same_shape
from .dispatch import dispatched
from .products import linear, matmul


@dispatched("fused.recurrent", least=4096)
def lstm_layer(
    xp: Any, sums: Array, weight: Array, h: Array, c: Array, *, reverse: bool
) -> tuple[Array, Array, Array]:
    """Return the states of an LSTM at all times.

    Parameters
    ----------
    sums : array, shape (T, N, 4 * H), floating
        What input and biases add for the gates input, forget, candidate and output.
    weight : array, shape (4 * H, H)
        What h is multiplied by.
    h, c : array, shape (N, H)
        The states before.
    reverse : bool
        Whether time runs from the last to the first.

    Returns
    -------
    hs, cs : array, shape (T, N, H)
    gates : array, shape (T, N, 4 * H)
        After sigmoid or tanh, for `lstm_layer_gradient`.

    Raises
    ------
    ShapeError, DtypeError
        If shapes or dtypes do not fit.
    """
    check(xp, "lstm_layer", sums, weight, h, 4)
    same_shape("lstm_layer", "c", c, h.shape)
    steps = []
    for total in _times(sums, reverse):
        i, f, g, o = _pieces(total + linear(xp, h, weight), 4)
        i, f, g, o = _sigmoid(xp, i), _sigmoid(xp, f), xp.tanh(g), _sigmoid(xp, o)
        c = f * c + i * g
        h = o * xp.tanh(c)
        steps.append((h, c, xp.concat((i, f, g, o), axis=-1)))
    hs, cs, gates = (xp.stack([*_times(part, reverse)]) for part in zip(*steps, strict=True))
    return hs, cs, gates


@dispatched("fused.recurrent", least=4096)
def lstm_layer_gradient(
    xp: Any,
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
) -> tuple[Array, Array, Array, Array]:
    """Return the gradients of the first four operands of `lstm_layer`.

    Parameters
    ----------
    g_hs : array, shape (T, N, H)
        The gradient of all h.
    g_c : array, shape (N, H)
        That of the last c.
    weight, h, c
        As for `lstm_layer`.
    hs, cs, gates
        What it returned.
    reverse : bool

    Returns
    -------
    g_sums, g_weight, g_h, g_c : array
        Of the shapes of sums, weight, h and c.
    """
    g_h = xp.zeros_like(h)
    found = []
    for t in order(len(hs), not reverse):
        before = cs[previous(t, reverse)] if has_previous(t, len(hs), reverse) else c
        i, f, g, o = _pieces(gates[t], 4)
        bent = xp.tanh(cs[t])
        g_h = g_h + g_hs[t]
        g_c = g_c + g_h * o * (1 - bent * bent)
        parts = (
            g_c * g * i * (1 - i),
            g_c * before * f * (1 - f),
            g_c * i * (1 - g * g),
            g_h * bent * o * (1 - o),
        )
        found.append(xp.concat(parts, axis=-1))
        g_c = g_c * f
        g_h = matmul(xp, found[-1], weight)
    g_sums = xp.stack([*_times(found, not reverse)])
    return g_sums, weight_gradient(xp, g_sums, h, hs, reverse), g_h, g_c


@dispatched("fused.recurrent", least=4096)
def gru_layer(
    xp: Any, sums: Array, weight: Array, bias: Array | None, h: Array, *, reverse: bool
) -> tuple[Array, Array, Array]:
    """Return the states of a GRU at all times.

    Parameters
    ----------
    sums : array, shape (T, N, 3 * H), floating
        What the input and its bias add for the gates reset, update and candidate.
    weight : array, shape (3 * H, H)
        What h is multiplied by.
    bias : array, shape (3 * H,), optional
        Added to that product.
    h : array, shape (N, H)
        The state before.
    reverse : bool
        Whether time runs from the last to the first.

    Returns
    -------
    hs : array, shape (T, N, H)
    gates : array, shape (T, N, 3 * H)
        After sigmoid or tanh, for `gru_layer_gradient`.
    hidden : array, shape (T, N, H)
        What the states add to the candidates before reset, for the same.

    Raises
    ------
    ShapeError, DtypeError
        If shapes or dtypes do not fit.
    """
    check(xp, "gru_layer", sums, weight, h, 3)
    steps = []
    for total in _times(sums, reverse):
        xr, xz, xn = _pieces(total, 3)
        hr, hz, hn = _pieces(linear(xp, h, weight, bias), 3)
        r, z = _sigmoid(xp, xr + hr), _sigmoid(xp, xz + hz)
        n = xp.tanh(xn + r * hn)
        h = n + z * (h - n)
        steps.append((h, xp.concat((r, z, n), axis=-1), hn))
    hs, gates, hidden = (xp.stack([*_times(part, reverse)]) for part in zip(*steps, strict=True))
    return hs, gates, hidden


@dispatched("fused.recurrent", least=4096)
def gru_layer_gradient(
    xp: Any,
    g_hs: Array,
    weight: Array,
    h: Array,
    hs: Array,
    gates: Array,
    hidden: Array,
    *,
    reverse: bool,
) -> tuple[Array, Array, Array, Array]:
    """Return the gradients of the operands of `gru_layer`.

    Parameters
    ----------
    g_hs : array, shape (T, N, H)
        The gradient of all h.
    weight, h
        As for `gru_layer`.
    hs, gates, hidden
        What it returned.
    reverse : bool

    Returns
    -------
    g_sums, g_weight, g_bias, g_h : array
        Of the shapes of sums, weight, bias and h.
    """
    g_h = xp.zeros_like(h)
    found, products = [], []
    for t in order(len(hs), not reverse):
        before = hs[previous(t, reverse)] if has_previous(t, len(hs), reverse) else h
        r, z, n = _pieces(gates[t], 3)
        g_h = g_h + g_hs[t]
        g_n = g_h * (1 - z) * (1 - n * n)
        g_r = g_n * hidden[t] * r * (1 - r)
        g_z = g_h * (before - n) * z * (1 - z)
        found.append(xp.concat((g_r, g_z, g_n), axis=-1))
        products.append(xp.concat((g_r, g_z, g_n * r), axis=-1))
        g_h = g_h * z + matmul(xp, products[-1], weight)
    g_sums = xp.stack([*_times(found, not reverse)])
    g_products = xp.stack([*_times(products, not reverse)])
    g_weight = weight_gradient(xp, g_products, h, hs, reverse)
    return g_sums, g_weight, totals.total(xp, g_products, axis=(0, 1)), g_h


def weight_gradient(xp: Any, g: Array, h: Array, hs: Array, reverse: bool) -> Array:
    """Return the sum over times of the products of `g` and the states before."""
    befores = (hs[1:], h[None]) if reverse else (h[None], hs[:-1])
    before = xp.concat(befores, axis=0).reshape(-1, h.shape[-1])
    return matmul(xp, g.reshape(-1, g.shape[-1]).T, before)


def _times(parts: Any, reverse: bool) -> Any:
    return parts[::-1] if reverse else parts


def order(count: int, reverse: bool) -> Sequence[int]:
    """Return the times in the order that they are computed in."""
    return range(count - 1, -1, -1) if reverse else range(count)


def previous(t: int, reverse: bool) -> int:
    """Return the time before `t`."""
    return t + 1 if reverse else t - 1


def has_previous(t: int, count: int, reverse: bool) -> bool:
    """Whether there is a time before `t`."""
    return t + 1 < count if reverse else t > 0


def _pieces(x: Array, count: int) -> list[Array]:
    size = x.shape[-1] // count
    return [x[..., k * size : (k + 1) * size] for k in range(count)]


def _sigmoid(xp: Any, x: Array) -> Array:
    small = xp.exp(-xp.abs(x))
    return xp.where(x < 0, small, 1) / (1 + small)


def check(xp: Any, kernel: str, sums: Array, weight: Array, h: Array, gates: int) -> None:
    """Check the operands of a layer with so many gates."""
    floating(xp, kernel, sums, weight, h)
    size = h.shape[-1]
    same_shape(kernel, "weight", weight, (gates * size, size))
    same_shape(kernel, "sums", sums, (sums.shape[0], h.shape[0], gates * size))
