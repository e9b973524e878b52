"""Images of other sizes: interpolation, and pixels moved between channels and space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import ops
from ...errors import ShapeError
from ...tensor import Tensor
from ..errors import ArgumentError
from .pooling import adaptive_avg

_LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}
_MODES = ("nearest", "nearest-exact", *_LINEAR, "bicubic", "area")


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Tensor:
    """Return images of another size.

    Parameters
    ----------
    input : Tensor, shape (N, C, *spatial), floating
    size : int or sequence of int
        Spatial size of the result.
    scale_factor : float or sequence of float
        What spatial sizes are multiplied by, rounded down; one of the two is given.
    mode : str
        "nearest", "nearest-exact", "area", "linear", "bilinear", "trilinear" (of 1, 2, 3
        spatial dimensions) or "bicubic".
    align_corners : bool, optional
        Whether the centres of the corner pixels stay where they are, or their outer edges do.
        Only for the linear and cubic modes.
    recompute_scale_factor : bool, optional
        Whether positions go by the rounded sizes instead of by `scale_factor`.

    Returns
    -------
    Tensor, shape (N, C, *size)

    Raises
    ------
    ArgumentError, ShapeError
        If the options do not fit each other or the input.
    """
    spatial = input.shape[2:]
    if mode not in _MODES or (align_corners is not None and "linear" not in mode != "bicubic"):
        raise ArgumentError(
            f"mode is one of {', '.join(_MODES)}, and align_corners belongs to the linear and "
            f"cubic ones; given mode={mode!r}, align_corners={align_corners}"
        )
    if not spatial or _LINEAR.get(mode, 2 if mode == "bicubic" else len(spatial)) != len(spatial):
        raise ShapeError(f"interpolate: {mode} does not take an input of shape {input.shape}")
    target, factors = _sizes(spatial, size, scale_factor)
    if recompute_scale_factor or size is not None:
        factors = [None] * len(spatial)
    if mode == "area":
        return adaptive_avg(len(spatial), input, target)
    exact = all(f is None or f * n == m for n, m, f in zip(spatial, target, factors, strict=True))
    if exact and mode == "nearest":
        return ops.upsample_nearest(input, size=target)
    if exact and mode in _LINEAR and not align_corners:
        return ops.upsample_linear(input, size=target, align_corners=False)
    # With aligned corners the operation has Torch7's positions, which are rounded to float32.
    for axis, (n, m, factor) in enumerate(zip(spatial, target, factors, strict=True), 2):
        taps = _taps(mode, n, m, factor, bool(align_corners))
        input = _resampled(input, axis, taps)
    return input


def _sizes(
    spatial: Sequence[int],
    size: int | Sequence[int] | None,
    scale_factor: float | Sequence[float] | None,
) -> tuple[tuple[int, ...], list[Any]]:
    count = len(spatial)
    given = size if size is not None else scale_factor
    if (size is None) == (scale_factor is None) or given is None:
        raise ArgumentError("interpolate takes one of size and scale_factor")
    values = list(given) if isinstance(given, Sequence) else [given] * count
    if len(values) != count:
        raise ArgumentError(f"interpolate: {values} for {count} spatial dimensions")
    if size is not None:
        return tuple(int(v) for v in values), [None] * count
    return tuple(math.floor(n * v) for n, v in zip(spatial, values, strict=True)), values


def _taps(
    mode: str, n: int, m: int, factor: float | None, align_corners: bool
) -> list[tuple[Any, Any]]:
    """Return which pixels make a dimension of m from one of n: positions and their weights."""
    step = n / m if factor is None else 1 / factor
    at: Any = np.arange(m)
    if mode in ("nearest", "nearest-exact"):
        at = at + 0.5 if mode == "nearest-exact" else at
        return [(np.minimum(np.floor(at * step), n - 1).astype(np.int64), None)]
    if align_corners:
        place = at * ((n - 1) / (m - 1) if m > 1 else 0.0)
    else:
        place = (at + 0.5) * step - 0.5
        place = place if mode == "bicubic" else np.maximum(place, 0.0)
    low = np.floor(place)
    t = place - low
    if mode == "bicubic":
        weights = [_cubic(1 + t), _cubic(t), _cubic(1 - t), _cubic(2 - t)]
        offsets = range(-1, 3)
    else:
        weights, offsets = [1 - t, t], range(2)
    return [
        (np.clip(low + k, 0, n - 1).astype(np.int64), w)
        for k, w in zip(offsets, weights, strict=True)
    ]


def _cubic(distance: Any) -> Any:
    """Return the weight of a pixel at a distance below 2. Source: Keys 1981, with a = -0.75."""
    a, d = -0.75, distance
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = a * (((d - 5) * d + 8) * d - 4)
    return np.where(d <= 1, near, far)


def _resampled(x: Tensor, axis: int, taps: list[tuple[Any, Any]]) -> Tensor:
    shape = [1] * x.ndim
    shape[axis] = -1
    terms = []
    for index, weight in taps:
        part = ops.take(x, Tensor(index, device=x.device), axis=axis)
        if weight is not None:
            part = part * Tensor(weight.reshape(shape), x.dtype, x.device)
        terms.append(part)
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Return images (..., C, H*r, W*r) from (..., C*r*r, H, W): channels become pixels."""
    r = upscale_factor
    *batch, channels, h, w = _image("pixel_shuffle", input)
    if channels % (r * r):
        raise ShapeError(f"pixel_shuffle by {r} needs channels divisible by {r * r}: {input.shape}")
    c = channels // (r * r)
    x = input.reshape(-1, c, r, r, h, w).permute(0, 1, 4, 2, 5, 3)
    return x.reshape(*batch, c, h * r, w * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Return images (..., C*r*r, H, W) from (..., C, H*r, W*r): `pixel_shuffle` undone."""
    r = downscale_factor
    *batch, c, h, w = _image("pixel_unshuffle", input)
    if h % r or w % r:
        raise ShapeError(f"pixel_unshuffle by {r} needs sides divisible by it: {input.shape}")
    x = input.reshape(-1, c, h // r, r, w // r, r).permute(0, 1, 3, 5, 2, 4)
    return x.reshape(*batch, c * r * r, h // r, w // r)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Return images whose channels, in `groups` groups, are taken from each group in turn."""
    n, c, *spatial = input.shape
    if c % groups:
        raise ShapeError(f"channel_shuffle: {groups} groups do not divide {c} channels")
    return input.reshape(n, groups, c // groups, *spatial).transpose(1, 2).reshape(input.shape)


def _image(name: str, input: Tensor) -> tuple[int, ...]:
    if input.ndim < 3:
        raise ShapeError(f"{name} takes an input of shape (..., C, H, W); given {input.shape}")
    return input.shape
