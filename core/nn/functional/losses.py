"""Losses that are made of others; the rest are operations (core/ops)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from ... import ops
from ...ops.losses import reduced
from ...tensor import Tensor
from .linear import pairwise_distance


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: Literal["none", "mean", "sum"] = "mean",
) -> Tensor:
    """Return how far the negative is from being further off than the positive by `margin`.

    Parameters
    ----------
    anchor, positive, negative : Tensor
    distance_function : callable, optional
        `distance_function(a, b)`; by default `pairwise_distance`.
    margin : float
    swap : bool
        Whether the distance from positive to negative counts where it is the smaller.
    reduction : str
    """
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        other = distance(positive, negative)
        far = ops.where(other < far, other, far)
    return reduced(ops.relu(near - far + margin), reduction)
