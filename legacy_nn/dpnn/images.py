"""Modules of images: nn.FireModule and nn.SpatialFeatNormalization."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.creation import empty, full
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from ..checks import one_tensor
from ..concat import Concat
from ..containers import Sequential
from ..convolution import SpatialConvolution
from ..decorator import Decorator
from ..fields import given
from ..module import ArgumentError, Module, replace_contents, torch_class
from ..rectifiers import ReLU
from ..transfer import Sigmoid, Tanh

ACTIVATIONS = {"ReLU": ReLU, "Tanh": Tanh, "Sigmoid": Sigmoid}


@torch_class("nn.FireModule")
class FireModule(Decorator):
    """Squeezes planes by a 1x1 convolution, then expands them by 1x1 and 3x3 convolutions.

    Parameters
    ----------
    nInputPlane, s1x1, e1x1, e3x3 : int
        Planes of the input, and that each convolution gives.
    activation : str, default "ReLU"
        "ReLU", "Tanh" or "Sigmoid".

    Source: Element-Research/dpnn FireModule.lua; Iandola et al. 2016, "SqueezeNet".
    """

    def __init__(
        self, nInputPlane: int, s1x1: int, e1x1: int, e3x3: int, activation: str | None = None
    ) -> None:
        name = given(activation, "ReLU")
        if name not in ACTIVATIONS:
            raise ArgumentError(
                f"nn.FireModule knows the activations {', '.join(ACTIVATIONS)}; given {name!r}"
            )
        module = Sequential()
        super().__init__(module)
        self.nInputPlane, self.s1x1, self.e1x1, self.e3x3 = nInputPlane, s1x1, e1x1, e3x3
        self.activation, self.module = name, module
        self.squeeze = SpatialConvolution(nInputPlane, s1x1, 1, 1)
        self.expand = Concat(2).add(SpatialConvolution(s1x1, e1x1, 1, 1))
        self.expand.add(SpatialConvolution(s1x1, e3x3, 3, 3, 1, 1, 1, 1))
        for part in (self.squeeze, ACTIVATIONS[name](), self.expand, ACTIVATIONS[name]()):
            module.add(part)

    def __repr__(self) -> str:
        return (
            f"{self.t7_typename} inputPlanes: {self.nInputPlane} -> Squeeze Planes: {self.s1x1} "
            f"-> Expand: {self.e1x1}(1x1) + {self.e3x3}(3x3), activation: {self.activation}"
        )


@torch_class("nn.SpatialFeatNormalization")
class SpatialFeatNormalization(Module):
    """Subtracts a mean from each plane, and divides by a deviation.

    Parameters
    ----------
    mean : Tensor, shape (C,)
    std : Tensor, shape (C,), optional
        1 by default.

    Source: Element-Research/dpnn SpatialFeatNormalization.lua.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor | None = None) -> None:
        super().__init__()
        if mean.ndim != 1:
            raise ArgumentError(
                f"<SpatialFeatNormalization> Mean/Std should be 1D; given shape {mean.shape}"
            )
        count = mean.shape[0]
        self.mean = replace_contents(empty(0, self.dtype), ops.astype(mean, self.dtype))
        deviation = full(count, 1, self.dtype) if std is None else ops.astype(std, self.dtype)
        self.std = replace_contents(empty(0, self.dtype), deviation)
        self.noOfFeats = count

    def _planes(self, input: Any) -> tuple[Tensor, tuple[int, int, int]]:
        x = one_tensor(self, input, 3, 4)
        if x.shape[-3] != self.noOfFeats:
            raise ShapeError(
                "<SpatialFeatNormalization> No. of Feats dont match: there are "
                f"{self.noOfFeats}; given shape {x.shape}"
            )
        return x, (self.noOfFeats, 1, 1)

    def compute(self, input: Any) -> Tensor:
        x, each = self._planes(input)
        return (x - ops.reshape(self.mean, each)) / ops.reshape(self.std, each)
