"""What an operation is, and what calling one does.

A call unwraps its tensors, runs the forward function on arrays and wraps the result. Where an
operand has a gradient to pass on, it records a node with just what the rules ask for.
"""

from __future__ import annotations

import functools
import inspect
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from types import MethodType
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np
from numpy import ndarray

from .. import backend
from ..autograd.modes import MODE, Mode
from ..autograd.node import Node, next_sequence, position_of
from ..autograd.views import parent_of, view_history
from ..errors import BoundsError, RekindleError, ShapeError
from ..tensor import Tensor
from .derivatives import Differentiable

P = ParamSpec("P")
R = TypeVar("R")


class OperandError(RekindleError, TypeError):
    """Something given to an operation that it does not take."""


class Sample:
    """One example call of an operation, for the tests that walk the registry.

    Parameters
    ----------
    *arrays : array_like
        The operands.
    **params
        The keyword parameters.
    """

    __slots__ = ("arrays", "params")

    def __init__(self, *arrays: Any, **params: Any) -> None:
        self.arrays = arrays
        self.params = params


Samples = Callable[[np.random.Generator], Iterable[Sample]]

SCALARS = frozenset((bool, int, float))
"""Types of operands that are passed on as they are; Python's numbers are weak in promotion."""

NUMPY_ERRORS = (ValueError, TypeError, IndexError)


