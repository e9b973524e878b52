"""Borders around images, and windows as columns, as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ..tensor import Tensor
from . import functional as F
from .fields import PerDimension, documented, per_dimension
from .functional.batches import batched, unbatched
from .module import Module


class _Pad(Module):
    """Adds a border to images.

    Parameters
    ----------
    padding : int or tuple of int
        On all sides; or before and after the last dimension, then the one before it, and so on.
    """

    ndim: ClassVar[int]
    mode: ClassVar[str]
    value: float | None = None

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        self.padding = per_dimension("padding", padding, 2 * self.ndim)

    def forward(self, input: Tensor) -> Tensor:
        """Return the images with borders."""
        x, single = batched(type(self).__name__, input, self.ndim)
        return unbatched(F.pad(x, self.padding, self.mode, self.value), single)

    def extra_repr(self) -> str:
        """Return the padding."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    """Adds a border of one value; see _Pad."""

    mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        """Return padding and value."""
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_Pad):
    mode = "constant"
    value = 0.0


@documented
class ConstantPad1d(_ConstantPad):
    """Adds a border of `value` to sequences (N, C, L)."""

    ndim = 1


@documented
class ConstantPad2d(_ConstantPad):
    """Adds a border of `value` to images (N, C, H, W)."""

    ndim = 2


@documented
class ConstantPad3d(_ConstantPad):
    """Adds a border of `value` to volumes (N, C, D, H, W)."""

    ndim = 3


@documented
class ZeroPad1d(_ZeroPad):
    """Adds a border of zeros to sequences (N, C, L)."""

    ndim = 1


@documented
class ZeroPad2d(_ZeroPad):
    """Adds a border of zeros to images (N, C, H, W)."""

    ndim = 2


@documented
class ZeroPad3d(_ZeroPad):
    """Adds a border of zeros to volumes (N, C, D, H, W)."""

    ndim = 3


@documented
class ReflectionPad1d(_Pad):
    """Adds a border that mirrors them, without the edge to sequences (N, C, L)."""

    ndim = 1
    mode = "reflect"


@documented
class ReflectionPad2d(_Pad):
    """Adds a border that mirrors them, without the edge to images (N, C, H, W)."""

    ndim = 2
    mode = "reflect"


@documented
class ReflectionPad3d(_Pad):
    """Adds a border that mirrors them, without the edge to volumes (N, C, D, H, W)."""

    ndim = 3
    mode = "reflect"


@documented
class ReplicationPad1d(_Pad):
    """Adds a border that repeats the edge to sequences (N, C, L)."""

    ndim = 1
    mode = "replicate"


@documented
class ReplicationPad2d(_Pad):
    """Adds a border that repeats the edge to images (N, C, H, W)."""

    ndim = 2
    mode = "replicate"


@documented
class ReplicationPad3d(_Pad):
    """Adds a border that repeats the edge to volumes (N, C, D, H, W)."""

    ndim = 3
    mode = "replicate"


@documented
class CircularPad1d(_Pad):
    """Adds a border that goes on at the other end to sequences (N, C, L)."""

    ndim = 1
    mode = "circular"


@documented
class CircularPad2d(_Pad):
    """Adds a border that goes on at the other end to images (N, C, H, W)."""

    ndim = 2
    mode = "circular"


@documented
class CircularPad3d(_Pad):
    """Adds a border that goes on at the other end to volumes (N, C, D, H, W)."""

    ndim = 3
    mode = "circular"


class Unfold(Module):
    """The windows of images (N, C, H, W) as columns (N, C * kernel elements, windows).

    Parameters
    ----------
    kernel_size, dilation, padding, stride : int or tuple of int
    """

    def __init__(
        self,
        kernel_size: PerDimension,
        dilation: PerDimension = 1,
        padding: PerDimension = 0,
        stride: PerDimension = 1,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        """Return the columns."""
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """Return the parameters of windows."""
        names = ("kernel_size", "dilation", "padding", "stride")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)


class Fold(Unfold):
    """The images (N, C, *output_size) that columns of windows add up to; see Unfold."""

    def __init__(
        self,
        output_size: PerDimension,
        kernel_size: PerDimension,
        dilation: PerDimension = 1,
        padding: PerDimension = 0,
        stride: PerDimension = 1,
    ) -> None:
        super().__init__(kernel_size, dilation, padding, stride)
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        """Return the images."""
        return F.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )

    def extra_repr(self) -> str:
        """Return the parameters of windows."""
        return f"output_size={self.output_size}, {super().extra_repr()}"
