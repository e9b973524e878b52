"""Linear maps: nn.Linear and nn.Bilinear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy import ndarray

from rekindle.core import ops
from rekindle.core.autograd.modes import MODE
from rekindle.core.autograd.versions import count_write
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import one_tensor, two_tensors
from .fields import add_parameter, empty_pair, given, remove, uniform_bound
from .module import Module, as_input, as_torch, torch_class
from .torch7 import random
from .values import size_text


@torch_class("nn.Linear")
class Linear(Module):
    """y = x W' + b, on one sample or a batch.

    Parameters
    ----------
    inputSize, outputSize : int
    bias : bool, default True

    Attributes
    ----------
    weight : Parameter, shape (outputSize, inputSize)
    bias : Parameter, shape (outputSize,), or None

    Source: torch/nn Linear.lua.
    """

    scratch: ClassVar[tuple[str, ...]] = ("addBuffer",)

    def __init__(self, inputSize: int, outputSize: int, bias: bool | None = None) -> None:
        super().__init__()
        add_parameter(self, "weight", "gradWeight", (outputSize, inputSize))
        if given(bias, True):
            add_parameter(self, "bias", "gradBias", outputSize)
        self.reset()

    def noBias(self) -> Self:
        """Take the bias away and return the module."""
        remove(self, "bias", "gradBias")
        return self

    def reset(self, stdv: float | None = None) -> Self:
        """Draw new parameters, uniformly with deviation `stdv`, and return the module."""
        bound = uniform_bound(stdv, self.weight.shape[1])
        random.uniform(self.weight, -bound, bound)
        if self.bias is not None:
            random.uniform(self.bias, -bound, bound)
        return self

    sharedAccUpdateGradParameters = Module.defaultAccUpdateGradParameters

    def compute(self, input: Any) -> Any:
        x = one_tensor(self, input, 1, 2)
        if x.shape[-1] != self.weight.shape[1]:
            raise ShapeError(
                f"size mismatch, {_sizes(x, self.weight)}: {self!r} takes "
                f"{self.weight.shape[1]} features; given shape {x.shape}"
            )
        return ops.linear(x, self.weight, self.bias)

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        return ops.matmul(self._checked(input, gradOutput), self.weight)

    def parameter_gradients(self, input: Any, gradOutput: Any) -> Sequence[Tensor | None]:
        return self.affine_gradients(input, gradOutput)

    def add_gradients(self, input: Any, gradOutput: Any, scale: float) -> None:
        if isinstance(input, Tensor) and input.ndim > 2:
            return  # Torch7 says nothing here: nn.Bottle's steps come to it with its own input
        if not self._added_at_once(input, gradOutput, scale):
            super().add_gradients(input, gradOutput, scale)

    def _added_at_once(self, input: Any, gradOutput: Any, scale: float) -> bool:
        """Add the gradients of plain rows with no more than NumPy; return whether they are that."""
        cls, own = type(self), self.__dict__
        weight: Any = own.get("weight")
        bias: Any = own.get("bias")
        of_weight: Any = own.get("gradWeight")
        of_bias: Any = own.get("gradBias")
        if not (
            fits_rows(weight, input, gradOutput)
            and takes(of_weight, weight)
            and (bias is None or takes(of_bias, bias))
            and cls.parameter_gradients is Linear.parameter_gradients
            and cls.affine_gradients is Linear.affine_gradients
            and cls.parameter_fields is Linear.parameter_fields
            and cls.compute is Linear.compute
        ):
            return False
        g = gradOutput._array
        _add(of_weight, ops.matmul.forward(np, g.T, input._array), scale)
        if bias is not None:
            _add(of_bias, g.sum(axis=0), scale)
        return True

    def affine_gradients(self, input: Any, gradOutput: Any) -> tuple[Tensor, Tensor | None]:
        """Return the gradients of the matrix and of the bias."""
        rows, g = input, self._checked(input, gradOutput)
        if input.ndim == 1:
            rows, g = ops.unsqueeze(input, 0), ops.unsqueeze(g, 0)
        of_bias = None if self.bias is None else ops.sum(g, axis=0)
        return ops.matmul(ops.transpose(g, 0, 1), rows), of_bias

    def _checked(self, input: Any, gradOutput: Any) -> Tensor:
        """Return `gradOutput`, which must have a row for each of the input's.

        Raises
        ------
        ShapeError
            If it is of another size.
        """
        g = one_tensor(self, gradOutput)
        if g.shape != (*input.shape[:-1], self.weight.shape[0]):
            raise ShapeError(
                f"size mismatch, {size_text(self.weight)}, {size_text(g)}: {self!r} takes a "
                f"gradOutput of {self.weight.shape[0]} features for each row of its input; "
                f"given {g.shape} for {input.shape}"
            )
        return g

    def __repr__(self) -> str:
        outputs, inputs = self.weight.shape
        without = " without bias" if self.bias is None else ""
        return f"{self.t7_typename}({inputs} -> {outputs}){without}"


def fits_rows(weight: Any, x: Any, g: Any) -> bool:
    """Whether `x` and `g` are rows that a matrix takes and gives, all floating NumPy arrays."""
    if type(x) is not Tensor or type(g) is not Tensor or not isinstance(weight, Tensor):
        return False
    a, b, w = x._array, g._array, weight.array
    if type(a) is not ndarray or type(b) is not ndarray or type(w) is not ndarray:
        return False
    if not (a.dtype is b.dtype is w.dtype and w.dtype.kind == "f"):
        return False
    rows, columns = w.shape
    return bool(a.ndim == b.ndim == 2 and b.shape == (len(a), rows) and a.shape[1] == columns)


def takes(gradient: Any, parameter: Any) -> bool:
    """Whether the gradient of a parameter can be added to with nothing else than NumPy."""
    if not isinstance(gradient, Tensor) or gradient._node is not None or MODE.get().grad:
        return False
    a, b = gradient.array, parameter.array
    return bool(type(a) is ndarray and a.dtype is b.dtype and a.shape == b.shape)


def _add(target: Tensor, fresh: ndarray[Any, Any], scale: float) -> None:
    if scale != 1:
        fresh *= scale
    array = target.array
    array += fresh
    count_write(target._version, "add_")


def _sizes(x: Tensor, weight: Tensor) -> str:
    """Return the sizes of two factors as Torch7 tells that they do not fit."""
    if x.ndim == 1:
        return f"{size_text(weight)}, {size_text(x)}"
    return f"m1: {size_text(x)}, m2: [{weight.shape[1]} x {weight.shape[0]}]"


def _mismatch(x1: Tensor, x2: Tensor, n1: int, n2: int) -> str:
    """Return what Torch7 says of two inputs that a Bilinear cannot take, or nothing."""
    if x1.ndim != 2 or x2.ndim != 2:
        return "input Tensors should be two-dimensional"
    if x1.shape[0] != x2.shape[0]:
        return "input Tensors should have the same number of rows (instances)"
    if x1.shape[1] != n1:
        return "dimensionality of first input is erroneous"
    return "dimensionality of second input is erroneous" if x2.shape[1] != n2 else ""


@torch_class("nn.Bilinear")
class Bilinear(Module):
    """y[k] = x1' W[k] x2 + b[k], for each row of a batch.

    Parameters
    ----------
    inputSize1, inputSize2, outputSize : int
    bias : bool, default True

    Attributes
    ----------
    weight : Parameter, shape (outputSize, inputSize1, inputSize2)
    bias : Parameter, shape (outputSize,), or None

    Source: torch/nn Bilinear.lua.
    """

    scratch = ("buff2", "buff1")

    gradWeight: Tensor
    gradBias: Tensor

    def __init__(
        self, inputSize1: int, inputSize2: int, outputSize: int, bias: bool | None = None
    ) -> None:
        super().__init__()
        add_parameter(self, "weight", "gradWeight", (outputSize, inputSize1, inputSize2))
        if given(bias, True):
            add_parameter(self, "bias", "gradBias", outputSize)
        self.gradInput = empty_pair(self)
        self.reset()

    def reset(self, stdv: float | None = None) -> Self:
        """Draw new parameters, uniformly with deviation `stdv`, and return the module."""
        bound = uniform_bound(stdv, self.weight.shape[1])
        random.uniform(self.weight, -bound, bound)
        if self.bias is not None:
            random.uniform(self.bias, -bound, bound)
        return self

    sharedAccUpdateGradParameters = Module.defaultAccUpdateGradParameters

    def compute(self, input: Any) -> Tensor:
        x1, x2 = two_tensors(self, input, "input should be a table containing two data Tensors")
        _, n1, n2 = self.weight.shape
        if words := _mismatch(x1, x2, n1, n2):
            raise ShapeError(
                f"{words}: {self!r} takes tensors of shapes (rows, {n1}) and (rows, {n2}); "
                f"given {x1.shape} and {x2.shape}"
            )
        products = ops.matmul(x1, self.weight) * x2
        scores = ops.transpose(ops.sum(products, axis=2), 0, 1)
        return scores if self.bias is None else scores + self.bias

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with as_torch():
            of_weight, of_bias = self.parameter_gradients(as_input(input), gradOutput)
            self.gradWeight.add_(of_weight)  # Torch7 does not scale it
            if of_bias is not None:
                self.gradBias.add_(of_bias * scale)

    def __repr__(self) -> str:
        outputs, n1, n2 = self.weight.shape
        without = " without bias" if self.bias is None else ""
        return f"{self.t7_typename}({n1}x{n2} -> {outputs}) {without}"
