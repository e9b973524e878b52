"""Images sampled along a flow field, and affine transforms.

Source: torch/image init.lua warp, affinetransform, generic/image.c warp.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle.core import dtypes
from rekindle.core.tensor import Tensor

from ..torch7 import types
from ..torch7.memory import shape, store, values, wrap
from .errors import ImageError
from .pixels import Array, checked, elements, planes, result, working
from .scale import cubic

RADIUS = 3
"""Of the Lanczos kernel."""


def warp(*args: Any) -> Tensor:
    """Return an image sampled where a flow field says.

    `warp([dst,] src, field, [mode, offset, clamp, pad])`.

    Parameters
    ----------
    src : Tensor, shape (channels, height, width) or (height, width)
    field : Tensor, shape (2, height, width)
        For each pixel of the result y and x in the source, of the same type as `src`.
    mode : str
        "bilinear" (the default), "simple", "bicubic" or "lanczos".
    offset : bool
        Whether the field counts from the pixel itself; true by default.
    clamp : str
        What pixels outside are: "clamp" (the nearest inside, the default) or "pad".
    pad : number
        With "pad", their value.

    Raises
    ------
    ImageError
    """
    dst, src, field, mode, offset, clamp, pad = _arguments("warp", args, True)
    checked("warp", src, field)
    return _warped("warp", dst, src, values(field), _options(mode, clamp, pad), bool(offset))


def affinetransform(*args: Any) -> Tensor:
    """Return an image transformed by a 2x2 matrix around its middle, in the same size.

    `affinetransform([dst,] src, matrix, [mode, translation, clamp, pad])`; matrix and translation
    are in the order y, x, and say where in the source a pixel comes from. The others are as in
    `warp`. The image has the default tensor type.

    Raises
    ------
    ImageError
    """
    dst, src, matrix, mode, translation, clamp, pad = _arguments("affinetransform", args, None)
    checked("affinetransform", src)
    dtype = types.default_dtype()
    height, width = planes("affinetransform", src).shape[1:]
    y = np.linspace(-1, 1, height).astype(dtype) * ((height - 1) / 2) * -1
    x = np.linspace(-1, 1, width).astype(dtype) * ((width - 1) / 2) * -1
    grid = np.stack(np.broadcast_arrays(y[:, None], x)).reshape(2, -1)
    field = (grid - values(matrix).astype(dtype) @ grid).reshape(2, height, width)
    if translation is not None:
        moved = values(translation) if isinstance(translation, Tensor) else _pair(translation)
        field = field - moved.astype(dtype)[:, None, None]
    if src.dtype != dtype:
        raise ImageError(
            f"image.affinetransform takes images of the default tensor type, {dtype}; given "
            f"{src.dtype}: convert the image, or call torch.setdefaulttensortype"
        )
    return _warped("affinetransform", dst, src, field, _options(mode, clamp, pad), True)


def _pair(translation: Any) -> Array:
    return np.array([translation[1], translation[2]], dtypes.float64)


def _arguments(name: str, args: tuple[Any, ...], fourth: Any) -> tuple[Any, ...]:
    """Return dst, src, field, mode, a fourth of its own, clamp mode and padding."""
    defaults = ("bilinear", fourth, "clamp", 0)
    if len(args) == 2 or (len(args) > 2 and isinstance(args[2], str)):
        args = (None, *args)
    if not 3 <= len(args) <= 7:
        raise ImageError(f"image.{name} takes an image, a tensor and at most 4 options")
    given = args[3:]
    if len(given) == 4 and given[2] != "pad":
        raise ImageError('pad_value can only be specified if clamp_mode = "pad"')
    return (*args[:3], *given, *defaults[len(given) :])


def _options(mode: Any, clamp: Any, pad: Any) -> tuple[str, float | None]:
    """Return the mode, and the padding or None."""
    if mode not in SAMPLERS:
        raise ImageError(f"mode is lanczos, bicubic, bilinear or simple; given {mode!r}")
    if clamp not in ("clamp", "pad"):
        raise ImageError(f"clamp_mode is clamp or pad; given {clamp!r}")
    return mode, pad if clamp == "pad" else None


def _warped(
    name: str,
    dst: Tensor | None,
    src: Tensor,
    field: Array,
    options: tuple[str, float | None],
    offset: bool,
) -> Tensor:
    source = planes(name, src)
    mode, pad = options
    if field.ndim != 3 or len(field) != 2:
        raise ImageError(f"image.{name} takes a field (2, height, width); given {field.shape}")
    iy, ix = field.astype(dtypes.float32)
    height, width = iy.shape
    if offset:
        iy = np.arange(height).astype(dtypes.float32)[:, None] + iy
        ix = np.arange(width).astype(dtypes.float32) + ix
    bottom, right = source.shape[1] - 1, source.shape[2] - 1
    outside = (iy < 0) | (iy > bottom) | (ix < 0) | (ix > right)
    iy = np.clip(iy, np.float32(0), np.float32(bottom))
    ix = np.clip(ix, np.float32(0), np.float32(right))
    sampled = SAMPLERS[mode](source, iy, ix, 0 if pad is None else pad)
    found = elements(sampled, src.dtype)
    if pad is not None:
        found = np.where(outside, elements(np.array([pad], dtypes.float64), src.dtype)[0], found)
    if dst is None and len(shape(src)) == 2:
        return wrap(np.ascontiguousarray(found[0]))
    dst = result(name, src, dst, found.shape)
    store(dst, found, f"image.{name}")
    return dst


def _bilinear(source: Array, iy: Array, ix: Array, pad: float) -> Array:
    work = working(source.dtype)
    top, left = np.floor(iy).astype(np.int64), np.floor(ix).astype(np.int64)
    bottom = np.minimum(top + 1, source.shape[1] - 1)
    right = np.minimum(left + 1, source.shape[2] - 1)
    dy, dx = iy - as32(top), ix - as32(left)
    uy, ux = as32(top + 1) - iy, as32(left + 1) - ix
    wide = source.astype(work)
    mixed: Array = (
        wide[:, top, left] * (ux * uy).astype(work)
        + wide[:, top, right] * (dx * uy).astype(work)
        + wide[:, bottom, left] * (ux * dy).astype(work)
        + wide[:, bottom, right] * (dx * dy).astype(work)
    )
    return mixed


def as32(whole: Array) -> Array:
    """Return numbers as C's floats."""
    found: Array = whole.astype(dtypes.float32)
    return found


