"""What kernels check before they start, and how they report it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..dtypes import DtypeError
from ..errors import BoundsError, ShapeError

Array = Any
"""An array of the namespace `xp`, NumPy's or CuPy's."""

_FLOATS = ("float32", "float64", "float16")  # the last is not in the array API standard


def spatial_ndim(kernel: str, x: Array) -> int:
    """Return the number of spatial dimensions of an image array (N, C, *spatial).

    Raises
    ------
    ShapeError
        If it is not 1, 2 or 3.
    """
    if not 3 <= x.ndim <= 5:
        raise ShapeError(
            f"{kernel} takes an input of shape (N, C, *spatial) with 1 to 3 spatial dimensions; "
            f"given shape {x.shape}"
        )
    return int(x.ndim - 2)


def sizes(kernel: str, name: str, value: Sequence[int], ndim: int, least: int) -> tuple[int, ...]:
    """Return `value` as a tuple of `ndim` integers, each at least `least`.

    Raises
    ------
    ShapeError
        For another length, or a value that is too small.
    """
    result = tuple(int(v) for v in value)
    if len(result) != ndim or any(v < least for v in result):
        raise ShapeError(
            f"{kernel}: {name} is {ndim} integers (one per spatial dimension), each {least} or "
            f"more; given {tuple(value)}"
        )
    return result


def same_shape(kernel: str, name: str, array: Array, expected: Sequence[int]) -> None:
    """Check that `array` has the expected shape.

    Raises
    ------
    ShapeError
        If it has another.
    """
    if tuple(array.shape) != tuple(expected):
        raise ShapeError(
            f"{kernel}: {name} has shape {tuple(array.shape)}, expected {tuple(expected)}"
        )


def floating(xp: Any, kernel: str, *arrays: Array) -> None:
    """Check that the arrays are floating, and of one dtype.

    Raises
    ------
    DtypeError
        If they are not.
    """
    given = [a.dtype for a in arrays]
    known = [getattr(xp, name) for name in _FLOATS if hasattr(xp, name)]
    if given[0] not in known or any(d != given[0] for d in given):
        raise DtypeError(
            f"{kernel} takes floating arrays of one dtype; given {', '.join(map(str, given))}"
        )


def wide(xp: Any, array: Array) -> Array:
    """Return `array` in the dtype that sums are made in: float32 for float16, else its own."""
    if hasattr(xp, "float16") and array.dtype == xp.float16:
        return xp.astype(array, xp.float32)
    return array


def index_range(xp: Any, kernel: str, index: Array, size: int, least: int = 0) -> None:
    """Check that every index is in least..size-1: a negative one silently counts from the end.

    On a GPU this waits for the device.

    Raises
    ------
    BoundsError
        If one is outside.
    """
    if index.size:
        lowest, highest = int(xp.min(index)), int(xp.max(index))
        if lowest < least or highest >= size:
            raise BoundsError(
                f"{kernel}: indices run from {least} to {size - 1}; given {lowest} to {highest}"
            )
