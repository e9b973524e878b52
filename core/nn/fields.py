"""What constructors of layers share: Parameters, and numbers for each dimension."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, TypeVar

from ..backend import CPU, Device
from ..creation import empty
from ..dtypes import float32
from ..tensor import Parameter
from .errors import ArgumentError

T = TypeVar("T")

PerDimension = int | Sequence[int]
"""An integer for every spatial dimension, or one integer for all of them."""


def new_parameter(
    shape: int | Sequence[int], dtype: Any = None, device: Device | str | None = None
) -> Parameter:
    """Return a Parameter whose values are yet to be drawn; float32 on the CPU by default."""
    return Parameter(empty(shape, dtype or float32, device or CPU))


def per_dimension(name: str, value: PerDimension, ndim: int) -> tuple[int, ...]:
    """Return `value` as a tuple of `ndim` integers.

    Raises
    ------
    ArgumentError
        If it has another length.
    """
    several = type(value) is tuple or isinstance(value, Sequence)
    found = tuple(map(int, value)) if several else (int(value),) * ndim  # type: ignore[arg-type]
    if len(found) != ndim:
        raise ArgumentError(f"{name} is one integer or {ndim}; given {value!r}")
    return found


def documented(cls: type[T]) -> type[T]:
    """Put the parameters and attributes that a base class documents into a class's own text."""
    base = inspect.cleandoc(cls.__mro__[1].__doc__ or "")
    cls.__doc__ = f"{inspect.cleandoc(cls.__doc__ or '')}\n\n{base.partition(chr(10))[2].strip()}"
    return cls
