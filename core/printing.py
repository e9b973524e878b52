"""How tensors print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .backend import CPU, Batched, to_numpy

if TYPE_CHECKING:
    from .tensor import Tensor

SUMMARISED = 1000
"""Tensors with more elements show only the edges of each dimension."""

MOST_DIMENSIONS = 8
"""Large tensors with more dimensions show no elements: 2 of each would be too many."""


def _sample(tensor: Tensor, edge: int) -> Tensor:
    """Return the corners that a summary shows, so that a huge expanded view costs nothing."""
    picked = [
        np.r_[0 : edge + 1, n - edge : n] if n > 2 * edge + 1 else np.arange(n)
        for n in tensor.shape
    ]
    return tensor[np.ix_(*picked)]


def format_tensor(tensor: Tensor) -> str:
    """Return the text of a tensor: values, shape, dtype, and what else is not ordinary.

    Beyond `SUMMARISED` elements it shows the edges only: three elements of each dimension,
    one where there are more than four dimensions.
    """
    name = type(tensor).__name__
    values = "..."
    if isinstance(tensor.array, Batched):
        values = f"inside vmap: one of {tensor.array.level.size}"
    elif tensor.size <= SUMMARISED:
        values = np.array2string(
            to_numpy(tensor.array), separator=", ", prefix=name + "(", threshold=SUMMARISED
        )
    elif tensor.ndim <= MOST_DIMENSIONS:
        edge = 3 if tensor.ndim <= 4 else 1
        values = np.array2string(
            to_numpy(_sample(tensor, edge).array),
            separator=", ",
            prefix=name + "(",
            threshold=0,
            edgeitems=edge,
        )
    facts = [f"shape={tensor.shape}", f"dtype={tensor.dtype}"]
    if tensor.device != CPU:
        facts.append(f"device={tensor.device}")
    if tensor.requires_grad:
        facts.append("requires_grad=True")
    return f"{name}({values}, {', '.join(facts)})"
