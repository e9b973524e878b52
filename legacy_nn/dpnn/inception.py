"""nn.Inception: parallel columns of convolutions, as in GoogLeNet and OpenFace."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table

from ..batch_normalization import SpatialBatchNormalization
from ..checks import one_tensor
from ..concat import DepthConcat
from ..containers import Container, Sequential, Step
from ..convolution import SpatialConvolution
from ..decorator import Decorator
from ..module import torch_class
from ..pooling import SpatialMaxPooling
from ..rectifiers import ReLU


@torch_class("nn.Inception")
class Inception(Decorator):
    """Runs columns of convolutions and one of pooling, and joins their planes.

    Column i is a 1x1 convolution to `reduceSize[i]` planes, then one of `kernelSize[i]` to
    `outputSize[i]` planes. The pooling column follows, with a 1x1 convolution if there is one
    more `reduceSize`, and a column of a 1x1 convolution alone if there are two more. A
    transfer function follows each convolution. Smaller outputs are centred in the largest.

    Parameters
    ----------
    config : mapping or Table
        The attributes below; `inputSize`, `outputSize` and `reduceSize` must be there.

    Attributes
    ----------
    inputSize : int
        Planes of the input.
    outputSize, reduceSize, kernelSize, kernelStride, reduceStride : Table of int
        `kernelSize` is {5, 3} by default, the strides are 1.
    transfer : Module, default nn.ReLU
        What is copied after each convolution.
    batchNorm : bool, optional
        Whether batch normalization follows each convolution.
    padding : bool, default True
        Whether convolutions keep the size of the image.
    poolSize, poolStride : int, default 3 and 1
    pool : Module, default nn.SpatialMaxPooling of these

    Source: Element-Research/dpnn Inception.lua.
    """

    batchNorm: bool | None = None

    def __init__(self, config: Mapping[str, Any] | Table) -> None:
        def get(name: str, default: Any) -> Any:
            value = config.get(name)
            if value is None:
                value = default
            return Table(value) if isinstance(value, (list, tuple)) else value

        super().__init__(DepthConcat(2))
        self.inputSize = config["inputSize"]
        self.outputSize = get("outputSize", ())
        self.reduceSize = get("reduceSize", ())
        self.reduceStride = get("reduceStride", ())
        self.transfer = get("transfer", None) or ReLU()
        if (normalize := config.get("batchNorm")) is not None:
            self.batchNorm = normalize
        self.padding = get("padding", True)
        self.kernelSize = get("kernelSize", (5, 3))
        self.kernelStride = get("kernelStride", (1, 1))
        self.poolSize = get("poolSize", 3)
        self.poolStride = get("poolStride", 1)
        size, stride = self.poolSize, self.poolStride
        self.pool = get("pool", None) or SpatialMaxPooling(size, size, stride, stride)
        self._build(self.modules[1])

    def _build(self, columns: DepthConcat) -> None:
        count = len(self.kernelSize)
        for i in range(1, count + 1):
            column = self._reduced(Sequential(), i)
            size, stride = self.kernelSize[i], self.kernelStride[i]
            padding = size // 2 if self.padding else 0
            planes = (self.reduceSize[i], self.outputSize[i])
            convolution = SpatialConvolution(*planes, size, size, stride, stride, padding)
            columns.add(self._finished(column, convolution))
        columns.add(self._reduced(Sequential().add(self.pool), count + 1))
        if self.reduceSize.get(count + 2) is not None:
            columns.add(self._reduced(Sequential(), count + 2))

    def _reduced(self, column: Sequential, i: int) -> Sequential:
        """Append the 1x1 convolution that `reduceSize` i asks for."""
        planes, stride = self.reduceSize.get(i), self.reduceStride.get(i, 1)
        if planes is None:
            return column
        return self._finished(
            column, SpatialConvolution(self.inputSize, planes, 1, 1, stride, stride)
        )

    def _finished(self, column: Sequential, convolution: SpatialConvolution) -> Sequential:
        column.add(convolution)
        if self.batchNorm:
            column.add(SpatialBatchNormalization(convolution.nOutputPlane))
        return column.add(copy.deepcopy(self.transfer))

    back = Container.back
    keep_gradient = Container.keep_gradient

    def flow(self, input: Any, step: Step) -> Any:
        x = one_tensor(self, input, 3, 4)
        if x.ndim == 4:
            return step(1, x)
        return ops.squeeze(step(1, ops.unsqueeze(x, 0)), axis=0)
