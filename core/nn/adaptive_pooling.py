"""Adaptive pooling: windows that share out the image, whatever its size."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .fields import documented
from .functional import pooling as F
from .pooling import _Pool


class _AdaptiveAvgPool(_Pool):
    """Averages of windows that share out the image.

    Parameters
    ----------
    output_size : int, or tuple of int or None
        Spatial size of the output; None keeps that of the input.
    """

    shown = ("output_size",)

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        """Return the averages."""
        return F.adaptive_avg(self.ndim, input, self.output_size)


@documented
class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Averages of windows that share out: of sequences (N, C, L)."""

    ndim = 1


@documented
class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Averages of windows that share out: of images (N, C, H, W)."""

    ndim = 2


@documented
class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """Averages of windows that share out: of volumes (N, C, D, H, W)."""

    ndim = 3


class _AdaptiveMaxPool(_Pool):
    """Maxima of windows that share out the image.

    Parameters
    ----------
    output_size : int, or tuple of int or None
        Spatial size of the output; None keeps that of the input.
    return_indices : bool
        Whether the places of the maxima are returned too.
    """

    shown = ("output_size",)

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        """Return the maxima, or the pair (maxima, indices)."""
        return F.adaptive_max(self.ndim, input, self.output_size, self.return_indices)


@documented
class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """Maxima of windows that share out: of sequences (N, C, L)."""

    ndim = 1


@documented
class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """Maxima of windows that share out: of images (N, C, H, W)."""

    ndim = 2


@documented
class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """Maxima of windows that share out: of volumes (N, C, D, H, W)."""

    ndim = 3
