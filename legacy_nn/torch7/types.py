"""The tensor types of Torch7 by name, the dtypes they are here, and the default type."""

from __future__ import annotations

from contextvars import ContextVar

from rekindle.core.checkpoint.torch_types import TENSOR_CLASSES, tensor_class
from rekindle.core.dtypes import Dtype, float64, is_floating

_default: ContextVar[Dtype] = ContextVar("default tensor type", default=float64)
"""A variable of the context: a Lua runtime has one of its own."""


def dtype_of(typename: str) -> Dtype:
    """Return the dtype of a tensor type: "torch.FloatTensor" is float32.

    Raises
    ------
    ValueError
        If there is no such type.
    """
    found = TENSOR_CLASSES.get(typename)
    if found is None:
        raise ValueError(f"no tensor type is called {typename!r}")
    return found


def cpu_typename(typename: str) -> str:
    """Return the CPU type of a GPU type's name: torch.CudaTensor is torch.FloatTensor here."""
    return tensor_class(dtype_of(typename))


def default_dtype() -> Dtype:
    """Return the dtype of `torch.Tensor`."""
    return _default.get()


def set_default_dtype(dtype: Dtype) -> None:
    """Make `torch.Tensor` a type of this dtype, as torch.setdefaulttensortype does.

    Raises
    ------
    ValueError
        If it is not floating.
    """
    if not is_floating(dtype):
        raise ValueError(f"the default tensor type is a floating one; given {tensor_class(dtype)}")
    _default.set(dtype)
