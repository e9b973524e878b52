"""Values brought into a range, many images laid out as one, and rectangles drawn.

Source: torch/image init.lua minmax, toDisplayTensor, drawRect, generic/image.c saturate, drawRect.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rekindle.core import dtypes
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from ..torch7 import types
from ..torch7.api import METHODS
from ..torch7.memory import new_tensor, resize, shape, store, values, wrap, wrote
from .errors import ImageError
from .options import NEEDED, unpack
from .pixels import checked, elements


def saturated(tensor: Tensor) -> Tensor:
    """Cut values to [0, 1], in place; bytes stay."""
    checked("saturate", tensor)
    if tensor.dtype != dtypes.uint8:
        np.clip(values(tensor), 0, 1, out=values(tensor))
        wrote(tensor, "image.saturate")
    return tensor


def minmax(options: Any) -> Tensor:
    """Return values brought from [min, max] to [0, 1], in the default tensor type.

    Parameters
    ----------
    options : Table
        tensor; min and max (by default those of the tensor); symm (a range around 0); inplace;
        tensorOut (where to write); saturate (cut to [0, 1], where min or max is given).
    """
    tensor, low, high = options.get("tensor"), options.get("min"), options.get("max")
    symmetric, out = options.get("symm"), options.get("tensorOut")
    if not isinstance(tensor, Tensor):
        raise ImageError(f"image.minmax takes a table with a tensor; given {tensor!r:.60}")
    saturate = options.get("saturate") and not (low is None and high is None)
    if out is not None:
        store(out, values(tensor), "image.minmax")
    elif options.get("inplace"):
        out = tensor
    else:
        out = wrap(values(tensor).astype(types.default_dtype()))
    extent = 0.0
    if low is None:
        low = METHODS["min"](out)
        if symmetric:
            extent = max(abs(low), abs(METHODS["max"](out)))
            low = -extent
    if low != 0:
        METHODS["add"](out, -low)
    if high is not None:
        high = high - low
    elif symmetric:
        high = extent * 2
    else:
        high = METHODS["max"](out)
    if high != 0:
        METHODS["div"](out, high)
    return saturated(out) if saturate else out


def toDisplayTensor(*args: Any) -> Tensor:
    """Return images laid out on a grid, their values in [0, 1], in the default tensor type.

    Arguments, in order or by name: input, padding (0 pixels between images), nrow (6 images in a
    row), scaleeach (false; each with its own range), min, max, symmetric (false), saturate (true).

    Parameters
    ----------
    input : Tensor or Table of Tensors
        (height, width), (count, height, width), (count, 3, height, width) or a list of images of
        one size.

    Raises
    ------
    ImageError
    """
    defaults = {"input": NEEDED, "padding": 0, "nrow": 6, "scaleeach": False}
    ranges = {"min": None, "max": None, "symmetric": False, "saturate": True}
    images, padding, per_row, each, low, high, symmetric, saturate = unpack(
        "toDisplayTensor", args, {**defaults, **ranges}
    )
    packed = _packed(images)
    given = {"min": low, "max": high, "symm": symmetric, "saturate": saturate, "inplace": True}

    def ranged(tensor: Tensor) -> Tensor:
        return minmax({"tensor": tensor, **given})

    size = shape(packed)
    colors = len(size) == 4 and size[1] in (1, 3)
    grey = len(size) == 3 and size[0] not in (1, 3)
    if len(size) == 2 or (len(size) == 3 and size[0] in (1, 3)):
        return ranged(packed)
    if not (colors or grey):
        raise ImageError(
            "packed must be a HxW or KxHxW or Kx3xHxW tensor, or a list of tensors; given size "
            f"{size}"
        )
    if each:
        for i in range(1, size[0] + 1):
            ranged(METHODS["select"](packed, 1, i))
    grid = _grid(packed, padding, per_row)
    return grid if each else ranged(grid)


def _packed(images: Any) -> Tensor:
    dtype = types.default_dtype()
    if isinstance(images, Tensor):
        return wrap(values(images).astype(dtype))
    if isinstance(images, Table):
        images = images.array()
    if not isinstance(images, (list, tuple)) or not images:
        raise ImageError(f"Unknown or incompatible type of input: {images!r:.60}")
    first = shape(images[0])
    size = (1 if len(first) == 2 else first[0], *first[-2:])
    return wrap(np.stack([values(image).reshape(size) for image in images]).astype(dtype))


def _grid(packed: Tensor, padding: float, per_row: float) -> Tensor:
    pixels = values(packed)
    count = len(pixels)
    columns = int(min(per_row, count))
    height, width = (n + padding for n in pixels.shape[-2:])
    size = (int(height * math.ceil(count / columns)), int(width * columns))
    grid = resize(new_tensor(packed.dtype), (*pixels.shape[1:-2], *size))
    cells = values(grid)
    cells[...] = pixels.max()
    for i, image in enumerate(pixels):
        top = math.floor(i // columns * height + padding / 2)
        left = math.floor(i % columns * width + padding / 2)
        cells[..., top : top + image.shape[-2], left : left + image.shape[-1]] = image
    return grid


def drawRect(
    src: Tensor, x1: float, y1: float, x2: float, y2: float, options: Any = None
) -> Tensor:
    """Return an image with the outline of a rectangle, whose corners count from 1.

    Parameters
    ----------
    src : Tensor, shape (3, height, width)
    options : Table, optional
        lineWidth (1), color (three numbers up to 255; red), inplace (false).

    Raises
    ------
    ImageError
        If the image has not three channels.
    """
    checked("drawRect", src)
    options = Table() if options is None else options
    if len(shape(src)) != 3 or shape(src)[0] != 3:
        raise ImageError(
            f"input image has to be a 3D tensor of shape 3 x H x W; given size {shape(src)}"
        )
    out = src if options.get("inplace") else wrap(values(src).copy())
    pixels = values(out)
    color = options.get("color")
    paint = np.array([255, 0, 0] if color is None else [color[i] for i in (1, 2, 3)])
    if src.dtype != dtypes.uint8:
        paint = paint.astype(dtypes.float32) / np.float32(255)
    brush = elements(paint, src.dtype)[:, None, None]
    line = int(options.get("lineWidth") or 1)
    before, after = line // 2 + 1, line - (line // 2 + 1)

    def span(at: float, length: int) -> tuple[int, int]:
        return max(0, int(at) - before), min(length, int(at) + after)

    left, right = span(x1, pixels.shape[2]), span(x2, pixels.shape[2])
    top, bottom = span(y1, pixels.shape[1]), span(y2, pixels.shape[1])
    for x in (left, right):
        pixels[:, top[0] : bottom[1], x[0] : x[1]] = brush
    for y in (top, bottom):
        pixels[:, y[0] : y[1], left[0] : right[1]] = brush
    wrote(out, "image.drawRect")
    return out
