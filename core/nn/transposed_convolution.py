"""Transposed convolutions: ConvTranspose1d, ConvTranspose2d, ConvTranspose3d."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backend import Device
from ..tensor import Tensor
from . import functional as F
from .convolution import _Conv
from .errors import ArgumentError
from .fields import PerDimension, documented, per_dimension


class _ConvTranspose(_Conv):
    """What transposed convolutions have: see _Conv.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding : int or tuple of int
        Those of the convolution whose gradient this is; it enlarges images by the stride.
    output_padding : int or tuple of int
        Added to the size of the output, at its end.
    groups : int
    bias : bool
    dilation : int or tuple of int
    padding_mode : {"zeros"}
    device, dtype
        Of the Parameters.
    """

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: PerDimension,
        stride: PerDimension = 1,
        padding: PerDimension = 0,
        output_padding: PerDimension = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: PerDimension = 1,
        padding_mode: str = "zeros",
        device: Device | str | None = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros" or isinstance(padding, str):
            raise ArgumentError(
                f"{type(self).__name__} is padded with zeros, by numbers; given {padding!r} and "
                f"{padding_mode!r}"
            )
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            device=device, dtype=dtype,
        )  # fmt: skip
        self.output_padding = per_dimension("output_padding", output_padding, self.ndim)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Map shape (N, in_channels, *spatial) to (N, out_channels, *out); N may be missing.

        Parameters
        ----------
        input : Tensor
        output_size : sequence of int, optional
            The spatial size wanted, at least its last dimensions; it replaces
            `output_padding`.

        Raises
        ------
        ArgumentError
            If no output has this size.
        """
        extra = self.output_padding if output_size is None else self._extra(input, output_size)
        function = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self.ndim - 1]
        padding: Any = self.padding
        return function(
            input, self.weight, self.bias, self.stride, padding, extra, self.groups, self.dilation
        )

    def _extra(self, input: Tensor, output_size: Sequence[int]) -> tuple[int, ...]:
        wanted = tuple(output_size)[-self.ndim :]
        padding: Any = self.padding
        smallest = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                input.shape[-self.ndim :],
                self.stride,
                padding,
                self.dilation,
                self.kernel_size,
                strict=True,
            )
        ]
        extra = tuple(w - n for w, n in zip(wanted, smallest, strict=True))
        if any(not 0 <= e < s for e, s in zip(extra, self.stride, strict=True)):
            largest = [n + s - 1 for n, s in zip(smallest, self.stride, strict=True)]
            raise ArgumentError(
                f"{type(self).__name__} gives sizes from {smallest} to {largest} here; "
                f"wanted {wanted}"
            )
        return extra


@documented
class ConvTranspose1d(_ConvTranspose):
    """Enlarges sequences (N, C, L)."""

    ndim = 1


@documented
class ConvTranspose2d(_ConvTranspose):
    """Enlarges images (N, C, H, W)."""

    ndim = 2


@documented
class ConvTranspose3d(_ConvTranspose):
    """Enlarges volumes (N, C, D, H, W)."""

    ndim = 3
