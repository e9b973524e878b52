"""The registry of operations.

An operation is one block: a forward function of `(xp, arrays, *, params)` on arrays, its
samples, its docstring and its derivative rules stand together in the file of its family.
The suite walks `OPERATIONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, Literal, ParamSpec, overload

from .. import backend
from ..tensor import Tensor
from .inplace import inplace_method
from .methods import install_method
from .namespaces import OPERATIONS as OPERATIONS
from .op import Op as Op
from .op import OperandError as OperandError
from .op import Sample as Sample
from .op import Samples as Samples
from .operators import install_operator

P = ParamSpec("P")

Array = backend.device.Array
"""What forward functions take and return: arrays of the namespace `xp`."""


@overload
def operation(
    *,
    samples: Samples,
    outputs: tuple[str, ...],
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
    outputs: Literal["out"] = "out",
    view: bool = False,
    variadic: bool = False,
    methods: tuple[str, ...] = (),
    operator: str = "",
    inplace: tuple[str, ...] = (),
) -> Callable[[Callable[Concatenate[Any, P], Any]], Op[P, Tensor]]: ...
def operation(
    *,
    samples: Samples,
    outputs: tuple[str, ...] | Literal["out"] = "out",
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
    outputs : tuple of str
        Names of the results, where there are several; a single one is called "out".
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
        names = (outputs,) if isinstance(outputs, str) else outputs
        op: Op[P, Any] = Op(forward, samples, names, view, variadic)
        if op.name in OPERATIONS:
            raise AssertionError(f"operation {op.name} is registered twice")
        OPERATIONS[op.name] = op
        for name in methods:
            install_method(name, op.method)
        if operator:
            install_operator(op, operator)
        for name in inplace:
            install_method(name, inplace_method(op, name))
        return op

    return register
