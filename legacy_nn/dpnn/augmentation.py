"""Modules that change images at random in training: crops, colours, missing regions.

Source: Element-Research/dpnn, the file of each class.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from rekindle.core import ops
from rekindle.core.creation import empty, ones
from rekindle.core.dtypes import int32
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from ..checks import one_tensor
from ..dropout import only_in_training
from ..errors import not_stated
from ..fields import given, set_unless_nil
from ..module import ArgumentError, Module, as_input, torch_class
from ..torch7 import random
from .resampling import SpatialReSampling


def _uniform(low: float, high: float) -> float:
    return float(random.uniform(empty(1, "float64"), low, high).item())


@torch_class("nn.SpatialUniformCrop")
class SpatialUniformCrop(Module):
    """Crops each image at a place of its own; in evaluation, in the middle.

    Parameters
    ----------
    oheight : int
    owidth : int, optional
        As `oheight` by default.
    scale : Table or sequence of two float, optional
        Smallest and largest factor (also `min` and `max`): what is cropped is that many times as
        large, and scaled to the size.

    Attributes
    ----------
    coord : Tensor of int32, shape (N, 2)
        Where each crop of the last call was, from 1.
    """

    not_converted: ClassVar[tuple[str, ...]] = ("coord",)

    scale: Any = None
    scaler: Any = None
    coord: Any = None
    scales: Any = None

    def __init__(self, oheight: int, owidth: int | None = None, scale: Any = None) -> None:
        super().__init__()
        self.oheight, self.owidth = oheight, given(owidth, oheight)
        set_unless_nil(self, scale=None if scale is None else as_input(scale))
        if scale is not None:
            self.scaler = SpatialReSampling(owidth=self.owidth, oheight=oheight)

    def _batch(self, input: Any) -> Tensor:
        x = one_tensor(self, input, 3, 4)
        return ops.unsqueeze(x, 0) if x.ndim == 3 else x

    def _limits(self) -> tuple[float, float]:
        scale = self.scale
        if isinstance(scale, dict):
            return scale["min"], scale["max"]
        low, high = scale.get("min"), scale.get("max")
        return (scale[1] if low is None else low), (scale[2] if high is None else high)

    def prepare(self, input: Any) -> None:
        x = self._batch(input)
        height, width = x.shape[2:]
        places, scales = [], []
        for _ in range(x.shape[0]):
            if not self.train:
                places.append([math.ceil((height - self.oheight) / 2) or 1] * 2)
                places[-1][1] = math.ceil((width - self.owidth) / 2) or 1
                continue
            factor = _uniform(*self._limits()) if self.scale is not None else 1
            scales.append(factor)
            h, w = math.ceil(factor * self.oheight), math.ceil(factor * self.owidth)
            tall = math.ceil(_uniform(1e-2, height - h))
            places.append([tall, math.ceil(_uniform(1e-2, width - w))])
        self.coord = ops.astype(Tensor(places), int32)
        if self.scale is not None and self.train:
            self.scales = ops.astype(Tensor(scales), "float32")

    def _crop(self, image: Tensor, i: int) -> Tensor:
        top, left = (int(n) for n in self.coord[i].tolist())
        if self.scale is None or not self.train:
            return image[:, top - 1 : top - 1 + self.oheight, left - 1 : left - 1 + self.owidth]
        height, width = image.shape[1:]
        factor = self.scales[i].item()
        h, w = math.ceil(factor * self.oheight), math.ceil(factor * self.owidth)
        # dpnn takes the image's height for its width here
        middle = (
            math.ceil(height / 2 - (height - h) / 2 + top),
            math.ceil(width / 2 - (height - w) / 2 + left),
        )
        y = max(1, middle[0] - math.ceil(h / 2)) - 1
        x = max(1, middle[1] - math.ceil(w / 2)) - 1
        if y + h > height or x + w > width:
            raise ShapeError(
                f"nn.SpatialUniformCrop: a crop of {h} x {w} pixels does not fit into "
                f"{height} x {width} at ({y}, {x})"
            )
        scaled: Tensor = self.scaler.compute(image[:, y : y + h, x : x + w])
        return scaled

    def compute(self, input: Any) -> Tensor:
        x = self._batch(input)
        crops = ops.stack([self._crop(x[i], i) for i in range(x.shape[0])])
        return crops[0] if input.ndim == 3 else crops


@torch_class("nn.SpatialRegionDropout")
class SpatialRegionDropout(Module):
    """In training, sets the rows or columns at one side of all images to 0.

    Parameters
    ----------
    p : float, default 0.2
        The part of rows or columns; the others are multiplied by 1 / (1 - p).

    Attributes
    ----------
    regionType : int
        Which side it last was: 1 top, 2 bottom, 3 left, 4 right.
    """

    regionType: int | None = None

    def __init__(self, p: float | None = None) -> None:
        super().__init__()
        self.p = given(p, 0.2)
        self.train = True
        self.noise = empty(0, self.dtype)
        if not 0 <= self.p < 1:
            raise ArgumentError(
                f"<SpatialRegionDropout> illegal percentage, must be 0 <= p < 1; given {self.p}"
            )

    def setp(self, p: float) -> None:
        """Set the part that is dropped."""
        self.p = p

    def prepare(self, input: Any) -> None:
        if not self.train:
            return
        x = one_tensor(self, input, 3, 4)
        self.regionType = int(random.random(empty(1, "int64"), 4).item())
        axis = x.ndim - (2 if self.regionType < 3 else 1)
        size = x.shape[axis]
        dropped = math.floor(size * self.p)
        first = 0 if self.regionType in (1, 3) else size - dropped
        noise = ones(x.shape, x.dtype).numpy()
        noise[(slice(None),) * axis + (slice(first, first + dropped),)] = 0
        self.noise = Tensor(noise / x.dtype.type(1 - self.p))

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input, 3, 4)
        return x * self.noise if self.train else x

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        only_in_training(self)
        gradient: Tensor = one_tensor(self, gradOutput) * self.noise
        return gradient

    def __repr__(self) -> str:
        return f"{self.t7_typename} p: {self.p:f}"


class _ColorNoise(Module):
    """Adds a number to each plane of each image in training."""

    not_converted: ClassVar[tuple[str, ...]] = ("noise",)
    inputChannels: int
    noise: Any = None

    def draw(self, count: int, x: Tensor) -> Tensor:
        """Return what to add, shape (count, inputChannels)."""
        raise not_stated(self, "draw")

    def prepare(self, input: Any) -> None:
        if not self.train:
            return
        x = one_tensor(self, input, 3, 4)
        if x.shape[-3] != self.inputChannels:
            raise ShapeError(
                f"{self.t7_typename} takes {self.inputChannels} planes; given shape {x.shape}"
            )
        noise = self.draw(x.shape[0] if x.ndim == 4 else 1, x)
        self.noise = noise if x.ndim == 4 else noise[0]

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input, 3, 4)
        return x + ops.reshape(self.noise, (*self.noise.shape, 1, 1)) if self.train else x

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        only_in_training(self)
        return one_tensor(self, gradOutput)


@torch_class("nn.SimpleColorTransform")
class SimpleColorTransform(_ColorNoise):
    """Adds to each plane of each image a number drawn uniformly, in training.

    Parameters
    ----------
    inputChannels : int
    range : Tensor, shape (inputChannels,)
        The largest number for each plane.
    """

    def __init__(self, inputChannels: int, range: Tensor) -> None:
        super().__init__()
        self.train = True
        if range.size != inputChannels:
            raise ArgumentError(
                "Number of input channels and number of range values don't match: "
                f"{inputChannels}, {range.size}"
            )
        self.inputChannels, self.range = inputChannels, range

    def draw(self, count: int, x: Tensor) -> Tensor:
        columns = [
            random.uniform(empty(count, x.dtype), -limit, limit)
            for limit in ops.reshape(self.range, (-1,)).tolist()
        ]
        return ops.stack(columns, axis=1)

    def __repr__(self) -> str:
        return "SimpleColorTransform"


@torch_class("nn.PCAColorTransform")
class PCAColorTransform(_ColorNoise):
    """Adds noise along the principal components of the colours of pixels, in training.

    Parameters
    ----------
    inputChannels : int
    eigenVectors : Tensor, shape (inputChannels, inputChannels)
        One in each column.
    eigenValues : Tensor, shape (inputChannels,)
    std : float, default 0.1
        The deviation of the normal numbers that eigenvalues are multiplied by.
    """

    not_converted: ClassVar[tuple[str, ...]] = ("noise", "alphas")
    alphas: Any = None

    def __init__(
        self,
        inputChannels: int,
        eigenVectors: Tensor,
        eigenValues: Tensor,
        std: float | None = None,
    ) -> None:
        super().__init__()
        self.train = True
        if eigenVectors.shape != (inputChannels, inputChannels):
            raise ArgumentError(
                "Number of input channels do not match number of eigen vectors: "
                f"{inputChannels}, shape {eigenVectors.shape}"
            )
        if eigenValues.size != inputChannels:
            raise ArgumentError(
                "Number of input channels do not match number of eigen values: "
                f"{inputChannels}, {eigenValues.size}"
            )
        self.inputChannels, self.eigenVectors = inputChannels, eigenVectors
        self.eigenValues, self.std = eigenValues, given(std, 0.1)

    def draw(self, count: int, x: Tensor) -> Tensor:
        drawn = random.normal(empty((self.inputChannels, count), x.dtype), 0, self.std)
        self.alphas = drawn * ops.reshape(self.eigenValues, (-1, 1))
        return ops.transpose(ops.matmul(self.eigenVectors, self.alphas), 0, 1)

    def __repr__(self) -> str:
        return f"{self.t7_typename} channels: {self.inputChannels}, std: {self.std:f}"
