"""What the right classes cost, straight from scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..backend import empty
from ..kernels import likelihood as kernels
from ..kernels.blocks import LEAST, row_blocks
from .batch_rules import folded
from .dispatching import dispatched_rule
from .registry import Array, Sample, operation


def _scores(rng: np.random.Generator) -> Iterator[Sample]:
    x, target = rng.normal(size=(4, 5)) * 3, rng.integers(0, 5, 4)
    yield Sample(x, target)
    yield Sample(x.astype(np.float32), target)
    yield Sample(x + 1000, np.array([4, 0, -1, 2]), ignore_index=-1)


@operation(samples=_scores)
def softmax_nll(xp: Any, x: Array, target: Array, *, ignore_index: int = -100) -> Array:
    """Return the negative logarithm of the share that softmax gives to each row's class.

    Parameters
    ----------
    x : Tensor, shape (N, C), floating
        Scores.
    target : Tensor of int, shape (N,)
        Classes, from 0.
    ignore_index : int
        A target that costs nothing.

    Returns
    -------
    Tensor, shape (N,)

    Raises
    ------
    ShapeError, DtypeError, BoundsError
        If shapes or dtypes do not fit, or a target is no class.

    Notes
    -----
    Source: torch/nn CrossEntropyCriterion.lua
    """
    return kernels.softmax_nll(xp, x, target, ignore_index=ignore_index)


def _counted(xp: Any, g: Any, target: Any, ignored: int) -> tuple[Any, Any]:
    """Return g without what is ignored, and the classes, both as columns."""
    counted = target != ignored
    share, place = xp.where(counted, g, 0.0), xp.where(counted, target, 0)
    return xp.reshape(share, (-1, 1)), xp.reshape(place, (-1, 1))


@dispatched_rule("fused.likelihood", least=1)
def softmax_nll_gradient(xp: Any, g: Any, x: Any, target: Any, ignore_index: int) -> Any:
    """Return g times the shares of softmax, less g for the right classes."""
    if not all(type(a) is np.ndarray for a in (g, x, target)) or x.size < LEAST:
        return _gradient(xp, g, x, target, ignore_index)
    out = empty(x.shape, x.dtype)
    for rows in row_blocks(x):
        out[rows] = _gradient(xp, g[rows], x[rows], target[rows], ignore_index)
    return out


def _gradient(xp: Any, g: Any, x: Any, target: Any, ignore_index: int) -> Any:
    share, place = _counted(xp, g, target, ignore_index)
    at_classes = xp.gather_gradient(share, place, size=x.shape[1], axis=1)
    counted = xp.reshape(target != ignore_index, (-1, 1))
    return xp.where(counted, xp.softmax(x, axis=1) * share - at_classes, 0.0)


def _tangent(xp: Any, g: Any, x: Any, target: Any, ignore_index: int) -> Any:
    _, place = _counted(xp, g[:, 0], target, ignore_index)
    change = xp.sum_products(g, xp.softmax(x, axis=1), axes=(1,)) - xp.gather(g, place, axis=1)
    return xp.where(target != ignore_index, xp.reshape(change, (-1,)), 0.0)


softmax_nll.def_vjp(x=softmax_nll_gradient)
softmax_nll.def_jvp(x=_tangent)
softmax_nll.def_batch(folded)
