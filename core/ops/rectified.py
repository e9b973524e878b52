"""A linear map and ReLU, computed as one and recorded as two."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.modes import MODE
from ..autograd.views import parent_of
from ..kernels import products
from ..tensor import Tensor
from ..waiting import private_cell
from .activation import relu
from .linalg import linear

_SINGLE = np.dtype(np.float32)


def linear_relu(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return relu(linear(x, weight, bias)), with no array for what ReLU is applied to.

    Its gradients need the result of ReLU alone, and those of the linear map nothing of its
    result. So the graph is that of the two operations.

    Parameters
    ----------
    x : Tensor, shape (..., in)
    weight : Tensor, shape (out, in)
    bias : Tensor, shape (out,), optional

    Returns
    -------
    Tensor, shape (..., out)
    """
    mode = MODE.get()
    operands = (x, weight, bias)
    arrays = None if mode.watched else _fitting(operands)
    if arrays is None:
        return relu(linear(x, weight, bias))
    values = products.linear(np, *arrays, rectify=True)
    result = Tensor._wrap(values)
    result._version = private_cell(values)
    if mode.grad:
        parents = [None if t is None else parent_of(t) for t in operands]
        if any(p is not None for p in parents):
            before = Tensor._wrap(values)  # whose values nobody sees
            linear._record(operands, arrays, parents, (before,), (), {})
            relu._record((before,), (values,), (before._node,), (result,), (), {})
    return result


def _fitting(operands: tuple[Any, ...]) -> list[Any] | None:
    """Return the arrays of a linear map; None where the operations themselves are to compute."""
    arrays = [t._values() if isinstance(t, Tensor) else t for t in operands]
    if any(type(a) is not np.ndarray or a.dtype != _SINGLE for a in arrays if a is not None):
        return None
    x, weight, bias = arrays
    if x is None or weight is None or weight.ndim != 2 or x.shape[-1:] != weight.shape[1:]:
        return None
    return arrays if bias is None or bias.shape == weight.shape[:1] else None
