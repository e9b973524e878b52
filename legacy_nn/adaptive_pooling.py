"""Pooling to a given size.

Source: torch/nn SpatialAdaptiveAveragePooling.lua, SpatialAdaptiveMaxPooling.lua.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core import ops
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .module import replace_contents, torch_class
from .spatial import SpatialModule, as_batch


class AdaptivePooling(SpatialModule):
    """Pooling of images over windows that share them out.

    Parameters
    ----------
    W, H : int
        Size of the output.
    """

    says = "3D or 4D (batch mode) tensor expected for input, but got: {size}"

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
        width = input.shape[-1]
        first_rows, first_columns = self._starts(input)
        return values, positions // width - first_rows + 1, positions % width - first_columns + 1

    def _starts(self, input: Tensor) -> tuple[Tensor, Tensor]:
        """Return the first row and column of each window, as they broadcast."""
        height, width = input.shape[-2:]
        return _starts(height, self.H, input).unsqueeze(1), _starts(width, self.W, input)

    def keep_extras(self, *extras: Any) -> None:
        self.indices = replace_contents(self.indices, ops.stack(extras, axis=0))

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        if self.indices is None or self.indices.shape[1:] != gradOutput.shape:
            raise ShapeError(
                f"{self!r} goes back to the maxima that updateOutput found, which are "
                f"{None if self.indices is None else self.indices.shape[1:]}; "
                f"given a gradOutput of shape {gradOutput.shape}"
            )
        starts = self._starts(input)
        rows, columns = (ops.select(self.indices, 0, i) - 1 + starts[i] for i in (0, 1))
        positions = rows * input.shape[-1] + columns
        g, positions = (as_batch(self, x) for x in (gradOutput, positions))
        found = ops.max_pool_gradient(g, positions, size=input.shape[-2:])
        return ops.reshape(found, input.shape)


def _starts(size: int, count: int, like: Tensor) -> Tensor:
    """Return where each of `count` windows over `size` elements starts.

    Rounded in float32, as lib/THNN/generic/SpatialAdaptiveMaxPooling.c does.
    """
    edges = np.arange(count, dtype=np.float32) / np.float32(count) * np.float32(size)
    return Tensor(np.floor(edges).astype(np.int64), device=like.device)
