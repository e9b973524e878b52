"""The elementary values of a torch.File: their types, and how C's scanf reads them as text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from rekindle.core import dtypes
from rekindle.core.dtypes import Dtype

from ..errors import TorchError
from ..memory import convert_number

_INTEGER = rb"[+-]?[0-9]+"
_REAL = (
    rb"[+-]?(?:0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?"
    rb"|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf(?:inity)?|nan)"
)

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One of Torch7's element types: `readInt`, `writeInt`, `torch.IntStorage`."""

    name: str
    dtype: Dtype
    pattern: re.Pattern[bytes] | None
    """A number as text, with white space before it; None where bytes stand as they are."""

    def parse(self, text: bytes) -> Any:
        """Return the number that scanf makes of `text`, which matches the pattern."""
        if self.dtype.kind == "f":
            word = text.decode("ascii")
            return float.fromhex(word) if "x" in word.lower() else float(word)
        return int(text)

    def array(self, numbers: list[Any]) -> Array:
        """Return parsed numbers as elements; integers saturate at 64 bits, then wrap."""
        if self.dtype.kind == "f":
            with np.errstate(over="ignore"):
                return np.array(numbers, np.float64).astype(self.dtype)
        kept = [min(max(n, -(2**63)), 2**63 - 1) for n in numbers]
        return np.array(kept, np.int64).astype(self.dtype)

    def convert(self, number: float) -> Any:
        """Return a number as C converts it to this type, as a Python number."""
        if self.dtype.kind == "f":
            with np.errstate(over="ignore"):
                return float(self.dtype.type(number))
        return int(convert_number(number, self.dtype))


def _kind(name: str, dtype: Dtype, pattern: bytes | None) -> Kind:
    return Kind(name, dtype, (pattern and re.compile(rb"\s*(" + pattern + rb")", re.I)) or None)


BYTE = _kind("Byte", dtypes.uint8, None)
CHAR = _kind("Char", dtypes.int8, None)
SHORT = _kind("Short", dtypes.int16, _INTEGER)
INT = _kind("Int", dtypes.int32, _INTEGER)
LONG = _kind("Long", dtypes.int64, _INTEGER)
FLOAT = _kind("Float", dtypes.float32, _REAL)
DOUBLE = _kind("Double", dtypes.float64, _REAL)


def as_number(value: Any) -> float | None:
    """Return a number, or the number that Lua takes a string for; None for anything else."""
    if isinstance(value, str):
        try:
            return float.fromhex(value) if "x" in value.lower() else float(value)
        except ValueError:
            return None
    if isinstance(value, (bool, np.bool_)):
        return None
    if isinstance(value, (np.integer, np.floating)):
        value = value.item()
    return value if isinstance(value, (int, float)) else None


def as_count(value: float) -> int:
    """Return a count of elements to read.

    Raises
    ------
    TorchError
        If it is negative.
    """
    if value < 0:
        raise TorchError(f"a number of elements to read is 0 or more; given {value}")
    return int(value)
