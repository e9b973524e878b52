"""The tensor and storage classes that files name, and their element types here."""

from __future__ import annotations

from .. import dtypes
from ..dtypes import Dtype

_ELEMENTS = {
    "Byte": dtypes.uint8,
    "Char": dtypes.int8,
    "Short": dtypes.int16,
    "Int": dtypes.int32,
    "Long": dtypes.int64,
    "Half": dtypes.float16,
    "Float": dtypes.float32,
    "Double": dtypes.float64,
}

_FAMILIES = ("", "Cuda", "Cl")
"""torch, cutorch and cltorch: GPU classes write the same records and are read as arrays on
the CPU. Source: generic/Tensor.c of torch7 and of cutorch."""


def _classes(kind: str) -> dict[str, Dtype]:
    found = {}
    for family in _FAMILIES:
        for element, dtype in _ELEMENTS.items():
            # The GPU's float class carries no element name: torch.CudaTensor.
            name = "" if family and element == "Float" else element
            found[f"torch.{family}{name}{kind}"] = dtype
    return found


TENSOR_CLASSES = _classes("Tensor")
STORAGE_CLASSES = _classes("Storage")

_NAMES = {dtype: element for element, dtype in _ELEMENTS.items()}
_NAMES[dtypes.bool_] = "Byte"


def tensor_class(dtype: Dtype) -> str:
    """Return the Torch7 class of tensors of `dtype`; bool is Byte, as Torch7's masks are."""
    return f"torch.{_NAMES[dtype]}Tensor"


def storage_class(dtype: Dtype) -> str:
    """Return the Torch7 class of storages of `dtype`."""
    return f"torch.{_NAMES[dtype]}Storage"
