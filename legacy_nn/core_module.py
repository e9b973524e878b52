"""Modules of the two families inside each other.

`CoreModule` lets a module of `rekindle.core.nn` stand in a legacy container, which makes one
of it when it is added. `LegacyModule` lets a legacy module stand in one of core: the method
`as_core_module` gives it, which `core.nn` asks for when a module is assigned to an attribute.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self

from rekindle.core import nn
from rekindle.core.autograd import grad
from rekindle.core.backend import CPU, Device
from rekindle.core.checkpoint import Table
from rekindle.core.creation import zeros_like
from rekindle.core.dtypes import Dtype, is_floating
from rekindle.core.nn.conversion import Memo, convert_
from rekindle.core.tensor import Parameter, Tensor
from rekindle.core.text import printable

from .classes import both_protocols
from .conversion import Cache, device_for
from .errors import ArgumentError, ModuleError
from .module import Module
from .naming import Place, own_state, root_place, walk
from .torch7.types import dtype_of
from .values import as_input, as_torch, map_tensors, paired, tensors_in

CORE_TYPE = "rekindle.CoreModule"

_TYPES = {"float16": "Half", "float32": "Float", "float64": "Double"}


class CoreModule(Module):
    """A module of core.nn as a legacy module: `nn.Sequential():add(core_module)` makes one.

    Parameters
    ----------
    core : core.nn.Module
        A Tensor is its one argument, a Table its arguments in order; tuples and lists that it
        returns become Tables. It is not converted: `container.float()` does that, for all.

    Attributes
    ----------
    core : core.nn.Module

    Notes
    -----
    In training, `backward` goes through the graph of the last forward, so that what that drew
    holds; it runs the module again where inputs or weights were written to since, and in
    evaluation mode, where nothing is kept. No `.t7` file can hold it: saving says so.
    """

    t7_typename: ClassVar[str] = CORE_TYPE
    t7_version: ClassVar[int] = 1
    parameter_fields: ClassVar[tuple[tuple[str, str], ...]] = ()

    core: nn.Module
    _last: tuple[Any, Any, Any, Any] | None = None

    def __init__(self, core: nn.Module) -> None:
        super().__init__()
        if not isinstance(core, nn.Module):
            raise ArgumentError(
                f"CoreModule takes a module of rekindle.core.nn; given {type(core).__name__}"
            )
        self.core = core
        floats = [p.dtype for p in core.parameters() if is_floating(p.dtype)]
        if floats:
            self._type = f"torch.{_TYPES[floats[0].name]}Tensor"
        self.train = core.training

    def check_input(self, input: Any) -> None:
        """Leave it to the module of core."""

    def compute(self, input: Any) -> Any:
        return as_input(self.core(*_arguments(input)))

    # -- Torch's protocol ---------------------------------------------------------------

    @both_protocols
    def updateOutput(self, input: Any) -> Any:
        with as_torch():
            input = as_input(input)
            if self.train:
                leaves, result = self._on_graph(input)
                self._last = self._state(input), input, leaves, result
            else:
                self._last, result = None, self.compute(input)
            self.output = map_tensors(lambda t: t.detach(), result)
        return self.output

    def _state(self, input: Any) -> Any:
        """Return what a graph was recorded from: which tensors, and how often written."""
        return [(id(t), t.version) for t in (*tensors_in(input), *self.core.parameters())]

    def _graph(self, input: Any) -> tuple[Any, Any]:
        if self._last is not None and self._last[0] == self._state(input):
            return self._last[2:]
        return self._on_graph(input)

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        return self._gradients(input, gradOutput)[0]

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with as_torch():
            found = self._gradients(as_input(input), as_input(gradOutput))[1]
            for gradient, g in zip(self.parameters()[1], found, strict=True):
                gradient.add_(g if scale == 1 else g * scale)

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        with as_torch():
            input, gradOutput = as_input(input), as_input(gradOutput)
            of_input, found = self._gradients(input, gradOutput)
            self.gradInput = self.keep_gradient(input, gradOutput, of_input)
            for gradient, g in zip(self.parameters()[1], found, strict=True):
                gradient.add_(g if scale == 1 else g * scale)
        return self.gradInput

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        with as_torch():
            found = self._gradients(as_input(input), as_input(gradOutput))[1]
            for p, g in zip(self.parameters()[0], found, strict=True):
                p.detach().sub_(g * lr)

    def _gradients(self, input: Any, gradOutput: Any) -> tuple[Any, list[Tensor]]:
        """Return the gradients of the input and of the parameters."""
        leaves, result = self._graph(input)
        inputs = [t for t in tensors_in(leaves) if is_floating(t.dtype)]
        targets = [*inputs, *self.parameters()[0]]
        pairs = paired(self, result, gradOutput)
        found: Sequence[Tensor | None] = [None] * len(targets)
        if pairs and targets:
            outputs, arrived = ([p[k] for p in pairs] for k in (0, 1))
            found = grad(outputs, targets, arrived, retain_graph=True, allow_unused=True)
        full = [zeros_like(t) if g is None else g for t, g in zip(targets, found, strict=True)]
        return self._arranged(leaves, iter(full)), full[len(inputs) :]

    # -- parameters ---------------------------------------------------------------------

    def parameters(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return the Parameters that are trained, and their gradients: zeros where none were."""
        weights: list[Tensor] = [p for p in self.core.parameters() if p.requires_grad]
        return weights, [_gradient(p) for p in weights]

    def reset(self, stdv: float | None = None) -> Self:
        """Draw new Parameters in all modules of core inside that can."""
        for module in self.core.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
        return self

    def share(self, mlp: Any, *names: str) -> Self:
        """Let Parameters called `names` (weight, gradWeight, ...) view those of `mlp`."""
        others = dict(mlp.core.named_parameters())
        for path, own in self.core.named_parameters():
            field = path.rpartition(".")[2]
            gradient = f"grad{field[:1].upper()}{field[1:]}"
            if field in names:
                own.set_(others[path].detach())
            if gradient in names:
                _gradient(own).set_(_gradient(others[path]).detach())
        return self

    # -- modes, types, text ---------------------------------------------------------------

    def training(self) -> Self:
        self.core.train()
        return super().training()

    def evaluate(self) -> Self:
        self.core.eval()
        return super().evaluate()

    def type(self, type: str | None = None, tensorCache: Cache | None = None) -> Any:
        if type is not None:
            self._last = None
            tensorCache = {} if tensorCache is None else tensorCache
            _convert(self.core, type, tensorCache)
        return super().type(type, tensorCache)

    def clearState(self) -> Self:
        self._last = None
        return super().clearState()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_last"}

    def t7_fields(self) -> Table:
        """Refuse: Torch7 has no such class.

        Raises
        ------
        ModuleError
            Always.
        """
        raise ModuleError(
            f"a module of core.nn, {type(self.core).__name__}, cannot be written to a .t7 file: "
            "Torch7 has no class for it; save its state_dict() instead, or take it out of the "
            "model first"
        )

    def __repr__(self) -> str:
        return f"core.nn.{self.core!r}"


