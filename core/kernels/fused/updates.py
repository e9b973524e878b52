"""Steps of optimisers in one pass over a parameter, its gradient and its state."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dispatch import Declined
from .arrays import DOUBLE, SINGLE, Array, other_dtype
from .compiling import kernel, prange


@kernel
def _descend(p: Any, g: Any, lr: Any, decay: Any) -> None:
    for i in prange(p.size):
        p[i] = p[i] - lr * (g[i] + decay * p[i])


@kernel
def _descend_on(
    p: Any, g: Any, velocity: Any, lr: Any, decay: Any, keep: Any, add: Any, own: Any, ahead: Any
) -> None:
    for i in prange(p.size):
        arriving = g[i] + decay * p[i]
        moved = keep * velocity[i] + add * arriving
        velocity[i] = moved
        p[i] = p[i] - lr * (own * arriving + ahead * moved)


@kernel
def _adam(
    p: Any,
    g: Any,
    mean: Any,
    square: Any,
    lr: Any,
    rest1: Any,
    beta2: Any,
    rest2: Any,
    eps: Any,
    decay: Any,
    shrink: Any,
    root: Any,
) -> None:
    for i in prange(p.size):
        value = p[i] * shrink
        arriving = g[i] + decay * value
        m = mean[i] + rest1 * (arriving - mean[i])
        s = beta2 * square[i] + rest2 * arriving * arriving
        mean[i] = m
        square[i] = s
        p[i] = value - lr * (m / (np.sqrt(s) / root + eps))


@kernel
def _rmsprop(
    p: Any, g: Any, square: Any, lr: Any, alpha: Any, rest: Any, eps: Any, decay: Any
) -> None:
    for i in prange(p.size):
        arriving = g[i] + decay * p[i]
        s = alpha * square[i] + rest * arriving * arriving
        square[i] = s
        p[i] = p[i] - lr * (arriving / (np.sqrt(s) + eps))


def _lines(*arrays: Array) -> list[Array] | Declined:
    """Return arrays that are written to, and last the gradient, as 1-D views."""
    dtype = arrays[0].dtype
    if dtype not in (SINGLE, DOUBLE) or any(a.dtype != dtype for a in arrays):
        return other_dtype(arrays[0])
    *written, g = arrays
    if not all(a.flags.c_contiguous for a in written):
        return Declined("strides of a parameter")
    return [*(a.reshape(-1) for a in written), np.ascontiguousarray(g).reshape(-1)]


def sgd_update(
    p: Array,
    g: Array,
    velocity: Array | None,
    *,
    lr: float,
    decay: float,
    keep: float,
    add: float,
    ahead: float | None,
) -> Declined | None:
    """See `core.kernels.updates.sgd_update`."""
    lines = _lines(p, g) if velocity is None else _lines(p, velocity, g)
    if isinstance(lines, Declined):
        return lines
    number = p.dtype.type
    if velocity is None:
        _descend(*lines, number(lr), number(decay))
        return None
    own, share = (0, 1) if ahead is None else (1, ahead)
    numbers = map(number, (lr, decay, keep, add, own, share))
    _descend_on(lines[0], lines[2], lines[1], *numbers)
    return None


def adam_update(
    p: Array,
    g: Array,
    mean: Array,
    square: Array,
    largest: Array | None,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    decay: float,
    shrink: float,
    root: float,
) -> Declined | None:
    """See `core.kernels.updates.adam_update`."""
    if largest is not None:
        return Declined("amsgrad")
    lines = _lines(p, mean, square, g)
    if isinstance(lines, Declined):
        return lines
    numbers = (lr, 1 - beta1, beta2, 1 - beta2, eps, decay, shrink, root)
    _adam(lines[0], lines[3], lines[1], lines[2], *map(p.dtype.type, numbers))
    return None


def rmsprop_update(
    p: Array,
    g: Array,
    square: Array,
    mean: Array | None,
    velocity: Array | None,
    *,
    lr: float,
    alpha: float,
    eps: float,
    decay: float,
    momentum: float,
) -> Declined | None:
    """See `core.kernels.updates.rmsprop_update`."""
    if mean is not None or velocity is not None:
        return Declined("RMSprop with momentum, or centred")
    lines = _lines(p, square, g)
    if isinstance(lines, Declined):
        return lines
    numbers = (lr, alpha, 1 - alpha, eps, decay)
    _rmsprop(lines[0], lines[2], lines[1], *map(p.dtype.type, numbers))
    return None
