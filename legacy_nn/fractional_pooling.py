"""Max pooling over regions whose borders are drawn at random.

Source: torch/nn SpatialFractionalMaxPooling.lua, VolumetricFractionalMaxPooling.lua and
lib/THNN/generic of the same names; Graham 2014, "Fractional Max-Pooling".
"""

from __future__ import annotations

from math import floor, prod
from typing import Any, Self

from rekindle.core import ops
from rekindle.core.creation import arange, empty
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import one_tensor
from .fields import remove
from .module import ArgumentError, ModuleError, replace_contents, torch_class
from .spatial import SpatialModule
from .torch7 import random


class FractionalMaxPooling(SpatialModule):
    """What the two classes share.

    Attributes
    ----------
    randomSamples : Tensor, shape (N, C, number of axes)
        What the borders of the regions were made from, the axes in Lua's order.
    newRandomPool : bool
        Whether the next calls keep it; see `fixPoolingRegions()`.
    indices : Tensor of int64, shape of the output
        Flat position of each maximum in its plane, from 1.
    """

    randomSamples: Tensor | None = None
    newRandomPool: bool = False
    indices: Tensor | None = None

    def set_pooling(self, window: tuple[int, ...], sizes: tuple[float, ...]) -> None:
        """Set the fields of the window, and those of the size of the output or its ratio."""
        if any(n < 2 for n in window):
            raise ArgumentError(f"{self.t7_typename} takes windows of 2 or more; given {window}")
        self.set_axes("poolSize", window)
        self.newRandomPool = False
        if all(n >= 1 for n in sizes):
            self.set_axes("out", [int(n) for n in sizes])
        elif all(0 < n < 1 for n in sizes):
            for axis, ratio in zip(self.lua_axes, sizes, strict=True):
                setattr(self, "ratio" + axis, ratio)
        else:
            raise ArgumentError(
                f"{self.t7_typename} takes sizes of the output, or ratios between 0 and 1; "
                f"given {sizes}"
            )

    def fixPoolingRegions(self, val: bool | None = None) -> Self:
        """Keep the regions of the last call from now on, or draw again; return the module."""
        self.newRandomPool = True if val is None else val
        return self

    def prepare(self, input: Any) -> None:
        x = one_tensor(self, input, len(self.axes) + 1, len(self.axes) + 2)
        planes = x.shape[: -len(self.axes)]
        shape = (*((1,) if len(planes) == 1 else ()), *planes, len(self.axes))
        if self.randomSamples is None or self.randomSamples.shape[:2] != shape[:2]:
            new = random.uniform(empty(shape, x.dtype, x.device))
            self.randomSamples = replace_contents(self.randomSamples, new)
        elif not self.newRandomPool:
            random.uniform(self.randomSamples)

    def compute_batch(self, input: Tensor) -> tuple[Tensor, Tensor]:
        positions = self._positions(input.detach())
        return ops.max_pool_at(input, positions), positions + 1

    def _positions(self, x: Tensor) -> Tensor:
        """Return the flat position, from 0, of the first maximum of each region."""
        size = x.shape[2:]
        out, window = self._output_size(size), self.per_axis("poolSize")
        for axis, n, o, w in zip(self.axes, size, out, window, strict=True):
            if o + w - 1 >= n:
                raise ShapeError(
                    f"{self.t7_typename}: a window of {w} is too large for {o} regions along "
                    f"{axis}; given shape {x.shape}"
                )
        count = len(size)
        places: Any = 0
        for k in range(count):
            # Samples stand in the order of Lua's arguments, which is that of memory reversed.
            starts = self._starts(x, count - 1 - k, size[k], out[k], window[k])
            spread = [1] * (2 * count)
            spread[k], spread[count + k] = out[k], window[k]
            rows = ops.unsqueeze(starts, 3) + arange(window[k], device=x.device)
            rows = ops.reshape(rows, (*x.shape[:2], *spread))
            places = places + rows * prod(size[k + 1 :])
        places = ops.reshape(places, (*x.shape[:2], prod(out), prod(window)))
        values = ops.gather(
            ops.reshape(x, (*x.shape[:2], -1)), ops.reshape(places, (*x.shape[:2], -1)), axis=2
        )
        best = ops.argmax(ops.reshape(values, places.shape), axis=3, keepdims=True)
        return ops.reshape(ops.gather(places, best, axis=3), (*x.shape[:2], *out))

    def _starts(self, x: Tensor, sample: int, size: int, out: int, window: int) -> Tensor:
        """Return where regions begin along one axis, (N, C, out), rounded in the input's type."""
        assert self.randomSamples is not None
        drawn = ops.reshape(self.randomSamples[..., sample], (*x.shape[:2], 1))
        step = Tensor([size - window], dtype=x.dtype) / max(out - 1, 1)
        first = arange(out, dtype=x.dtype, device=x.device)
        starts = ops.floor((first + drawn) * step) - ops.floor(drawn * step)
        last = ops.equal(first, out - 1)
        return ops.astype(ops.where(last, size - window, starts), "int64")

    def _output_size(self, size: tuple[int, ...]) -> tuple[int, ...]:
        if "out" + self.axes[0] in vars(self):
            return self.per_axis("out")
        out = tuple(
            floor(n * getattr(self, "ratio" + axis))
            for axis, n in zip(self.axes, size, strict=True)
        )
        if min(out) < 1:
            raise ShapeError(f"{self!r}: reduction ratio or input too small; given {size}")
        return out

    def keep_extras(self, *extras: Any) -> None:
        self.indices = replace_contents(self.indices, extras[0])

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        if self.randomSamples is None or self.indices is None:
            raise ModuleError(f"{self.t7_typename}: must call updateOutput/forward first")
        indices = ops.reshape(self.indices, gradOutput.shape) - 1
        planes = input.ndim - len(self.axes)
        shape = ((1,) if planes == 1 else ()) + gradOutput.shape
        g, indices = ops.reshape(gradOutput, shape), ops.reshape(indices, shape)
        found = ops.max_pool_gradient(g, indices, size=input.shape[planes:])
        return ops.reshape(found, input.shape)

    def empty(self) -> None:
        """Let go of what the last calls left."""
        self.clearState()

    def clearState(self) -> Self:
        """Let go of what the last calls left; the next one draws new regions."""
        remove(self, "indices", "randomSamples")
        return super().clearState()

    def __repr__(self) -> str:
        prefix = "out" if "out" + self.axes[0] in vars(self) else "ratio"
        sizes = "x".join(str(int(getattr(self, prefix + axis))) for axis in self.lua_axes)
        return f"{self.t7_typename}({sizes}, {self.listed('poolSize')})"