def _convert(core: nn.Module, typename: str, cache: Cache) -> None:
    """Convert a module of core, and keep what it shares with modules that the cache knows of.

    core converts its tensors themselves where legacy modules get new ones: a Parameter that a
    legacy module had as well becomes the new one, and storages are converted once for both.
    """
    memo: Memo = {}
    modules = list(core.modules())
    for module in modules:
        for name, parameter in list(module.own_parameters()):
            known = cache.get(parameter)
            if known is not None and getattr(module, name, None) is parameter:
                setattr(module, name, known)
        for _, tensor in (*module.own_parameters(), *module.own_buffers()):
            for part in (tensor, tensor.grad):
                found = None if part is None else cache.get(part.storage())
                if part is not None and found is not None:
                    memo[id(part.storage())] = part.storage(), found
    for module in modules:
        module.convert_own(dtype_of(typename), device_for(typename), memo)
    for storage, converted in memo.values():
        cache[storage] = converted


class LegacyModule(nn.Module):
    """A legacy module as a module of core.nn: assigning one to an attribute makes one.

    Its parameters and buffers are registered under the names that `rekindle convert` gives
    them ("0.weight"), read anew whenever they are asked for. `train`, `eval`, `to` and
    `zero_grad` reach it; Parameters keep their identity through `to`, as elsewhere in core.

    Parameters
    ----------
    legacy : legacy_nn.Module

    Attributes
    ----------
    legacy : legacy_nn.Module
        The module itself.
    """

    legacy: Module

    def __init__(self, legacy: Module) -> None:
        super().__init__()
        object.__setattr__(self, "legacy", legacy)  # assigned, it would be wrapped once more
        self.training = bool(legacy.train)

    def forward(self, *inputs: Any) -> Any:
        """Return the output in fresh tensors; several inputs are the elements of a Table.

        Output tables are tuples.
        """
        self.tie_gradients()
        output = self.legacy(inputs[0] if len(inputs) == 1 else Table(map(as_input, inputs)))
        return _as_core(output)

    def tie_gradients(self) -> None:
        """Make fields such as gradWeight the gradients again, where an optimiser dropped these.

        A gradient of None stands for zeros; the field keeps its memory, which may be a part of
        what getParameters returned.
        """
        for place in walk(root_place(self.legacy)):
            if not isinstance(place.value, Module):
                continue
            for name, gradient in place.value.parameter_fields:
                parameter = getattr(place.value, name, None)
                field = vars(place.value).get(gradient)
                if isinstance(parameter, Tensor) and isinstance(field, Tensor):
                    if parameter.grad is field:
                        continue
                    if parameter.grad is None:
                        field.zero_()
                    else:
                        field.copy_(parameter.grad.detach())
                    parameter.grad = field

    # -- what is inside -----------------------------------------------------------------

    def _tensors(self, kind: str) -> Iterator[tuple[str, Tensor]]:
        for place in walk(root_place(self.legacy)):
            if isinstance(place.value, CoreModule):
                yield from _inside_core(place, kind)
            else:
                yield from ((e.name, e.tensor) for e in own_state(place) if e.kind == kind)

    def own_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield the Parameters of the legacy module, with their names."""
        yield from ((n, p) for n, p in self._tensors("parameter") if isinstance(p, Parameter))

    def own_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the buffers of the legacy module, such as running means, with their names."""
        yield from self._tensors("buffer")

    def train(self, mode: bool = True) -> Self:
        """Set training or evaluation mode, in the legacy module too."""
        self.legacy.training() if mode else self.legacy.evaluate()
        return super().train(mode)

    def zero_own_grad(self, set_to_none: bool) -> None:
        """Set the gradients to zero; they stay the tensors that the legacy fields hold."""
        self.tie_gradients()
        self.legacy.zeroGradParameters()

    def convert_own(self, dtype: Dtype | None, device: Device | None, memo: Memo) -> None:
        """Convert the legacy module; its Parameters, gradients and buffers keep identity."""
        self.tie_gradients()
        wanted = self.legacy.dtype if dtype is None else dtype
        kind = _TYPES[wanted.name]
        current = next((t.device for _, t in self._tensors("parameter")), None)
        place = device or current
        on_gpu = place is not None and place != CPU
        for name in ("parameter", "buffer", "gradient"):
            for _, tensor in self._tensors(name):
                convert_(tensor, wanted, device, memo)
        cuda = {"Float": "torch.CudaTensor"}.get(kind, f"torch.Cuda{kind}Tensor")
        self.legacy.type(cuda if on_gpu else f"torch.{kind}Tensor")

    def extra_repr(self) -> str:
        """Return the legacy module's text."""
        return repr(self.legacy)


def _inside_core(place: Place, kind: str) -> Iterator[tuple[str, Tensor]]:
    module: nn.Module = place.value.core
    found: Any = {"parameter": module.named_parameters, "buffer": module.named_buffers}.get(kind)
    for name, tensor in found() if found else ():
        yield ".".join(filter(None, (place.name, printable(name)))), tensor


def _arguments(input: Any) -> tuple[Any, ...]:
    """Return the arguments that a module of core gets for an input of a legacy module."""
    if isinstance(input, Table):
        return tuple(_as_core(x) for x in input.array())
    return (input,)


def _as_core(value: Any) -> Any:
    return tuple(_as_core(x) for x in value.array()) if isinstance(value, Table) else value


def _gradient(parameter: Tensor) -> Tensor:
    """Return the gradient of a Parameter, which is zeros from now on where there was none."""
    if parameter.grad is None:
        parameter.grad = zeros_like(parameter.detach())
    return parameter.grad
