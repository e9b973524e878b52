"""Images of another size: bilinear, bicubic, nearest.

Source: torch/image init.lua scale, generic/image.c scaleLinear_rowcol, scaleCubic_rowcol,
scaleSimple.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle.core import dtypes
from rekindle.core.dtypes import Dtype
from rekindle.core.tensor import Tensor

from ..torch7.memory import new_tensor, resize, shape
from .errors import ImageError
from .pixels import Array, as_float, checked, elements, is_tensor, planes, put, working


def scale(*args: Any) -> Tensor:
    """Return an image of another size.

    `scale(src, width, height, [mode])`, `scale(src, size, [mode])` or `scale(dst, src, [mode])`.

    Parameters
    ----------
    src : Tensor, shape (height, width) or (channels, height, width)
        Bytes, float or double.
    size : str or number
        "WxH"; a number or "MAX" for the longer side; "^MIN" for the shorter; "*SC" or "*SCn/SCd"
        for a factor.
    mode : str
        "bilinear" (the default; averages when it makes images smaller), "bicubic" or "simple".
    dst : Tensor
        Where to write; its size is the new one.

    Raises
    ------
    ImageError

    Examples
    --------
    >>> import numpy as np
    >>> from rekindle.core.tensor import Tensor
    >>> scale(Tensor(np.array([[0.0, 1.0]])), 3, 1).numpy()
    array([[0. , 0.5, 1. ]])
    """
    dst, src, width, height, mode = _arguments(args)
    if dst is None:
        checked("scale", src)
        if width is None or height is None:
            raise ImageError("image.scale could not find a valid size of the destination")
        size = (max(int(height), 1), max(int(width), 1))
        dst = resize(new_tensor(src.dtype), (*shape(src)[:-2], *size))
    checked("scale", src, dst)
    source, target = planes("scale", src), planes("scale", dst)
    if len(shape(src)) != len(shape(dst)) or len(source) != len(target):
        raise ImageError("image.scale: src and dst depths do not match")
    mode = "bilinear" if mode is None else mode
    if mode == "simple":
        scaled = _nearest(source, target.shape[1:])
    elif mode in ALONG:
        along = ALONG[mode]
        rows = along(source, target.shape[2], src.dtype)
        scaled = along(rows.swapaxes(1, 2), target.shape[1], src.dtype).swapaxes(1, 2)
    else:
        raise ImageError(f"image.scale: mode is simple, bicubic or bilinear; given {mode!r}")
    return put("scale", dst, scaled)


def _arguments(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return destination, source, width, height and mode."""
    count = len(args)
    if count == 4 or (count == 3 and not isinstance(args[2], str)):
        return (None, *args, *(None,) * (4 - count))
    if count not in (2, 3):
        raise ImageError("image.scale takes 2 to 4 arguments; see the manual")
    mode = args[2] if count == 3 else None
    if is_tensor(args[1]):
        return args[0], args[1], None, None, mode
    src = args[0]
    checked("scale", src)
    return None, src, *_new_size(planes("scale", src).shape[1:], args[1]), mode


def _new_size(size: tuple[int, ...], text: Any) -> tuple[float | None, float | None]:
    """Return width and height that a size such as "^256" stands for."""
    height, width = size
    text = f"{text:.14g}" if isinstance(text, (int, float)) else text
    longer, shorter = max(width, height), min(width, height)
    number = _number(text)
    if number is not None:
        return width * number / longer, height * number / longer
    if found := re.search(r"(\d+)x(\d+)", text):
        return float(found[1]), float(found[2])
    if found := re.search(r"\^(\d+)", text):
        return width * float(found[1]) / shorter, height * float(found[1]) / shorter
    if found := re.search(r"\*(\d+)/(\d+)", text):
        up, down = float(found[1]), float(found[2])
        return width * up / down, height * up / down
    factor = _number(text[text.index("*") + 1 :]) if "*" in text else None
    return (None, None) if factor is None else (width * factor, height * factor)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _linear(source: Array, count: int, dtype: Dtype) -> Array:
    """Scale along the last dimension: interpolate up, average down."""
    length = source.shape[-1]
    if count == length:
        return source
    return _linear_up(source, count, dtype) if count > length else _mean(source, count, dtype)


