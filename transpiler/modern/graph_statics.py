"""Numbers and options in functions that build graphs, as text for the class that they become."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from rekindle.core.checkpoint import Table

from .. import ast
from ..code import ADD, AND, ATOM, COMPARISON, MULTIPLY, NOT, OR, POWER, UNARY
from ..names import is_attribute
from ..scope import Variable
from ..walk import names_in, number, plain
from .nodes import Part, Template, at

if TYPE_CHECKING:
    from .graph_writer import Writer

INIT, FORWARD = "__init__", "forward"

_OPERATORS = {
    "+": (" + ", ADD),
    "-": (" - ", ADD),
    "*": (" * ", MULTIPLY),
    "/": (" / ", MULTIPLY),
    "%": (" % ", MULTIPLY),
    "==": (" == ", COMPARISON),
    "~=": (" != ", COMPARISON),
    "<": (" < ", COMPARISON),
    ">": (" > ", COMPARISON),
    "<=": (" <= ", COMPARISON),
    ">=": (" >= ", COMPARISON),
    "and": (" and ", AND),
    "or": (" or ", OR),
}
_ARITHMETIC = ("+", "-", "*")
_COMPARISONS = ("==", "~=", "<", ">", "<=", ">=")

Bound = tuple[list[Part], int]
"""Text with expressions, and how tightly it binds."""


class Refused(Exception):
    """A function that builds a graph holds something that has no counterpart in a class."""

    def __init__(self, node: ast.Node, reason: str) -> None:
        super().__init__(reason)
        self.node = node
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Static:
    """A number or option in the text of a line; `less` is taken off, `size` makes it whole."""

    node: Any
    less: int = 0
    size: bool = False


def brackets(found: Bound, binding: int) -> list[Part]:
    """Return text as an operand of something that binds so tightly."""
    parts, own = found
    return parts if own >= binding else ["(", *parts, ")"]


class Statics:
    """Writes the numbers of one function.

    Parameters
    ----------
    writer : Writer
        Knows what the variables are called.
    """

    def __init__(self, writer: Writer) -> None:
        self.w = writer

    def parts(self, static: Static, where: str) -> list[Part]:
        """Return a static part of a line as text."""
        node = plain(static.node)
        if static.size and isinstance(node, ast.Binary) and node.operator == "/":
            left, right = self.bound(node.left, where), self.bound(node.right, where)
            return [*brackets(left, MULTIPLY), " // ", *brackets(right, UNARY)]
        if static.size and self._divides(node):
            return ["int(", *self.bound(node, where)[0], ")"]
        if static.less or self._counts(node):
            found = self._linear(node, where)
            if found is not None:
                return _written(found, static.less)[0]
        if static.less:
            return [*brackets(self.bound(node, where), ADD), f" - {static.less}"]
        return self.bound(node, where)[0]

    def _divides(self, node: Any) -> bool:
        node = plain(node)
        if isinstance(node, ast.Binary):
            return node.operator in "/^" or self._divides(node.left) or self._divides(node.right)
        return False

    def _counts(self, node: Any) -> bool:
        """Whether a loop's counter is in a sum or product."""
        node = plain(node)
        if isinstance(node, ast.Binary) and node.operator in _ARITHMETIC:
            return self._counts(node.left) or self._counts(node.right)
        return isinstance(node, ast.Name) and node.variable in self.w.counters

    def bound(self, node: Any, where: str) -> Bound:
        """Return an expression's text."""
        node = plain(node)
        match node:
            case ast.Number():
                return [_number(node.value)], ATOM if node.value >= 0 else UNARY
            case ast.String():
                return [repr(node.value)], ATOM
            case ast.Boolean():
                return [str(node.value)], ATOM
            case ast.Nil():
                return ["None"], ATOM
            case ast.Name():
                return self._name(node, where)
            case ast.Unary(operator="-"):
                return ["-", *brackets(self.bound(node.operand, where), UNARY)], UNARY
            case ast.Unary(operator="not"):
                return ["not ", *brackets(self.test(node.operand, where), NOT)], NOT
            case ast.Binary(operator=operator) if operator in _COMPARISONS:
                return self._compared(node, where)
            case ast.Binary(operator="+" | "-" | "*" | "/" | "%"):
                if self._counts(node) and (found := self._linear(node, where)) is not None:
                    return _written(found, 0)
                text, binding = _OPERATORS[node.operator]
                left, right = self.bound(node.left, where), self.bound(node.right, where)
                return [*brackets(left, binding), text, *brackets(right, binding + 1)], binding
            case ast.Index(key=ast.String(value=key)):
                return self._field(node, key, where)
        return [self._leaf(node, where)], POWER

    def test(self, node: Any, where: str) -> Bound:
        """Return a condition: only nil and false are false in Lua."""
        node = plain(node)
        if isinstance(node, ast.Binary) and node.operator in ("and", "or"):
            text, binding = _OPERATORS[node.operator]
            left, right = self.test(node.left, where), self.test(node.right, where)
            return [*brackets(left, binding), text, *brackets(right, binding + 1)], binding
        compared = isinstance(node, ast.Binary) and node.operator in _COMPARISONS
        negated = isinstance(node, ast.Unary) and node.operator == "not"
        if compared or negated or isinstance(node, ast.Boolean):
            return self.bound(node, where)
        return [*brackets(self.bound(node, where), ADD), " not in (None, False)"], COMPARISON

    def _compared(self, node: ast.Binary, where: str) -> Bound:
        text, binding = _OPERATORS[node.operator]
        if isinstance(plain(node.right), ast.Nil):
            nothing = " is None" if node.operator == "==" else " is not None"
            return [*brackets(self.bound(node.left, where), ADD), nothing], COMPARISON
        limit = number(node.right)
        if isinstance(limit, int) and self._counts(node.left):
            found = self._linear(node.left, where)
            if found is not None:
                rest = limit - found[1]
                return [*_written((found[0], 0), 0)[0], f"{text}{rest}"], COMPARISON
        left, right = self.bound(node.left, where), self.bound(node.right, where)
        return [*brackets(left, ADD), text, *brackets(right, ADD)], binding

    def _name(self, node: ast.Name, where: str) -> Bound:
        variable = node.variable
        if variable is None or not self.w.owns(variable):
            return [ast.Name(node.line, node.column, node.name)], ATOM
        if variable in self.w.kinds.nodes | self.w.kinds.tables:
            raise Refused(node, f"{node.name}, a part of the graph, is used as a value")
        if variable.kind == "self":
            raise Refused(node, "the object of a method is used as a whole")
        text = self.w.static_name(variable, where)
        return ([f"{text} + 1"], ADD) if variable in self.w.counters else ([text], ATOM)

    def _field(self, node: ast.Index, key: str, where: str) -> Bound:
        owner = plain(node.table)
        variable = owner.variable if isinstance(owner, ast.Name) else None
        if variable is not None and variable.kind == "self" and self.w.owns(variable):
            return [self.w.field_name(variable, key, where)], ATOM
        plainly = is_attribute(key) and not hasattr(Table, key)
        if variable is not None and self.w.owns(variable) and plainly:
            return [*self.bound(owner, where)[0], f".{key}"], ATOM
        return [self._leaf(node, where)], ATOM

    def _leaf(self, node: Any, where: str) -> Any:
        """Return an expression for the rest of the translator, with names of the class in it."""
        if isinstance(node, ast.Name):
            found, binding = self._name(node, where)
            return (
                found[0] if isinstance(found[0], ast.Node) else at(node, *_closed(found, binding))
            )
        if isinstance(node, ast.Function):
            raise Refused(node, "a function in it is given to something")
        if isinstance(node, ast.Index) and isinstance(node.key, ast.String):
            owner = plain(node.table)
            own = isinstance(owner, ast.Name) and owner.variable and self.w.owns(owner.variable)
            if own and is_attribute(node.key.value) and not hasattr(Table, node.key.value):
                return at(node, *self._field(node, node.key.value, where)[0])
        if not isinstance(node, ast.Node):
            return node
        changed: dict[str, Any] = {}
        for field in fields(node):
            value = getattr(node, field.name)
            if isinstance(value, list):
                changed[field.name] = [self._leaf(v, where) for v in value]
            elif isinstance(value, ast.Node) and is_dataclass(value):
                changed[field.name] = self._leaf(value, where)
        return replace(node, **changed)

    # -- sums of counters -------------------------------------------------------------------

    def _linear(self, node: Any, where: str) -> tuple[dict[str, int], int] | None:
        """Return the factors of what a sum adds up, and its number; None for other text."""
        node = plain(node)
        value = number(node)
        if value is not None:
            return ({}, value) if isinstance(value, int) else None
        if isinstance(node, ast.Binary) and node.operator in _ARITHMETIC:
            left, right = self._linear(node.left, where), self._linear(node.right, where)
            if left is None or right is None:
                return None
            if node.operator == "*":
                if left[0] and right[0]:
                    return None
                factor, rest = (left[1], right) if not left[0] else (right[1], left)
                return {k: v * factor for k, v in rest[0].items()}, rest[1] * factor
            sign = 1 if node.operator == "+" else -1
            found = dict(left[0])
            for key, factor in right[0].items():
                found[key] = found.get(key, 0) + sign * factor
            return {k: v for k, v in found.items() if v}, left[1] + sign * right[1]
        variable = node.variable if isinstance(node, ast.Name) else None
        if variable is not None and variable in self.w.counters:
            return {self.w.static_name(variable, where): 1}, 1
        parts, binding = self.bound(node, where)
        if binding < ATOM or not all(isinstance(p, str) for p in parts):
            return None
        return {"".join(parts): 1}, 0


