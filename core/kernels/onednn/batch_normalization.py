"""Batch normalisation with given and with its own moments, and its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backend import empty
from ..dispatch import KERNELS, SMALL, Declined, Kernel
from .layout import as_images
from .library import library
from .memory import FIRST, LAST, Array, Descriptor, address, described, is_dense, steps
from .primitives import (
    DIFF_DST,
    DIFF_SCALE,
    DIFF_SHIFT,
    DIFF_SRC,
    DST,
    FORWARD,
    FORWARD_TRAINING,
    MEAN,
    SCALE,
    SHIFT,
    SRC,
    VARIANCE,
    Description,
    Primitive,
    prepared,
)

_BACKWARD = 128
_GIVEN, _SCALED, _SHIFTED = 1, 2, 4
LEAST = 1 << 12
"""Elements from which on oneDNN is quicker than NumPy."""

PIXELS = 1 << 14
"""Numbers of a channel that oneDNN adds up one by one with an error of at most some 1e-6."""

_IMPRECISE = Declined("so many pixels that oneDNN's sums are imprecise")

_MOMENTS = KERNELS["channel_moments"] = Kernel("channel_moments", "fused.channels")
_GRADIENT = KERNELS["channel_gradient"] = Kernel("channel_gradient", "fused.channels")
"""Precise, and where images are not channels-last quicker as well."""


def batch_norm(
    x: Array,
    mean: Array,
    variance: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    eps: float,
) -> Any:
    """See `core.kernels.normalization.batch_norm`; the result lies as x does."""
    if (why := _unsupported(x, (mean, variance, weight, bias), eps)) is not None:
        return why
    x, layout = _laid_out(x)
    kinds = _GIVEN | _parts(weight, bias)
    key = (x.shape, layout, eps, kinds)
    run = prepared(("batch norm", *key), _forward, *key)
    out = empty(x.shape, np.float32, x.strides)
    given = [np.ascontiguousarray(a) for a in (mean, variance, weight, bias) if a is not None]
    run(address(x), address(out), *map(address, given))
    return out


def batch_norm_training(
    x: Array, weight: Array | None = None, bias: Array | None = None, *, eps: float
) -> Any:
    """See `core.kernels.normalization.batch_norm_training`; the result lies as x does."""
    if (why := _unsupported(x, (weight, bias), eps)) is not None:
        return why
    x, layout = _laid_out(x)
    found = _summed_elsewhere(_MOMENTS, x, layout, (x,), {})
    if type(found) is Declined:
        return found
    if found is not None:
        mean, variance = found
        return batch_norm(x, mean, variance, weight, bias, eps=eps), mean, variance
    key = (x.shape, layout, eps, _parts(weight, bias))
    run = prepared(("batch norm", *key), _forward, *key)
    out = empty(x.shape, np.float32, x.strides)
    mean, variance = (np.empty(x.shape[1], np.float32) for _ in range(2))
    given = [np.ascontiguousarray(a) for a in (weight, bias) if a is not None]
    run(*map(address, (x, out, mean, variance, *given)))
    return out, mean, variance


def batch_norm_gradient(
    g: Array, x: Array, weight: Array | None, mean: Array, variance: Array, *, eps: float
) -> Any:
    """See `core.kernels.normalization.batch_norm_gradient`; the first result lies as x does."""
    if (why := _unsupported(x, (weight, mean, variance), eps)) is not None:
        return why
    if g.dtype != np.float32 or g.shape != x.shape:
        return SMALL  # the reference says what does not fit
    x, layout = _laid_out(x)
    if not is_dense(g, layout):
        g = as_images(g) if layout == LAST else np.ascontiguousarray(g)
    arrays = (g, x, weight, mean, variance)
    found = _summed_elsewhere(_GRADIENT, x, layout, arrays, {"eps": eps})
    if found is not None:
        return found
    key = (x.shape, layout, eps)
    run = prepared(("batch norm gradient", *key), _backward, *key)
    out = empty(x.shape, np.float32, x.strides)
    of_weight, of_bias = (np.empty(x.shape[1], np.float32) for _ in range(2))
    scale = np.ones(x.shape[1], np.float32) if weight is None else np.ascontiguousarray(weight)
    given = [np.ascontiguousarray(a) for a in (mean, variance)]
    run(*map(address, (x, g, *given, scale, out, of_weight, of_bias)))
    return out, of_weight, of_bias


def _summed_elsewhere(
    kernel: Kernel, x: Array, layout: str, arrays: tuple[Any, ...], params: dict[str, Any]
) -> Any:
    """Return what a precise kernel computes, or declines; None where oneDNN's sums are right."""
    many = x.size // x.shape[1] > PIXELS
    if layout != FIRST and not many:
        return None
    by_pixels = layout == LAST and x.shape[1] > 1  # one channel alone lies in both orders
    found = kernel.attempt(arrays, {**params, "last": by_pixels})
    if type(found) is not Declined:
        return found
    return _IMPRECISE if many else None


def _unsupported(x: Array, channels: Sequence[Array | None], eps: float) -> Declined | None:
    if x.size < LEAST or not 2 <= x.ndim <= 5:
        return SMALL
    if x.dtype != np.float32:
        return Declined(f"dtype {x.dtype}")
    if eps <= 0:
        return Declined("an eps of 0: a channel without variance is 0 / 0")
    for a in channels:
        if a is not None and (a.dtype != np.float32 or a.shape != x.shape[1:2]):
            return SMALL
    return None


def _laid_out(x: Array) -> tuple[Array, str]:
    """Return x without gaps, and in which order it is."""
    if is_dense(x, LAST):
        return x, LAST
    if is_dense(x, FIRST):
        return x, FIRST
    return as_images(x), LAST


def _parts(weight: Array | None, bias: Array | None) -> int:
    return (0 if weight is None else _SCALED) | (0 if bias is None else _SHIFTED)


def _images(shape: tuple[int, ...], layout: str) -> Descriptor:
    return described(shape, steps(shape, layout))


def _forward(shape: tuple[int, ...], layout: str, eps: float, parts: int) -> Primitive:
    images, channels = _images(shape, layout), described(shape[1:2], (1,))
    kind = FORWARD if parts & _GIVEN else FORWARD_TRAINING
    made = Description(
        "batch_normalization_forward",
        *(library().engine, kind, images, images, eps, parts, None),
    )
    numbers = [MEAN, VARIANCE]
    numbers += [SCALE] if parts & _SCALED else []
    numbers += [SHIFT] if parts & _SHIFTED else []
    of_channels = [(number, channels.handle) for number in numbers]
    return Primitive(made, [(SRC, images.handle), (DST, images.handle), *of_channels])


def _backward(shape: tuple[int, ...], layout: str, eps: float) -> Primitive:
    images, channels = _images(shape, layout), described(shape[1:2], (1,))
    parts = _SCALED | _SHIFTED
    engine = library().engine
    forward = Description(
        "batch_normalization_forward",
        *(engine, FORWARD_TRAINING, images, images, eps, parts, None),
    )
    made = Description(
        "batch_normalization_backward",
        *(engine, _BACKWARD, images, images, images, eps, parts, forward, None),
    )
    numbers = (SRC, DIFF_DST, MEAN, VARIANCE, SCALE, DIFF_SRC, DIFF_SCALE, DIFF_SHIFT)
    of_images = (SRC, DIFF_DST, DIFF_SRC)
    return Primitive(made, [(n, (images if n in of_images else channels).handle) for n in numbers])
