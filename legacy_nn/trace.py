"""What every module inside a model computes for an input: the calls, in order.

`trace` takes legacy models, modules of core.nn, and modules of PyTorch, which are known by
their methods: nothing of PyTorch is imported. Arrays are copied as they come, because modules
may write into what others gave them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rekindle.core.checkpoint import Table
from rekindle.core.dtypes import is_floating
from rekindle.core.errors import RekindleError
from rekindle.core.nn import Module as CoreModule
from rekindle.core.tensor import Tensor

from .module import Module
from .naming import root_place, walk
from .values import tensors_in

Array = np.ndarray[Any, Any]


class TraceError(RekindleError, ValueError):
    """A model that cannot be traced, or that does not take its input."""


@dataclass(slots=True, eq=False)
class Call:
    """One call of one module.

    Attributes
    ----------
    path : str
        Where the module is, as its own family writes it: `modules[3].modules[1]`, `layer1.0`.
    name : str
        The same with 0-based numbers, as in converted files.
    module : object
    inputs, outputs : list of ndarray
        Tables and tuples are listed element after element.
    leaf : bool
        Whether no module inside was called.
    grad_inputs : list of ndarray
        Gradients of the inputs, where they were asked for.
    read, wrote : list
        In legacy models, the tensors themselves: what one module wrote is what another reads.
    depth : int
        How many modules are around it.
    """

    path: str
    name: str
    module: Any
    inputs: list[Array] = field(repr=False)
    outputs: list[Array] = field(default_factory=list, repr=False)
    leaf: bool = True
    grad_inputs: list[Array] = field(default_factory=list, repr=False)
    read: list[Tensor] = field(default_factory=list, repr=False)
    wrote: list[Tensor] = field(default_factory=list, repr=False)
    depth: int = 0

    @property
    def kind(self) -> str:
        """The name of the module's class."""
        return getattr(self.module, "t7_typename", None) or type(self.module).__name__


@dataclass(slots=True, eq=False)
class Trace:
    """The calls of a model's modules, each after those inside it.

    Attributes
    ----------
    calls : list of Call
    gradients : dict of str to ndarray
        Gradients of the parameters by 0-based name, where they were asked for.
    """

    calls: list[Call] = field(default_factory=list)
    gradients: dict[str, Array] = field(default_factory=dict)
    _open: list[Call] = field(default_factory=list, repr=False)

    def begin(self, path: str, name: str, module: Any, inputs: Any) -> Call:
        """Note that a module was called."""
        if self._open:
            self._open[-1].leaf = False
        read = list(tensors_in(inputs)) if isinstance(inputs, (Tensor, Table)) else []
        call = Call(path, name, module, arrays_in(inputs), read=read, depth=len(self._open))
        self._open.append(call)
        return call

    def end(self, outputs: Any) -> Any:
        """Note what it returned; return that."""
        call = self._open.pop()
        call.outputs = arrays_in(outputs)
        if isinstance(outputs, (Tensor, Table)):
            call.wrote = list(tensors_in(outputs))
        self.calls.append(call)
        return outputs

    @property
    def leaves(self) -> list[Call]:
        """The calls of modules that called none inside."""
        return [call for call in self.calls if call.leaf]

    @property
    def current(self) -> str:
        """The path of the module that was called last and has not returned."""
        return self._open[-1].path if self._open else ""


def trace(model: Any, x: Any, *, grad: Any = None, train: bool = False) -> Trace:
    """Run a model and return what every module inside was given and returned.

    Parameters
    ----------
    model : legacy_nn.Module, core.nn.Module or torch.nn.Module
    x : Tensor, ndarray, number, or Table, tuple or list of these
        The input. Floats are converted to the model's type.
    grad : True, Tensor or Table, optional
        Go back too, from this gradient of the output; True means ones. For legacy models.
    train : bool
        Whether the model runs in training mode; its own modes are put back afterwards.

    Raises
    ------
    TraceError
        If the model is none, or does not take the input; it says where it stopped.
    """
    found = Trace()
    with ExitStack() as stack:
        if isinstance(model, Module):
            run = _legacy(model, found, stack, train)
        elif isinstance(model, CoreModule) or hasattr(model, "register_forward_hook"):
            run = _hooked(model, found, stack, train)
        else:
            raise TraceError(
                f"a {type(model).__name__} is no model: legacy modules, modules of core.nn and "
                "modules of PyTorch are"
            )
        try:
            output = run(x)
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError,
                ValueError) as error:  # fmt: skip
            where = found.current or "the model"
            raise TraceError(f"{where} does not take its input: {error}") from error
        if grad is not None and grad is not False:
            if not isinstance(model, Module):
                raise TraceError("gradients are traced in legacy models")
            _go_back(model, x, output, grad, found)
    return found


# -- legacy models --------------------------------------------------------------------------


def _legacy(model: Module, found: Trace, stack: ExitStack, train: bool) -> Callable[[Any], Any]:
    places = {}
    stack.callback(_forget_recorders, model)
    for place in walk(root_place(model)):
        if isinstance(place.value, Module):
            places[id(place.value)] = place
            path = place.lua_path or "(the model)"
            stack.enter_context(_watched(place.value, path, place.name, found))
    stack.callback(_set_modes, "train", [(p.value, p.value.train) for p in places.values()])
    model.training() if train else model.evaluate()
    dtype = model.dtype

    def run(x: Any) -> Any:
        return model.forward(_as_legacy(x, dtype))

    return run


