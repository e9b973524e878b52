"""Tensors and storages as Torch7 prints them.

Source: torch7 Tensor.lua.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rekindle.core.checkpoint.torch_types import storage_class, tensor_class
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from .functions import plain
from .memory import Array, dims, shape, values

_LINE = 80
"""Characters that a line of a matrix may have."""


class _Format:
    """How the numbers of a tensor are printed: a format, a common factor, a width."""

    def __init__(self, numbers: Array) -> None:
        self.scale: float | None = None
        self.width = 0
        self.text = ""
        if not numbers.size:
            return
        whole = bool(np.all(numbers == np.ceil(numbers)))
        size = np.abs(numbers)
        low, high = _digits(_first_min(size)), _digits(_first_max(size))
        if whole:
            if high > 9:
                self.text, self.width = "%11.4e", 11
            else:
                self.width = int(high) + 1
                self.text = f"%{self.width}d"
        elif not high - low <= 4:
            self.width = 12 if abs(high) > 99 or abs(low) > 99 else 11
            self.text = f"%{self.width}.4e"
        else:
            if high > 5 or high < 0:
                self.width = 7
                self.scale = 10.0 ** (high - 1)
            else:
                self.width = 7 if high == 0 else int(high) + 6
            self.text = f"%{self.width}.4f"
        if math.isnan(low) or math.isnan(high):
            self.text = "%f"
        if self.scale == 1:
            self.scale = None

    def number(self, value: float) -> str:
        """Return one number as text."""
        if self.scale is not None:
            value = value / self.scale
        if self.text.endswith("d") and (math.isinf(value) or math.isnan(value)):
            value = -(2**63)  # what C makes of it in an integer format
        return self.text % (int(value) if self.text.endswith("d") else value)


def _first_min(numbers: Array) -> float:
    return float(np.min(numbers))


def _first_max(numbers: Array) -> float:
    return float(np.max(numbers))


def _digits(size: float) -> float:
    """Return how many digits stand before the point."""
    if size == 0:
        return 1
    if math.isnan(size) or math.isinf(size):
        return size
    return math.floor(math.log10(size)) + 1


def _rows(matrix: Array, chosen: _Format, indent: str) -> str:
    """Return a matrix as lines, in groups of as many columns as a line holds."""
    per_line = (_LINE - len(indent)) // (chosen.width + 1)
    total = matrix.shape[1]
    scale = f"{chosen.scale:g} *\n {indent}" if chosen.scale is not None else ""
    parts = [indent]
    first = 0
    while first < total:
        last = min(first + per_line, total)
        if per_line < total:
            if first:
                parts.append("\n")
            parts.append(f"Columns {first + 1} to {last}\n{indent}")
        parts.append(scale)
        lines = [" ".join(chosen.number(x) for x in row[first:last]) for row in matrix.tolist()]
        step = indent + (" " if scale else "")
        parts.append(("\n" + step).join(lines) + "\n")
        first = last
    return "".join(parts)


@plain("__tostring")
def tensor_text(self: Tensor, *_: Any) -> str:
    """Return what `print(tensor)` prints, without the last line break that print adds."""
    name = tensor_class(self.dtype)
    if not dims(self):
        return f"[{name} with no dimension]\n"
    array = values(self).astype(np.float64)
    chosen = _Format(array.ravel())
    end = f"[{name} of size {'x'.join(map(str, shape(self)))}]\n"
    if array.ndim == 1:
        return _vector(array.tolist(), chosen) + end
    if array.ndim == 2:
        return _rows(array, chosen, "") + end
    parts = []
    outer = array.shape[:-2]
    for flat in range(math.prod(outer)):
        place = np.unravel_index(flat, outer, order="F")
        head = "".join(f"{i + 1}," for i in place)
        parts.append(f"({head}.,.) = \n" + _rows(array[place], chosen, " "))
    return "\n".join(parts) + end


def _vector(numbers: list[float], chosen: _Format) -> str:
    head = f"{chosen.scale:g} *\n" if chosen.scale is not None else ""
    return head + "".join(chosen.number(x) + "\n" for x in numbers)


def storage_text(storage: Storage) -> str:
    """Return what `print(storage)` prints, without the last line break."""
    numbers = np.asarray(storage.array).astype(np.float64)
    body = _vector(numbers.tolist(), _Format(numbers))
    return f"{body}[{storage_class(storage.dtype)} of size {storage.size}]\n"
