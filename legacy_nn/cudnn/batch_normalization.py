"""Batch normalisation of cudnn.

Source: soumith/cudnn.torch BatchNormalization.lua, SpatialBatchNormalization.lua,
VolumetricBatchNormalization.lua.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint.errors import RekindleWarning
from rekindle.core.dtypes import float16, float32
from rekindle.core.tensor import Tensor

from ..batch_normalization import BatchNormalization as NNBatchNormalization
from ..checks import one_tensor
from ..module import ArgumentError, Module, torch_class
from ..order import any_order

MEANINGS = ("variance", "inverse-std")
"""What `running_var` may hold in files from before cudnn's batch norms had versions."""

_MEANING: ContextVar[str | None] = ContextVar("rekindle_bn_var", default=None)


@contextmanager
def running_var_as(meaning: str | None) -> Iterator[None]:
    """Read the `running_var` of cudnn's oldest batch norms as what it is, and warn no more.

    Parameters
    ----------
    meaning : {"variance", "inverse-std"}, optional
        "inverse-std" for files written with cuDNN 4 in early 2016, where it is
        1 / sqrt(variance + eps). By default it is read as the variance, with a warning.

    Raises
    ------
    ArgumentError
        For another meaning.
    """
    if meaning not in (None, *MEANINGS):
        raise ArgumentError(f"running_var is read as {' or '.join(MEANINGS)}; given {meaning!r}")
    token = _MEANING.set(meaning)
    try:
        yield
    finally:
        _MEANING.reset(token)


@torch_class("cudnn.BatchNormalization", 2)
class BatchNormalization(NNBatchNormalization):
    """nn.BatchNormalization with a scale and a shift always.

    A half-precision model keeps parameters and moments in float32, and takes and gives float16.

    Parameters
    ----------
    nFeature : int
        Number of features.
    eps, momentum : float
        1e-5 and 0.1 by default.
    affine : bool
        True.

    Notes
    -----
    A batch of one is normalised by the running moments in training too, as the recorded runs
    of cudnn models on nn's classes have it; cuDNN itself took the batch's own.

    Raises
    ------
    ArgumentError
        If `nFeature` is no positive number, or `affine` is False.
    """

    def __init__(
        self,
        nFeature: int,
        eps: float | None = None,
        momentum: float | None = None,
        affine: bool = True,
    ) -> None:
        if not affine:
            raise ArgumentError(f"{self.t7_typename} always has a scale and a shift: affine=True")
        super().__init__(nFeature, eps, momentum)

    def upgrade(self, version: int) -> None:
        old = version < 2 and "running_var" in vars(self)
        if old and _MEANING.get() == "inverse-std":
            self.running_var = ops.power(self.running_var, -2) - self.eps
        elif old and _MEANING.get() is None:
            warnings.warn(
                f"{self.t7_typename} from before the class had a version (early 2016): with "
                "cuDNN 4 its running_var held 1 / sqrt(variance + eps). It is read as the "
                "variance, as cudnn.torch does; if the outputs are wrong, set running_var to "
                "running_var ** -2 - eps, as --bn-var inverse-std and "
                "legacy_nn.cudnn.running_var_as('inverse-std') do",
                RekindleWarning,
                stacklevel=2,
            )
        super().upgrade(version)

    def check_input(self, input: Any) -> None:
        half = isinstance(input, Tensor) and input.dtype == float16
        if not (half and self.dtype == float32):
            super().check_input(input)

    @any_order
    def compute(self, input: Any) -> Any:
        x = one_tensor(self, input, self.nDim)
        result = super().compute(x.astype(self.dtype))
        if isinstance(result, tuple):
            return result[0].astype(x.dtype), *result[1:]
        return result.astype(x.dtype)

    __repr__ = Module.__repr__


@torch_class("cudnn.SpatialBatchNormalization", 2)
class SpatialBatchNormalization(BatchNormalization):
    """BatchNormalization of images, by plane: input (N, nFeature, H, W)."""

    nDim = 4


@torch_class("cudnn.VolumetricBatchNormalization", 2)
class VolumetricBatchNormalization(BatchNormalization):
    """BatchNormalization of volumes, by plane: input (N, nFeature, T, H, W)."""

    nDim = 5
