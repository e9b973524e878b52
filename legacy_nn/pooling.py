"""What pooling modules share, and max pooling of images.

Source: torch/nn SpatialMaxPooling.lua, SpatialDilatedMaxPooling.lua.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from rekindle.core import ops
from rekindle.core.creation import empty
from rekindle.core.errors import ShapeError
from rekindle.core.ops.owing import owed
from rekindle.core.ops.pending import Pending
from rekindle.core.tensor import Tensor

from .checks import one_tensor
from .module import replace_contents, torch_class
from .order import any_order, in_any_order
from .spatial import SpatialModule, as_batch
from .values import in_shape, size_text


class Pooling(SpatialModule):
    """What pooling modules share: geometry, and how the size of the output is rounded.

    Attributes
    ----------
    kW, kH, dW, dH, padW, padH : int
        Window, step and padding; for volumes kT, dT and padT as well.
    ceil_mode : bool
        Whether the size of the output is rounded up.
    """

    padT = padW = padH = 0
    ceil_mode: bool = False

    def start(self) -> None:
        """Set the fields that a new module has beside its geometry."""
        self.ceil_mode = False

    def ceil(self) -> Self:
        """Round sizes up from now on; return the module."""
        self.ceil_mode = True
        return self

    def floor(self) -> Self:
        """Round sizes down from now on; return the module."""
        self.ceil_mode = False
        return self

    def geometry(self) -> dict[str, Any]:
        """Return the parameters that pooling operations take."""
        return {
            "kernel": self.per_axis("k"),
            "stride": self.per_axis("d"),
            "padding": self.per_axis("pad"),
            "ceil_mode": bool(self.ceil_mode),
        }

    def refusal(self, input: Tensor) -> str:
        names = ("pad", "k")
        windows = zip(*map(self.per_axis, names), strict=True)
        if any(p > k // 2 for p, k in windows):
            sizes = (
                f"{name}{axis} = {getattr(self, name + axis)}"
                for name in names
                for axis in self.lua_axes
            )
            return f"pad should be smaller than half of kernel size, but got {', '.join(sizes)}"
        return self.too_small(input, input.shape[-len(self.axes) - 1], "x")

    def text(self, *, dilated: bool = False) -> str:
        """Return Lua's text: window and step, and the padding if there is any."""
        text = f"{self.t7_typename}({self.listed('k', 'x')}, {self.listed('d')}"
        if any(self.per_axis("pad")):
            text += f", {self.listed('pad')}"
        if dilated:
            text += f", {self.listed('dilation')}"
        return text + ")"

    def __repr__(self) -> str:
        return self.text()


class ImagePooling(Pooling):
    """Pooling of images.

    Parameters
    ----------
    kW, kH : int
        Size of the window.
    dW, dH : int
        Steps; by default the size of the window, or the class's `default_step`.
    padW, padH : int
        0 by default.
    """

    default_step: ClassVar[int | None] = None

    def __init__(
        self,
        kW: int,
        kH: int,
        dW: int | None = None,
        dH: int | None = None,
        padW: int | None = None,
        padH: int | None = None,
    ) -> None:
        super().__init__()
        self.set_axes("k", (kW, kH))
        self.set_axes("d", (dW or self.default_step or kW, dH or self.default_step or kH))
        self.set_axes("pad", (padW or 0, padH or 0))
        self.start()


class MaxPooling(Pooling):
    """What max pooling modules share.

    Attributes
    ----------
    indices : Tensor of int64
        Where the maxima of the last batch were, as Torch7 counts.
    """

    scratch = ("indices",)

    indices: Tensor | None = None
    dilationT = dilationW = dilationH = 1

    def start(self) -> None:
        super().start()
        self.indices = empty(0, "int64")

    @any_order
    def compute_batch(self, input: Tensor) -> tuple[Tensor, Tensor]:
        dilation = self.per_axis("dilation")
        values, positions = ops.max_pool(input, dilation=dilation, **self.geometry())
        return values, self.indices_of(positions, input)

    def indices_of(self, positions: Tensor, input: Tensor) -> Tensor:
        """Return the field `indices` for flat positions, from 0, in the planes of `input`."""
        return positions + 1

    def keep_extras(self, *extras: Any) -> None:
        (found,) = extras
        if isinstance(found, Pending):  # in an optimised model, until somebody asks
            self.indices = found
        elif not owed(self.indices, found):
            self.indices = replace_contents(self.indices, found)


@torch_class("nn.SpatialMaxPooling")
class SpatialMaxPooling(MaxPooling, ImagePooling):
    """Maximum of each window of an image.

    Parameters
    ----------
    kW, kH : int
        Size of the window.
    dW, dH : int
        Steps; by default the size of the window.
    padW, padH : int
        0 by default; padding is never the maximum.

    Attributes
    ----------
    indices : Tensor of int64, shape of the output
        Flat position of each maximum in its plane, from 1.
    iheight, iwidth : int
        Size of the last input, for SpatialMaxUnpooling.

    Notes
    -----
    `ceil()` and `floor()` choose how the size of the output is rounded; down by default.
    """

    def prepare(self, input: Tensor) -> None:
        if isinstance(input, Tensor) and input.ndim > 2:  # anything else is refused below
            self.iheight, self.iwidth = input.shape[-2:]

    @any_order
    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        found, g = in_any_order(self.indices), one_tensor(self, gradOutput, called="gradOutput")
        if found is None or found.shape != g.shape:
            size = "[]" if found is None else size_text(found)
            raise ShapeError(
                f"Need indices of dimension {input.ndim} and indices.size[{input.ndim - 3}] == "
                f"{input.shape[-3]} but got indices to be of shape: {size}: {self!r} goes back to "
                f"what updateOutput found; given a gradOutput of shape {g.shape}"
            )
        indices, g = (as_batch(self, x) for x in (found, g))
        positions = ops.astype(indices, "int64") - 1
        found = ops.max_pool_gradient(g, positions, size=input.shape[-2:])
        return in_shape(found, input.shape)


@torch_class("nn.SpatialDilatedMaxPooling")
class SpatialDilatedMaxPooling(SpatialMaxPooling):
    """SpatialMaxPooling that sees every `dilationW`-th, `dilationH`-th pixel, 1 by default."""

    def __init__(
        self,
        kW: int,
        kH: int,
        dW: int | None = None,
        dH: int | None = None,
        padW: int | None = None,
        padH: int | None = None,
        dilationW: int | None = None,
        dilationH: int | None = None,
    ) -> None:
        super().__init__(kW, kH, dW, dH, padW, padH)
        self.set_axes("dilation", (dilationW or 1, dilationH or 1))

    def __repr__(self) -> str:
        return self.text(dilated=True)
