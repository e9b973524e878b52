"""check_grads: derivatives against finite differences, in both modes, to any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import RekindleError
from ..tensor import Tensor
from .alias import alias, zeros_for
from .forward import jvp
from .modes import setting
from .reverse import grad

Function = Callable[..., Any]


class GradientMismatch(RekindleError, AssertionError):
    """A derivative that is not what finite differences say."""


def check_grads(
    f: Function,
    args: Sequence[Tensor],
    order: int = 2,
    modes: Sequence[str] = ("fwd", "rev"),
    *,
    eps: float = 1e-6,
    tol: float = 1e-5,
    seed: int = 0,
) -> None:
    """Check the derivatives of `f` at `args` against central differences.

    Each mode is checked along one random direction (and one random weighting of the
    outputs), then the derivative itself is checked likewise, up to `order`.

    Parameters
    ----------
    f : callable
        Takes the floating tensors `args`, returns a tensor or a tuple of them.
    args : sequence of Tensor, float64
        Where to check; the function must be smooth there.
    order : int
        1 checks first derivatives, 2 derivatives of derivatives.
    modes : sequence of str
        "fwd" pushes tangents forward, "rev" pulls gradients back.
    eps : float
        Half the distance of the two evaluations.
    tol : float
        Largest difference, relative to the magnitude of the two numbers and at least 1. The
        error of a central difference is about eps**2 plus 1e-16 / eps.
    seed : int
        Of the random directions.

    Raises
    ------
    GradientMismatch
        Says which mode at which order, and both values.
    """
    # A stream of its own: users draw their inputs from default_rng(seed) too.
    rng = np.random.default_rng((seed, 0x5EED))
    for mode in modes:
        _check(f, [x.detach().clone() for x in args], order, mode, modes, eps, tol, rng, mode)


def _check(
    f: Function,
    args: list[Tensor],
    order: int,
    mode: str,
    modes: Sequence[str],
    eps: float,
    tol: float,
    rng: np.random.Generator,
    path: str,
) -> None:
    tangents = [_like(x, rng) for x in args]
    value = _listed(f(*map(alias, args)))  # as in use: tensors that require gradients
    weights = [_like(y, rng) for y in value]
    shifted = [
        _listed(f(*[alias(x + sign * eps * t) for x, t in zip(args, tangents, strict=True)]))
        for sign in (1, -1)
    ]
    numeric = sum(_inner(w, a - b) / (2 * eps) for w, a, b in zip(weights, *shifted, strict=True))
    derivative = _forward_derivative if mode == "fwd" else _reverse_derivative
    pieces = _listed(derivative(f, len(args), weights)(*args, *tangents))
    exact = (
        sum(_inner(w, p) for w, p in zip(weights, pieces, strict=True))
        if mode == "fwd"
        else sum(_inner(t, p) for t, p in zip(tangents, pieces, strict=True))
    )
    if not abs(numeric - exact) <= tol * max(1.0, abs(numeric), abs(exact)):
        raise GradientMismatch(
            f"derivative {path}: {exact:.10g}, finite differences say {numeric:.10g}"
        )
    if order > 1:
        inner = derivative(f, len(args), weights)
        for again in modes:
            _check(
                inner,
                [*args, *tangents] if mode == "fwd" else args,
                order - 1,
                again,
                modes,
                eps,
                tol,
                rng,
                f"{again} of {path}",
            )


def _forward_derivative(f: Function, n: int, weights: list[Tensor]) -> Function:
    def tangent(*args: Tensor) -> Any:
        return tuple(_listed(jvp(f, args[:n], args[n:])[1]))

    return tangent


def _reverse_derivative(f: Function, n: int, weights: list[Tensor]) -> Function:
    def gradient(*args: Tensor) -> Any:
        with setting(grad=True):
            leaves = [alias(x) for x in args[:n]]
            pairs = [
                (y, w) for y, w in zip(_listed(f(*leaves)), weights, strict=True) if y.requires_grad
            ]
            found: Sequence[Tensor | None] = [None] * n
            if pairs:
                ys, ws = zip(*pairs, strict=True)
                found = grad(ys, leaves, ws, create_graph=True, allow_unused=True)
        return tuple(zeros_for(x) if g is None else g for x, g in zip(leaves, found, strict=True))

    return gradient


def _like(x: Tensor, rng: np.random.Generator) -> Tensor:
    return Tensor(np.asarray(rng.normal(size=x.shape), dtype=x.dtype))


def _listed(value: Any) -> list[Tensor]:
    return list(value) if isinstance(value, (tuple, list)) else [value]


def _inner(a: Tensor, b: Tensor) -> float:
    return float(np.sum(a.numpy() * b.numpy()))
