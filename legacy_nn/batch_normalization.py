"""Batch normalisation of features, images and volumes.

Source: torch/nn BatchNormalization.lua, SpatialBatchNormalization.lua,
VolumetricBatchNormalization.lua.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, prod
from typing import Any, ClassVar, Self

from rekindle.core import ops
from rekindle.core.backend import namespace
from rekindle.core.creation import ones, zeros
from rekindle.core.errors import ShapeError
from rekindle.core.kernels import normalization
from rekindle.core.tensor import Tensor

from .checks import fitted, one_tensor
from .fields import add_parameter
from .module import (
    ArgumentError,
    Module,
    ModuleError,
    as_torch,
    replace_contents,
    torch_class,
)
from .order import any_order
from .torch7 import random
from .values import in_shape


@torch_class("nn.BatchNormalization", 2)
class BatchNormalization(Module):
    """Normalises each feature: by the batch's moments in training, else by running ones.

    Parameters
    ----------
    nOutput : int
        Number of features.
    eps : float
        Added to the variance; 1e-5 by default.
    momentum : float
        Weight of the batch in the running moments; 0.1 by default.
    affine : bool
        Whether the result is scaled by `weight` and shifted by `bias`; True by default.

    Attributes
    ----------
    running_mean, running_var : Tensor, shape (nOutput,)
    save_mean, save_std : Tensor, shape (nOutput,)
        Mean and inverse deviation of the last batch in training.

    Raises
    ------
    ArgumentError
        If `nOutput` is no positive number.

    Notes
    -----
    Input (N, nOutput); in evaluation also (nOutput,), which becomes a batch of one. A batch of
    one is normalised by the running moments in training too.
    """

    scratch = (
        *("buffer", "buffer2", "centered", "std", "normalized", "_input", "_gradOutput"),
        *("save_mean", "save_std"),
    )

    nDim: ClassVar[int] = 2
    shared_fields = ("weight", "bias", "running_mean", "running_var")
    buffer_fields = ("running_mean", "running_var")

    affine: bool = True
    eps: float = 1e-5
    momentum: float | None = None
    running_mean: Tensor
    running_var: Tensor
    save_mean: Tensor | None = None
    save_std: Tensor | None = None

    def __init__(
        self,
        nOutput: int,
        eps: float | None = None,
        momentum: float | None = None,
        affine: bool = True,
    ) -> None:
        super().__init__()
        if isinstance(nOutput, bool) or not isinstance(nOutput, (int, float)) or nOutput < 1:
            raise ArgumentError(
                f"{self.t7_typename} takes the number of features first; given {nOutput!r} "
                f"(for no scale and shift: {self.t7_typename}(n, eps, momentum, False))"
            )
        self.affine = affine
        self.eps = 1e-5 if eps is None else eps
        self.train = True
        self.momentum = 0.1 if momentum is None else momentum
        self.running_mean = zeros(nOutput, self.dtype)
        self.running_var = ones(nOutput, self.dtype)
        if affine:
            add_parameter(self, "weight", "gradWeight", nOutput)
            add_parameter(self, "bias", "gradBias", nOutput)
        self.reset()

    def reset(self, stdv: float | None = None) -> Self:
        """Draw the weight, forget the running moments, and return the module.

        Torch7 draws it uniformly from [0, 1) whatever `stdv` is.
        """
        if self.weight is not None:
            random.uniform(self.weight)
        if self.bias is not None:
            self.bias.detach().zero_()
        self.running_mean.zero_()
        self.running_var.fill_(1)
        return self

    def upgrade(self, version: int) -> None:
        if version < 2 and "running_std" in vars(self):
            # Version 1 kept 1 / sqrt(variance + eps) under this name.
            std = vars(self).pop("running_std")
            if std.size > std.storage().size:
                raise ArgumentError(
                    f"running_std of shape {std.shape} repeats a storage of {std.storage().size} "
                    "elements; batch normalisation has one value for each feature"
                )
            self.running_var = ops.power(std, -2) - self.eps

    def batch(self, input: Any) -> Tensor:
        """Return the input as a batch, checked.

        Raises
        ------
        ShapeError
            If dimensions or features are not as expected.
        """
        x = one_tensor(self, input)
        if x.ndim == self.nDim - 1 and not self.train:
            x = x.unsqueeze(0)
        features = self.running_mean.size
        if x.ndim != self.nDim or x.shape[1] != features:
            words = f"only mini-batch supported ({self.nDim}D tensor), got {x.ndim}D tensor instead"
            if x.ndim == self.nDim:
                words = f"got {x.shape[1]}-feature tensor, expected {features}"
            raise ShapeError(
                f"{words}: {self.t7_typename} takes a batch: {self.nDim}-D input with {features} "
                f"features in dimension 2 (in evaluation also without the batch dimension); "
                f"given shape {input.shape}"
            )
        return x

    def uses_batch(self, input: Tensor) -> bool:
        """Whether a batch is normalised by its own moments."""
        return self.train and input.shape[0] > 1

    @any_order
    def compute(self, input: Any) -> Any:
        x = self.batch(input)
        if not self.uses_batch(x):
            moments = (self.running_mean, self.running_var)
            return ops.batch_norm(x, *moments, self.weight, self.bias, eps=self.eps)
        y, mean, variance = ops.batch_norm_training(x, self.weight, self.bias, eps=self.eps)
        count = prod(x.shape) // x.shape[1]
        return y, mean, variance, variance * (count / max(count - 1, 1))

    def keep_extras(self, *extras: Any) -> None:
        if self.momentum is None:
            raise ModuleError(
                f"{self.t7_typename} has no momentum and cannot be trained: "
                "set its field momentum, or call evaluate()"
            )
        mean, variance, unbiased = extras
        deviation = ops.sqrt(variance + self.eps)
        if self.eps == 0:
            deviation = ops.where(deviation == 0, inf, deviation)
        inverse = 1 / deviation
        self.save_mean = replace_contents(self.save_mean, mean)
        self.save_std = replace_contents(self.save_std, inverse)
        for running, new in ((self.running_mean, mean), (self.running_var, unbiased)):
            running.mul_(1 - self.momentum).add_(new * self.momentum)

    def renew_output(self, input: Any) -> Any:
        output = super().renew_output(input)
        for name in ("save_mean", "save_std"):  # Torch7 has them in evaluation, too, unfilled
            if getattr(self, name) is None:
                setattr(self, name, zeros(self.running_mean.shape, self.dtype))
        return output

    # -- backward -----------------------------------------------------------------------

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        return self._gradients(input, gradOutput)[0]

    def parameter_gradients(self, input: Any, gradOutput: Any) -> Sequence[Tensor | None]:
        return self._gradients(input, gradOutput)[1:]

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        with as_torch():
            found = self._gradients(input, gradOutput)
            if self.gradInput is not None:
                # Nobody else holds it, so that it need not be copied.
                self.gradInput = self.keep_gradient(input, gradOutput, found.pop(0))
            self._accumulate(found[-2:], scale)
        return self.gradInput

    @any_order
    def _gradients(self, input: Any, gradOutput: Any) -> list[Any]:
        """Return the gradients of input, weight and bias, by the moments that forward kept."""
        x, g = self.batch(input), self.batch(gradOutput)
        g = fitted(self, g, x)
        if self.save_mean is None or self.save_std is None:
            raise ModuleError(f"{self.t7_typename}: must call :updateOutput() first")
        x, g = (t if t.dtype == self.dtype else ops.astype(t, self.dtype) for t in (x, g))
        if not self.uses_batch(x):
            inverse = 1 / ops.sqrt(self.running_var + self.eps)
            of_x, *rest = self._given_moments(x, g, inverse)
        elif self.save_mean.size:
            variance = 1 / (self.save_std * self.save_std) - self.eps
            of_x, *rest = self._own_moments(x, g, self.save_mean, variance)
        else:
            raise ModuleError(f"{self.t7_typename}: must call :updateOutput() first")
        of_x = in_shape(of_x, input.shape)
        of_x = of_x if of_x.dtype == input.dtype else ops.astype(of_x, input.dtype)
        return [of_x, None, None] if self.weight is None else [of_x, *rest]

    def _own_moments(self, x: Tensor, g: Tensor, mean: Tensor, variance: Tensor) -> list[Tensor]:
        tensors = g, x, self.weight, mean, variance
        arrays = [None if t is None else t.array for t in tensors]
        found = normalization.batch_norm_gradient(namespace(x.array), *arrays, eps=self.eps)
        return [Tensor._wrap(a) for a in found]

    def _given_moments(self, x: Tensor, g: Tensor, inverse: Tensor) -> list[Tensor]:
        each, axes = (1, -1, *(1,) * (x.ndim - 2)), (0, *range(2, x.ndim))
        slope = inverse if self.weight is None else inverse * self.weight.detach()
        centred = x - ops.reshape(self.running_mean, each)
        along = ops.reshape(ops.sum_products(g, centred, axes=axes), (-1,))
        return [g * ops.reshape(slope, each), along * inverse, ops.sum(g, axis=axes)]

    def __repr__(self) -> str:
        return f"{self.t7_typename} ({self.nDim}D) ({self.running_mean.size})"


@torch_class("nn.SpatialBatchNormalization", 2)
class SpatialBatchNormalization(BatchNormalization):
    """BatchNormalization of images, by plane: input (N, nOutput, H, W)."""

    nDim = 4


@torch_class("nn.VolumetricBatchNormalization")
class VolumetricBatchNormalization(BatchNormalization):
    """BatchNormalization of volumes, by plane: input (N, nOutput, T, H, W)."""

    nDim = 5
