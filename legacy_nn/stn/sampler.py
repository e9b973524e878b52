"""nn.BilinearSamplerBHWD: pixels between pixels."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.creation import arange
from rekindle.core.dtypes import int64
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from ..checks import two_tensors
from ..fields import empty_pair
from ..module import Module, torch_class


@torch_class("nn.BilinearSamplerBHWD")
class BilinearSamplerBHWD(Module):
    """Takes {images (N, H, W, C), grids (N, h, w, 2)} and samples (N, h, w, C) from the images.

    Grids have positions (y, x), -1 and 1 at the corners; beyond the image everything is 0.

    Source: qassemoquab/stnbhwd BilinearSamplerBHWD.lua.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gradInput = empty_pair(self)

    def compute(self, input: Any) -> Tensor:
        images, grids = two_tensors(self, input)
        single = images.ndim == 3
        if single:
            images, grids = ops.unsqueeze(images, 0), ops.unsqueeze(grids, 0)
        if images.ndim != 4 or grids.ndim != 4 or grids.shape[3] != 2:
            raise ShapeError(
                f"{self.t7_typename} takes images (N, H, W, C) and grids (N, h, w, 2); given "
                f"{images.shape} and {grids.shape}"
            )
        if images.shape[0] != grids.shape[0]:
            raise ShapeError(
                f"{self.t7_typename} takes as many grids as images; given {grids.shape[0]} and "
                f"{images.shape[0]}"
            )
        found = _sampled(images, grids)
        return found[0] if single else found


def _sampled(images: Tensor, grids: Tensor) -> Tensor:
    N, H, W, C = images.shape
    y, x = (grids[..., i] * ((n - 1) / 2) + (n - 1) / 2 for i, n in enumerate((H, W)))
    top, left = ops.floor(y.detach()), ops.floor(x.detach())
    below, right = y - top, x - left
    pixels = ops.reshape(images, (N * H * W, C))
    base = ops.reshape(arange(N, device=images.device) * (H * W), (N, 1, 1))
    total: Any = 0
    for dy, of_row in ((0, 1 - below), (1, below)):
        for dx, of_column in ((0, 1 - right), (1, right)):
            row, column = top + dy, left + dx
            inside = (row >= 0) & (row < H) & (column >= 0) & (column < W)
            place = ops.clamp(row, min=0, max=H - 1) * W + ops.clamp(column, min=0, max=W - 1)
            index = ops.reshape(ops.astype(place, int64) + base, (-1,))
            values = ops.reshape(ops.take(pixels, index, axis=0), (*place.shape, C))
            share = of_row * of_column * ops.astype(inside, images.dtype)
            total = total + values * ops.unsqueeze(share, 3)
    result: Tensor = total
    return result
