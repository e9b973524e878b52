"""What the methods of a class are made of, before it is known which of it they need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .. import ast
from ..scope import Variable
from ..walk import names_in
from .graph_statics import statics_in
from .nodes import Part


@dataclass(slots=True)
class Code:
    """A line that stands in any case."""

    parts: list[Part]
    statement: ast.Statement | None = None
    """Whose comments stand with it."""


@dataclass(slots=True)
class Setting:
    """A number that is put into a variable; it stands where something uses that."""

    variable: Variable
    value: Any
    statement: ast.Statement | None = None


@dataclass(slots=True)
class Choice:
    """Branches; the test of the last is None for `else`. It stands where anything in it does."""

    branches: list[tuple[Any, list[Piece]]] = field(default_factory=list)
    statement: ast.Statement | None = None


@dataclass(slots=True)
class Loop:
    """A loop over numbers, counted from one less than in Lua; it stands where its body does."""

    variable: Variable
    start: Any
    stop: Any
    body: list[Piece] = field(default_factory=list)
    statement: ast.Statement | None = None


@dataclass(slots=True)
class Remark:
    """The comments of a statement of which no line is left; they make nothing stand."""

    statement: ast.Statement


Piece = Code | Setting | Choice | Loop | Remark


def live(pieces: list[Piece]) -> set[Variable]:
    """Return the variables of numbers that what stands in a method uses."""
    used: set[Variable] = set()
    size = -1
    while size != len(used):
        size = len(used)
        for piece in pieces:
            _use(piece, used)
    return used


def stands(piece: Piece, used: set[Variable]) -> bool:
    """Whether a piece is written, where `used` is what the method uses."""
    match piece:
        case Setting():
            return piece.variable in used
        case Choice():
            return any(stands(p, used) for _, body in piece.branches for p in body)
        case Loop():
            return any(stands(p, used) for p in piece.body)
        case Remark():
            return False
    return True


def _use(piece: Piece, used: set[Variable]) -> None:
    if not stands(piece, used):
        return
    match piece:
        case Code():
            used |= statics_in(piece.parts)
        case Setting():
            used |= {n.variable for n in names_in(piece.value) if n.variable is not None}
        case Choice():
            for test, body in piece.branches:
                used |= statics_in(test) if test is not None else set()
                for inner in body:
                    _use(inner, used)
        case Loop():
            used |= statics_in([piece.start, piece.stop])
            for inner in piece.body:
                _use(inner, used)
