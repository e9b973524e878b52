"""Constants: nn.MulConstant, nn.AddConstant and nn.Constant."""

from __future__ import annotations

from numbers import Real
from typing import Any

from rekindle.core import ops
from rekindle.core.creation import full
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import in_place_flag, one_tensor
from .fields import set_unless_nil
from .inplace import InPlace
from .module import ArgumentError, Module, torch_class


@torch_class("nn.MulConstant")
class MulConstant(InPlace):
    """Multiplies by a number.

    Parameters
    ----------
    constant_scalar : float
    inplace : bool, default False
        Whether the input is overwritten; going back restores it.

    Source: torch/nn MulConstant.lua.
    """

    constant_scalar: Any

    def __init__(self, constant_scalar: float, inplace: bool | None = None) -> None:
        super().__init__()
        if not isinstance(constant_scalar, Real):
            raise ArgumentError(
                f"input is not scalar!: {self.t7_typename} takes a number; "
                f"given {constant_scalar!r}"
            )
        self.constant_scalar = constant_scalar
        self.inplace = in_place_flag(self, inplace)

    def compute(self, input: Any) -> Tensor:
        return ops.multiply(one_tensor(self, input), self.constant_scalar)

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        return ops.multiply(gradOutput, self.constant_scalar)

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        if self.inplace:
            input.detach().div_(self.constant_scalar)
        return super().keep_gradient(input, gradOutput, result)


@torch_class("nn.AddConstant")
class AddConstant(InPlace):
    """Adds a number, or a vector to each row.

    Parameters
    ----------
    constant_scalar : float or Tensor, shape (n,)
    inplace : bool, default False
        Whether the input is overwritten; going back restores it.

    Source: torch/nn AddConstant.lua.
    """

    buffer_fields = ("constant_scalar",)

    def __init__(self, constant_scalar: float | Tensor, inplace: bool | None = None) -> None:
        super().__init__()
        self.constant_scalar = constant_scalar
        self.inplace = in_place_flag(self, inplace)

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        term = self.constant_scalar
        if isinstance(term, Tensor) and (x.ndim not in (1, 2) or x.shape[-1:] != term.shape):
            raise ShapeError(
                "input is not scalar or doesn't match with the dimension of constant!: "
                f"{self.t7_typename} of shape {term.shape} is given shape {x.shape}"
            )
        return x + term

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        return gradOutput

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        if self.inplace:
            input.detach().sub_(self.constant_scalar)
        return super().keep_gradient(input, gradOutput, result)


@torch_class("nn.Constant")
class Constant(Module):
    """Returns a constant, whatever the input.

    Parameters
    ----------
    value : float or Tensor
    nInputDim : int, optional
        An input of more dimensions is a batch, and the value is repeated for each sample.

    Source: torch/nn Constant.lua.
    """

    buffer_fields = ("value",)

    nInputDim: int | None = None

    def __init__(self, value: float | Tensor, nInputDim: int | None = None) -> None:
        super().__init__()
        self.value = value if isinstance(value, Tensor) else full(1, value, self.dtype)
        set_unless_nil(self, nInputDim=nInputDim)

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        if self.nInputDim is None or x.ndim <= self.nInputDim:
            return ops.clone(self.value)
        return ops.clone(ops.expand(self.value, (x.shape[0], *self.value.shape)))
