"""Whether two values are equal within a tolerance, and what to say if they are not.

Each function returns whether the check succeeds (with `negate`: whether they differ), and a
message or None.

Source: torch7 Tester.lua, check.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from rekindle.core.backend import to_numpy
from rekindle.core.checkpoint.torch_types import storage_class, tensor_class
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from ..lualib import eq, index, pairs, sub, tostring, type_of
from .memory import shape

Verdict = tuple[bool, str | None]


def are_equal(got: Any, expected: Any, tolerance: float, negate: bool) -> Verdict:
    """Compare two values: tables all the way down, tensors and storages by element."""
    kind = type_of(got)
    if kind != type_of(expected):
        message = (
            f"EQ failed: values have different types (first: {kind}, second: {type_of(expected)})"
        )
        return negate, None if negate else message
    if kind == "number":
        same = bool(abs(sub(got, expected)) <= tolerance)
        message = _difference(tostring(got), tostring(expected), negate)
        if tolerance > 0:
            message += f" with tolerance={tostring(tolerance)}"
        return same != negate, message if same == negate else None
    if isinstance(got, Tensor) and isinstance(expected, Tensor):
        return are_tensors_equal(got, expected, tolerance, negate)
    if isinstance(got, Storage) and isinstance(expected, Storage):
        return are_storages_equal(got, expected, tolerance, negate)
    if kind == "table":
        return are_tables_equal(got, expected, tolerance, negate)
    same = bool(eq(got, expected))
    message = _difference(f"{tostring(got)} ({kind})", f"{tostring(expected)} ({kind})", negate)
    return same != negate, message if same == negate else None


def _difference(got: str, expected: str, negate: bool) -> str:
    return f"NE failed: {got} == {expected}" if negate else f"EQ failed: {got} ~= {expected}"


def are_tables_equal(first: Any, second: Any, tolerance: float, negate: bool) -> Verdict:
    """Compare two tables, those inside them after what is beside them."""
    queue: deque[tuple[Any, Any, str]] = deque([(first, second, "")])
    while queue:
        one, other, location = queue.popleft()
        for key, value in pairs(one):
            place = f"{location}{tostring(key)}"
            counterpart = index(other, key)
            if counterpart is None:
                return negate, (
                    f"Entry {place} missing in second table (is {tostring(value)} in first)"
                )
            if type_of(value) == "table" and type_of(counterpart) == "table":
                queue.append((value, counterpart, f"{place}."))
                continue
            same, message = are_equal(value, counterpart, tolerance, False)
            if not same:
                return negate, f"At table location {place}: {message}"
        for key, value in pairs(other):
            if index(one, key) is None:
                place = f"{location}{tostring(key)}"
                return negate, (
                    f"Entry {place} missing in first table (is {tostring(value)} in second)"
                )
    return not negate, "The tables are equal"


def are_tensors_equal(
    a: Tensor, b: Tensor, tolerance: float, negate: bool, ignore_dims: bool = False
) -> Verdict:
    """Compare two tensors by their largest difference.

    Parameters
    ----------
    ignore_dims : bool
        Compare elements in order where only their numbers are the same.
    """
    sizes = shape(a), shape(b)
    if not ignore_dims and len(sizes[0]) != len(sizes[1]):
        return negate, "The tensors have different dimensions"
    if tensor_class(a.dtype) != tensor_class(b.dtype):
        return negate, "The tensors have different types"
    if not sizes[0] and not sizes[1]:
        return not negate, "Both tensors are empty"
    if a.size != b.size if ignore_dims else sizes[0] != sizes[1]:
        return negate, "The tensors have different sizes"
    return _compared("Tensor", a.numpy().reshape(-1), b.numpy().reshape(-1), tolerance, negate)


def are_storages_equal(a: Storage, b: Storage, tolerance: float, negate: bool) -> Verdict:
    """Compare two storages by their largest difference."""
    if a.size != b.size:
        return negate, "The storages have different sizes"
    if storage_class(a.dtype) != storage_class(b.dtype):
        return negate, "The storages have different types"
    if not a.size:
        return not negate, None
    return _compared("Storage", to_numpy(a.array), to_numpy(b.array), tolerance, negate)


def _compared(
    what: str, a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], tolerance: float, negate: bool
) -> Verdict:
    if a.dtype.itemsize < 4:  # types without abs, in Torch7, are compared as doubles
        a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(a - b).max().item()
    same = error <= tolerance
    if same != negate:
        return True, None
    violation = "NE(==)" if negate else "EQ(==)"
    return False, (
        f"{what}{violation} violation: max diff={tostring(error)}, tolerance={tostring(tolerance)}"
    )
