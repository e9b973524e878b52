"""Learned terms and factors: nn.Add, nn.Mul, nn.CAdd and nn.CMul."""

from __future__ import annotations

import math
from typing import Any

from rekindle.core import ops
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import one_tensor
from .conversion import Cache
from .fields import add_parameter, long_storage, set_unless_nil, uniform_bound
from .module import Module, torch_class
from .torch7 import random


@torch_class("nn.Add")
class Add(Module):
    """Adds a bias: one number for everything, or one for each element of a sample.

    Parameters
    ----------
    inputSize : int
    scalar : bool, optional
        Whether one number is added to all.

    Source: torch/nn Add.lua.
    """

    scalar: bool | None = None

    def __init__(self, inputSize: int, scalar: bool | None = None) -> None:
        super().__init__()
        set_unless_nil(self, scalar=scalar)
        add_parameter(self, "bias", "gradBias", 1 if scalar else inputSize)
        self._ones = ops.clone(self.bias.detach()[:1]).fill_(1)
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """Draw a new bias, uniformly with deviation `stdv`."""
        bound = uniform_bound(stdv, self.bias.shape[0])
        random.uniform(self.bias, -bound, bound)

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        bias = self.bias
        if self.scalar or bias.size == 1 or x.shape == bias.shape:
            return ops.add(x, bias)
        if bias.size != math.prod(x.shape[1:]):
            raise ShapeError(
                f"nn.Add adds {bias.size} numbers to each sample; given shape {x.shape}"
            )
        return x + ops.reshape(bias, x.shape[1:])


@torch_class("nn.Mul")
class Mul(Module):
    """Multiplies everything by one learned number.

    Source: torch/nn Mul.lua.
    """

    def __init__(self) -> None:
        super().__init__()
        add_parameter(self, "weight", "gradWeight", 1)
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """Draw a new factor, uniformly with deviation `stdv`."""
        bound = uniform_bound(stdv, self.weight.shape[0])
        random.uniform(self.weight, -bound, bound)

    def compute(self, input: Any) -> Tensor:
        return ops.multiply(one_tensor(self, input), self.weight)


@torch_class("nn.CMul")
class CMul(Module):
    """Multiplies by learned factors, one for each element of a sample, or broadcast.

    Parameters
    ----------
    *size : int
        Sizes of the factors. Where the input has as many dimensions, sizes of 1 broadcast.

    Source: torch/nn CMul.lua.
    """

    scratch = ("_input", "_output", "_weight", "_gradWeight", "_expand", "_repeat", "_sum")

    def __init__(self, *size: Any) -> None:
        super().__init__()
        self.size = long_storage(size)
        add_parameter(self, "weight", "gradWeight", self.size.tolist())
        self.output.set_(ops.clone(self.weight.detach()))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """Draw new factors, uniformly with deviation `stdv`."""
        bound = uniform_bound(stdv, self.weight.size)
        random.uniform(self.weight, -bound, bound)

    def convert_fields(self, typename: str, cache: Cache) -> None:
        self.clearState()
        super().convert_fields(typename, cache)

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        return x * _aligned(self, self.weight, x)


@torch_class("nn.CAdd")
class CAdd(Module):
    """Adds learned numbers, one for each element of a sample, or broadcast.

    Parameters
    ----------
    *size : int
        Sizes of the bias. Where the input has as many dimensions, sizes of 1 broadcast.

    Source: torch/nn CAdd.lua.
    """

    scratch = ("_gradBias", "_expand", "_output", "_bias", "_repeat")

    def __init__(self, *size: Any) -> None:
        super().__init__()
        self.size = long_storage(size)
        add_parameter(self, "bias", "gradBias", self.size.tolist())
        self.output.set_(ops.clone(self.bias.detach()))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """Draw a new bias, uniformly with deviation `stdv`."""
        bound = uniform_bound(stdv, self.bias.size)
        random.uniform(self.bias, -bound, bound)

    def convert_fields(self, typename: str, cache: Cache) -> None:
        self.clearState()
        super().convert_fields(typename, cache)

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        return x + _aligned(self, self.bias, x)


def _aligned(module: Module, parameter: Tensor, x: Tensor) -> Tensor:
    """Return a view of `parameter` that broadcasts with x as Torch7 expands it.

    Equal counts of elements go together whatever the shapes; equal numbers of dimensions
    broadcast sizes of 1; else the parameter is that of one sample of a batch.
    """
    if parameter.size == x.size:
        return ops.reshape(parameter, x.shape)
    if parameter.ndim == x.ndim:
        if all(n in (1, m) for n, m in zip(parameter.shape, x.shape, strict=True)):
            return parameter
    elif parameter.size == 1:
        return ops.reshape(parameter, (1,))
    elif parameter.size == math.prod(x.shape[1:]):
        return ops.reshape(parameter, x.shape[1:])
    raise ShapeError(
        "incorrect size: only supporting singleton expansion (size=1): "
        f"{module.t7_typename} of size {parameter.shape} takes samples of that size, or an input "
        f"of as many dimensions to which it expands; given shape {x.shape}"
    )