@contextmanager
def _watched(module: Module, path: str, name: str, found: Trace) -> Iterator[None]:
    """Put methods that record in the place of a module's own, for a while."""
    fields = vars(module)
    methods = {n: getattr(module, n) for n in ("updateOutput", "backward", "updateGradInput")}
    before = {n: fields[n] for n in methods if n in fields}
    calls: list[Call] = []

    def updateOutput(input: Any) -> Any:
        calls.append(found.begin(path, name, module, input))
        return found.end(methods["updateOutput"](input))

    def recording(method: Callable[..., Any]) -> Callable[..., Any]:
        def going_back(*args: Any) -> Any:
            gradient = method(*args)
            waiting = [call for call in calls if not call.grad_inputs]
            if waiting:  # at once: what works in place may write into it later
                waiting[-1].grad_inputs = arrays_in(gradient)
            return gradient

        return going_back

    recorders = {"updateOutput": updateOutput}
    recorders |= {n: recording(methods[n]) for n in ("backward", "updateGradInput")}
    for n, recorder in recorders.items():
        recorder.both_protocols = getattr(methods[n], "both_protocols", False)  # type: ignore[attr-defined]
        recorder.__module__ = getattr(methods[n], "__module__", "")
        recorder.records = True  # type: ignore[attr-defined]
        fields[n] = recorder
    try:
        yield
    finally:
        for n in recorders:
            fields.pop(n, None)
        fields.update(before)


def _forget_recorders(model: Module) -> None:
    """Take recorders off the clones that recurrent modules made of what was recorded."""
    pending: list[Any] = [model]
    seen: set[int] = set()
    while pending:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Module):
            fields = vars(value)
            for name in ("updateOutput", "backward", "updateGradInput"):
                if getattr(fields.get(name), "records", False):
                    del fields[name]
            pending += fields.values()
        elif isinstance(value, Table):
            pending += value.values()


def _as_legacy(x: Any, dtype: Any) -> Any:
    if isinstance(x, Table):
        return Table({key: _as_legacy(value, dtype) for key, value in x.items()})
    if isinstance(x, (tuple, list)):
        return Table([_as_legacy(value, dtype) for value in x])
    tensor = Tensor(_array(x))
    return tensor.astype(dtype) if is_floating(tensor.dtype) else tensor


def _go_back(model: Module, x: Any, output: Any, grad: Any, found: Trace) -> None:
    from rekindle.core.creation import full

    from .values import map_tensors

    if grad is True:
        grad = map_tensors(lambda t: full(t.shape, 1, t.dtype, t.device), output)
    model.zeroGradParameters()
    model.backward(_as_legacy(x, model.dtype), _as_legacy(grad, model.dtype))
    for place in walk(root_place(model)):
        if isinstance(place.value, Module):
            for parameter, gradient in place.value.parameter_fields:
                value = getattr(place.value, gradient, None)
                if isinstance(value, Tensor):
                    name = f"{place.name}.{parameter}" if place.name else parameter
                    found.gradients[name] = value.numpy().copy()


# -- modules of core.nn and of PyTorch --------------------------------------------------------


def _hooked(model: Any, found: Trace, stack: ExitStack, train: bool) -> Callable[[Any], Any]:
    for name, module in model.named_modules():
        path = name or "(the model)"
        _hook(module, path, name, found, stack)
    stack.callback(_set_modes, "training", [(m, m.training) for m in model.modules()])
    model.train(train)
    dtype = next((p.dtype for p in model.parameters()), None)

    def run(x: Any) -> Any:
        arguments = x.array() if isinstance(x, Table) else x
        if not isinstance(arguments, (tuple, list)):
            arguments = (arguments,)
        if isinstance(model, CoreModule):
            return model(*(_as_core(argument, dtype) for argument in arguments))
        torch: Any = sys.modules["torch"]  # whose module this is
        with torch.no_grad():
            return model(*(_as_foreign(argument, dtype, torch) for argument in arguments))

    return run


def _hook(module: Any, path: str, name: str, found: Trace, stack: ExitStack) -> None:
    def before(_: Any, args: Any) -> None:
        found.begin(path, name, module, args)

    def after(_: Any, args: Any, output: Any) -> None:
        found.end(output)

    for handle in (
        module.register_forward_pre_hook(before),
        module.register_forward_hook(after),
    ):
        stack.callback(handle.remove)


def _as_core(x: Any, dtype: Any) -> Any:
    if isinstance(x, (tuple, list, Table)):
        return tuple(_as_core(v, dtype) for v in (x.array() if isinstance(x, Table) else x))
    tensor = Tensor(_array(x))
    return tensor.astype(dtype) if dtype is not None and is_floating(tensor.dtype) else tensor


def _as_foreign(x: Any, dtype: Any, torch: Any) -> Any:
    if isinstance(x, (tuple, list, Table)):
        return tuple(
            _as_foreign(v, dtype, torch) for v in (x.array() if isinstance(x, Table) else x)
        )
    tensor = torch.from_numpy(_array(x).copy())
    return tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor


def _set_modes(name: str, modes: list[tuple[Any, bool]]) -> None:
    for module, mode in modes:
        setattr(module, name, mode)


# -- values -----------------------------------------------------------------------------------


def arrays_in(value: Any) -> list[Array]:
    """Return copies of the arrays in a value, whichever family's tensors they are."""
    if isinstance(value, Table):
        return [tensor.detach().numpy().copy() for tensor in tensors_in(value)]
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return [array for part in value for array in arrays_in(part)]
    if isinstance(value, (Tensor, np.ndarray)) or hasattr(value, "detach"):
        return [_array(value).copy()]
    return []


def _array(value: Any) -> Array:
    """Return the NumPy array of a tensor of any family, or of a number."""
    if isinstance(value, Tensor):
        return value.detach().numpy()
    if hasattr(value, "detach"):
        plain = value.detach().cpu()
        array: Array = (plain.float() if str(plain.dtype) == "torch.bfloat16" else plain).numpy()
        return array
    return np.asarray(value)
