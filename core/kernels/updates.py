"""Steps of optimisers: what changes a parameter and its state, in one pass over memory.

Unlike other kernels these write into their operands, all but the gradient. NumPy makes one pass
for each operation, so it is given blocks that fit into a cache.
"""

from __future__ import annotations

from typing import Any

from .blocks import blocks
from .checks import Array
from .dispatch import dispatched


@dispatched("fused.updates", least=4096)
def sgd_update(
    xp: Any,
    p: Array,
    g: Array,
    velocity: Array | None,
    *,
    lr: float,
    decay: float,
    keep: float,
    add: float,
    ahead: float | None,
) -> None:
    """Take a step of gradient descent.

    Parameters
    ----------
    p : array, floating
        The parameter.
    g : array, of its shape and dtype
        The gradient, to which `decay` * p is added.
    velocity : array, of its shape and dtype, or None
        Becomes keep * velocity + add * g, and is what p moves along; None for g itself.
    lr : float
        p becomes p - lr * velocity.
    decay, keep, add : float
    ahead : float, optional
        Move along g + ahead * velocity instead.
    """
    for p_, g_, v in blocks(xp, p, g, velocity):
        if decay:
            g_ = g_ + decay * p_
        if v is not None:
            v *= keep
            v += add * g_
            g_ = v if ahead is None else g_ + ahead * v
        p_ -= lr * g_


@dispatched("fused.updates", least=4096)
def adam_update(
    xp: Any,
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
) -> None:
    """Take a step of Adam.

    Parameters
    ----------
    p : array, floating
        The parameter; first multiplied by `shrink`.
    g : array, of its shape and dtype
        The gradient, to which `decay` * p is added.
    mean, square : array, of its shape and dtype
        The running means of g and of its square.
    largest : array, optional
        The largest mean square so far, which then takes its place.
    lr : float
        p becomes p - lr * mean / (sqrt(square) / root + eps).
    beta1, beta2 : float
        How much of the means is kept.
    eps, decay, shrink, root : float
    """
    for p_, g_, m, s, top in blocks(xp, p, g, mean, square, largest):
        if shrink != 1:
            p_ *= shrink
        if decay:
            g_ = g_ + decay * p_
        m += (1 - beta1) * (g_ - m)
        s *= beta2
        s += (1 - beta2) * g_ * g_
        if top is not None:
            s = xp.maximum(top, s, out=top)
        divisor = xp.sqrt(s)
        divisor /= root
        divisor += eps
        p_ -= lr * (m / divisor)


@dispatched("fused.updates", least=4096)
def rmsprop_update(
    xp: Any,
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
) -> None:
    """Take a step of RMSprop.

    Parameters
    ----------
    p : array, floating
        The parameter.
    g : array, of its shape and dtype
        The gradient, to which `decay` * p is added.
    square : array, of its shape and dtype
        The running mean of the square of g.
    mean : array, optional
        The running mean of g, whose square is then subtracted from it.
    velocity : array, optional
        Becomes momentum * velocity + g / (sqrt(square) + eps), and is what p moves along; without
        it p moves along the quotient.
    lr, alpha, eps, decay, momentum : float
        `alpha` is how much of the means is kept.
    """
    for p_, g_, s, m, v in blocks(xp, p, g, square, mean, velocity):
        if decay:
            g_ = g_ + decay * p_
        s *= alpha
        s += (1 - alpha) * g_ * g_
        spread = s
        if m is not None:
            m += (1 - alpha) * (g_ - m)
            spread = s - m * m
        step = g_ / (xp.sqrt(spread) + eps)
        if v is not None:
            v *= momentum
            v += step
            step = v
        p_ -= lr * step
