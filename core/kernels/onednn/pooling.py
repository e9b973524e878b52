"""Max and average pooling without places and gradients, in one to three dimensions.

They need no compiler, whose memory and start a model for inference is better without.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dispatch import SMALL, Declined
from ..windows import Window, window_of
from .layout import as_images
from .library import UNIMPLEMENTED, KernelLibraryError, dims, library
from .memory import Array, address, empty_images, images
from .primitives import DST, FORWARD, SRC, Description, Primitive, prepared

_MAX, _WITH_PADDING, _WITHOUT_PADDING = 0x1FF, 0x2FF, 0x3FF
_LOWEST = np.finfo(np.float32).min
Sizes = Sequence[int]


def max_pool_values(
    x: Array,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool = False,
) -> Any:
    """See `core.kernels.pooling.max_pool_values`; the result is channels-last."""
    if (why := _unsupported(x)) is not None:
        return why
    if not passes_nan_over():
        return Declined("a library whose max pooling treats nan in another way")
    window = window_of(np, "max_pool", x, kernel, stride, padding, dilation, ceil_mode)
    out = _run(x, window, _MAX)
    if type(out) is not Declined and out.min() == _LOWEST:
        return Declined("windows of nothing but nan and minus infinity")
    return out


def avg_pool_values(
    x: Array,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """See `core.kernels.average_pooling.avg_pool_values`; the result is channels-last."""
    if (why := _unsupported(x)) is not None:
        return why
    flat = (1,) * (x.ndim - 2)
    window = window_of(np, "avg_pool", x, kernel, stride, padding, flat, ceil_mode)
    if any(after > p for (_, after), p in zip(window.border(x.shape[2:]), padding, strict=True)):
        return Declined("windows that reach behind the padding")
    return _run(x, window, _WITH_PADDING if count_include_pad else _WITHOUT_PADDING)


def _unsupported(x: Array) -> Declined | None:
    if x.dtype != np.float32:
        return Declined(f"dtype {x.dtype}")
    return None if 3 <= x.ndim <= 5 and x.size else SMALL


def _run(x: Array, window: Window, algorithm: int) -> Any:
    made = prepared(("pooling", x.shape, window, algorithm), _pooling, x.shape, window, algorithm)
    if isinstance(made, Declined):
        return made
    x, out = as_images(x), empty_images((*x.shape[:2], *window.out))
    made(address(x), address(out))
    return out


def _pooling(shape: tuple[int, ...], window: Window, algorithm: int) -> Primitive | Declined:
    size, border = shape[2:], window.border(shape[2:])
    starts = zip(size, window.stride, window.padding, window.out, strict=True)
    if any((o - 1) * s - p >= n for n, s, p, o in starts):
        return Declined("windows that start behind the image")
    source, target = images(shape), images((*shape[:2], *window.out))
    gaps = dims([d - 1 for d in window.dilation])  # oneDNN counts the elements between
    before, after = (dims([pair[i] for pair in border]) for i in (0, 1))
    try:
        made = Description(
            "pooling_forward",
            *(library().engine, FORWARD, algorithm, source, target),
            *(dims(window.stride), dims(window.kernel), gaps, before, after, None),
        )
    except KernelLibraryError as error:
        if error.errno != UNIMPLEMENTED:
            raise
        return Declined("a geometry that oneDNN lacks")
    return Primitive(made, [(SRC, source.handle), (DST, target.handle)])


@functools.cache
def passes_nan_over() -> bool:
    """Whether the loaded library's max pooling passes nan over, as Torch7's does: tried once."""
    for channels in (1, 16):  # there are other codes for whole vectors
        x = empty_images((1, channels, 1, 5))
        x[...] = np.array([np.nan, 1.0, np.nan, -2.0, np.nan], np.float32)
        ones = (1, 1)
        window = Window((1, 2), ones, (0, 0), ones, (1, 4))
        out = _run(x, window, _MAX)
        if type(out) is Declined or not (out == np.array([1.0, 1.0, -2.0, -2.0])).all():
            return False
    return True
