"""Colour spaces.

Images are (3, height, width) with values in [0, 1], or bytes. Every function takes
`([destination,] source)` and returns the destination.

Source: torch/image init.lua, generic/image.c rgb2hsl ... lab2rgb, rgb2y.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core import dtypes
from rekindle.core.tensor import Tensor

from ..torch7.api import METHODS
from ..torch7.memory import new_tensor, shape
from .errors import ImageError
from .pixels import Array, checked, elements, planes, put, result, split, working

LAB_EPSILON = 216.0 / 24389.0
LAB_KAPPA = 24389.0 / 27.0
WHITE = (0.950456, 1.0, 1.088754)
"""Of CIE's D65."""


def _three(name: str, args: tuple[Any, ...], channels: int = 3) -> tuple[Tensor, Tensor]:
    """Return destination and source of a conversion."""
    dst, src = split(name, args)
    checked(name, src)
    size = shape(src)
    if len(size) != 3 or size[0] < 3:
        raise ImageError(f"image.{name} takes an image (3, height, width); given size {size}")
    return result(name, src, dst, size if channels == 3 else (channels, *size[1:])), src


def _read(src: Tensor) -> tuple[Array, Array, Array]:
    """Return three channels in the type that C computes in; bytes in [0, 1]."""
    wide = planes("", src)[:3].astype(working(src.dtype))
    if src.dtype == dtypes.uint8:
        wide = wide / np.float32(255)
    return wide[0], wide[1], wide[2]


def _write(name: str, dst: Tensor, *channels: Any) -> Tensor:
    computed = np.stack(np.broadcast_arrays(*channels))
    if dst.dtype == dtypes.uint8:
        computed = computed.astype(dtypes.float32) * np.float32(255)
    return put(name, dst, elements(computed, dst.dtype))


def rgb2y(*args: Any) -> Tensor:
    """Return the luminance (1, height, width) of an RGB image."""
    dst, src = _three("rgb2y", args, 1)
    r, g, b = planes("rgb2y", src)[:3].astype(dtypes.float64)
    y = (0.299 * r + 0.587 * g + 0.114 * b).astype(working(src.dtype))
    return put("rgb2y", dst, elements(y[None], src.dtype))


def _linear(name: str, args: tuple[Any, ...], rows: tuple[tuple[float, ...], ...]) -> Tensor:
    """Make every channel a sum of weighted channels, in the tensor's own arithmetic."""
    dst, src = _three(name, args)
    select, add = METHODS["select"], METHODS["add"]
    channels = [select(src, 1, i) for i in (1, 2, 3)]
    for i, row in enumerate(rows, 1):
        out = METHODS["zero"](select(dst, 1, i))
        for weight, channel in zip(row, channels, strict=True):
            if weight:
                add(out, weight, channel)
    return dst


def rgb2yuv(*args: Any) -> Tensor:
    """Return an RGB image as YUV."""
    rows = ((0.299, 0.587, 0.114), (-0.14713, -0.28886, 0.436), (0.615, -0.51499, -0.10001))
    return _linear("rgb2yuv", args, rows)


def yuv2rgb(*args: Any) -> Tensor:
    """Return a YUV image as RGB."""
    rows = ((1.0, 0.0, 1.13983), (1.0, -0.39465, -0.58060), (1.0, 2.03211, 0.0))
    return _linear("yuv2rgb", args, rows)


def rgb2nrgb(*args: Any) -> Tensor:
    """Return an RGB image with every pixel divided by the sum of its channels."""
    dst, src = _three("rgb2nrgb", args)
    select = METHODS["select"]
    total = METHODS["resize"](new_tensor(src.dtype), *shape(src)[1:])
    METHODS["copy"](total, select(src, 1, 1))
    METHODS["add"](total, select(src, 1, 2))
    METHODS["add"](total, select(src, 1, 3))
    METHODS["add"](total, 1e-6)
    METHODS["copy"](dst, src)
    for i in (1, 2, 3):
        METHODS["cdiv"](select(dst, 1, i), total)
    return dst


def _hue(r: Array, g: Array, b: Array, most: Array, spread: Array) -> Array:
    """Return the hue in [0, 1]; 0 for greys."""
    safe = np.where(spread == 0, 1, spread).astype(r.dtype)
    from_red = (g - b) / safe + np.where(g < b, 6, 0).astype(r.dtype)
    hue = np.where(most == r, from_red, np.where(most == g, (b - r) / safe + 2, (r - g) / safe + 4))
    return np.where(spread == 0, 0, hue / 6).astype(r.dtype)


