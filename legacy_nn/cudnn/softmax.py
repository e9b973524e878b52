"""SoftMax and its kin of cudnn.

SoftMax and LogSoftMax normalise over a whole sample, the others over the features of each
place. Source: soumith/cudnn.torch SpatialSoftMax.lua and the file of each class.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops

from ..checks import left_behind, one_tensor
from ..module import Module, torch_class

INSTANCE = "CUDNN_SOFTMAX_MODE_INSTANCE"
CHANNEL = "CUDNN_SOFTMAX_MODE_CHANNEL"
LOG = "CUDNN_SOFTMAX_LOG"
ACCURATE = "CUDNN_SOFTMAX_ACCURATE"
FAST = "CUDNN_SOFTMAX_FAST"


@torch_class("cudnn.SpatialSoftMax")
class SpatialSoftMax(Module):
    """exp(x) / sum(exp(x)) over the features of each place.

    Parameters
    ----------
    fast : bool
        Only changes the field `algorithm`.

    Attributes
    ----------
    mode : str
        Over what is normalised: CUDNN_SOFTMAX_MODE_CHANNEL or CUDNN_SOFTMAX_MODE_INSTANCE.
    algorithm : str
        CUDNN_SOFTMAX_LOG gives the logarithm.

    Notes
    -----
    Input (features,), (N, features), (features, H, W) or (N, features, H, W).
    """

    scratch = ("_gradOutput",)

    mode: str = CHANNEL
    algorithm: str = ACCURATE

    def __init__(self, fast: bool | None = None) -> None:
        super().__init__()
        self.algorithm = FAST if fast else ACCURATE

    def compute(self, input: Any) -> Any:
        x = one_tensor(self, input, 1, 2, 3, 4)
        function = ops.log_softmax if self.algorithm == LOG else ops.softmax
        first = 1 - x.ndim % 2
        if self.mode == CHANNEL:
            return function(x, axis=first)
        flat = ops.reshape(x, (*x.shape[:first], -1))
        return ops.reshape(function(flat, axis=first), x.shape)

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        y, g = left_behind(self, "output", gradOutput)
        first = 1 - y.ndim % 2
        axes = (first,) if self.mode == CHANNEL else tuple(range(first, y.ndim))
        if self.algorithm == LOG:
            return g - ops.exp(y) * ops.sum(g, axis=axes, keepdims=True)
        return y * (g - ops.sum(g * y, axis=axes, keepdims=True))


@torch_class("cudnn.SpatialLogSoftMax")
class SpatialLogSoftMax(SpatialSoftMax):
    """The logarithm of SpatialSoftMax."""

    def __init__(self, fast: bool | None = None) -> None:
        super().__init__(fast)
        self.mode = CHANNEL
        self.algorithm = LOG


@torch_class("cudnn.SoftMax")
class SoftMax(SpatialSoftMax):
    """exp(x) / sum(exp(x)) over all features and places of a sample, unlike nn.SoftMax."""

    def prepare(self, input: Any) -> None:
        self.mode = INSTANCE


@torch_class("cudnn.LogSoftMax")
class LogSoftMax(SpatialSoftMax):
    """The logarithm of SoftMax."""

    def prepare(self, input: Any) -> None:
        self.mode = INSTANCE
        self.algorithm = LOG


@torch_class("cudnn.VolumetricSoftMax")
class VolumetricSoftMax(Module):
    """SpatialSoftMax of volumes: input (features, T, H, W) or (N, features, T, H, W).

    Parameters
    ----------
    fast : bool
        As for SpatialSoftMax.

    Attributes
    ----------
    ssm : SpatialSoftMax
        Computes, on time and height made one.
    """

    ssm: SpatialSoftMax

    def __init__(self, fast: bool | None = None) -> None:
        super().__init__()
        self.ssm = SpatialSoftMax(fast)

    def compute(self, input: Any) -> Any:
        x = one_tensor(self, input, 4, 5)
        return ops.reshape(self.ssm(ops.flatten(x, start=-3, end=-2)), x.shape)


@torch_class("cudnn.VolumetricLogSoftMax")
class VolumetricLogSoftMax(VolumetricSoftMax):
    """The logarithm of VolumetricSoftMax."""

    def __init__(self, fast: bool | None = None) -> None:
        super().__init__(fast)
        self.ssm.mode = CHANNEL
        self.ssm.algorithm = LOG
