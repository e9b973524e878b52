"""Images convolved, normalised, eroded and dilated; pyramids.

Source: torch/image init.lua convolve, gaussianpyramid, lcn, erode, dilate.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rekindle.core import dtypes
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from ..torch7.api import FUNCTIONS, METHODS
from ..torch7.memory import new_tensor, resize, shape, store, values, wrap
from .errors import ImageError
from .kernels import gaussian
from .pixels import checked
from .scale import scale


def convolve(*args: Any) -> Tensor:
    """Return an image convolved with a kernel: `convolve([dst,] src, kernel, [mode])`.

    Parameters
    ----------
    src : Tensor, shape (height, width) or (channels, height, width)
    kernel : Tensor, shape (rows, columns), or with as many channels as `src`
    mode : str
        "valid" (the default), "full" or "same" (a part of the full one, of the image's size).

    Raises
    ------
    ImageError
    """
    mode = "valid"
    if args and (args[-1] is None or isinstance(args[-1], str)):
        mode, args = args[-1] or mode, args[:-1]
    if len(args) not in (2, 3) or mode not in ("valid", "full", "same"):
        raise ImageError("image.convolve takes [dst,] src, kernel and full | valid | same")
    src, kernel = args[-2:]
    if len(shape(kernel)) == 2 and len(shape(src)) == 3:
        kernel = wrap(np.repeat(values(kernel)[None].astype(src.dtype), shape(src)[0], 0))
    dst: Tensor = FUNCTIONS["conv2"](*args[:-2], src, kernel, "V" if mode == "valid" else "F")
    if mode == "same":
        for dim in (len(shape(dst)) - 1, len(shape(dst))):
            start = math.ceil(shape(kernel)[dim - 1] / 2)
            dst = METHODS["narrow"](dst, dim, start, shape(src)[dim - 1])
    return dst


def gaussianpyramid(*args: Any) -> Table:
    """Return an image in several sizes, each a smoothed and scaled one of the one before.

    `gaussianpyramid([dst,] src, scales)`; scales and the images returned are tables.
    """
    if len(args) not in (2, 3):
        raise ImageError("image.gaussianpyramid takes [dst,] src and scales")
    src, scales = args[-2:]
    dst = args[0] if len(args) == 3 else Table()
    checked("gaussianpyramid", src)
    size = shape(src)
    if len(size) not in (2, 3):
        raise ImageError("image.gaussianpyramid: src image must be 2D or 3D")
    kernel = wrap(values(gaussian({"width": 3, "normalize": True})).astype(src.dtype))
    smoothed = src
    for i, factor in enumerate(scales.array() if isinstance(scales, Table) else scales, 1):
        if dst.get(i) is None:
            dst[i] = new_tensor(src.dtype)
        level = resize(dst[i], (*size[:-2], int(size[-2] * factor), int(size[-1] * factor)))
        if factor == 1:
            store(level, values(smoothed), "image.gaussianpyramid")
        else:
            scale(level, smoothed, "simple")
        smoothed = convolve(level, kernel, "same")
    return dst


def lcn(image: Tensor, kernel: Tensor | None = None) -> Tensor:
    """Return a grey image with local contrast normalised, in double precision.

    Parameters
    ----------
    image : Tensor, shape (height, width) or (1, height, width)
    kernel : Tensor, optional
        A normalised Gaussian of 9x9 by default.

    Raises
    ------
    ImageError
        If the image has colours.
    """
    grey = values(image).astype(dtypes.float64)
    if grey.ndim == 3 and len(grey) == 1:
        grey = grey[0]
    if grey.ndim != 2:
        raise ImageError(f"image.lcn: grayscale image expected; given size {shape(image)}")
    if kernel is None:
        kernel = gaussian({"size": 9, "sigma": 1.591 / 9, "normalize": True})
    weights = wrap(values(kernel).astype(dtypes.float64))
    grey = (grey - grey.mean()) / grey.std(ddof=1)
    mean = values(FUNCTIONS["conv2"](wrap(grey), weights))
    squares = values(FUNCTIONS["conv2"](wrap(grey * grey), weights))
    deviation = np.sqrt(np.maximum(squares - mean * mean, 0))
    rows, columns = (n // 2 for n in shape(kernel))
    middle = grey[rows : rows + len(mean), columns : columns + mean.shape[1]]
    return wrap((middle - mean) / np.maximum(deviation, 1))


def erode(image: Tensor, kernel: Tensor | None = None, pad: float = 1) -> Tensor:
    """Return where a kernel of 0 and 1 fits into an image of 0 and 1, outside of which is `pad`.

    Parameters
    ----------
    image : Tensor, shape (height, width)
    kernel : Tensor, optional
        Of odd size; ones, 3x3, by default.
    """
    padded, shifted = _padded(image, kernel, pad)
    fits = values(FUNCTIONS["conv2"](padded, shifted)) == values(shifted).sum()
    return wrap(fits.astype(image.dtype))


def dilate(image: Tensor, kernel: Tensor | None = None, pad: float = 0) -> Tensor:
    """Return what a kernel of 0 and 1 covers at the ones of an image, outside of which is `pad`.

    Parameters
    ----------
    image : Tensor, shape (height, width)
    kernel : Tensor, optional
        Of odd size; ones, 3x3, by default.
    """
    if kernel is not None:
        kernel = wrap(np.flip(values(kernel)).copy())
    padded, shifted = _padded(image, kernel, pad)
    return wrap((values(FUNCTIONS["conv2"](padded, shifted)) > 0).astype(image.dtype))


def _padded(image: Tensor, kernel: Tensor | None, pad: float) -> tuple[Tensor, Tensor]:
    if kernel is None:
        kernel = wrap(np.ones((3, 3), image.dtype))
    rows, columns = ((n - 1) // 2 for n in shape(kernel))
    pixels = np.pad(values(image), ((rows, rows), (columns, columns)), constant_values=pad)
    return wrap(pixels), kernel
