"""nn.FeatureLPPooling: the p-norm of neighbouring features.

Source: torch/nn FeatureLPPooling.lua, lib/THNN/generic/FeatureLPPooling.c.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import fitted, one_tensor
from .module import ArgumentError, torch_class
from .stated_gradient import Gradients, StatedGradient


@torch_class("nn.FeatureLPPooling")
class FeatureLPPooling(StatedGradient):
    """The p-norm of `width` features in a row, every `stride` features.

    Parameters
    ----------
    width : int
        2 to 16.
    stride : int
        1 to 4.
    power : float
        The p; powers are of the features themselves, not of their magnitudes.
    batch_mode : bool
        Whether the first dimension counts samples, and the second features; else the first
        counts features. Two dimensions may follow.

    Raises
    ------
    ArgumentError
        If width or stride are out of range.

    Notes
    -----
    Where the norm is 0, so is the gradient.
    """

    width: int
    stride: int
    power: float
    batch_mode: bool = False

    def __init__(self, width: int, stride: int, power: float, batch_mode: bool = False) -> None:
        super().__init__()
        if not 2 <= width <= 16:
            raise ArgumentError(f"{self.t7_typename}: width must be within 2 to 16; given {width}")
        if not 1 <= stride <= 4:
            raise ArgumentError(f"{self.t7_typename}: stride must be within 1 to 4; given {stride}")
        self.width = width
        self.stride = stride
        self.power = power
        self.batch_mode = batch_mode

    def compute(self, input: Any) -> Tensor:
        windows = self._windows(input)
        total = ops.sum(ops.power(windows, self.power), axis=-1)
        return ops.power(total, 1 / self.power)

    def _windows(self, input: Any) -> Tensor:
        first = int(bool(self.batch_mode))
        x = one_tensor(self, input, *(n + first for n in (1, 2, 3)))
        if x.shape[first] < self.width:
            raise ShapeError(f"{self!r} takes {self.width} or more features; given {x.shape}")
        return ops.unfold(x, first, self.width, self.stride)

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        g = fitted(self, gradOutput, output, "output")
        zero = ops.equal(output, 0)
        norm = ops.unsqueeze(ops.where(zero, 1, output), output.ndim)
        slope = ops.power(self._windows(input) / norm, self.power - 1)
        spread = slope * ops.unsqueeze(ops.where(zero, 0, g), output.ndim)
        axis = int(bool(self.batch_mode))
        found = ops.overlap_add(spread, axis=axis, step=self.stride, length=input.shape[axis])
        return found, ()

    def __repr__(self) -> str:
        return (
            f"{self.t7_typename}(w{self.width} s{self.stride} power {self.power:g} "
            f"batch {int(bool(self.batch_mode))})"
        )
