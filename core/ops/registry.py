"""The registry of operations: what an operation is, and how calling one works.

An operation is one block: a forward function of `(xp, arrays, *, params)` on arrays, its
samples and its docstring stand together in the file of its family. (Its derivative rules
will join them there.) The suite walks `OPERATIONS`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, Concatenate, Generic, Literal, ParamSpec, TypeVar, overload

import numpy as np

from .. import backend
from ..errors import RekindleError
from ..tensor import Tensor

P = ParamSpec("P")
R = TypeVar("R")

Array = backend.device.Array
"""What forward functions take and return: arrays of the namespace `xp`."""


class OperandError(RekindleError, TypeError):
    """Something given to an operation that is no tensor and cannot become one."""


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
        self.arity = sum(str(p.annotation).startswith("Array") for p in parameters)

    def __call__(self, *args: P.args, **params: P.kwargs) -> R:
        """Compute the operation on tensors; arrays and numbers become operands too."""
        operands: Any = args[0] if self.variadic else args[: self.arity]
        arrays, first = [], None
        for x in operands:
            if isinstance(x, Tensor):
                arrays.append(x.array)
                first = x if first is None else first
            else:
                arrays.append(_as_operand(self.name, x))
        xp = np if first is None else backend.namespace(first.array)
        result = self.forward(xp, *arrays, *args[1 if self.variadic else self.arity :], **params)
        if self.outputs != 1:
            return tuple(Tensor._wrap(xp.asarray(r)) for r in result)  # type: ignore[return-value]
        out = xp.asarray(result)
        if self.view and first is not None and backend.shares_memory(out, first.array):
            return Tensor._wrap(out, first.storage())  # type: ignore[return-value]
        return Tensor._wrap(out)  # type: ignore[return-value]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self) -> str:
        return f"<operation {self.name}>"


OPERATIONS: dict[str, Op[..., Any]] = {}


def _as_operand(name: str, value: Any) -> Any:
    """Pass scalars, arrays and None on; Python scalars stay weak in promotion."""
    if value is None or isinstance(value, (bool, int, float)) or hasattr(value, "dtype"):
        return value
    if isinstance(value, (list, tuple)):
        return Tensor(value).array
    raise OperandError(
        f"{name} takes tensors, arrays and numbers; given {type(value).__name__} {value!r:.60}"
    )


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
    def plain(self: Tensor, other: Any) -> Any:
        return op(self, other) if _is_operand(other) else NotImplemented

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
    ValueError
        If the shape would change.
    """
    if value.shape != target.shape:
        raise ValueError(
            f"{name} writes into shape {target.shape}, but the result has shape {value.shape}"
        )
    target.array[...] = value.array
    target.storage().version += 1
    return target
