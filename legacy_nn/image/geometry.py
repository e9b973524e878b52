"""Parts of images, and images moved, mirrored and turned.

Source: torch/image init.lua, generic/image.c cropNoScale, translate, vflip, hflip, flip, rotate,
rotateBilinear.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core import dtypes
from rekindle.core.tensor import Tensor

from ..torch7.memory import new_tensor, resize, shape, store, values
from .errors import ImageError
from .pixels import Array, as_float, checked, elements, is_tensor, planes, put, result, split
from .scale import scale

CORNERS = {"c": (0.5, 0.5), "tl": (0, 0), "tr": (1, 0), "bl": (0, 1), "br": (1, 1)}
"""Where the free width and height go, by the names of crops."""


def crop(*args: Any) -> Tensor:
    """Return a part of an image, or write it into a destination.

    `crop([dst,] src, x1, y1, [x2, y2])` counts pixels from 0, x2 and y2 excluded; without them
    the size is that of `dst`. `crop([dst,] src, format, width, height)` takes the center ("c") or
    a corner ("tl", "tr", "bl", "br"). A `dst` of another size gets the part scaled.

    Raises
    ------
    ImageError
        If the part is not inside of the image.
    """
    if any(isinstance(arg, str) for arg in args):
        dst, src, corner, width, height = split("crop", args, 3)
        if corner not in CORNERS:
            raise ImageError('crop format must be "c"|"tl"|"tr"|"bl"|"br"')
        image_height, image_width = planes("crop", src).shape[1:]
        x1 = (image_width - width) * CORNERS[corner][0] // 1
        y1 = (image_height - height) * CORNERS[corner][1] // 1
        return crop(dst, src, x1, y1, x1 + width, y1 + height)
    if len(args) in (3, 4):
        dst, src, x1, y1 = split("crop", args, 2)
        if dst is None:
            raise ImageError("image.crop without an end takes a destination, whose size it fills")
        return _cut(dst, src, int(x1), int(y1))
    dst, src, x1, y1, x2, y2 = split("crop", args, 4)
    checked("crop", src)
    size = (int(y2 - y1), int(x2 - x1))
    part = resize(new_tensor(src.dtype), (*shape(src)[:-2], *size))
    _cut(part, src, int(x1), int(y1))
    return part if dst is None else scale(dst, part)


def _cut(dst: Tensor, src: Tensor, x: int, y: int) -> Tensor:
    checked("crop", src, dst)
    source, target = planes("crop", src), planes("crop", dst)
    height, width = target.shape[1:]
    if x < 0 or y < 0 or x + width > source.shape[2] or y + height > source.shape[1]:
        raise ImageError(
            f"image.crop: crop goes outside bounds of src: {width}x{height} from ({x}, {y}) of an "
            f"image {source.shape[2]}x{source.shape[1]}"
        )
    if len(source) != len(target):
        raise ImageError("image.crop: src and dst depths do not match")
    return put("crop", dst, as_float(source[:, y : y + height, x : x + width]))


def translate(*args: Any) -> Tensor:
    """Return an image moved by x pixels to the right and y down; what comes in is 0.

    `translate([dst,] src, x, y)`.
    """
    dst, src, x, y = split("translate", args, 2)
    checked("translate", src)
    dst = result("translate", src, dst, shape(src))
    x, y = int(x), int(y)
    source = planes("translate", src)
    height, width = source.shape[1:]
    moved = np.zeros_like(source)
    if abs(x) < width and abs(y) < height:
        to = (slice(max(y, 0), height + min(y, 0)), slice(max(x, 0), width + min(x, 0)))
        start = (slice(max(-y, 0), height - max(y, 0)), slice(max(-x, 0), width - max(x, 0)))
        moved[:, to[0], to[1]] = source[:, start[0], start[1]]
    return put("translate", dst, moved)


def hflip(*args: Any) -> Tensor:
    """Return an image with left and right exchanged: `hflip([dst,] src)`."""
    return _mirrored("hflip", args, -1)


def vflip(*args: Any) -> Tensor:
    """Return an image with top and bottom exchanged: `vflip([dst,] src)`."""
    return _mirrored("vflip", args, -2)


def _mirrored(name: str, args: tuple[Any, ...], axis: int) -> Tensor:
    dst, src = split(name, args)
    checked(name, src)
    planes(name, src)
    if len(shape(src)) == 2 and not src.is_contiguous():
        raise ImageError(f"image.{name}: 2D input tensor is not contiguous")
    return _flipped(name, dst, src, axis)


def _flipped(name: str, dst: Tensor | None, src: Tensor, axis: int) -> Tensor:
    mirrored = np.flip(values(src), axis).copy()
    dst = result(name, src, dst, shape(src))
    if not dst.is_contiguous():
        raise ImageError(f"image.{name}: destination tensor is not contiguous")
    store(dst, mirrored, f"image.{name}")
    return dst


def flip(*args: Any) -> Tensor:
    """Return a tensor of up to 5 dimensions mirrored along one: `flip([dst,] src, dim)`.

    Raises
    ------
    ImageError
        For a dimension that it does not have, or in place.
    """
    dst, src, dim = split("flip", args, 1)
    checked("flip", src)
    count = len(shape(src))
    if count > 5 or not 1 <= dim <= count:
        raise ImageError(f"image.flip: no dimension {dim} of a tensor with {count}, of at most 5")
    if not src.is_contiguous():
        raise ImageError("image.flip: input tensor is not contiguous")
    if dst is not None and np.shares_memory(values(dst), values(src)):
        raise ImageError("image.flip: in-place flip not supported")
    return _flipped("flip", dst, src, int(dim) - 1)


def rotate(*args: Any) -> Tensor:
    """Return an image turned by an angle around its middle, in the same size.

    `rotate([dst,] src, theta, [mode])`; theta is in radians, counted from x to y, which points
    down: what is to the right of the middle goes up. Mode is "simple" (nearest, the default) or
    "bilinear".

    Raises
    ------
    ImageError
        In place, or for another mode.
    """
    mode = "simple"
    if args and (args[-1] is None or isinstance(args[-1], str)):
        mode = args[-1] or mode
        args = args[:-1]
    dst, src, theta = split("rotate", args, 1)
    checked("rotate", src)
    dst = result("rotate", src, dst, shape(src))
    if is_tensor(dst) and np.shares_memory(values(dst), values(src)):
        raise ImageError("image.rotate: in-place rotate not supported")
    source = planes("rotate", src)
    if mode == "simple":
        turned = _nearest(source, np.float32(theta))
    elif mode == "bilinear":
        turned = _bilinear(source, np.float32(theta))
    else:
        raise ImageError(f"image.rotate: mode is simple or bilinear; given {mode!r}")
    return put("rotate", dst, elements(turned, src.dtype))


def _from_middle(size: tuple[int, ...]) -> tuple[Array, Array, Any, Any]:
    """Return x and y of all pixels from the middle, and the middle, as C's floats."""
    height, width = size
    xc, yc = np.float32((width - 1) / 2.0), np.float32((height - 1) / 2.0)
    x = np.arange(width).astype(dtypes.float32) - xc
    y = np.arange(height).astype(dtypes.float32)[:, None] - yc
    return x, y, xc, yc


