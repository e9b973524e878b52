"""Normalisation with moments that training keeps: batch norm and instance norm."""

from __future__ import annotations

from typing import Any, ClassVar

from ..backend import CPU, Device
from ..creation import ones, tensor, zeros
from ..dtypes import float32, int64
from ..errors import ShapeError
from ..tensor import Parameter, Tensor
from . import functional as F
from . import init
from .fields import documented, new_parameter
from .functional.batches import batched, unbatched
from .module import Module


class _Norm(Module):
    """What batch and instance norm have.

    Parameters
    ----------
    num_features : int
        Channels C.
    eps : float
        Added to the variance.
    momentum : float or None
        How far a batch moves the running moments; None averages all batches alike.
    affine : bool
        Whether there are weight and bias.
    track_running_stats : bool
        Whether running moments are kept and used in evaluation.
    device, dtype
        Of the Parameters and buffers.
    bias : bool
        Whether there is a bias, if there is a weight.

    Attributes
    ----------
    weight, bias : Parameter, shape (C,), or None
        Start as 1 and 0.
    running_mean, running_var : Tensor, shape (C,), or None
    num_batches_tracked : Tensor of int64, or None
    """

    optional_state = frozenset({"num_batches_tracked"})
    ndims: ClassVar[tuple[int, ...]]
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Device | str | None = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            own = new_parameter(num_features, dtype, device) if wanted else None
            self.register_parameter(name, own)
        place, kind = device or CPU, dtype or float32
        track = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, kind, place) if track else None)
        self.register_buffer("running_var", ones(num_features, kind, place) if track else None)
        count = tensor(0, int64, place) if track else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Start again with a mean of 0 and a variance of 1."""
        if self.running_mean is not None and self.running_var is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Start again, with Parameters and running moments."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check(self, input: Tensor, axis: int = 1) -> None:
        if input.ndim not in self.ndims or input.shape[axis] != self.num_features:
            raise ShapeError(
                f"{type(self).__name__} takes {' or '.join(map(str, self.ndims))} dimensions and "
                f"{self.num_features} channels in dimension {axis}; given {input.shape}"
            )

    def _moved_by(self) -> float:
        """Count a batch, and return how far it moves the running moments."""
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                return 1.0 / int(self.num_batches_tracked)
        return 0.0 if self.momentum is None else self.momentum

    def extra_repr(self) -> str:
        """Return all parameters."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Norm):
    def forward(self, input: Tensor) -> Tensor:
        """Return the input normalised per channel."""
        self._check(input)
        own = self.training or self.running_mean is None
        momentum = self._moved_by() if self.training else 0.0
        keep = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if keep else None,
            self.running_var if keep else None,
            self.weight,
            self.bias,
            own,
            momentum,
            self.eps,
        )


@documented
class BatchNorm1d(_BatchNorm):
    """Normalises (N, C) or (N, C, L) per channel."""

    ndims = (2, 3)


@documented
class BatchNorm2d(_BatchNorm):
    """Normalises images (N, C, H, W) per channel."""

    ndims = (4,)


@documented
class BatchNorm3d(_BatchNorm):
    """Normalises volumes (N, C, D, H, W) per channel."""

    ndims = (5,)


class _InstanceNorm(_Norm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Device | str | None = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def forward(self, input: Tensor) -> Tensor:
        """Return each channel of each image normalised by its own moments."""
        ndim = self.ndims[-1] - 2
        self._check(input, input.ndim - ndim - 1)
        x, single = batched(type(self).__name__, input, ndim)
        own = self.training or self.running_mean is None
        momentum = 0.0 if self.momentum is None else self.momentum
        y = F.instance_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, own, momentum, self.eps
        )
        return unbatched(y, single)


@documented
class InstanceNorm1d(_InstanceNorm):
    """Normalises each channel of sequences (N, C, L)."""

    ndims = (2, 3)


@documented
class InstanceNorm2d(_InstanceNorm):
    """Normalises each channel of images (N, C, H, W)."""

    ndims = (3, 4)


@documented
class InstanceNorm3d(_InstanceNorm):
    """Normalises each channel of volumes (N, C, D, H, W)."""

    ndims = (4, 5)