@torch_class("nn.SpatialFractionalMaxPooling")
class SpatialFractionalMaxPooling(FractionalMaxPooling):
    """Maximum over regions of an image that are drawn anew for each plane and call.

    Parameters
    ----------
    poolSizeW, poolSizeH : int
        Size of the regions, which overlap; 2 or more.
    arg1, arg2 : float
        Width and height of the output, or between 0 and 1 their ratios to the input's.

    Raises
    ------
    ArgumentError
        If a size is out of range.
    """

    def __init__(self, poolSizeW: int, poolSizeH: int, arg1: float, arg2: float) -> None:
        super().__init__()
        self.set_pooling((poolSizeW, poolSizeH), (arg1, arg2))


@torch_class("nn.VolumetricFractionalMaxPooling")
class VolumetricFractionalMaxPooling(FractionalMaxPooling):
    """SpatialFractionalMaxPooling of volumes, whose last dimension is time: (N, C, H, W, T).

    Parameters
    ----------
    poolSizeT, poolSizeW, poolSizeH : int
    arg1, arg2, arg3 : float
        Time, width and height of the output, or their ratios.

    Raises
    ------
    ArgumentError
        If a size is out of range.
    """

    axes = "HWT"
    lua_axes = "TWH"

    def __init__(
        self,
        poolSizeT: int,
        poolSizeW: int,
        poolSizeH: int,
        arg1: float,
        arg2: float,
        arg3: float,
    ) -> None:
        super().__init__()
        self.set_pooling((poolSizeT, poolSizeW, poolSizeH), (arg1, arg2, arg3))
