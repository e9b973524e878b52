"""nn.Module: fields, the two ways to call a module, and how it is read and written.

A module states its arithmetic once, in `compute`, on registered operations. The base class
makes both protocols of it: Torch's (`updateOutput`, whose `output` is the same tensor at
every call) and the framework's (`module(x)`, whose outputs are fresh).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self, TypeVar

import numpy as np

from rekindle.core import checkpoint
from rekindle.core.autograd import no_grad
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty
from rekindle.core.dtypes import Dtype, is_floating
from rekindle.core.errors import RekindleError
from rekindle.core.tensor import Parameter, Tensor

from .gradients import Gradients
from .torch7.types import cpu_typename, dtype_of
from .values import NOTHING, builds_graph
from .values import as_input as as_input
from .values import as_torch as as_torch
from .values import detached_copy as detached_copy
from .values import replace_contents as replace_contents
from .values import share_memory as share_memory
from .values import tensors_in as tensors_in

M = TypeVar("M", bound="Module")


class ModuleError(RekindleError, RuntimeError):
    """A module that cannot compute: of an unknown class, or given what it cannot take."""


class InputTypeError(ModuleError, TypeError):
    """An input whose type is not the module's."""


class ArgumentError(ModuleError, ValueError):
    """A value that a module's constructor or field does not take."""


def torch_class(typename: str, version: int = 1) -> Callable[[type[M]], type[M]]:
    """Register a module class under the name that Torch7 files give it.

    Parameters
    ----------
    typename : str
        As in `torch.class`: "nn.Linear".
    version : int
        What Torch7 writes as the class's `__version`.
    """

    def register(cls: type[M]) -> type[M]:
        cls.t7_typename = typename
        cls.t7_version = version
        checkpoint.register(typename, cls)
        return cls

    return register


F = TypeVar("F", bound=Callable[..., Any])


def both_protocols(update_output: F) -> F:
    """Mark an `updateOutput` beside which `module(x)` computes the same in fresh tensors.

    An override without the mark, in a subclass or stored in an instance, is all there is.
    """
    update_output.both_protocols = True  # type: ignore[attr-defined]
    return update_output


