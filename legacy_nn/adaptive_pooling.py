"""Pooling to a given size.

Source: torch/nn SpatialAdaptiveAveragePooling.lua, SpatialAdaptiveMaxPooling.lua.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from .module import replace_contents, torch_class
from .spatial import SpatialModule


class AdaptivePooling(SpatialModule):
    """Pooling of images over windows that share them out.

    Parameters
    ----------
    W, H : int
        Size of the output.
    """

    def __init__(self, W: int, H: int) -> None:
        super().__init__()
        self.W = W
        self.H = H


@torch_class("nn.SpatialAdaptiveAveragePooling")
class SpatialAdaptiveAveragePooling(AdaptivePooling):
    """Average over windows that share out an image; see AdaptivePooling."""

    def compute_batch(self, input: Tensor) -> Tensor:
        return ops.adaptive_avg_pool(input, size=self.per_axis(""))


@torch_class("nn.SpatialAdaptiveMaxPooling")
class SpatialAdaptiveMaxPooling(AdaptivePooling):
    """Maximum over windows that share out an image; see AdaptivePooling.

    Attributes
    ----------
    indices : Tensor of int64, shape (2, *output.shape)
        Row and column of each maximum in its window, from 1.
    """

    scratch = ("indices",)

    indices: Tensor | None = None

    def compute_batch(self, input: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        values, positions = ops.adaptive_max_pool(input, size=self.per_axis(""))
        height, width = input.shape[2:]
        rows = positions // width - _starts(height, self.H, positions).unsqueeze(1) + 1
        columns = positions % width - _starts(width, self.W, positions) + 1
        return values, rows, columns

    def remember(self, *extras: Any) -> None:
        self.indices = replace_contents(self.indices, ops.stack(extras, axis=0))


def _starts(size: int, count: int, like: Tensor) -> Tensor:
    """Return where each of `count` windows over `size` elements starts.

    Rounded in float32, as lib/THNN/generic/SpatialAdaptiveMaxPooling.c does.
    """
    edges = np.arange(count, dtype=np.float32) / np.float32(count) * np.float32(size)
    return Tensor(np.floor(edges).astype(np.int64), device=like.device)
