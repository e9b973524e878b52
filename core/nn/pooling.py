"""Pooling: maxima, averages and norms of windows, and unpooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..tensor import Tensor
from .fields import PerDimension, documented
from .functional import pooling as F
from .module import Module


class _Pool(Module):
    ndim: ClassVar[int]
    shown: ClassVar[tuple[str, ...]]

    def extra_repr(self) -> str:
        """Return the parameters of windows."""
        return ", ".join(f"{name}={getattr(self, name)}" for name in self.shown)


class _MaxPool(_Pool):
    """The maximum of each window; see F.pool_max for parameters.

    With `return_indices` it gives the places of the maxima too, as MaxUnpool takes them.
    """

    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self,
        kernel_size: PerDimension,
        stride: PerDimension | None = None,
        padding: PerDimension = 0,
        dilation: PerDimension = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        """Return the maxima, or the pair (maxima, indices)."""
        return F.pool_max(
            self.ndim, input, self.kernel_size, self.stride, self.padding, self.dilation,
            self.ceil_mode, self.return_indices,
        )  # fmt: skip


@documented
class MaxPool1d(_MaxPool):
    """The maximum of each window: of sequences (N, C, L)."""

    ndim = 1


@documented
class MaxPool2d(_MaxPool):
    """The maximum of each window: of images (N, C, H, W)."""

    ndim = 2


@documented
class MaxPool3d(_MaxPool):
    """The maximum of each window: of volumes (N, C, D, H, W)."""

    ndim = 3


class _AvgPool(_Pool):
    """The average of each window; see F.pool_avg for parameters."""

    shown = ("kernel_size", "stride", "padding")

    def __init__(
        self,
        kernel_size: PerDimension,
        stride: PerDimension | None = None,
        padding: PerDimension = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """Return the averages."""
        return F.pool_avg(
            self.ndim, input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )  # fmt: skip


@documented
class AvgPool1d(_AvgPool):
    """The average of each window: of sequences (N, C, L)."""

    ndim = 1


@documented
class AvgPool2d(_AvgPool):
    """The average of each window: of images (N, C, H, W)."""

    ndim = 2


@documented
class AvgPool3d(_AvgPool):
    """The average of each window: of volumes (N, C, D, H, W)."""

    ndim = 3


class _LPPool(_Pool):
    """The p-th root of the sum of p-th powers of each window; see ops.lp_pool."""

    shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(
        self,
        norm_type: float,
        kernel_size: PerDimension,
        stride: PerDimension | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        """Return the norms."""
        return F.pool_lp(
            self.ndim, input, self.norm_type, self.kernel_size, self.stride, self.ceil_mode
        )


@documented
class LPPool1d(_LPPool):
    """The p-norm of each window: of sequences (N, C, L)."""

    ndim = 1


@documented
class LPPool2d(_LPPool):
    """The p-norm of each window: of images (N, C, H, W)."""

    ndim = 2


@documented
class LPPool3d(_LPPool):
    """The p-norm of each window: of volumes (N, C, D, H, W)."""

    ndim = 3


class _MaxUnpool(_Pool):
    """Puts maxima back where MaxPool found them, among zeros; see F.unpool_max."""

    shown = ("kernel_size", "stride", "padding")

    def __init__(
        self,
        kernel_size: PerDimension,
        stride: PerDimension | None = None,
        padding: PerDimension = 0,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        """Return the enlarged images."""
        return F.unpool_max(
            self.ndim, input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


@documented
class MaxUnpool1d(_MaxUnpool):
    """Puts maxima of windows back: of sequences (N, C, L)."""

    ndim = 1


@documented
class MaxUnpool2d(_MaxUnpool):
    """Puts maxima of windows back: of images (N, C, H, W)."""

    ndim = 2


@documented
class MaxUnpool3d(_MaxUnpool):
    """Puts maxima of windows back: of volumes (N, C, D, H, W)."""

    ndim = 3
