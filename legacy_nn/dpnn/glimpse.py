"""nn.SpatialGlimpse: crops of growing size around a place in an image."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from rekindle.core import ops
from rekindle.core.autograd import enable_grad, grad
from rekindle.core.checkpoint import Table
from rekindle.core.creation import zeros_like
from rekindle.core.tensor import Tensor

from ..average_pooling import SpatialAveragePooling
from ..checks import two_tensors
from ..fields import empty_pair, given
from ..module import Module, torch_class
from ..stated_gradient import Gradients, StatedGradient
from ..values import as_input
from .resampling import SpatialReSampling


@torch_class("nn.SpatialGlimpse")
class SpatialGlimpse(StatedGradient):
    """Takes {images (N, C, H, W), places (N, 2)}, and gives (N, depth * C, height, width).

    Places are (y, x), -1 at the top left corner and 1 at the bottom right one. Each crop is
    `scale` times as large as the one before.

    Parameters
    ----------
    size : int, or Table or sequence of two int
        Height and width of the first crop.
    depth : int, default 3
    scale : int, default 2
        With 2 crops are averaged down to the size of the first, with others scaled bilinearly.

    Source: Element-Research/dpnn SpatialGlimpse.lua; Mnih et al. 2014, "Recurrent Models of
    Visual Attention".
    """

    def __init__(self, size: Any, depth: int | None = None, scale: int | None = None) -> None:
        super().__init__()
        sizes = as_input(size)
        self.height, self.width = (
            (sizes[1], sizes[2]) if isinstance(sizes, Table) else (sizes, sizes)
        )
        self.depth, self.scale = given(depth, 3), given(scale, 2)
        self.gradInput = empty_pair(self)
        self.module: Module = (
            SpatialAveragePooling(2, 2, 2, 2)
            if self.scale == 2
            else SpatialReSampling(owidth=self.width, oheight=self.height)
        )
        self.modules = Table([self.module])

    def compute(self, input: Any) -> Tensor:
        images, places = two_tensors(self, input)
        single = images.ndim == 3
        if single:
            images, places = ops.unsqueeze(images, 0), ops.unsqueeze(places, 0)
        found = ops.stack([self._glimpse(x, places[i]) for i, x in enumerate(_rows(images))])
        return found[0] if single else found

    def _glimpse(self, image: Tensor, place: Tensor) -> Tensor:
        y, x = ((v + 1) / 2 for v in place.tolist())
        crops: list[Tensor] = []
        height, width = int(self.height), int(self.width)
        for _ in range(self.depth):
            top, left = (height - 1) // 2, (width - 1) // 2
            padded = ops.pad(image, padding=[(0, 0), (top, top), (left, left)])
            h, w = padded.shape[1] - height, padded.shape[2] - width
            y0, x0 = math.floor(min(h, max(0, y * h))), math.floor(min(w, max(0, x * w)))
            crop = padded[:, y0 : y0 + height, x0 : x0 + width]
            crops.append(self._scaled(crop) if crops else crop)
            height, width = math.floor(height * self.scale), math.floor(width * self.scale)
        return ops.concat(crops, axis=0)

    def _scaled(self, crop: Tensor) -> Tensor:
        if not isinstance(self.module, SpatialAveragePooling):
            scaled: Tensor = self.module.compute(crop)
            return scaled
        planes, height, width = crop.shape
        rows, columns = int(self.height), int(self.width)
        blocks = (planes, rows, height // rows, columns, width // columns)
        return ops.mean(ops.mean(ops.reshape(crop, blocks), axis=4), axis=2)

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        images, places = two_tensors(self, input)

        with enable_grad():
            leaf = images.detach().requires_grad_()
            result = self.compute(Table([leaf, places]))
        (found,) = grad([result], [leaf], [ops.reshape(gradOutput, result.shape)])
        return Table([found, zeros_like(places)]), ()


def _rows(images: Tensor) -> Iterator[Tensor]:
    return (images[i] for i in range(images.shape[0]))
