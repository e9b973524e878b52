"""Modules that nngraph needs for what is an operator or a method of tensors.

Source: torch/nn CAddTable.lua, CMulTable.lua, JoinTable.lua, SplitTable.lua, SelectTable.lua,
Narrow.lua, MulConstant.lua, AddConstant.lua.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import ast
from ..code import ADD, ATOM, MULTIPLY, UNARY
from ..walk import number, plain
from .chains import chain_of
from .classes import class_of
from .graph_statics import Refused, brackets
from .nodes import Part, Template

if TYPE_CHECKING:
    from .graph_values import Value
    from .graph_writer import Writer

OPS = ("ops", "rekindle")

Operation = Callable[["Writer", Any, "Value"], "Value | None"]
"""Gives what a layer computes of a value; None where only the layer itself can."""


def _value(parts: list[Part], found: Value, binding: int = ATOM) -> Value:
    return replace(
        found, parts=parts, binding=binding, fixed=False, items=(), minus=None, gates=None
    )


def _operator(text: str, binding: int) -> Operation:
    def write(w: Writer, base: Any, found: Value) -> Value | None:
        if not found.fixed or len(found.items) < 2:
            return None
        if base.arguments and any(w.reads_again(i) for i in found.items[:1]):
            raise Refused(base, "a sum writes over a node that is used elsewhere")
        if len(found.items) > 2 and text in (" - ", " / "):
            return None
        parts: list[Part] = []
        for position, item in enumerate(found.items):
            own = brackets((item.parts, item.binding), binding + (position > 0))
            parts += [text if position else "", *own]
        ranks = {item.rank for item in found.items}
        rank = ranks.pop() if len(ranks) == 1 else None
        return replace(_value(parts, found, binding), rank=rank)

    return write


def _method(name: str) -> Operation:
    def write(w: Writer, base: Any, found: Value) -> Value | None:
        if found.fixed:
            return None
        return _value([*brackets((found.parts, found.binding), ATOM), f".{name}()"], found)

    return write


def _times(w: Writer, base: Any, found: Value) -> Value | None:
    if found.fixed or not base.arguments:
        return None
    if number(base.arguments[0]) == -1:
        operand = brackets((found.parts, found.binding), UNARY)
        return replace(_value(["-", *operand], found, UNARY), minus=operand)
    operand = brackets((found.parts, found.binding), MULTIPLY)
    factor = _operand(w, base.arguments[0], MULTIPLY + 1)
    return _value([*operand, " * ", *factor], found, MULTIPLY)


def _plus(w: Writer, base: Any, found: Value) -> Value | None:
    if found.fixed or not base.arguments:
        return None
    if found.minus is not None:
        own = _operand(w, base.arguments[0], ADD)
        return _value([*own, " - ", *found.minus], found, ADD)
    operand = brackets((found.parts, found.binding), ADD)
    return _value([*operand, " + ", *_operand(w, base.arguments[0], ADD + 1)], found, ADD)


def _operand(w: Writer, node: Any, binding: int) -> list[Part]:
    simple = isinstance(plain(node), (ast.Number, ast.Name, ast.Index))
    return [w.static(node)] if simple else ["(", w.static(node), ")"]


def _join(w: Writer, base: Any, found: Value) -> Value | None:
    place = number(base.arguments[0]) if len(base.arguments) == 1 else None
    if not isinstance(place, int) or place < 1:
        return None
    parts: list[Part] = ["ops.concat(", *found.parts, f", axis={place - 1})"]
    ranks = {item.rank for item in found.items}
    rank = ranks.pop() if len(ranks) == 1 else None
    code = Template(base.line, base.column, parts, imports=(OPS,))
    return replace(_value([code], found), rank=rank)


def _identity(w: Writer, base: Any, found: Value) -> Value | None:
    if found.fixed or (found.parts and found.parts[0] == "inputs"):
        return found
    is_list = any(w.name(v) == found.parts[0] for v in w.tables)
    return _value(["tuple(", *found.parts, ")"], found) if is_list else found


def _select(w: Writer, base: Any, found: Value) -> Value | None:
    if len(base.arguments) != 1 or found.fixed:
        return None
    place = number(base.arguments[0])
    if place is not None and place < 1:
        return None
    parts = [*found.parts, "[", w.static(base.arguments[0], 1), "]"]
    return replace(_value(parts, found), rank=None)


def _gates(w: Writer, base: Any, found: Value) -> Value | None:
    """Return the equal parts of a vector: a table of them after `nn.Reshape(4, n)`."""
    if found.gates is None or [number(a) for a in base.arguments] != [2]:
        return None
    parts, whole = found.gates
    return replace(_value(parts, whole), gates=(parts, whole))


def _reshape(w: Writer, base: Any, found: Value) -> Value | None:
    """Note that rows are seen as several of equal length, which a SplitTable takes apart."""
    count = number(base.arguments[0]) if len(base.arguments) == 2 else None
    if not isinstance(count, int) or count < 2 or found.fixed or found.rank != "features":
        return None
    if any(isinstance(plain(a), ast.Boolean) for a in base.arguments):
        return None
    if not w.taken_apart:
        return None
    parts = [*brackets((found.parts, found.binding), ATOM), f".chunk({count}, axis=-1)"]
    return replace(found, gates=(parts, found))


def _narrow(w: Writer, base: Any, found: Value) -> Value | None:
    if len(base.arguments) != 3 or found.fixed:
        return None
    place, start, length = base.arguments
    dimension = number(place)
    if not isinstance(dimension, int) or dimension < 1 or (number(length) or 1) < 0:
        return None
    owner = brackets((found.parts, found.binding), ATOM)
    parts = [*owner, f".narrow({dimension - 1}, ", w.static(start, 1), ", ", w.static(length), ")"]
    return _value(parts, found)


def _softmax(name: str) -> Operation:
    def write(w: Writer, base: Any, found: Value) -> Value | None:
        place = {"features": -1, "spatial": -3}.get(found.rank or "")
        if place is None or found.fixed:
            return None
        return _value(
            [*brackets((found.parts, found.binding), ATOM), f".{name}(axis={place})"], found
        )

    return write


OPERATIONS: dict[str, Operation] = {
    "CAddTable": _operator(" + ", ADD),
    "CSubTable": _operator(" - ", ADD),
    "CMulTable": _operator(" * ", MULTIPLY),
    "CDivTable": _operator(" / ", MULTIPLY),
    "MulConstant": _times,
    "AddConstant": _plus,
    "JoinTable": _join,
    "Identity": _identity,
    "SelectTable": _select,
    "SplitTable": _gates,
    "Reshape": _reshape,
    "Narrow": _narrow,
    "LogSoftMax": _softmax("log_softmax"),
    "SoftMax": _softmax("softmax"),
    **{
        name: _method(name.lower())
        for name in ("Sigmoid", "Tanh", "ReLU", "Exp", "Log", "Sqrt", "Abs", "Square")
    },
}
"""By the class in nn."""

SPLIT = ("SplitTable",)


def takes_apart(node: Any) -> bool:
    """Whether an expression is `nn.SplitTable(2)(...)`."""
    node = plain(node)
    return isinstance(node, ast.Call) and class_of(chain_of(node.function)[0]) in SPLIT
