"""The tensor types of Torch7 by name, and the dtypes they are here."""

from __future__ import annotations

from rekindle.core.checkpoint.torch_types import TENSOR_CLASSES, tensor_class
from rekindle.core.dtypes import Dtype


def dtype_of(typename: str) -> Dtype:
    """Return the dtype of a tensor type: "torch.FloatTensor" is float32.

    Raises
    ------
    ValueError
        If there is no such type.
    """
    if typename not in TENSOR_CLASSES:
        raise ValueError(f"no tensor type is called {typename!r}")
    return TENSOR_CLASSES[typename]


def cpu_typename(typename: str) -> str:
    """Return the CPU type of a GPU type's name: torch.CudaTensor is torch.FloatTensor here."""
    return tensor_class(dtype_of(typename))