def _steps(length: int, count: int) -> tuple[Array, Array]:
    """Return positions in the source, whole and fractional, of all results but the last."""
    step = np.float32(length - 1) / np.float32(max(count - 1, 1))
    position = np.arange(count - 1).astype(dtypes.float32) * step
    whole = np.minimum(position.astype(np.int64), max(length - 2, 0))
    return whole, position - whole.astype(dtypes.float32)


def _linear_up(source: Array, count: int, dtype: Dtype) -> Array:
    last = source[..., -1:]
    if source.shape[-1] == 1:
        return np.repeat(last, count, -1)
    whole, part = _steps(source.shape[-1], count)
    left = source[..., whole].astype(working(dtype))
    right = source[..., whole + 1].astype(working(dtype))
    mixed = (1 - part) * left + part * right
    return np.concatenate([elements(mixed, dtype), last], -1)


def _mean(source: Array, count: int, dtype: Dtype) -> Array:
    """Average what each result covers; the sum is a float, in the order of the source."""
    length = source.shape[-1]
    ends = np.arange(1, count + 1).astype(dtypes.float32) * (np.float32(length) / np.float32(count))
    end = ends.astype(np.int64)
    end_part = ends - end.astype(dtypes.float32)
    start = np.concatenate([[0], end[:-1]])
    start_part = np.concatenate([np.zeros(1, dtypes.float32), end_part[:-1]])
    work = working(dtype)
    total = as_float((1 - start_part) * source[..., start].astype(work))
    weight = 1 - start_part
    for offset in range(1, int((end - start).max()) + 1):
        at = start + offset
        inside = at < end
        at = np.minimum(at, length - 1)
        value = source[..., at].astype(work)
        total = np.where(inside, as_float(total + value), total)
        weight = np.where(inside, weight + np.float32(1), weight)
    inside = end < length
    value = source[..., np.minimum(end, length - 1)].astype(work)
    total = np.where(inside, as_float(total + end_part * value), total)
    weight = np.where(inside, weight + end_part, weight)
    return elements(total / weight, dtype)


def cubic(p0: Array, p1: Array, p2: Array, p3: Array, x: Array) -> Array:
    """Return the cubic through four values at `x` between the middle two."""
    a1 = p2 - p0
    a2 = 2 * p0 - 5 * p1 + 4 * p2 - p3
    a3 = 3 * (p1 - p2) + p3 - p0
    inner = (a1 + x * (a2 + x * a3)).astype(dtypes.float64)
    found: Array = (p1 + 0.5 * x.astype(dtypes.float64) * inner).astype(p0.dtype)
    return found


def _cubic(source: Array, count: int, dtype: Dtype) -> Array:
    """Scale along the last dimension by cubic interpolation."""
    length = source.shape[-1]
    last = source[..., -1:]
    if count == length:
        return source
    if length == 1:
        return np.repeat(last, count, -1)
    whole, part = _steps(length, count)
    work = working(dtype)
    wide = source.astype(work)
    p1, p2 = wide[..., whole], wide[..., whole + 1]
    p0 = np.where(whole > 0, wide[..., np.maximum(whole - 1, 0)], 2 * p1 - p2)
    p3 = np.where(whole + 2 < length, wide[..., np.minimum(whole + 2, length - 1)], 2 * p2 - p1)
    mixed = cubic(p0, p1, p2, p3, part.astype(work))
    return np.concatenate([elements(mixed, dtype), last], -1)


ALONG: dict[str, Callable[[Array, int, Dtype], Array]] = {"bilinear": _linear, "bicubic": _cubic}


def _nearest(source: Array, size: tuple[int, ...]) -> Array:
    at = []
    for length, count in zip(source.shape[1:], size, strict=True):
        step = np.float32(length) / np.float32(count)
        position = np.arange(count).astype(dtypes.float32) * step
        at.append(np.minimum(position.astype(np.int64), length - 1))
    return as_float(source[:, at[0][:, None], at[1]])