class Op(Differentiable, Generic[P, R]):
    """A registered operation; calling it takes and returns tensors.

    Attributes
    ----------
    name : str
    forward : callable
        `forward(xp, *arrays, **params)` on arrays; pure, and the definition of right.
    operands : tuple of str
        Names of the operands: the parameters of `forward` annotated `Array`. The others are
        metadata and are passed on as they are.
    outputs : int
        Number of results; more than one come as a tuple.
    view : bool
        Whether the result shares memory with the first operand where it can.
    variadic : bool
        Whether calls take one sequence of tensors instead of single ones.
    samples : callable
        `samples(rng)` yields example calls.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        samples: Samples,
        output_names: tuple[str, ...],
        view: bool,
        variadic: bool,
    ) -> None:
        functools.update_wrapper(self, forward)
        signature = inspect.signature(forward)
        parameters = [*signature.parameters.values()][1:]
        self.__signature__ = signature.replace(parameters=parameters)
        self.name = forward.__name__
        self.forward = forward
        self.samples = samples
        self.output_names = output_names
        self.outputs = len(output_names)
        self.view = view
        self.variadic = variadic
        self._operands = [p for p in parameters if str(p.annotation).startswith("Array")]
        self.operands = tuple(p.name for p in self._operands)
        self.arity = len(self.operands)
        rest = [p for p in parameters if p.name not in self.operands]
        self.metadata = tuple(p.name for p in rest)
        self._defaults = {p.name: p.default for p in rest if p.default is not p.empty}
        self.vjp_rules, self.jvp_rules = {}, {}
        self.plan, self._rules = (), (None,) * self.arity

    def __call__(self, *args: P.args, **params: P.kwargs) -> R:
        """Compute the operation on tensors; arrays and numbers become operands too."""
        mode = MODE.get()
        call: Callable[..., R] = self._watched if mode.watched else self._apply
        return call(mode, args, params)

    def _apply(self, mode: Mode, args: Any, params: Any) -> Any:
        operands: Any = args
        rest: Any = ()
        if self.variadic:
            operands, rest = args[0], args[1:]
        elif len(args) > self.arity:
            operands, rest = args[: self.arity], args[self.arity :]
        elif len(args) < self.arity:
            operands = self._complete(args, params)
        arrays: list[Any] = []
        parents: list[Any] = []
        xp: Any = None
        recorded = False
        for x in operands:
            parent = None
            if isinstance(x, Tensor):
                if x._node is not None and mode.grad:
                    parent = parent_of(x)
                    recorded = recorded or parent is not None
                x = x.array
            elif x is not None and type(x) not in SCALARS:
                x = as_operand(self.name, x)
            if xp is None and hasattr(x, "dtype"):
                xp = np if type(x) is ndarray else backend.namespace(x)
            arrays.append(x)
            parents.append(parent)
        xp = xp or np
        try:
            result = self.forward(xp, *arrays, *rest, **params)
        except RekindleError:
            raise
        except NUMPY_ERRORS as error:
            raise explained(self.name, arrays, error) from error
        if self.outputs != 1:
            tensors = tuple(Tensor._wrap(xp.asarray(r)) for r in result)
            if recorded:
                self._record(operands, arrays, parents, tensors, rest, params)
            return tensors
        tensor = Tensor._wrap(result if type(result) is ndarray else xp.asarray(result))
        if recorded:
            self._record(operands, arrays, parents, (tensor,), rest, params)
        if self.view and isinstance(operands[0], Tensor):
            self._share(tensor, operands[0], (self, rest, params))
        return tensor

    def _complete(self, args: Any, params: dict[str, Any]) -> list[Any]:
        """Return all operands: those given by position, by name, and by default."""
        operands = list(args)
        for parameter in self._operands[len(args) :]:
            value = params.pop(parameter.name, parameter.default)
            if value is inspect.Parameter.empty:
                raise OperandError(f"{self.name} needs an operand {parameter.name}")
            operands.append(value)
        return operands

    def _share(self, tensor: Tensor, base: Tensor, step: Any) -> None:
        """Make `tensor` a view of `base` if it is one."""
        if backend.shares_memory(tensor._array, base.array):
            tensor._version = base._version
            tensor._node = view_history(base, step, tensor._node, "")

    def _record(
        self,
        operands: Sequence[Any],
        arrays: Sequence[Any],
        parents: Sequence[Any],
        tensors: tuple[Tensor, ...],
        rest: tuple[Any, ...],
        params: dict[str, Any],
    ) -> None:
        """Make `tensors` the outputs of a node, those of them that have gradients."""
        if not self.vjp_rules or all(t._array.dtype.kind != "f" for t in tensors):
            return
        node = Node()
        node.op, node.parents, node.sequence = self, tuple(parents), next_sequence()
        node.params = {**self._defaults, **dict(zip(self.metadata, rest, strict=False)), **params}
        node.shape = tensors[0].shape if self.outputs == 1 else tuple(t.shape for t in tensors)
        if any(type(p) is Node and p.op.outputs != 1 for p in parents):
            node.positions = tuple(position_of(x) for x in operands)
        saved: list[Any] = []
        versions: list[Any] = []
        for _, kind, k, users in self.plan:
            if not self.variadic and all(parents[u] is None for u in users):
                saved.append(None)
            elif kind == "shape":
                saved.append(
                    tuple(a.shape for a in arrays) if self.variadic else np.shape(arrays[k])
                )
            elif kind == "output":
                saved.append(tensors[k]._array)
                versions += (tensors[k]._version, 0)
            else:
                saved.append(tuple(arrays) if self.variadic else arrays[k])
                for t in operands if self.variadic else (operands[k],):
                    if isinstance(t, Tensor):
                        versions += (t._version, t._version[0])
        node.saved, node.versions = tuple(saved), tuple(versions)
        for j, t in enumerate(tensors):
            if t._array.dtype.kind == "f":
                t._node = node
                if self.outputs != 1:
                    t._index = j

    def record_on(self, operands: Sequence[Tensor], result: Tensor, **params: Any) -> Node | None:
        """Return the node of a call whose result is known to be what `result` holds."""
        parents = [parent_of(x) for x in operands]
        output = Tensor._wrap(result.array)
        self._record(operands, [x.array for x in operands], parents, (output,), (), params)
        return parent_of(output)  # type: ignore[no-any-return]

    def _watched(self, mode: Mode, args: Any, params: Any) -> Any:
        """Call under a profiler or anomaly detection."""
        start = time.perf_counter()
        result = self._apply(mode, args, params)
        seconds = time.perf_counter() - start
        tensors = result if isinstance(result, tuple) else (result,)
        if mode.watcher is not None:
            mode.watcher.record(self.name, seconds, sum(t.nbytes for t in tensors))
        for node in {parent_of(t) for t in tensors}:
            if mode.anomaly and isinstance(node, Node):
                node.trace = "".join(traceback.format_list(traceback.extract_stack()[:-2]))
        return result

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<operation {self.name}>"


def as_operand(name: str, value: Any) -> Any:
    """Return what is given beside tensors and plain numbers as an array, or as a number."""
    if hasattr(value, "dtype") or isinstance(value, (list, tuple)):
        return Tensor(value).array
    if isinstance(value, int):  # an enumeration's
        return int(value)
    raise OperandError(
        f"{name} takes tensors, arrays and numbers; given {type(value).__name__} {value!r:.60}"
    )


def explained(name: str, operands: Sequence[Any], error: Exception) -> Exception:
    """Return the error of an array library as one of ours that names operation and operands."""
    given = ", ".join(
        f"{x.dtype} of shape {x.shape}" if hasattr(x, "shape") else repr(x) for x in operands
    )
    kind = {ValueError: ShapeError, TypeError: OperandError}
    cls = next((kind[base] for base in kind if isinstance(error, base)), BoundsError)
    text = str(error).removeprefix(f"{name}: ")
    return cls(f"{name}: {text}; given {given}")
