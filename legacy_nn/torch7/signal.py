"""Convolutions and cross-correlations of images and volumes: conv2, xcorr2, conv3, xcorr3.

Source: torch7 lib/TH/generic/THTensorConv.c, TensorMath.lua.
"""

from __future__ import annotations

import numpy as np

from rekindle.core.tensor import Tensor

from .errors import BadArgument
from .functions import described
from .memory import Array, store, values


def _correlate(image: Array, kernel: Array, full: bool) -> Array:
    """Slide a kernel over an image; both have the same number of dimensions."""
    if full:
        image = np.pad(image, [(k - 1, k - 1) for k in kernel.shape])
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    axes = tuple(range(image.ndim, 2 * image.ndim))
    return np.tensordot(windows, kernel, (axes, tuple(range(kernel.ndim))))


def _run(image: Array, kernel: Array, full: bool, flip: bool) -> Array:
    # A full correlation meets the kernel from the other side, as THTensor_fullXCorr2Dptr
    return _correlate(image, np.flip(kernel) if flip else kernel, full)


def _check(image: Array, kernel: Array, ndim: int, full: bool) -> None:
    fits = all(i >= k for i, k in zip(image.shape[-ndim:], kernel.shape[-ndim:], strict=True))
    if not full and not fits:
        what = "image" if ndim == 2 else "volume"
        raise BadArgument(2, f"conv{ndim}D : Input {what} is smaller than kernel")


def _register(name: str, ndim: int, flip: bool) -> None:
    @described(name, f"*res=new image~{ndim} kernel~{ndim} kind:{{V,F}}=V")
    def single(res: Tensor, image: Tensor, kernel: Tensor, kind: str) -> None:
        x, k = values(image), values(kernel)
        _check(x, k, ndim, kind == "F")
        store(res, _run(x, k, kind == "F", flip), name)

    @described(name, f"*res=new image~{ndim + 1} kernel~{ndim + 1} kind:{{V,F}}=V")
    def planes(res: Tensor, image: Tensor, kernel: Tensor, kind: str) -> None:
        x, k = values(image), values(kernel)
        _check(x, k, ndim, kind == "F")
        if len(x) != len(k):
            raise BadArgument(3, f"conv{ndim}Dcmul : Number of planes differ")
        pairs = zip(x, k, strict=True)
        store(res, np.stack([_run(a, b, kind == "F", flip) for a, b in pairs]), name)

    @described(name, f"*res=new image~{ndim + 1} kernel~{ndim + 2} kind:{{V,F}}=V")
    def layer(res: Tensor, image: Tensor, kernel: Tensor, kind: str) -> None:
        x, k = values(image), values(kernel)
        _check(x, k, ndim, kind == "F")
        if len(x) != k.shape[1]:
            raise BadArgument(3, "invalid number of input planes")
        out = [sum(_run(a, b, kind == "F", flip) for a, b in zip(x, row, strict=True)) for row in k]
        store(res, np.stack([np.asarray(plane) for plane in out]), name)


for _ndim in (2, 3):
    _register(f"conv{_ndim}", _ndim, flip=True)
    _register(f"xcorr{_ndim}", _ndim, flip=False)
