"""nn.SpatialBinaryConvolution: a convolution whose filters are -1 and 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from ..convolution import SpatialConvolution
from ..module import torch_class
from ..spatial import as_batch
from ..stated_gradient import Gradients, StatedGradient


@torch_class("nn.SpatialBinaryConvolution")
class SpatialBinaryConvolution(StatedGradient, SpatialConvolution):
    """Convolves with the signs of its weight, and multiplies by the mean sizes of its filters.

    Going back, the gradient of the input is that of the signs times the mean sizes by input plane,
    and the gradient of the weight is that of the signs.

    Parameters
    ----------
    nInputPlane, nOutputPlane, kW, kH, dW, dH, padW, padH : int
        As for SpatialConvolution; there is no bias.

    Notes
    -----
    In dpnn `weight` holds the signs from forward to the end of backward; here it always holds the
    weight.

    Source: Element-Research/dpnn SpatialBinaryConvolution.lua; Rastegari et al. 2016, "XNOR-Net".
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.noBias()
        height, width = self.per_axis("k")
        area = height * width
        self.iwh, self.owh = self.nInputPlane * area, self.nOutputPlane * area
        self.train = True

    def _signs(self) -> Tensor:
        positive = ops.greater_equal(self.filters(), 0)
        return ops.astype(positive, self.weight.dtype) * 2 - 1

    def compute(self, input: Any) -> Tensor:
        x = as_batch(self, input)
        sizes = ops.sum(ops.abs(self.filters()), axis=(1, 2, 3)) / self.iwh
        found = ops.convolution(x, self._signs(), None, **self.geometry())
        scaled = found * ops.reshape(sizes, (1, -1, 1, 1))
        return scaled[0] if input.ndim == 3 else scaled

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        x, g = as_batch(self, input), as_batch(self, gradOutput)
        sizes = ops.sum(ops.abs(self.filters()), axis=(0, 2, 3)) / self.owh
        of_input = ops.convolution_input_gradient(
            g, self._signs(), size=x.shape[2:], **self.geometry()
        ) * ops.reshape(sizes, (1, -1, 1, 1))
        of_weight: Sequence[Tensor | None] = [
            ops.reshape(
                ops.convolution_weight_gradient(x, g, kernel=self.per_axis("k"), **self.geometry()),
                self.weight.shape,
            )
        ]
        return ops.reshape(of_input, input.shape), of_weight

    def __repr__(self) -> str:
        return f"Binary Convolution: {super().__repr__()}"
