"""nn.AffineGridGeneratorBHWD: where a transformed image takes its pixels from."""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core import ops
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from ..checks import one_tensor
from ..module import ArgumentError, Module, torch_class


@torch_class("nn.AffineGridGeneratorBHWD")
class AffineGridGeneratorBHWD(Module):
    """Turns affine maps (N, 2, 3) into grids (N, height, width, 2) of positions (y, x).

    Corners of the image are at -1 and 1.

    Parameters
    ----------
    height, width : int
        At least 2.

    Attributes
    ----------
    baseGrid : Tensor, shape (height, width, 3)
        The positions that a map of 1 gives, with ones for the translation.

    Source: qassemoquab/stnbhwd AffineGridGeneratorBHWD.lua.
    """

    baseGrid: Tensor

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        if height < 2 or width < 2:
            raise ArgumentError(f"a grid has at least 2 x 2 positions; given {height} x {width}")
        self.height, self.width = height, width
        y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
        self.baseGrid = tensor(np.stack([y, x, np.ones_like(x)], axis=2))

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input, 2, 3)
        maps = ops.unsqueeze(x, 0) if x.ndim == 2 else x
        if maps.shape[1:] != (2, 3):
            raise ShapeError(
                "please input affine transform matrices (bx2x3): "
                f"{self.t7_typename} is given shape {x.shape}"
            )
        points = ops.reshape(self.baseGrid, (1, self.height * self.width, 3))
        points = ops.expand(points, (maps.shape[0], *points.shape[1:]))
        moved = ops.matmul(points, ops.transpose(maps, 1, 2))
        grids = ops.reshape(moved, (maps.shape[0], self.height, self.width, 2))
        return grids[0] if x.ndim == 2 else grids
