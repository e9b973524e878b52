"""Locals that may be lists, and loops that count their positions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import ast
from .scope import Scope, Variable

Stop = Variable | float
"""What a loop counts to: a number, or a variable that never changes."""


@dataclass(slots=True)
class Candidate:
    """A local that may be a list, as far as the text was read.

    Attributes
    ----------
    length : int
        Of its constructor.
    elements : list of Expression
        All that is put into it.
    touched : bool
        Whether it was changed since it was made.
    filled_to : Stop or None
        What the loop counts to that filled it.
    joined, sorted : bool
        Whether its elements must be text or numbers.
    """

    variable: Variable
    scope: Scope
    block: ast.Block
    length: int
    elements: list[ast.Expression]
    touched: bool = False
    filled_to: Stop | None = None
    joined: bool = False
    sorted: bool = False


@dataclass(slots=True)
class Bound:
    """What a loop's variable counts: from `first` to `#of + beyond`, or to `stop`."""

    first: int
    of: Candidate | None
    beyond: int
    stop: Stop | None


def bound_of(
    node: ast.NumericFor, candidate: Callable[[ast.Expression], Candidate | None]
) -> Bound | None:
    """Return what a loop counts; None where its text does not tell."""
    if not isinstance(node.start, ast.Number) or not isinstance(node.start.value, int):
        return None
    first, stop, beyond = node.start.value, node.stop, 0
    if isinstance(stop, ast.Binary) and stop.operator == "-":
        if not isinstance(stop.right, ast.Number) or not isinstance(stop.right.value, int):
            return None
        beyond, stop = -stop.right.value, stop.left
    if isinstance(stop, ast.Unary) and stop.operator == "#":
        owner = candidate(stop.operand)
        return None if owner is None or beyond > 0 else Bound(first, owner, beyond, None)
    if beyond:
        return None
    if isinstance(stop, ast.Number):
        return Bound(first, None, 0, stop.value)
    if isinstance(stop, ast.Name) and stop.variable is not None and not stop.variable.writes:
        return Bound(first, None, 0, stop.variable)
    return None
