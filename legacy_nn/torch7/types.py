"""The tensor types of Torch7 by name, and the dtypes they are here."""

from __future__ import annotations

from rekindle.core import dtypes
from rekindle.core.dtypes import Dtype

_DTYPES = {
    "Byte": dtypes.uint8,
    "Char": dtypes.int8,
    "Short": dtypes.int16,
    "Int": dtypes.int32,
    "Long": dtypes.int64,
    "Half": dtypes.float16,
    "Float": dtypes.float32,
    "Double": dtypes.float64,
}


def cpu_typename(typename: str) -> str:
    """Return the CPU type of a GPU type's name: torch.CudaTensor is torch.FloatTensor here."""
    kind = typename.removeprefix("torch.").removesuffix("Tensor")
    for prefix in ("Cuda", "Cl"):
        if kind.startswith(prefix):
            return f"torch.{kind.removeprefix(prefix) or 'Float'}Tensor"
    return typename


def dtype_of(typename: str) -> Dtype:
    """Return the dtype of a tensor type ("torch.FloatTensor" is float32).

    Raises
    ------
    ValueError
        If there is no such type.
    """
    kind = cpu_typename(typename).removeprefix("torch.").removesuffix("Tensor")
    if kind not in _DTYPES:
        raise ValueError(f"no tensor type is called {typename!r}")
    return _DTYPES[kind]
