"""Modules whose output is their input: nn.Identity, Contiguous, Copy and the like."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, zeros_like
from rekindle.core.tensor import Tensor

from .checks import fitted, one_tensor
from .conversion import Cache
from .fields import given, set_unless_nil
from .module import Module, replace_contents, share_memory, torch_class
from .stated_gradient import Gradients, StatedGradient
from .torch7.types import dtype_of


@torch_class("nn.Identity")
class Identity(Module):
    """Returns its input, whatever it is.

    Source: torch/nn Identity.lua.
    """

    aliases = True

    def compute(self, input: Any) -> Any:
        return input

    def check_input(self, input: Any) -> None:
        """Take anything."""

    def keep(self, input: Any, result: Any) -> Any:
        return input

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        return gradOutput

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        return gradOutput


@torch_class("nn.Contiguous")
class Contiguous(Module):
    """Returns its input, copied where its memory is not in row-major order.

    Source: torch/nn Contiguous.lua.
    """

    def compute(self, input: Any) -> Tensor:
        return ops.contiguous(one_tensor(self, input))

    def check_input(self, input: Any) -> None:
        """Take any type."""

    def keep(self, input: Any, result: Any) -> Any:
        return share_memory(self.output, result)

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        return ops.contiguous(one_tensor(self, gradOutput))

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        return share_memory(self.gradInput, result)


@torch_class("nn.Copy")
class Copy(Module):
    """Copies its input to another type; passes it on where the types are the same.

    Parameters
    ----------
    intype, outtype : str
        Tensor types: "torch.FloatTensor". By default "torch.DoubleTensor".
    forceCopy : bool, default False
        Copy even where the types are the same.
    dontCast : bool, optional
        Whether conversions of the model to another type leave this module alone.

    Notes
    -----
    Where the types are the same Torch7 stores two functions in the module, and they come with
    its files. They are kept apart from the fields, and written back.

    Source: torch/nn Copy.lua.
    """

    __slots__ = ("_functions", "_order", "_passes_on")

    dontCast: bool | None = None
    _functions: dict[str, Any]
    _order: list[str]
    _passes_on: bool

    def __init__(
        self,
        intype: str | None = None,
        outtype: str | None = None,
        forceCopy: bool | None = None,
        dontCast: bool | None = None,
    ) -> None:
        super().__init__()
        set_unless_nil(self, dontCast=dontCast)
        intype, outtype = given(intype, self._type), given(outtype, self._type)
        self.gradInput = empty(0, dtype_of(intype))
        self.output = empty(0, dtype_of(outtype))
        self._functions, self._order = {}, []
        self._passes_on = not forceCopy and intype == outtype

    def type(self, type: str | None = None, tensorCache: Cache | None = None) -> Any:
        return self if type is not None and self.dontCast else super().type(type, tensorCache)

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        if self._passes_on or not isinstance(self.output, Tensor):
            return x
        return ops.astype(x, self.output.dtype)

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        g = one_tensor(self, gradOutput)
        if self._passes_on or not isinstance(self.gradInput, Tensor):
            return g
        return ops.astype(g, self.gradInput.dtype)

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        if self._passes_on:
            return share_memory(self.gradInput, result)
        return replace_contents(self.gradInput, result)

    def check_input(self, input: Any) -> None:
        """Take any type: converting it is the module's work."""

    def keep(self, input: Any, result: Any) -> Any:
        if self._passes_on:
            return share_memory(self.output, result)
        return replace_contents(self.output, result)

    def t7_restore(self, version: int, fields: Table) -> None:
        super().t7_restore(version, fields)
        own = vars(self)
        self._order = list(own)
        names = [name for name in ("updateOutput", "updateGradInput") if name in own]
        self._functions = {name: own.pop(name) for name in names}
        self._passes_on = "updateOutput" in self._functions

    def t7_fields(self) -> Table:
        fields = {**vars(self), **self._functions}
        first = {name: fields[name] for name in self._order if name in fields}
        return Table({**first, **fields})


@torch_class("nn.ZeroGrad")
class ZeroGrad(StatedGradient):
    """Returns its input; its gradient is 0.

    Source: torch/nn ZeroGrad.lua.
    """

    def compute(self, input: Any) -> Tensor:
        return one_tensor(self, input)

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        return zeros_like(input), ()

    def keep(self, input: Any, result: Any) -> Any:
        return share_memory(self.output, result)


@torch_class("nn.L1Penalty")
class L1Penalty(StatedGradient):
    """Returns its input, and keeps `l1weight` times the sum of its magnitudes in `loss`.

    Parameters
    ----------
    l1weight : float
    sizeAverage : bool, default False
        Whether the weight is divided by the number of elements.
    provideOutput : bool, default True
        Whether the gradient of the output joins that of the penalty.

    Source: torch/nn L1Penalty.lua.
    """

    sizeAverage: bool = False
    loss: float

    def __init__(
        self, l1weight: float, sizeAverage: bool | None = None, provideOutput: bool | None = None
    ) -> None:
        super().__init__()
        self.l1weight = l1weight
        self.sizeAverage = bool(sizeAverage)
        self.provideOutput = given(provideOutput, True)

    def compute(self, input: Any) -> tuple[Tensor, Tensor]:
        x = one_tensor(self, input)
        return x, ops.norm(x, p=1) * self._weight(x)

    def _weight(self, x: Tensor) -> float:
        return self.l1weight / x.size if self.sizeAverage else self.l1weight

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        penalty = ops.sign(input) * self._weight(input)
        return penalty + fitted(self, gradOutput, input) if self.provideOutput else penalty, ()

    def keep_extras(self, *extras: Any) -> None:
        (loss,) = extras
        self.loss = loss.item()

    def keep(self, input: Any, result: Any) -> Any:
        return input
