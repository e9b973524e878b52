"""Max pooling of volumes.

Source: torch/nn VolumetricMaxPooling.lua, VolumetricDilatedMaxPooling.lua.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import inf, prod
from typing import Any

from rekindle.core import ops
from rekindle.core.backend import namespace
from rekindle.core.creation import arange
from rekindle.core.tensor import Tensor

from .checks import left_behind
from .module import torch_class
from .order import any_order
from .pooling import MaxPooling, Pooling
from .spatial import as_batch
from .values import in_shape


class VolumePooling(Pooling):
    """Pooling of volumes.

    Parameters
    ----------
    kT, kW, kH : int
        Size of the window.
    dT, dW, dH : int
        Steps; by default the size of the window.
    padT, padW, padH : int
        0 by default.
    """

    axes = "THW"
    lua_axes = "TWH"

    def __init__(
        self,
        kT: int,
        kW: int,
        kH: int,
        dT: int | None = None,
        dW: int | None = None,
        dH: int | None = None,
        padT: int | None = None,
        padW: int | None = None,
        padH: int | None = None,
    ) -> None:
        super().__init__()
        self.set_axes("k", (kT, kW, kH))
        self.set_axes("d", (dT or kT, dW or kW, dH or kH))
        self.set_axes("pad", (padT or 0, padW or 0, padH or 0))
        self.start()


def unpacked(
    indices: Tensor,
    size: Sequence[int],
    steps: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int] = (1, 1, 1),
) -> Tensor:
    """Return flat positions, from 0, in volumes of `size` for packed indices.

    Parameters
    ----------
    indices : Tensor of int64, shape (N, C, T, H, W)
        The field of a VolumetricMaxPooling of this geometry.
    """
    positions = indices * 0
    for axis, (step, pad, spread) in enumerate(zip(steps, padding, dilation, strict=True)):
        after = size[axis + 1 :]
        count = indices.shape[2 + axis]
        start = arange(count, device=indices.device) * step - pad
        start = ops.reshape(start, (count,) + (1,) * len(after))
        place = start + indices // 256**axis % 256 * spread
        positions = positions + place * prod(after)
    return positions


@torch_class("nn.VolumetricMaxPooling", 2)
class VolumetricMaxPooling(MaxPooling, VolumePooling):
    """Maximum of each window of a volume.

    Parameters
    ----------
    kT, kW, kH : int
        Size of the window.
    dT, dW, dH : int
        Steps; by default the size of the window.
    padT, padW, padH : int
        0 by default; padding is never the maximum.

    Attributes
    ----------
    indices : Tensor of int64, shape of the output
        The three lowest bytes are where in its window the maximum was, from 0: t, y, x.
    itime, iheight, iwidth : int
        Size of the last input, for VolumetricMaxUnpooling.

    Notes
    -----
    Torch7 leaves the other bytes of `indices` as they were; here they are 0.
    Source: lib/THNN/generic/VolumetricDilatedMaxPooling.c
    """

    def upgrade(self, version: int) -> None:
        if version < 2:
            # Also what Torch7 does to each VolumetricDilatedMaxPooling it reads: that class
            # inherits the reader, and has version 1 to this day.
            self.ceil_mode = False

    def prepare(self, input: Tensor) -> None:
        if isinstance(input, Tensor) and input.ndim > 3:
            self.itime, self.iheight, self.iwidth = input.shape[-3:]

    def compute_batch(self, input: Tensor) -> tuple[Tensor, Tensor]:
        pads = zip(self.per_axis("pad"), self.per_axis("dilation"), strict=True)
        if not any(1 < dilation <= pad for pad, dilation in pads):
            return super().compute_batch(input)
        _, everywhere = ops.max_pool(input, dilation=self.per_axis("dilation"), **self.geometry())
        positions = self._positions(input.detach(), everywhere.shape[2:])
        values = ops.where(positions < 0, -inf, ops.max_pool_at(input, positions))
        return values, self.indices_of(positions, input)

    def _positions(self, input: Tensor, counts: Sequence[int]) -> Tensor:
        """Return where the maxima are, flat and from 0, with the windows that THNN looks at.

        For each pixel of padding before the image it leaves a tap of the window out: more than
        lie in the padding, where the window is dilated and the padding as wide.
        """
        x = input.array
        xp = namespace(x)
        size, flat = x.shape[2:], x.reshape(*x.shape[:2], -1)
        best = xp.full((*x.shape[:2], *counts), -inf, x.dtype)
        found = xp.full(best.shape, -1, "int64")
        axes = []
        geometry = map(self.per_axis, ("k", "d", "pad", "dilation"))
        for count, k, step, pad, spread in zip(counts, *geometry, strict=True):
            start = xp.arange(count) * step - pad
            covered = xp.maximum(-start, 0)
            axes.append((start - -covered // spread * spread, k - covered, spread))
        for tap in product(*(range(k) for k in self.per_axis("k"))):
            place, inside = xp.zeros(counts, "int64"), xp.ones(counts, "bool")
            for axis, (i, (first, taps, spread)) in enumerate(zip(tap, axes, strict=True)):
                at = first + i * spread
                wide = (-1,) + (1,) * (len(size) - axis - 1)
                inside &= ((i < taps) & (at < size[axis])).reshape(wide)
                place += (at * prod(size[axis + 1 :])).reshape(wide)
            place = xp.where(inside, place, 0)
            values = flat[..., place]
            better = inside & (values > best)
            best = xp.where(better, values, best)
            found = xp.where(better, place, found)
        return Tensor(found)

    def indices_of(self, positions: Tensor, input: Tensor) -> Tensor:
        indices = positions * 0
        geometry = (self.per_axis(prefix) for prefix in ("d", "pad", "dilation"))
        for axis, (step, pad, dilation) in enumerate(zip(*geometry, strict=True)):
            after = input.shape[3 + axis :]
            place = positions // prod(after) % input.shape[2 + axis]
            count = positions.shape[2 + axis]
            start = arange(count, device=positions.device) * step - pad
            start = ops.reshape(start, (count,) + (1,) * len(after))
            # Torch7 adds all the padding that the window covers, also in a dilated window
            # that skips some of it.
            covered = ops.maximum(-start, 0)
            first = start + (covered + dilation - 1) // dilation * dilation
            indices = indices + ((place - first) // dilation + covered) * 256**axis
        return ops.where(positions < 0, 0xFFFFFF, indices)

    @any_order
    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        indices, g = (as_batch(self, x) for x in left_behind(self, "indices", gradOutput))
        size = input.shape[-3:]
        positions = unpacked(indices, size, *map(self.per_axis, ("d", "pad", "dilation")))
        nothing = ops.equal(indices % 256**3, 0xFFFFFF)
        found = ops.max_pool_gradient(g, ops.where(nothing, -1, positions), size=size)
        return in_shape(found, input.shape)


@torch_class("nn.VolumetricDilatedMaxPooling")
class VolumetricDilatedMaxPooling(VolumetricMaxPooling):
    """VolumetricMaxPooling with `dilationT`, `dilationW` and `dilationH`, 1 by default."""

    def __init__(
        self,
        kT: int,
        kW: int,
        kH: int,
        dT: int | None = None,
        dW: int | None = None,
        dH: int | None = None,
        padT: int | None = None,
        padW: int | None = None,
        padH: int | None = None,
        dilationT: int | None = None,
        dilationW: int | None = None,
        dilationH: int | None = None,
    ) -> None:
        super().__init__(kT, kW, kH, dT, dW, dH, padT, padW, padH)
        self.set_axes("dilation", (dilationT or 1, dilationW or 1, dilationH or 1))

    def __repr__(self) -> str:
        return self.text(dilated=True)
