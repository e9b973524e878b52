"""What the functions of images share: their arguments, and the numbers that C computes with.

torch/image works on Byte, Float and Double tensors, (height, width) or (channels, height, width).
In between it computes in double precision for Double and in single precision for the others, and
bytes are rounded and cut to 0 ... 255. Where a C function keeps a value in a `float`, a Double
image loses precision; so it does here.

Source: torch/image generic/image.c.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core import dtypes
from rekindle.core.dtypes import Dtype
from rekindle.core.tensor import Tensor

from ..torch7.memory import new_tensor, resize, shape, store, values
from .errors import ImageError

Array = np.ndarray[Any, Any]

TYPES = {"byte": dtypes.uint8, "float": dtypes.float32, "double": dtypes.float64}
"""The element types of images by the names that torch/image has for them."""


def is_tensor(value: Any) -> bool:
    """Whether an argument is a tensor."""
    return isinstance(value, Tensor)


def checked(name: str, *tensors: Any) -> None:
    """Check that arguments are tensors of one type, Byte, Float or Double.

    Raises
    ------
    ImageError
    """
    for tensor in tensors:
        if not is_tensor(tensor):
            raise ImageError(f"image.{name} takes tensors; given {tensor!r:.60}")
        if tensor.dtype not in TYPES.values():
            raise ImageError(
                f"image.{name} takes Byte, Float and Double tensors; given {tensor.dtype}"
            )
    if len({tensor.dtype for tensor in tensors}) > 1:
        given = " and ".join(str(tensor.dtype) for tensor in tensors)
        raise ImageError(f"image.{name} takes tensors of one type; given {given}")


def planes(name: str, tensor: Tensor) -> Array:
    """Return an image as an array (channels, height, width), which shares its memory.

    Raises
    ------
    ImageError
        If it has neither two nor three dimensions.
    """
    pixels = values(tensor)
    if len(shape(tensor)) not in (2, 3):
        raise ImageError(
            f"image.{name} takes images (height, width) or (channels, height, width); given size "
            f"{'x'.join(map(str, shape(tensor))) or 'empty'}"
        )
    return pixels[None] if pixels.ndim == 2 else pixels


def result(name: str, like: Tensor, given: Tensor | None, size: tuple[int, ...]) -> Tensor:
    """Return the tensor for a result: a new one of the type of `like`, or the given one resized."""
    if given is None:
        given = new_tensor(like.dtype)
    checked(name, like, given)
    return resize(given, size)


def put(name: str, tensor: Tensor, pixels: Array) -> Tensor:
    """Write (channels, height, width) into an image of two or three dimensions; return it."""
    store(tensor, pixels.reshape(shape(tensor)), f"image.{name}")
    return tensor


def working(dtype: Dtype) -> Dtype:
    """Return the type that C computes in for elements of a type: `temp_t`."""
    return dtypes.float64 if dtype == dtypes.float64 else dtypes.float32


def elements(computed: Array, dtype: Dtype) -> Array:
    """Return computed values as elements of an image: bytes are rounded and cut."""
    if dtype != dtypes.uint8:
        return computed.astype(dtype)
    rounded = computed.astype(dtypes.float32) + np.float32(0.5)
    return np.clip(np.nan_to_num(rounded), 0, 255).astype(dtypes.uint8)


def as_float(pixels: Array) -> Array:
    """Return values as a variable of C's type `float` keeps them."""
    return pixels.astype(dtypes.float32)


def split(name: str, args: tuple[Any, ...], rest: int = 0) -> tuple[Any, ...]:
    """Return destination, source and so many more of arguments `([dst,] src, ...)`.

    Raises
    ------
    ImageError
        If there are fewer or more.
    """
    if len(args) == rest + 1:
        return (None, *args)
    if len(args) == rest + 2:
        return args
    raise ImageError(f"image.{name} takes [destination,] source and {rest} more; see the manual")
