"""Kernels to convolve with, and maps of colours.

Source: torch/image init.lua gaussian ... jetColormap, generic/image.c gaussian, colorize.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rekindle.core import dtypes
from rekindle.core.tensor import Tensor

from ..torch7 import types
from ..torch7.api import METHODS
from ..torch7.memory import new_tensor, resize, shape, store, values, wrap
from .errors import ImageError
from .options import Same, unpack
from .pixels import checked, elements, split, working

TWO_DIMENSIONS: dict[str, Any] = {
    "width": Same("size"),
    "height": Same("size"),
    "sigma_horz": Same("sigma"),
    "sigma_vert": Same("sigma"),
    "mean_horz": 0.5,
    "mean_vert": 0.5,
}


def gaussian(*args: Any) -> Tensor:
    """Return a Gaussian of two dimensions, (height, width), of the default tensor type.

    Arguments, in order or by name in one table: size (3), sigma (0.25) in units of the size,
    amplitude (1), normalize (false), width and height (size), sigma_horz and sigma_vert (sigma),
    mean_horz and mean_vert (0.5), tensor (where to write).

    Raises
    ------
    ImageError
        If `tensor` has not two dimensions.
    """
    defaults = {"size": 3, "sigma": 0.25, "amplitude": 1, "normalize": False}
    given = unpack("gaussian", args, {**defaults, **TWO_DIMENSIONS, "tensor": None})
    _, _, amplitude, normalize, width, height, sigma_u, sigma_v, mean_u, mean_v, out = given
    if out is None:
        out = resize(new_tensor(types.default_dtype()), (int(height), int(width)))
    checked("gaussian", out)
    if len(shape(out)) != 2:
        raise ImageError(f"image.gaussian: expecting 2D tensor; given size {shape(out)}")
    rows, columns = shape(out)
    work = working(out.dtype)
    du = _distances(columns, sigma_u, mean_u, work)
    dv = _distances(rows, sigma_v, mean_v, work)[:, None]
    squares = (du * du + dv * dv).astype(dtypes.float64)
    bell = (work.type(amplitude).astype(dtypes.float64) * np.exp(-0.5 * squares)).astype(work)
    bell = elements(bell, out.dtype)
    if normalize:
        total = np.cumsum(bell.astype(work).ravel(), dtype=work)[-1]
        bell = (bell * work.type(1.0 / float(total))).astype(out.dtype)
    store(out, bell, "image.gaussian")
    result: Tensor = out
    return result


def _distances(count: int, sigma: float, mean: float, work: Any) -> Any:
    """Return how many sigmas each place is from the mean."""
    center = work.type(float(work.type(mean) * work.type(count)) + 0.5)
    scale = work.type(1.0 / float(work.type(sigma) * work.type(count)))
    return (np.arange(1, count + 1).astype(work) - center) * scale


def gaussian1D(*args: Any) -> Tensor:
    """Return a Gaussian of one dimension, of the default tensor type.

    Arguments, in order or by name: size (3), sigma (0.25), amplitude (1), normalize (false),
    mean (0.5), tensor (where to write).

    Raises
    ------
    ImageError
        If `tensor` has not one dimension.
    """
    defaults = {"size": 3, "sigma": 0.25, "amplitude": 1, "normalize": False, "mean": 0.5}
    size, sigma, amplitude, normalize, mean, out = unpack(
        "gaussian1D", args, {**defaults, "tensor": None}
    )
    if out is None:
        out = resize(new_tensor(types.default_dtype()), (int(size),))
    elif len(shape(out)) != 1:
        raise ImageError(f"image.gaussian1D: expecting 1D tensor; given size {shape(out)}")
    else:
        size = shape(out)[0]
    distance = (np.arange(1, int(size) + 1) - (mean * size + 0.5)) / (sigma * size)
    store(out, amplitude * np.exp(-(distance**2) / 2), "image.gaussian1D")
    return _normalized(out, normalize)


def _normalized(out: Tensor, normalize: Any) -> Tensor:
    if normalize:
        METHODS["div"](out, METHODS["sum"](out))
    return out


def laplacian(*args: Any) -> Tensor:
    """Return a Laplacian of a Gaussian (height, width), of the default tensor type.

    Arguments as those of `gaussian`, with sigma 0.1 and no `tensor`. As in Torch, rows are
    measured with the horizontal mean and sigma and columns with the vertical ones.
    """
    defaults = {"size": 3, "sigma": 0.1, "amplitude": 1, "normalize": False}
    given = unpack("laplacian", args, {**defaults, **TWO_DIMENSIONS})
    _, _, amplitude, normalize, width, height, sigma_u, sigma_v, mean_u, mean_v = given
    rows = np.arange(1, int(height) + 1)[:, None] - (mean_u * width + 0.5)
    columns = np.arange(1, int(width) + 1) - (mean_v * height + 0.5)
    squares = (rows / (sigma_u * width)) ** 2 / 2 + (columns / (sigma_v * height)) ** 2 / 2
    found = (1 - squares) * amplitude * np.exp(-squares)
    return _normalized(wrap(found.astype(types.default_dtype())), normalize)


def colormap(count: float) -> Tensor:
    """Return so many colours, (count, 3), with their hues far apart."""
    colors = []
    for i in range(int(count)):
        sector = math.fmod(39 * i, 360) / 60
        c = math.fmod(_ninths(i), 0.7) + 0.3
        x = c * (1 - abs(math.fmod(sector, 2) - 1))
        wheel = ((c, x, 0.0), (x, c, 0.0), (0.0, c, x), (0.0, x, c), (x, 0.0, c), (c, 0.0, x))
        colors.append([part + 0.5 - c / 2 for part in wheel[int(sector)]])
    return wrap(np.array(colors, types.default_dtype()))


def _ninths(count: int) -> float:
    """Add 1/9 so many times, with the roundings that this has."""
    total = 0.0
    for _ in range(count):
        total += 1 / 9
    return total


def jetColormap(count: float) -> Tensor:
    """Return the colours (count, 3) from blue through green and yellow to red."""
    four = 4 * np.arange(1, int(count) + 1) / count
    ramps = [
        np.minimum(np.minimum(four - low, high - four), 1)
        for low, high in ((1.5, 4.5), (0.5, 3.5), (-0.5, 2.5))
    ]
    return wrap(np.maximum(np.stack(ramps, 1), 0).astype(types.default_dtype()))


def y2jet(*args: Any) -> Tensor:
    """Return a picture of levels 1 ... L in the colours of `jetColormap`: `y2jet([dst,] src)`.

    Parameters
    ----------
    src : Tensor, shape (height, width), (1, height, width) or (width,)

    Raises
    ------
    ImageError
        For a level that is no number from 1 to the highest.
    """
    dst, src = split("y2jet", args)
    checked("y2jet", src)
    levels = values(src)
    if levels.ndim == 3 and len(levels) == 1:
        levels = levels[0]
    elif levels.ndim == 1:
        levels = levels[None]
    if levels.ndim != 2:
        raise ImageError(f"image.y2jet takes an image of one channel; given size {shape(src)}")
    colors = values(jetColormap(float(levels.max())))
    if src.dtype == dtypes.uint8:
        colors = np.clip(np.floor(colors * 255 + 0.5), 0, 255)
    index = (levels - levels.dtype.type(1)).astype(np.int64)
    if index.min() < 0 or index.max() >= len(colors):
        raise ImageError("image.y2jet takes levels 1, 2, ... up to the highest")
    found = np.moveaxis(colors[index], 2, 0).astype(src.dtype)
    dst = new_tensor(src.dtype) if dst is None else dst
    store(dst, found, "image.y2jet")
    return dst
