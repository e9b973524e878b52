"""Convolutions: Conv1d, Conv2d, Conv3d, and what transposed ones share with them."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..backend import Device
from ..tensor import Parameter, Tensor
from . import functional as F
from . import init
from .errors import ArgumentError
from .fields import PerDimension, documented, new_parameter, per_dimension
from .functional.convolution import Padding, same_borders
from .module import Module

_BORDERS = ("zeros", "reflect", "replicate", "circular")


class _Conv(Module):
    """What convolutions of all kinds have.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, dilation : int or tuple of int
        The padding may be "valid" (none) or "same" (sizes stay; the stride is 1).
    groups : int
        Channels are cut into this many groups that do not see each other.
    bias : bool
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
    device, dtype
        Of the Parameters; float32 on the CPU by default.

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels / groups, *kernel_size)
        Of transposed ones (in_channels, out_channels / groups, *kernel_size).
    bias : Parameter, shape (out_channels,), or None
        Both start uniform with a bound of 1 / sqrt(fan_in).
    """

    ndim: ClassVar[int]
    transposed: ClassVar[bool] = False
    weight: Parameter
    bias: Parameter | None
    output_padding: tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: PerDimension,
        stride: PerDimension = 1,
        padding: Padding = 0,
        dilation: PerDimension = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Device | str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ArgumentError(
                f"{type(self).__name__}: {groups} groups do not divide {in_channels} input and "
                f"{out_channels} output channels"
            )
        if padding_mode not in _BORDERS:
            raise ArgumentError(f"padding_mode is one of {_BORDERS}; given {padding_mode!r}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = per_dimension("kernel_size", kernel_size, self.ndim)
        self.stride = per_dimension("stride", stride, self.ndim)
        self.padding = (
            padding if isinstance(padding, str) else per_dimension("padding", padding, self.ndim)
        )
        self.dilation = per_dimension("dilation", dilation, self.ndim)
        self.output_padding = (0,) * self.ndim
        if padding == "same":
            same_borders(self.kernel_size, self.stride, self.dilation)
        elif isinstance(padding, str) and padding != "valid":
            raise ArgumentError(f'padding is integers, "valid" or "same"; given {padding!r}')
        self.groups = groups
        self.padding_mode = padding_mode
        channels = (out_channels, in_channels // groups)
        if self.transposed:
            channels = (in_channels, out_channels // groups)
        self.weight = new_parameter((*channels, *self.kernel_size), dtype, device)
        self.register_parameter(
            "bias", new_parameter(out_channels, dtype, device) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new Parameters."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            init.fan_in_uniform_(self.bias, init.calculate_fan_in_and_fan_out(self.weight)[0])

    def forward(self, input: Tensor) -> Tensor:
        """Map shape (N, in_channels, *spatial) to (N, out_channels, *out); N may be missing."""
        function = (F.conv1d, F.conv2d, F.conv3d)[self.ndim - 1]
        padding: Padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._borders(), mode=self.padding_mode)
            padding = 0
        return function(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def _borders(self) -> list[int]:
        """Return the padding as F.pad takes it."""
        if self.padding == "valid":
            pairs = [(0, 0)] * self.ndim
        elif isinstance(self.padding, str):
            pairs = same_borders(self.kernel_size, self.stride, self.dilation)
        else:
            pairs = [(p, p) for p in self.padding]
        return [n for pair in reversed(pairs) for n in pair]

    def extra_repr(self) -> str:
        """Return sizes, and what is not as usual."""
        parts = [
            f"{self.in_channels}, {self.out_channels}",
            f"kernel_size={self.kernel_size}, stride={self.stride}",
        ]
        usual = {
            "padding": (0,) * self.ndim,
            "dilation": (1,) * self.ndim,
            "output_padding": (0,) * self.ndim,
            "groups": 1,
        }
        parts += [f"{n}={getattr(self, n)}" for n, v in usual.items() if getattr(self, n) != v]
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


@documented
class Conv1d(_Conv):
    """Cross-correlates sequences (N, C, L) with filters."""

    ndim = 1


@documented
class Conv2d(_Conv):
    """Cross-correlates images (N, C, H, W) with filters."""

    ndim = 2


@documented
class Conv3d(_Conv):
    """Cross-correlates volumes (N, C, D, H, W) with filters."""

    ndim = 3