def rgb2hsl(*args: Any) -> Tensor:
    """Return an RGB image as hue, saturation and lightness, all in [0, 1]."""
    dst, src = _three("rgb2hsl", args)
    r, g, b = _read(src)
    most, least = np.maximum(np.maximum(r, g), b), np.minimum(np.minimum(r, g), b)
    spread = most - least
    lightness = np.where(spread == 0, most, (most + least) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        saturation = np.where(lightness > 0.5, spread / (2 - most - least), spread / (most + least))
    saturation = np.where(spread == 0, 0, saturation)
    return _write("rgb2hsl", dst, _hue(r, g, b, most, spread), saturation, lightness)


def rgb2hsv(*args: Any) -> Tensor:
    """Return an RGB image as hue, saturation and value, all in [0, 1]."""
    dst, src = _three("rgb2hsv", args)
    r, g, b = _read(src)
    most, least = np.maximum(np.maximum(r, g), b), np.minimum(np.minimum(r, g), b)
    spread = most - least
    with np.errstate(divide="ignore", invalid="ignore"):
        saturation = np.where(spread == 0, 0, spread / most)
    return _write("rgb2hsv", dst, _hue(r, g, b, most, spread), saturation, most)


def hsl2rgb(*args: Any) -> Tensor:
    """Return an image of hue, saturation and lightness as RGB."""
    dst, src = _three("hsl2rgb", args)
    h, s, lightness = _read(src)
    q = np.where(lightness < 0.5, lightness * (1 + s), lightness + s - lightness * s)
    p = 2 * lightness - q
    wide = h.astype(dtypes.float64)
    channels = [
        np.where(s == 0, lightness, _of_hue(p, q, hue.astype(h.dtype)))
        for hue in (wide + 1.0 / 3, wide, wide - 1.0 / 3)
    ]
    return _write("hsl2rgb", dst, *channels)


def _of_hue(p: Array, q: Array, t: Array) -> Array:
    """Return a channel from its place on the wheel of hues."""
    t = np.where(t < 0, t + 1, t)
    t = np.where(t > 1, t - 1, t)
    rise = (q - p).astype(dtypes.float64)
    value = np.where(
        t < 1.0 / 6,
        p + rise * 6.0 * t,
        np.where(t < 1.0 / 2, q, np.where(t < 2.0 / 3, p + rise * (2.0 / 3 - t) * 6.0, p)),
    )
    return value.astype(p.dtype)


def hsv2rgb(*args: Any) -> Tensor:
    """Return an image of hue, saturation and value as RGB; negative hues are black."""
    dst, src = _three("hsv2rgb", args)
    h, s, v = _read(src)
    sector = np.floor(h.astype(dtypes.float64) * 6.0).astype(np.int64)
    f = h * 6 - sector.astype(h.dtype)
    p, q, t = v * (1 - s), v * (1 - f * s), v * (1 - (1 - f) * s)
    wheel = [(v, t, p), (q, v, p), (p, v, t), (p, q, v), (t, p, v), (v, p, q)]
    which = np.fmod(sector, 6)
    channels = [
        np.select([which == k for k in range(6)], [part[i] for part in wheel], 0) for i in range(3)
    ]
    return _write("hsv2rgb", dst, *channels)


def _no_bytes(name: str, src: Tensor) -> None:
    if src.dtype == dtypes.uint8:
        raise ImageError(f"image.{name}: not supported for torch.ByteTensor")


def rgb2lab(*args: Any) -> Tensor:
    """Return an sRGB image in CIE's L*a*b*, whose values are not in [0, 1].

    Raises
    ------
    ImageError
        For bytes.
    """
    dst, src = _three("rgb2lab", args)
    _no_bytes("rgb2lab", src)
    wide = planes("rgb2lab", src)[:3].astype(dtypes.float64)
    expanded = np.where(
        wide <= 0.04045, wide / 12.92, ((np.maximum(wide, 0) + 0.055) / 1.055) ** 2.4
    )
    r, g, b = expanded.astype(src.dtype).astype(dtypes.float64)
    xyz = (
        (0.412453 * r + 0.357580 * g + 0.180423 * b) / WHITE[0],
        0.212671 * r + 0.715160 * g + 0.072169 * b,
        (0.019334 * r + 0.119193 * g + 0.950227 * b) / WHITE[2],
    )
    fx, fy, fz = (np.where(c > LAB_EPSILON, np.cbrt(c), (LAB_KAPPA * c + 16) / 116) for c in xyz)
    return put("rgb2lab", dst, np.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)]))


def lab2rgb(*args: Any) -> Tensor:
    """Return an image in CIE's L*a*b* as sRGB.

    Raises
    ------
    ImageError
        For bytes.
    """
    dst, src = _three("lab2rgb", args)
    _no_bytes("lab2rgb", src)
    lightness, a, b = planes("lab2rgb", src)[:3]
    fy = ((lightness + 16) / 116).astype(dtypes.float64)
    fz = fy - (b / 200).astype(dtypes.float64)
    fx = (a / 500).astype(dtypes.float64) + fy
    x, z = (np.where(f**3 <= LAB_EPSILON, (116 * f - 16) / LAB_KAPPA, f**3) for f in (fx, fz))
    y = np.where(lightness > LAB_KAPPA * LAB_EPSILON, fy**3, lightness / LAB_KAPPA)
    x, z = x * WHITE[0], z * WHITE[2]
    linear = np.stack(
        [
            3.2404542 * x - 1.5371385 * y - 0.4985314 * z,
            -0.9692660 * x + 1.8760108 * y + 0.0415560 * z,
            0.0556434 * x - 0.2040259 * y + 1.0572252 * z,
        ]
    ).astype(src.dtype)
    wide = linear.astype(dtypes.float64)
    curve = 1.055 * np.maximum(wide, 0) ** (1.0 / 2.4) - 0.055
    return put("lab2rgb", dst, np.where(wide <= 0.0031308, 12.92 * wide, curve))
