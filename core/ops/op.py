"""What an operation is, and what calling one does.

A call unwraps its tensors, runs the forward function on arrays and wraps the result. Where an
operand has a gradient to pass on, it records a node with just what the rules ask for.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Iterable, Sequence
from types import MethodType
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np
from numpy import ndarray

from .. import backend
from ..autograd.modes import MODE, Mode
from ..autograd.node import Node, new_node, saved_version
from ..autograd.parts import pick
from ..autograd.views import parent_of, view_of
from ..backend import Batched
from ..errors import RekindleError
from ..kernels.announced import announce
from ..kernels.chains import LARGE
from ..kernels.programs import SINGLE
from ..tensor import Tensor
from ..waiting import private_cell
from .batching import BatchNamespace, BatchRule, apply
from .derivatives import Differentiable
from .direct import DirectCalls
from .fast import fast_call
from .operand import NUMPY_ERRORS, SCALARS, as_operand, explained
from .operand import OperandError as OperandError

_LARGE = LARGE * SINGLE.itemsize

P = ParamSpec("P")
R = TypeVar("R")


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


def _mark(tensor: Tensor, operands: Sequence[Any]) -> None:
    """Mark the memory of a new result as private if chains may begin there; see core/waiting.py.

    Not where something watches, which may be given what is saved.
    """
    array = tensor._array
    new = type(array) is ndarray and all(array is not x for x in operands)
    if new and backend.holds_alone(array):
        tensor._version = private_cell(array)


Samples = Callable[[np.random.Generator], Iterable[Sample]]


class Op(Differentiable, DirectCalls, Generic[P, R]):
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
    plain : bool
        Whether it is one array of one or two, without metadata; see fast.py.
    samples : callable
        `samples(rng)` yields example calls.
    batch_rule : callable or None
        What a call inside vmap does; see batching.py.
    no_batch : str
        Why there is none.
    repeated : int or None
        The operand that is the same in many calls: kernels are told its version.
    method : callable
        The quickest way to call the operation on tensors.
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
        self.defaults = {p.name: p.default for p in rest if p.default is not p.empty}
        self.plain = (
            self.operands in (("x",), ("x", "y"))
            and not (self.metadata or view or variadic)
            and self.outputs == 1
            and all(p.default is p.empty for p in self._operands)
        )
        self.vjp_rules, self.jvp_rules, self.masks = {}, {}, None
        self.plan, self._rules = (), (None,) * self.arity
        self.pullback_arrays = self._pullback_arrays
        self.batch_rule: BatchRule | None = None
        self.no_batch = ""
        self.repeated: int | None = None
        self.method: Callable[..., Any] = self
        if self.plain:
            self.method = fast_call(self, self.call)
            # Python calls what a class has, not an instance: so one class for each.
            self.__class__ = type("Op", (Op,), {"__call__": staticmethod(self.method)})

    def __call__(self, *args: P.args, **params: P.kwargs) -> R:
        """Compute the operation on tensors; arrays and numbers become operands too."""
        result: R = self.call(*args, **params)
        return result

    def call(self, *args: Any, **params: Any) -> Any:
        """Compute the operation in the general way."""
        mode = MODE.get()
        return (self._watched if mode.watched else self._apply)(mode, args, params)

    def _apply(self, mode: Mode, args: Any, params: Any) -> Any:
        operands: Any = args
        rest: Any = ()
        if self.variadic:
            operands, rest = self._sequence(args), args[1:]
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
                x = x.array if mode.watched else x._values()
            elif x is not None and type(x) not in SCALARS:
                x = as_operand(self.name, x)
            if xp is None and hasattr(x, "dtype"):
                xp = np if type(x) is ndarray else backend.namespace(x)
            elif type(x) is Batched:
                xp = backend.namespace(x)
            arrays.append(x)
            parents.append(parent)
        xp = xp or np
        try:
            if type(xp) is BatchNamespace:
                result = apply(xp, self, arrays, rest, params)
            else:
                if self.repeated is not None and isinstance(operands[self.repeated], Tensor):
                    announce(arrays[self.repeated], operands[self.repeated]._version)
                result = self.forward(xp, *arrays, *rest, **params)
        except RekindleError:
            raise
        except NUMPY_ERRORS as error:
            raise explained(self.name, arrays, error) from error
        several = self.outputs != 1
        tensors = tuple(
            Tensor._wrap(r if type(r) is ndarray else xp.asarray(r))
            for r in (result if several else (result,))
        )
        if recorded:
            if tensors[0]._array.nbytes >= _LARGE and not mode.watched:
                _mark(tensors[0], arrays)
            self._record(operands, arrays, parents, tensors, rest, params)
        if several:
            return tensors
        if self.view and isinstance(operands[0], Tensor):
            self._share(tensors[0], operands[0], (self, rest, params))
        return tensors[0]

    def _sequence(self, args: Any) -> Sequence[Any]:
        """Return the operands of a variadic call: a list or tuple, or what is iterated over."""
        try:
            return tuple(args[0])
        except (TypeError, IndexError) as error:
            given = f"given {type(args[0]).__name__}" if args else "given nothing"
            raise OperandError(f"{self.name} takes a sequence of tensors; {given}") from error

    def _complete(self, args: Any, params: dict[str, Any]) -> list[Any]:
        """Return all operands: those given by position, by name, and by default."""
        operands = list(args)
        for parameter in self._operands[len(args) :]:
            value = params.pop(parameter.name, parameter.default)
            if value is inspect.Parameter.empty:
                raise OperandError(f"{self.name} needs an operand {parameter.name}")
            operands.append(value)
        return operands

    def def_batch(self, rule: BatchRule) -> None:
        """Say what a call inside vmap computes, for all samples at once; see batching.py."""
        self.batch_rule = rule

    def def_repeated(self, operand: str) -> None:
        """Say that an operand is the same in many calls, as the weights of a network are."""
        self.repeated = self.operands.index(operand)

    def _share(self, tensor: Tensor, base: Tensor, step: Any) -> None:
        """Make `tensor` a view of `base` if it is one."""
        if backend.shares_memory(tensor._array, base._values()):
            tensor._version = base._version
            tensor._node = view_of(base, step, parent_of(tensor))

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
                        versions += saved_version(t)
        several = self.outputs != 1
        node = new_node(
            self,
            tuple(parents),
            tuple(t._array.shape for t in tensors) if several else tensors[0]._array.shape,
            tuple(t._array.dtype for t in tensors) if several else tensors[0]._array.dtype,
            tuple(saved),
            tuple(versions),
            {**self.defaults, **dict(zip(self.metadata, rest, strict=False)), **params},
        )
        for j, t in enumerate(tensors):
            if t._array.dtype.kind == "f":
                t._node = pick(node, j) if several else node

    def record(self, operands: Sequence[Tensor], result: Tensor, **params: Any) -> Node | None:
        """Return the node of a call whose result is known to be what `result` holds."""
        parents = [parent_of(x) for x in operands]
        if all(p is None for p in parents):
            return None
        output = Tensor._wrap(result.array)
        self._record(operands, [x.array for x in operands], parents, (output,), (), params)
        node: Node | None = parent_of(output)
        return node

    def _watched(self, mode: Mode, args: Any, params: Any) -> Any:
        """Call under a profiler, anomaly detection or a model that is optimised."""
        if mode.watcher is not None:
            taken = mode.watcher.take(self, args, params)
            if taken is not None:
                return taken
        start = time.perf_counter()
        result = self._apply(mode, args, params)
        seconds = time.perf_counter() - start
        if mode.watcher is not None:
            tensors = result if isinstance(result, tuple) else (result,)
            mode.watcher.record(self.name, seconds, sum(t.nbytes for t in tensors))
        return result

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<operation {self.name}>"
