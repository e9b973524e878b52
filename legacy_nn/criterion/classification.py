"""Criterions of log-probabilities of classes, which targets name by number, from 1.

Source: torch/nn, the file of each class, and lib/THNN/generic.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy import ndarray

from rekindle.core import ops
from rekindle.core.autograd.versions import count_write
from rekindle.core.creation import full, ones, zeros, zeros_like
from rekindle.core.dtypes import float64, int64
from rekindle.core.errors import BoundsError, ShapeError
from rekindle.core.tensor import Tensor

from ..classes import torch_class
from ..errors import ArgumentError, not_stated
from ..fields import given
from ..softmax import LogSoftMax
from ..values import as_torch, replace_contents, size_text
from .base import Criterion, class_weights, tensor_of

Target = Any
"""Numbers of classes, from 1: a tensor of any type, or one number."""


def class_numbers(target: Target, like: Tensor) -> Tensor:
    """Return the numbers of a target, from 1, as int64; fractions are cut off."""
    if isinstance(target, Tensor):
        return ops.astype(target.detach(), int64)
    return full(1, int(target), int64, like.device)


@functools.lru_cache(8)
def _counted(n: int) -> Any:
    return np.arange(n)


def _number(own: Any, value: Any) -> Tensor:
    """Return a tensor of one number, a NumPy scalar: the same one where it is that already."""
    array = own.array if type(own) is Tensor else None
    if type(array) is ndarray and array.dtype is value.dtype and array.shape == (1,):
        array[0] = value
        count_write(own._version, "copy_")
        return own  # type: ignore[no-any-return]  # a Tensor, as seen above
    found: Tensor = replace_contents(own, Tensor(np.full(1, value)))
    return found


class NegativeLogLikelihood(Criterion):
    """Minus the log-probability of each target, weighted; averaged by the sum of the weights.

    Attributes
    ----------
    weights : Tensor, shape (classes,), or None
    output_tensor, total_weight_tensor : Tensor, shape (1,)
        The last loss, and the sum of the weights in it, which `updateGradInput` divides by.
    target : Tensor of int64
        The last target.
    """

    weights: Tensor | None = None
    ignoreIndex: int | None = None
    output_tensor: Any = None
    total_weight_tensor: Any = None
    target: Any = None

    def __init__(self, weights: Tensor | None = None, sizeAverage: bool | None = None) -> None:
        super().__init__()
        self.sizeAverage = given(sizeAverage, True)
        class_weights(self, weights)
        self.output_tensor = zeros(1, float64)
        self.total_weight_tensor = ones(1, float64)
        self.target = zeros(1, int64)

    def arranged(self, input: Any, target: Target) -> tuple[Tensor, Tensor]:
        """Return an input of shape (N, classes, ...) and a target of shape (N, ...)."""
        raise not_stated(self, "arranged")

    def indexed(self, input: Any, target: Target) -> tuple[Tensor, Tensor, Tensor]:
        """Return the arranged input, each target from 0, shape (N, 1, ...), and its weight."""
        x, t = self.arranged(input, target)
        classes = x.shape[1]
        if self.weights is not None and self.weights.size != classes:
            raise ShapeError(
                f"{self.t7_typename}: weight tensor should be defined either for all {classes} "
                f"classes or no classes but got weight tensor of shape: {size_text(self.weights)}"
            )
        numbers = t.array  # whole numbers have no gradients: no operations are needed
        counted = numbers != given(self.ignoreIndex, 0)
        outside = (numbers < 1) | (numbers > classes)
        if (outside & counted).any():
            raise BoundsError(
                f"{self.t7_typename}: Assertion `cur_target >= 0 && cur_target < n_classes' "
                f"failed: targets are 1 to {classes}; given {ops.min(t).item()} to "
                f"{ops.max(t).item()}"
            )
        index = Tensor(((numbers - 1) * ~outside)[:, None])
        weight = Tensor(counted.astype(x.dtype)[:, None])
        if self.weights is not None:
            weight = weight * ops.embedding(self.weights.detach(), index)
        return x, index, weight

    def compute(self, input: Any, target: Target) -> Tensor:
        return self._weighed(input, target)[0]

    def _weighed(self, input: Any, target: Target) -> tuple[Tensor, Tensor]:
        """Return the loss, and the sum of the weights in it."""
        x, index, weight = self.indexed(input, target)
        value = -(ops.gather(x, index, axis=1) * weight).sum()
        total = weight.sum()
        return (value / total if self.sizeAverage and total.item() != 0 else value), total

    def gradient(self, input: Any, target: Target) -> Any:
        x, index, weight = self.indexed(input, target)
        total = 1 if self.total_weight_tensor is None else self.total_weight_tensor.item()
        if total <= 0:
            return zeros_like(input)
        if self.sizeAverage and input.ndim == 1:
            weight = ops.astype(weight != 0, x.dtype)  # THNN divides a lone sample by nothing
        elif self.sizeAverage:
            weight = weight / total
        spread = ops.gather_gradient(-weight, index, size=x.shape[1], axis=1)
        return spread.reshape(input.shape)

    def updateOutput(self, input: Any, target: Target = None) -> Any:
        with as_torch():
            x = tensor_of(self, input)
            self.target = class_numbers(target, x)
            loss, total = self._weighed(x, target)
            value = self.output = loss.item()
            total = total.reshape(1)
            self.total_weight_tensor = replace_contents(self.total_weight_tensor, total)
            self.output_tensor = replace_contents(
                self.output_tensor, full(1, value, x.dtype, x.device)
            )
        return value

    def __len__(self) -> int:
        return 0 if self.weights is None else len(self.weights)

    def __bool__(self) -> bool:
        return True  # as every object in Lua, whatever its length


@torch_class("nn.ClassNLLCriterion")
class ClassNLLCriterion(NegativeLogLikelihood):
    """Minus the log-probability of each row's class.

    Parameters
    ----------
    weights : Tensor, shape (classes,), optional
    sizeAverage : bool, default True
        False sums the losses.
    ignoreIndex : int, default -100
        Target that counts for nothing.

    Notes
    -----
    Input (classes,) with a target of one number, or (N, classes) with one of shape (N,).

    Source: torch/nn ClassNLLCriterion.lua, THNN ClassNLLCriterion.c.
    """

    def __init__(
        self,
        weights: Tensor | None = None,
        sizeAverage: bool | None = None,
        ignoreIndex: int | None = None,
    ) -> None:
        super().__init__(weights, sizeAverage)
        self.ignoreIndex = given(ignoreIndex, -100)

    # Recurrent networks call one at every step, on little: the usual case needs few operations.

    def compute(self, input: Any, target: Target) -> Tensor:
        if (index := self._plain_index(input, target)) is None:
            return super().compute(input, target)
        picked = ops.gather(input, Tensor._wrap(index[:, None]), axis=1)
        return -(ops.mean(picked) if self.sizeAverage else ops.sum(picked))

    def updateOutput(self, input: Any, target: Target = None) -> Any:
        if (index := self._plain_index(input, target)) is None:
            return super().updateOutput(input, target)
        with as_torch():
            picked = input._array[_counted(len(index)), index]
            loss = -picked.sum()
            total = picked.dtype.type(len(index))
            value = self.output = (loss / total if self.sizeAverage else loss).item()
            self.target = Tensor._wrap(target._array.copy())
            self.total_weight_tensor = _number(self.total_weight_tensor, total)
            self.output_tensor = _number(self.output_tensor, picked.dtype.type(value))
        return value

    def updateGradInput(self, input: Any, target: Target = None) -> Any:
        index, own, total = self._plain_index(input, target), self.gradInput, None
        if index is not None and isinstance(self.total_weight_tensor, Tensor):
            total = self.total_weight_tensor.array
        into = own.array if type(own) is Tensor and own._node is None else None
        if (
            not self.sizeAverage
            or type(total) is not ndarray
            or type(into) is not ndarray
            or into.shape != input.shape
            or not (total.dtype is into.dtype is input.dtype)
            or not total[0] > 0
            or np.may_share_memory(into, input._array)
        ):
            return super().updateGradInput(input, target)
        into[...] = 0
        into[_counted(len(index)), index] = -1 / total[0]
        count_write(own._version, "copy_")
        return own

    def _plain_index(self, input: Any, target: Target) -> Any:
        """Return the classes of the rows of a matrix, from 0, if each counts as one; else None.

        None stands for all that is unusual, mistakes included: `indexed` sees to that.
        """
        if type(self) is not ClassNLLCriterion or self.weights is not None:
            return None
        if type(input) is not Tensor or type(target) is not Tensor:
            return None
        x, t = input._array, target._array
        if type(x) is not ndarray or type(t) is not ndarray or x.ndim != 2 or not len(x):
            return None
        if x.dtype.kind != "f" or t.dtype != np.int64 or t.shape != x.shape[:1]:
            return None
        classes, ignored = x.shape[1], given(self.ignoreIndex, 0)
        index = t - 1
        outside = index.view(np.uint64) >= classes  # so what is below 0 is very large
        return None if 1 <= ignored <= classes or outside.any() else index

    def arranged(self, input: Any, target: Target) -> tuple[Tensor, Tensor]:
        x = tensor_of(self, input)
        if x.ndim not in (1, 2):
            raise ShapeError(
                f"{self.t7_typename}: input tensor should be 1D or 2D; given {size_text(x)}"
            )
        t = class_numbers(target, x)
        if t.ndim > 1:
            raise ShapeError(
                f"{self.t7_typename}: multi-target not supported; given {size_text(t)}"
            )
        if x.ndim == 1:
            return x.reshape(1, -1), t.reshape(-1)[0:1]
        if t.shape != x.shape[:1]:
            raise ShapeError(
                f"{self.t7_typename}: Assertion `THIndexTensor_(size)(target, 0) == batch_size' "
                f"failed: there are {x.shape[0]} rows and {t.size} targets"
            )
        return x, t


@torch_class("nn.SpatialClassNLLCriterion")
class SpatialClassNLLCriterion(NegativeLogLikelihood):
    """Minus the log-probability of each pixel's class.

    Parameters
    ----------
    weights : Tensor, shape (classes,), optional
    sizeAverage : bool, default True
        False sums the losses.

    Notes
    -----
    Input (N, classes, H, W), target (N, H, W).

    Source: torch/nn SpatialClassNLLCriterion.lua, THNN SpatialClassNLLCriterion.c.
    """

    def arranged(self, input: Any, target: Target) -> tuple[Tensor, Tensor]:
        x = tensor_of(self, input)
        t = class_numbers(target, x)
        if t.ndim != 3:
            raise ShapeError(
                f"{self.t7_typename}: only batches of spatial targets supported (3D tensors) but "
                f"got targets of dimension: {t.ndim}"
            )
        if x.ndim != 4:
            raise ShapeError(
                f"{self.t7_typename}: only batches of spatial inputs supported (4D tensors), but "
                f"got input of dimension: {x.ndim}"
            )
        if (x.shape[0], *x.shape[2:]) != t.shape:
            raise ShapeError(
                f"{self.t7_typename}: Assertion `input0 == target0 && input2 == target1 && "
                "input3 == target2' failed. size mismatch "
                f"(got input: {'x'.join(map(str, x.shape))}, "
                f"target: {'x'.join(map(str, t.shape))})"
            )
        return x, t


@torch_class("nn.CrossEntropyCriterion")
class CrossEntropyCriterion(Criterion):
    """LogSoftMax, then ClassNLLCriterion, after dimensions of one element are dropped.

    Parameters
    ----------
    weights : Tensor, shape (classes,), optional
    sizeAverage : bool, default True
        False sums the losses.

    Attributes
    ----------
    lsm : nn.LogSoftMax
    nll : nn.ClassNLLCriterion
    oldSizeAverage : bool
        `sizeAverage` at the last call: `nll` takes it over when it changes.

    Source: torch/nn CrossEntropyCriterion.lua.
    """

    lsm: LogSoftMax
    nll: ClassNLLCriterion
    oldSizeAverage: bool | None = None

    def __init__(self, weights: Tensor | None = None, sizeAverage: bool | None = None) -> None:
        super().__init__()
        self.lsm = LogSoftMax()
        self.nll = ClassNLLCriterion(weights, sizeAverage)
        self.sizeAverage = self.nll.sizeAverage
        self.oldSizeAverage = self.sizeAverage

    def compute(self, input: Any, target: Target) -> Tensor:
        x, t = self._squeezed(input, target)
        return self.nll.compute(self.lsm(x), t)

    def __call__(self, input: Any, target: Target = None) -> Tensor:
        self._follow()
        return super().__call__(input, target)

    def updateOutput(self, input: Any, target: Target = None) -> Any:
        self._follow()
        x, t = self._squeezed(input, target)
        self.output = self.nll.updateOutput(self.lsm.updateOutput(x.detach()), t)
        return self.output

    def gradient(self, input: Any, target: Target) -> Any:
        self._follow()
        x, t = self._squeezed(input, target)
        found = self.lsm.updateGradInput(x, self.nll.updateGradInput(self.lsm.output, t))
        return found.reshape(input.shape)

    def _squeezed(self, input: Any, target: Target) -> tuple[Tensor, Any]:
        x = ops.squeeze(tensor_of(self, input))
        if isinstance(target, Tensor):
            target = ops.squeeze(target.detach())
            target = target.reshape(1) if target.ndim == 0 else target
        elif target is None:
            raise ArgumentError(f"{self.t7_typename} takes a target: the number of a class")
        return x.reshape(1) if x.ndim == 0 else x, target

    def _follow(self) -> None:
        """Let `nll` take over a changed `sizeAverage`; else it keeps what it was set to."""
        if self.sizeAverage != self.oldSizeAverage:
            self.nll.sizeAverage = self.sizeAverage
        self.oldSizeAverage = self.sizeAverage
