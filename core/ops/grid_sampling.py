"""grid_sample: images read at positions that a grid gives, and affine_grid, which makes grids."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import reduce
from math import prod
from operator import and_, mul
from typing import Any, Literal

import numpy as np

from ..dtypes import DtypeError, is_floating
from ..errors import RekindleError, ShapeError
from ..tensor import Tensor
from .comparison import where
from .gathering import embedding
from .joining import stack
from .linalg import matmul
from .rounding import floor, round

Mode = Literal["bilinear", "nearest"]
PaddingMode = Literal["zeros", "border", "reflection"]


class SamplingError(RekindleError, ValueError):
    """A way to sample images that does not exist."""


def grid_sample(
    x: Tensor,
    grid: Tensor,
    *,
    mode: Mode = "bilinear",
    padding_mode: PaddingMode = "zeros",
    align_corners: bool = False,
) -> Tensor:
    """Return what images show at the positions of a grid.

    Parameters
    ----------
    x : Tensor, shape (N, C, H, W) or (N, C, D, H, W), floating
    grid : Tensor, shape (N, *out, 2) or (N, *out, 3), dtype of x
        Positions (x, y) or (x, y, z): -1 is the left, upper, front end, 1 the other.
    mode : str
        "bilinear" (in three dimensions trilinear) or "nearest", where halves go to even pixels.
    padding_mode : str
        What is outside: "zeros", "border" (the nearest pixel of the image) or "reflection".
    align_corners : bool
        Whether the ends are the centres of the outermost pixels, or their outer edges.

    Returns
    -------
    Tensor, shape (N, C, *out)

    Raises
    ------
    ShapeError, DtypeError, SamplingError
        If the operands do not fit each other or there is no such mode.

    Notes
    -----
    Positions that border or reflection moved to an end have no slope, as in PyTorch.
    Source: Jaderberg et al. 2015, "Spatial Transformer Networks"
    """
    _check(x, grid, mode, padding_mode)
    size = x.shape[2:]
    pixels = []
    for i, n in enumerate(size):
        position = (grid[..., len(size) - 1 - i] + 1) * ((n - align_corners) / 2)
        if not align_corners:
            position = position - 0.5
        if padding_mode == "reflection":
            position = _reflected(position, n, align_corners)
        if padding_mode != "zeros":
            position = where(position > 0, where(position < n - 1, position, n - 1.0), 0.0)
        pixels.append(_neighbours(position) if mode == "bilinear" else [(round(position), None)])
    places, shares = [], []
    for corner in itertools.product(*pixels):
        inside = reduce(and_, [(p >= 0) & (p < n) for (p, _), n in zip(corner, size, strict=True)])
        weights = [w for _, w in corner if w is not None]
        places.append(_places([where(inside, p, 0.0) for p, _ in corner], size))
        shares.append(reduce(mul, weights) * inside if weights else inside.astype(x.dtype))
    # Pixels as rows: what is read and, in the backward pass, written is one piece of memory each.
    rows = x.permute(0, *range(2, x.ndim), 1).reshape(-1, x.shape[1])
    values = embedding(rows, stack(places)) * stack(shares).unsqueeze(-1)
    return values.sum(axis=0).permute(0, x.ndim - 1, *range(1, x.ndim - 1)).contiguous()


def affine_grid(theta: Tensor, size: Sequence[int], *, align_corners: bool = False) -> Tensor:
    """Return the grids that affine maps make of the positions of an image's pixels.

    Parameters
    ----------
    theta : Tensor, shape (N, 2, 3) or (N, 3, 4), floating
        Each maps (x, y, 1) or (x, y, z, 1).
    size : sequence of int
        Shape of the images (N, C, H, W) or (N, C, D, H, W) that `grid_sample` shall return.
    align_corners : bool
        As for `grid_sample`.

    Returns
    -------
    Tensor, shape (N, H, W, 2) or (N, D, H, W, 3)

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    """
    ndim = len(size) - 2
    if ndim not in (2, 3) or theta.shape != (size[0], ndim, ndim + 1):
        raise ShapeError(
            f"affine_grid takes maps of shape (N, 2, 3) for images (N, C, H, W), or (N, 3, 4) for "
            f"(N, C, D, H, W); given {theta.shape} and {tuple(size)}"
        )
    ends = [_centres(n, align_corners) for n in size[2:]]
    axes = np.meshgrid(*ends, indexing="ij")
    points = np.stack([*axes[::-1], np.ones(size[2:])], axis=-1).reshape(-1, ndim + 1)
    grid = matmul(Tensor(points, theta.dtype, theta.device), theta.transpose(1, 2))
    return grid.reshape(size[0], *size[2:], ndim)


def _centres(n: int, align_corners: bool) -> np.ndarray[Any, Any]:
    """Return where the centres of n pixels are."""
    if align_corners and n > 1:
        return np.linspace(-1, 1, n)
    return (np.arange(n) * 2 + 1) / n - 1


def _neighbours(position: Tensor) -> list[tuple[Tensor, Tensor | None]]:
    """Return the pixels on both sides of a position, and their shares in it."""
    low = floor(position)
    far = position - low
    return [(low, 1 - far), (low + 1, far)]


def _reflected(position: Tensor, n: int, align_corners: bool) -> Tensor:
    """Return where a position comes to lie when mirrored at the ends of n pixels."""
    low, span = (0.0, n - 1) if align_corners else (-0.5, n)
    if span == 0:
        return position * 0
    distance = abs(position - low)
    rest = distance % span
    back = floor(distance / span) % 2 == 1
    return where(back, span - rest, rest) + low


def _places(pixel: Sequence[Tensor], size: Sequence[int]) -> Tensor:
    """Return the rows in a table of all images' pixels, int64."""
    flat = pixel[0].astype(np.int64)
    for p, n in zip(pixel[1:], size[1:], strict=True):
        flat = flat * n + p.astype(np.int64)
    first = np.arange(flat.shape[0]) * prod(size)
    return flat + Tensor(first.reshape(-1, *(1,) * (flat.ndim - 1)), device=flat.device)


def _check(x: Tensor, grid: Tensor, mode: str, padding_mode: str) -> None:
    ndim = x.ndim - 2
    if ndim not in (2, 3) or grid.ndim != x.ndim or grid.shape[:: x.ndim - 1] != (x.shape[0], ndim):
        raise ShapeError(
            f"grid_sample takes images (N, C, H, W) with a grid (N, *out, 2), or (N, C, D, H, W) "
            f"with (N, *out, 3); given {x.shape} and {grid.shape}"
        )
    if 0 in x.shape[2:]:
        raise ShapeError(f"grid_sample: images of shape {x.shape} have no pixels")
    if not is_floating(x.dtype) or grid.dtype != x.dtype:
        raise DtypeError(
            f"grid_sample takes floating tensors of one dtype; given {x.dtype} and {grid.dtype}"
        )
    if mode not in ("bilinear", "nearest"):
        raise SamplingError(f'mode is "bilinear" or "nearest"; given {mode!r}')
    if padding_mode not in ("zeros", "border", "reflection"):
        raise SamplingError(
            f'padding_mode is "zeros", "border" or "reflection"; given {padding_mode!r}'
        )
