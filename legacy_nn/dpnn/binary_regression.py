"""Logistic regression with targets -1 and 1: of vectors, and of images.

Source: Element-Research/dpnn BinaryLogisticRegression.lua, SpatialBinaryLogisticRegression.lua.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from ..classes import torch_class
from ..criterion.base import Criterion, tensor_of
from ..fields import given


def _total(x: Tensor, target: Tensor) -> Tensor:
    # As Torch7 computes it: where exp overflows, the loss is infinite.
    return ops.sum(ops.log(ops.exp(ops.negative(x * target)) + 1))


@torch_class("nn.BinaryLogisticRegression")
class BinaryLogisticRegression(Criterion):
    """log(1 + exp(-y x)) for scores x, (N,) or (N, 1), and targets y of -1 and 1.

    Parameters
    ----------
    sizeAverage : bool, default True
    """

    def __init__(self, sizeAverage: bool | None = None) -> None:
        super().__init__()
        self.sizeAverage = given(sizeAverage, True)

    def compute(self, input: Any, target: Any) -> Tensor:
        x, y = tensor_of(self, input, 1, 2), tensor_of(self, target, 1, 2, name="target")
        for tensor in (x, y):
            if tensor.ndim == 2 and 1 not in tensor.shape:
                raise ShapeError(
                    f"{self.t7_typename}: batchSize or batchSize x 1 expected; given {tensor.shape}"
                )
        if x.size != y.size:
            raise ShapeError(
                f"{self.t7_typename}: No of input and target elements should be same; given "
                f"{x.size} and {y.size}"
            )
        return self.averaged(_total(x, ops.reshape(y, x.shape)), x.size)


@torch_class("nn.SpatialBinaryLogisticRegression")
class SpatialBinaryLogisticRegression(Criterion):
    """Half of log(1 + exp(-y x)) for the pixels of one plane, (N, 1, H, W) or (1, H, W).

    With `sizeAverage` the mean over all pixels, else the sum over images of their means.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sizeAverage = True

    def compute(self, input: Any, target: Any) -> Tensor:
        x, y = tensor_of(self, input, 3, 4), tensor_of(self, target, 3, 4, name="target")
        if x.shape != y.shape or x.shape[-3] != 1:
            raise ShapeError(
                f"{self.t7_typename}: images of one plane, and targets of their shape, expected; "
                f"given {x.shape} and {y.shape}"
            )
        pixels = x.shape[-2] * x.shape[-1]
        images = x.shape[0] if x.ndim == 4 and self.sizeAverage else 1
        return _total(x, y) / (2 * images * pixels)
