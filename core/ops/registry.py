"""The registry of operations: what an operation is, and how calling one works.

An operation is one block: a forward function of `(xp, arrays, *, params)` on arrays, its
samples and its docstring stand together in the file of its family. (Its derivative rules
will join them there.) The suite walks `OPERATIONS`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from types import MethodType
from typing import Any, Concatenate, Generic, Literal, ParamSpec, TypeVar, overload

import numpy as np
from numpy import ndarray

from .. import backend
from ..dtypes import DtypeError
from ..errors import BoundsError, RekindleError, ShapeError
from ..tensor import Tensor

P = ParamSpec("P")
R = TypeVar("R")

Array = backend.device.Array
"""What forward functions take and return: arrays of the namespace `xp`."""


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


class Op(Generic[P, R]):
    """A registered operation; calling it takes and returns tensors.

    Attributes
    ----------
    name : str
    forward : callable
        `forward(xp, *arrays, **params)` on arrays; pure, and the definition of right.
    arity : int
        Number of operands: the parameters of `forward` annotated `Array`. The others are
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
        outputs: int,
        view: bool,
        variadic: bool,
    ) -> None:
        self.name = forward.__name__
        self.forward = forward
        self.samples = samples
        self.outputs = outputs
        self.view = view
        self.variadic = variadic
        functools.update_wrapper(self, forward)
        signature = inspect.signature(forward)
        parameters = [*signature.parameters.values()][1:]
        self.__signature__ = signature.replace(parameters=parameters)
        self._operands = [p for p in parameters if str(p.annotation).startswith("Array")]
        self.arity = len(self._operands)

    def __call__(self, *args: P.args, **params: P.kwargs) -> R:
        """Compute the operation on tensors; arrays and numbers become operands too."""
        operands: Any = args
        rest: Any = ()
        if self.variadic:
            operands, rest = args[0], args[1:]
        elif len(args) > self.arity:
            operands, rest = args[: self.arity], args[self.arity :]
        elif len(args) < self.arity:
            operands = self._complete(args, params)
        arrays: list[Any] = []
        xp: Any = None
        for x in operands:
            if isinstance(x, Tensor):
                x = x.array if x._array is None else x._array
            elif type(x) not in _NUMBERS:
                x = _as_operand(self.name, x)
            if xp is None and type(x) not in _NUMBERS:
                xp = np if type(x) is ndarray else backend.namespace(x)
            arrays.append(x)
        try:
            result = self.forward(xp or np, *arrays, *rest, **params)
        except RekindleError:
            raise
        except _NUMPY_ERRORS as error:
            raise _explained(self.name, arrays, error) from error
        if type(result) is not ndarray:
            if type(result) is tuple:
                return tuple(map(Tensor._wrap, map(xp.asarray, result)))  # type: ignore[return-value]
            result = (xp or np).asarray(result)
        if self.view and isinstance(operands[0], Tensor):
            return _view(result, operands[0])  # type: ignore[return-value]
        return Tensor._wrap(result)  # type: ignore[return-value]

    def _complete(self, args: Any, params: dict[str, Any]) -> list[Any]:
        """Return all operands: those given by position, by name, and by default."""
        operands = list(args)
        for parameter in self._operands[len(args) :]:
            value = params.pop(parameter.name, parameter.default)
            if value is inspect.Parameter.empty:
                raise OperandError(f"{self.name} needs an operand {parameter.name}")
            operands.append(value)
        return operands

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<operation {self.name}>"


OPERATIONS: dict[str, Op[..., Any]] = {}

_SCALARS = frozenset((bool, int, float))
_NUMBERS = _SCALARS | {type(None)}
"""Types of operands that are passed on as they are; Python's numbers are weak in promotion."""

_NUMPY_ERRORS = (ValueError, TypeError, IndexError)


def _as_operand(name: str, value: Any) -> Any:
    """Return what is given beside tensors and plain numbers as an array, or as a number."""
    if hasattr(value, "dtype") or isinstance(value, (list, tuple)):
        return Tensor(value).array
    if isinstance(value, int):  # an enumeration's
        return int(value)
    raise OperandError(
        f"{name} takes tensors, arrays and numbers; given {type(value).__name__} {value!r:.60}"
    )


def _view(array: Any, base: Tensor) -> Tensor:
    """Return a tensor on `array`, with the storage of `base` if it is a view of it."""
    shared = backend.shares_memory(array, base.array)
    return Tensor._wrap(array, base.storage() if shared else None)


def _explained(name: str, operands: Sequence[Any], error: Exception) -> Exception:
    """Return the error of an array library as one of ours that names operation and operands."""
    given = ", ".join(
        f"{x.dtype} of shape {x.shape}" if hasattr(x, "shape") else repr(x) for x in operands
    )
    kind = {ValueError: ShapeError, TypeError: OperandError}
    cls = next((kind[base] for base in kind if isinstance(error, base)), BoundsError)
    return cls(f"{name}: {error}; given {given}")