def _simple(source: Array, iy: Array, ix: Array, pad: float) -> Array:
    y = np.floor(iy.astype(dtypes.float64) + 0.5).astype(np.int64)
    x = np.floor(ix.astype(dtypes.float64) + 0.5).astype(np.int64)
    return source[:, y, x]


def _bicubic(source: Array, iy: Array, ix: Array, pad: float) -> Array:
    """Interpolate along x, then along y; beyond the border is padding."""
    work = working(source.dtype)
    height, width = source.shape[1:]
    y, x = np.floor(iy).astype(np.int64), np.floor(ix).astype(np.int64)
    dy = iy.astype(work) - y.astype(work)
    dx = ix.astype(work) - x.astype(work)
    wide = source.astype(work)
    rows = []
    for i in range(-1, 3):
        v = y + i
        taps = []
        for j in range(-1, 3):
            u = x + j
            inside = (v >= 0) & (v < height) & (u >= 0) & (u < width)
            value = wide[:, np.clip(v, 0, height - 1), np.clip(u, 0, width - 1)]
            taps.append(np.where(inside, value, np.asarray(pad, work)))
        rows.append(cubic(taps[0], taps[1], taps[2], taps[3], dx))
    return cubic(rows[0], rows[1], rows[2], rows[3], dy)


def _lanczos(source: Array, iy: Array, ix: Array, pad: float) -> Array:
    """Weigh with the Lanczos kernel; beyond the border is the border."""
    work = working(source.dtype)
    y, x = np.floor(iy).astype(np.int64), np.floor(ix).astype(np.int64)
    taps = range(1 - RADIUS, RADIUS + 1)
    across = [_kernel(ix - as32(x + k)) for k in taps]
    down = [_kernel(iy - as32(y + k)) for k in taps]
    total = np.zeros_like(iy)
    for a in across:
        for b in down:
            total = total + a * b
    wide = source.astype(work)
    summed = np.zeros((len(source), *iy.shape), work)
    for j, a in zip(taps, across, strict=True):
        u = np.clip(x + j, 0, source.shape[2] - 1)
        for i, b in zip(taps, down, strict=True):
            v = np.clip(y + i, 0, source.shape[1] - 1)
            summed = summed + wide[:, v, u] * (a * b).astype(work)
    found: Array = summed / total.astype(work)
    return found


def _kernel(distance: Array) -> Array:
    """Return the Lanczos kernel, with the roundings of the C function."""
    d = np.abs(distance)
    pi = np.float32(np.pi)
    safe = np.where(d < np.float32(1e-6), np.float32(1), d)
    sines = np.sin((pi * safe).astype(dtypes.float64))
    sines = RADIUS * sines * np.sin((pi * safe / np.float32(RADIUS)).astype(dtypes.float64))
    found = sines / (np.float32(np.pi * np.pi) * safe * safe)
    found = np.where(d > RADIUS, 0, found)
    return as32(np.where(d < np.float32(1e-6), 1, found))


SAMPLERS: dict[str, Callable[[Array, Array, Array, float], Array]] = {
    "bilinear": _bilinear,
    "simple": _simple,
    "bicubic": _bicubic,
    "lanczos": _lanczos,
}