@torch_class("nn.Module")
class Module(Gradients):
    """The base of all LuaTorch modules.

    The attributes in the instance's `__dict__` are exactly the Lua object's fields, with
    Lua's names; attributes of the class are the values of fields that old files lack.

    Attributes
    ----------
    output : Tensor or Table
        What the last `updateOutput` returned: the same tensor every time, its contents replaced.
    gradInput : Tensor or Table
        Likewise for `updateGradInput`.
    train : bool
        Training mode; see `training()` and `evaluate()`.

    Source: torch/nn Module.lua.
    """

    t7_typename: ClassVar[str]
    t7_version: ClassVar[int]

    parameter_fields: ClassVar[tuple[tuple[str, str], ...]] = (
        ("weight", "gradWeight"),
        ("bias", "gradBias"),
    )
    """Fields that are trained, each with the field of its gradient."""

    buffer_fields: ClassVar[tuple[str, ...]] = ()
    """Fields that belong to the model's state and are not trained."""

    train: bool = True
    inplace: bool = False
    weight: Any = None
    bias: Any = None
    output: Any = None
    gradInput: Any = None
    _type: str = "torch.DoubleTensor"

    def __init__(self) -> None:
        self.output = empty(0, dtype_of(self._type))
        self.gradInput = empty(0, dtype_of(self._type))
        self._type = "torch.DoubleTensor"

    # -- the arithmetic, stated by each class -------------------------------------------

    def prepare(self, input: Any) -> None:
        """Do what must happen before `compute`: draw noise, size buffers."""

    def compute(self, input: Any) -> Any:
        """Return the output for `input`, from operations on `input` and the fields.

        Pure: it writes no field, so that it can be evaluated again for a gradient. A tuple
        `(output, *extras)` hands the extras to `remember`.
        """
        raise ModuleError(f"{self.t7_typename} defines no forward pass")

    def remember(self, *extras: Any) -> None:
        """Keep what `compute` returned beside the output in the fields Torch keeps it in."""

    def _evaluate(self, input: Any) -> Any:
        self.check_input(input)
        with no_grad():
            self.prepare(input)
        result = self.compute(input)
        if isinstance(result, tuple):
            result, *extras = result
            with no_grad():
                self.remember(*extras)
        return result

    # -- Torch's protocol ---------------------------------------------------------------

    @both_protocols
    def updateOutput(self, input: Any) -> Any:
        """Compute the output for `input`, keep it in `self.output` and return it."""
        with as_torch():
            input = as_input(input)
            self.output = self.keep(input, self._evaluate(input))
        return self.output

    def keep(self, input: Any, result: Any) -> Any:
        """Return what `self.output` becomes: the same tensor, with the result in its own memory.

        In-place modules write the result into the input, and the output views it. Classes
        whose output in Torch7 is the input itself or a view of it say so here.
        """
        if (target := self.written(input)) is not None:
            return share_memory(self.output, target.copy_(result))
        return replace_contents(self.output, result)

    def written(self, input: Any) -> Tensor | None:
        """Return the tensor of `input` that an in-place module writes its output into."""
        return input if self.inplace and isinstance(input, Tensor) else None

    def forward(self, input: Any) -> Any:
        """Return `updateOutput(input)`."""
        return self.updateOutput(input)

    # -- the framework's protocol -------------------------------------------------------

    def __call__(self, input: Any = NOTHING) -> Any:
        """Return the output for `input` in fresh tensors; fields `output` stay as they are.

        Called on nodes of a graph, or on nothing, return a new node: see nngraph.
        """
        if builds_graph(input):
            from .nngraph.build import connect

            return connect(self, input)
        with np.errstate(all="ignore"):
            return self._outermost(as_input(input))

    def __neg__(self) -> Any:
        """Return a node that is an input of a graph: `-module` is `module()`."""
        return self()

    def __sub__(self, following: Any) -> Any:
        """Return the node of `following` on what this module computes: nngraph's `-`."""
        return following(self)

    def _outermost(self, input: Any) -> Any:
        return self._fresh(input)

    def _fresh(self, input: Any) -> Any:
        if self._torch_only():
            return detached_copy(self.updateOutput(input))
        return self._evaluate(input)

    def _torch_only(self) -> bool:
        """Whether only `updateOutput` says what this module computes."""
        return not getattr(self.updateOutput, "both_protocols", False)

    # -- fields -------------------------------------------------------------------------

    @property
    def dtype(self) -> Dtype:
        """The dtype that belongs to the module's tensor type."""
        return dtype_of(self._type)

    def check_input(self, input: Any) -> None:
        """Check that floating inputs are of the module's own type, as Torch7 asks.

        Raises
        ------
        InputTypeError
            If a tensor of `input` has another floating dtype.
        """
        for tensor in tensors_in(input):
            if is_floating(tensor.dtype) and tensor.dtype != self.dtype:
                raise InputTypeError(
                    f"{self.t7_typename} is of type {self._type} and takes {self.dtype} "
                    f"tensors; given {tensor.dtype} of shape {tensor.shape}: "
                    f"convert the input with .astype('{self.dtype}')"
                )

    def children(self) -> Iterator[tuple[str, Any]]:
        """Yield the modules inside this one, each with its Lua path (`modules[1]`)."""
        return iter(())

    def named_modules(self, path: str = "") -> Iterator[tuple[str, Any]]:
        """Yield this module and all below it, each once, with its Lua path.

        Objects of unknown classes are yielded too.
        """
        pending: list[tuple[str, Any]] = [(path, self)]
        seen: set[int] = set()
        while pending:
            path, module = pending.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield path, module
            if isinstance(module, Module):
                below = [(f"{path}.{name}" if path else name, m) for name, m in module.children()]
                pending.extend(reversed(below))

    def parameters(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return the trained tensors and their gradients, in Torch7's order."""
        weights: list[Tensor] = []
        gradients: list[Any] = []
        for name, gradient in self.parameter_fields:
            if isinstance(value := getattr(self, name, None), Tensor):
                weights.append(value)
                gradients.append(getattr(self, gradient, None))
        return weights, gradients

    def training(self) -> Self:
        """Set training mode here and below."""
        return self._set_train(True)

    def evaluate(self) -> Self:
        """Set evaluation mode here and below."""
        return self._set_train(False)

    def _set_train(self, train: bool) -> Self:
        for _, module in self.named_modules():
            if isinstance(module, Module):
                module.train = train
        return self

    # -- reading and writing ------------------------------------------------------------

    def t7_restore(self, version: int, fields: Table) -> None:
        """Become the object that a file holds: its fields, upgraded from old versions."""
        take_fields(self, fields)
        self.upgrade(version)
        for name, gradient in self.parameter_fields:
            tensor = self.__dict__.get(name)
            if isinstance(tensor, Tensor) and is_floating(tensor.dtype):
                as_parameter(tensor, self.__dict__.get(gradient))

    def upgrade(self, version: int) -> None:
        """Turn fields of an older version of the class into today's."""

    def t7_fields(self) -> Table:
        """Return the fields as a file holds them."""
        return Table(self.__dict__)

    def __repr__(self) -> str:
        return self.t7_typename


def take_fields(owner: Any, fields: Table) -> None:
    """Make the fields of a file the attributes of a module or criterion.

    Their strings become text where the file was read with bytes (encoding=None), for they
    are names of types, modes and the like; GPU types become those of the CPU.
    """
    for name, value in fields.items():
        is_bytes = isinstance(value, bytes)
        owner.__dict__[name] = value.decode("utf-8", "surrogateescape") if is_bytes else value
    if "_type" in owner.__dict__:
        owner._type = cpu_typename(owner._type)


def as_parameter(tensor: Tensor, gradient: Tensor | None = None) -> Parameter:
    """Make a tensor the Parameter it is in its module, keeping its identity.

    Tensors are shared between modules by identity, so a new object would break the tie.
    """
    tensor.__class__ = Parameter
    tensor.requires_grad = True
    tensor.grad = gradient
    assert isinstance(tensor, Parameter)
    return tensor
