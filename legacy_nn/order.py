"""The order of memory of what modules return: Torch7's results lie in row-major order.

Inside a network images are channels-last, which is faster; see docs/kernels.md.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.backend import holds_alone
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from .values import map_tensors


def row_major(value: Any) -> Any:
    """Return what a module has computed, with new tensors of another order put into this one.

    Views of other tensors stay what they are: in Torch7 they have strides, too.
    """
    if isinstance(value, Tensor):
        return _copied(value)
    if isinstance(value, Table):
        return map_tensors(_copied, value)
    return value


def _copied(tensor: Tensor) -> Tensor:
    array = tensor.array
    if array.ndim < 3 or array.flags.c_contiguous or not holds_alone(array):
        return tensor
    return ops.contiguous(tensor)
