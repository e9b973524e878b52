"""Modules and criterions as functions of their parameters: what autograd.functionalize returns.

Source: twitter/torch-autograd src/nnwrapper.lua.
"""

from __future__ import annotations

from typing import Any

from rekindle.core.autograd import Context, Function, enable_grad, once_differentiable
from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.torch_types import tensor_class
from rekindle.core.creation import tensor, zeros_like
from rekindle.core.dtypes import is_floating
from rekindle.core.tensor import Tensor

from ..values import as_input, as_torch, detached_copy, map_tensors, tensors_in
from .calls import NODES, PLAIN, marked
from .gradients import AutogradError
from .values import plain


def has_parameters(module: Any) -> bool:
    """Whether a module has parameters, which its function then takes first."""
    return bool(module.parameters()[0])


def parameters_of(module: Any) -> Table:
    """Return the parameters of a module in the order in which its function takes them."""
    return Table(module.parameters()[0])


class ModuleCall:
    """One call of a module's function."""

    def __init__(self, module: Any, parameters: list[Tensor], input: Any) -> None:
        self.module = module
        self.parameters = [p.detach() for p in parameters]
        self.input = map_tensors(lambda t: t.detach(), input)
        self._left: list[tuple[int, int]] = []
        self.run()

    def _place(self) -> None:
        """Let the module's parameters be those of this call, in its type."""
        first = next((t for t in tensors_in(self.input) if is_floating(t.dtype)), None)
        if first is not None and self.module.dtype != first.dtype:
            self.module.type(tensor_class(first.dtype))
        own = self.module.parameters()[0]
        if len(own) != len(self.parameters):
            raise AutogradError(
                f"{self.module.t7_typename} has {len(own)} parameters; its function was given "
                f"{len(self.parameters)}"
            )
        for kept, given in zip(own, self.parameters, strict=True):
            if kept.dtype != given.dtype or kept.size != given.size:
                raise AutogradError(
                    f"{self.module.t7_typename} takes a parameter of shape {kept.shape} and type "
                    f"{kept.dtype}; given {given.shape}, {given.dtype}: autograd.util.cast "
                    "changes the type of a table of parameters"
                )
            kept.set_(given if kept.shape == given.shape else given.reshape(kept.shape))

    def run(self) -> None:
        """Compute the output."""
        with as_torch():
            self._place()
            self.output = detached_copy(self.module.updateOutput(self.input))
        self._left = self._state()

    def _state(self) -> list[tuple[int, int]]:
        return [(id(t), t.version) for t in tensors_in(self.module.output)]

    def back(self, gradOutput: Any) -> list[Tensor | None]:
        """Return the gradients of the parameters, then of the input's tensors."""
        with as_torch():
            if self._left != self._state():  # it has computed something else since
                self.run()
            else:
                self._place()
            self.module.zeroGradParameters()
            found = self.module.backward(self.input, gradOutput)
            weights = [g.clone() for g in self.module.parameters()[1]]
            inputs = [g.clone() for g in tensors_in(found)]
        return [*weights, *_fitting(self.input, inputs)]


class CriterionCall:
    """One call of a criterion's function."""

    def __init__(self, criterion: Any, input: Any, target: Any) -> None:
        self.criterion = criterion
        self.input, self.target = (
            map_tensors(lambda t: t.detach(), value) for value in (input, target)
        )
        with as_torch():
            self._place()
            loss = criterion.forward(self.input, self.target)
        self.output = tensor(float(loss), "float64")

    def _place(self) -> None:
        first = next((t for t in tensors_in(self.input) if is_floating(t.dtype)), None)
        if first is not None:
            self.criterion.type(tensor_class(first.dtype))

    def back(self, gradOutput: Tensor) -> list[Tensor | None]:
        """Return the gradients of the input's tensors; targets have none."""
        with as_torch():
            self._place()
            self.criterion.forward(self.input, self.target)
            found = self.criterion.backward(self.input, self.target)
            scale = gradOutput.item()
            return _fitting(self.input, [g * scale for g in tensors_in(found)])


def _fitting(input: Any, found: list[Tensor]) -> list[Tensor | None]:
    """Return one gradient for each tensor of an input, in its shape; None for those without."""
    given = list(tensors_in(input))
    missing = [None] * (len(given) - len(found))
    fitting = [
        g.reshape(x.shape) if is_floating(x.dtype) and g.size == x.size else None
        for x, g in zip(given, found, strict=False)
    ]
    return [*fitting, *missing]


class _Step(Function):
    """A call as a step of the graph."""

    @staticmethod
    def forward(ctx: Context, *args: Any) -> Any:
        ctx.call = args[0]  # type: ignore[attr-defined]  # contexts take any attribute
        return tuple(tensors_in(args[0].output))

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, *gradients: Any) -> Any:
        call: Any = ctx.call  # type: ignore[attr-defined]
        arrived = iter(gradients)

        def given(output: Tensor) -> Tensor:
            g = next(arrived)
            return zeros_like(output) if g is None else g.detach()

        return (None, *call.back(map_tensors(given, call.output)))


def call_module(module: Any, parameters: Any, input: Any, nodes: bool) -> tuple[Any, ...]:
    """Return the output of a module for parameters and an input, with what it is to Lua.

    Parameters
    ----------
    module : Module
    parameters : Table of Tensor, or None
    input : Tensor or Table
    nodes : bool
        Whether there are nodes among these, so that the call is recorded.
    """
    given = parameters.array() if parameters is not None else []
    input = as_input(input)
    call = ModuleCall(module, given, input)
    return _recorded(call, (*given, *tensors_in(input)), nodes)


def call_criterion(criterion: Any, input: Any, target: Any, nodes: bool) -> tuple[Any, ...]:
    """Return the loss of a criterion, with what it is to Lua; see `call_module`."""
    input = as_input(input)
    call = CriterionCall(criterion, input, as_input(target))
    return _recorded(call, tuple(tensors_in(input)), nodes)


def _recorded(call: Any, operands: tuple[Tensor, ...], nodes: bool) -> tuple[Any, ...]:
    if not nodes:
        return PLAIN, plain(call.output)
    with enable_grad():
        found = _Step.apply(call, *operands)
    results = iter(found)
    output = map_tensors(lambda _: next(results), call.output)
    if isinstance(output, Tensor):
        return marked(output)
    return NODES, output