def _round(value: Array) -> Array:
    """Round as C's `round` does: halves go away from zero."""
    wide = value.astype(dtypes.float64)
    found: Array = (np.sign(wide) * np.floor(np.abs(wide) + 0.5)).astype(np.int64)
    return found


def _nearest(source: Array, theta: Any) -> Array:
    height, width = source.shape[1:]
    x, y, xc, yc = _from_middle((height, width))
    cos = np.float32(np.cos(np.float64(theta)))
    sin = np.float32(np.sin(np.float64(theta)))
    ii = _round(cos * x - sin * y + xc)
    jj = _round(cos * y + sin * x + yc)
    inside = (ii >= 0) & (jj >= 0) & (ii < width) & (jj < height)
    found = source[:, np.clip(jj, 0, height - 1), np.clip(ii, 0, width - 1)]
    return np.where(inside, as_float(found), np.float32(0))


def _bilinear(source: Array, theta: Any) -> Array:
    height, width = source.shape[1:]
    x, y, xc, yc = _from_middle((height, width))
    cos, sin = np.cos(np.float64(theta)), np.sin(np.float64(theta))
    work = dtypes.float64 if source.dtype == dtypes.float64 else dtypes.float32
    ri = (cos * x - sin * y).astype(work) + xc
    rj = (cos * y + sin * x).astype(work) + yc
    i0, wi, i1, inside_x = _neighbours(ri, width)
    j0, wj, j1, inside_y = _neighbours(rj, height)
    wide = source.astype(dtypes.float64)
    value = (
        (1.0 - wi) * (1.0 - wj) * wide[:, j0, i0]
        + wi * (1.0 - wj) * wide[:, j0, i1]
        + (1.0 - wi) * wj * wide[:, j1, i0]
        + wi * wj * wide[:, j1, i1]
    )
    return np.where(inside_x & inside_y, as_float(value), np.float32(0))


def _neighbours(position: Array, length: int) -> tuple[Array, Array, Array, Array]:
    """Return the place before, the weight of the next, its place, and whether they are inside.

    Half a pixel beyond the border counts as the border.
    """
    before = np.floor(position).astype(np.int64)
    weight = (position - before.astype(position.dtype)).astype(dtypes.float64)
    after = before + 1
    after = np.where((after == length) & (weight < 0.5), before, after)
    before = np.where((before == -1) & (weight > 0.5), after, before)
    inside = (before >= 0) & (after < length)
    return np.clip(before, 0, length - 1), weight, np.clip(after, 0, length - 1), inside