@overload
def operation(
    *,
    samples: Samples,
    outputs: int,
    view: bool = False,
    variadic: bool = False,
    methods: tuple[str, ...] = (),
    operator: str = "",
    inplace: tuple[str, ...] = (),
) -> Callable[[Callable[Concatenate[Any, P], Any]], Op[P, tuple[Tensor, ...]]]: ...
@overload
def operation(
    *,
    samples: Samples,
    outputs: Literal[1] = 1,
    view: bool = False,
    variadic: bool = False,
    methods: tuple[str, ...] = (),
    operator: str = "",
    inplace: tuple[str, ...] = (),
) -> Callable[[Callable[Concatenate[Any, P], Any]], Op[P, Tensor]]: ...
def operation(
    *,
    samples: Samples,
    outputs: int = 1,
    view: bool = False,
    variadic: bool = False,
    methods: tuple[str, ...] = (),
    operator: str = "",
    inplace: tuple[str, ...] = (),
) -> Callable[[Callable[Concatenate[Any, P], Any]], Op[P, Any]]:
    """Register the decorated forward function as the operation of its name.

    Parameters
    ----------
    samples : callable
        `samples(rng)` yields `Sample`s that show the operation's range.
    outputs : int
        Number of results.
    view : bool
        Whether the result may share memory with the first operand.
    variadic : bool
        Whether calls take one sequence of tensors (`concat([a, b])`).
    methods : tuple of str
        Names of Tensor methods that the operation becomes.
    operator : str
        "add" fills `__add__` and `__radd__`.
    inplace : tuple of str
        Names of Tensor methods that write the result into the first operand.
    """

    def register(forward: Callable[Concatenate[Any, P], Any]) -> Op[P, Any]:
        op: Op[P, Any] = Op(forward, samples, outputs, view, variadic)
        if op.name in OPERATIONS:
            raise AssertionError(f"operation {op.name} is registered twice")
        OPERATIONS[op.name] = op
        for name in methods:
            install_method(name, op)
        if operator:
            _install_operator(op, operator)
        for name in inplace:
            install_method(name, _inplace_method(op, name))
        return op

    return register


def install_method(name: str, function: Any) -> None:
    """Make `function` (or a property) the entry `name` of Tensor's method table."""
    setattr(Tensor, name, function)


def _install_operator(op: Op[..., Any], name: str) -> None:
    forward = op.forward

    def plain(self: Tensor, other: Any) -> Any:
        # Two NumPy arrays, or one and a number, are most of all calls: no general path for them.
        x = self._array
        y = other._array if isinstance(other, Tensor) else other
        if type(x) is not ndarray or (type(y) is not ndarray and type(y) not in _SCALARS):
            return op(self, other) if _is_operand(other) else NotImplemented
        try:
            result = forward(np, x, y)
        except RekindleError:
            raise
        except _NUMPY_ERRORS as error:
            raise _explained(op.name, (x, y), error) from error
        return Tensor._wrap(result if type(result) is ndarray else np.asarray(result))

    def swapped(self: Tensor, other: Any) -> Any:
        return op(other, self) if _is_operand(other) else NotImplemented

    install_method(f"__{name}__", plain)
    if name not in ("eq", "ne", "lt", "le", "gt", "ge"):
        install_method(f"__r{name}__", swapped)


def _is_operand(value: Any) -> bool:
    return isinstance(value, (Tensor, bool, int, float)) or hasattr(value, "dtype")


def _inplace_method(op: Op[..., Any], name: str) -> Callable[..., Tensor]:
    def method(self: Tensor, *args: Any, **params: Any) -> Tensor:
        return write_(self, op(self, *args, **params), name)

    method.__name__ = name
    method.__doc__ = f"Compute `{op.name}` and write it into this tensor; its dtype stays."
    return method


def write_(target: Tensor, value: Tensor, name: str) -> Tensor:
    """Write `value` into `target`'s memory and count the write.

    Raises
    ------
    ShapeError
        If the shape would change.
    DtypeError
        If floats would go into integers, or either into bool.
    """
    array, into = value.array, target.array
    if array.shape != into.shape:
        raise ShapeError(
            f"{name} writes into shape {into.shape}, but the result has shape {array.shape}"
        )
    if array.dtype is not into.dtype and not np.can_cast(array.dtype, into.dtype, "same_kind"):
        raise DtypeError(
            f"{name} writes into a tensor of {into.dtype}, but the result is {array.dtype}: "
            "convert the tensor first, or compute a new one"
        )
    into[...] = array
    target.storage().version += 1
    return target


def assign(target: Tensor, index: Any, value: Any, name: str) -> Tensor:
    """Write `value`, converted and broadcast, where `index` says, and count the write.

    Raises
    ------
    ShapeError
        If the value does not broadcast there.
    BoundsError
        If the index names nothing.
    """
    source = value.array if isinstance(value, Tensor) else value
    try:
        target.array[index] = source
    except _NUMPY_ERRORS as error:
        raise _explained(name, (target.array, source), error) from error
    target.storage().version += 1
    return target
