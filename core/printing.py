"""How tensors print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .backend import CPU, to_numpy

if TYPE_CHECKING:
    from .tensor import Tensor

SUMMARISED = 1000
"""Tensors with more elements show only the first and last three of each dimension."""


def _sample(tensor: Tensor) -> Tensor:
    """Return the corners that a summary shows, so that a huge expanded view costs nothing."""
    for axis, n in enumerate(tensor.shape):
        if n > 8:
            picked = np.r_[0:4, n - 4 : n]
            tensor = tensor[(slice(None),) * axis + (picked,)]
    return tensor


def format_tensor(tensor: Tensor) -> str:
    """Return the text of a tensor: values, shape, dtype, and what else is not ordinary.

    Sizes beyond `SUMMARISED` elements show the edges only.
    """
    name = type(tensor).__name__
    whole = tensor.size <= SUMMARISED
    shown = to_numpy((tensor if whole else _sample(tensor)).array)
    if whole:
        values = np.array2string(shown, separator=", ", prefix=name + "(", threshold=SUMMARISED)
    else:
        values = np.array2string(shown, separator=", ", prefix=name + "(", threshold=0, edgeitems=3)
    facts = [f"shape={tensor.shape}", f"dtype={tensor.dtype}"]
    if tensor.device != CPU:
        facts.append(f"device={tensor.device}")
    if tensor.requires_grad:
        facts.append("requires_grad=True")
    return f"{name}({values}, {', '.join(facts)})"