def _closed(parts: list[Part], binding: int) -> list[Part]:
    return brackets((parts, binding), ATOM)


def _written(found: tuple[dict[str, int], int], less: int) -> Bound:
    terms, rest = found[0], found[1] - less
    text = ""
    for name, factor in terms.items():
        sign = " - " if factor < 0 else " + "
        text += (sign if text else sign.strip(" +")) + name * (abs(factor) == 1)
        text += f"{abs(factor)} * {name}" * (abs(factor) != 1)
    if rest and text:
        return [f"{text} {'-' if rest < 0 else '+'} {abs(rest)}"], ADD
    if not text:
        return [str(rest)], ATOM if rest >= 0 else UNARY
    single = len(terms) == 1
    factor = next(iter(terms.values()))
    return [text], ADD if not single else ATOM if factor == 1 else MULTIPLY


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)


def statics_in(parts: Any) -> set[Variable]:
    """Return the variables in the static parts of a line, or in an expression."""
    found: set[Variable] = set()
    for part in parts if isinstance(parts, list) else [parts]:
        inner = part.node if isinstance(part, Static) else part
        if isinstance(inner, list):
            found |= statics_in(inner)
        elif isinstance(inner, Template):
            found |= statics_in(inner.parts)
        elif isinstance(inner, ast.Node):
            found |= {n.variable for n in names_in(inner) if n.variable is not None}
    return found
