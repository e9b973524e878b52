"""Positions and indices along one dimension."""

from __future__ import annotations

from typing import Any

from ..errors import BoundsError


def position(name: str, what: str, i: int, length: int) -> int:
    """Return `i`, counted from the end where negative, after checking it.

    Raises
    ------
    BoundsError
        If there are not so many.
    """
    if not -length <= i < length:
        raise BoundsError(f"{name}: {what} {i} is not one of {length}")
    return i % length


def along(axis: int, index: Any, ndim: int) -> tuple[Any, ...]:
    """Return an index that is `index` in dimension `axis` and everything elsewhere."""
    place: list[Any] = [slice(None)] * ndim
    place[axis] = index
    return tuple(place)
