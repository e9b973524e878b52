"""Going through a tree: its nodes and names, whether two parts are alike, what a number is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from . import ast
from .kinds import Type
from .scope import Variable
from .text import words


def walk(root: Any) -> Iterator[Any]:
    """Yield the nodes of a part of a tree, in the order of the text."""
    stack = [root]
    while stack:
        node = stack.pop()
        kind: Any = type(node)
        if kind is list or kind is tuple:
            stack.extend(reversed(node))
        elif (names := _parts(kind)) is not None:
            yield node
            stack.extend([getattr(node, name) for name in names])


_NO_PARTS = frozenset(
    words("variable before after trailing kind line column blank_before imports text")
)


@cache
def _parts(kind: type) -> tuple[str, ...] | None:
    """Return the fields of a kind of node that hold others, the last first; None for no node."""
    if not is_dataclass(kind) or kind in (Variable, ast.Comment, Type):
        return None
    return tuple(f.name for f in reversed(fields(kind)) if f.name not in _NO_PARTS)


def names_in(root: Any) -> Iterator[ast.Name]:
    """Yield the names in a part of a tree."""
    for node in walk(root):
        if isinstance(node, ast.Name):
            yield node


def plain(node: Any) -> Any:
    """Return an expression without brackets around it."""
    while isinstance(node, ast.Paren):
        node = node.inner
    return node


def alike(a: Any, b: Any) -> bool:
    """Whether two expressions are the same text of the same variables, without functions."""
    a, b = plain(a), plain(b)
    if type(a) is not type(b):
        return False
    match a:
        case ast.Name():
            return bool(a.variable is b.variable and a.name == b.name)
        case ast.Number() | ast.String() | ast.Boolean():
            return bool(a.value == b.value)
        case ast.Nil() | ast.Vararg():
            return True
        case ast.Index():
            return alike(a.table, b.table) and alike(a.key, b.key)
        case ast.Unary():
            return a.operator == b.operator and alike(a.operand, b.operand)
        case ast.Binary():
            same = a.operator == b.operator
            return same and alike(a.left, b.left) and alike(a.right, b.right)
        case ast.Call():
            return alike(a.function, b.function) and all_alike(a.arguments, b.arguments)
        case ast.MethodCall():
            same = a.method == b.method and alike(a.object, b.object)
            return same and all_alike(a.arguments, b.arguments)
    return False


def all_alike(a: list[Any], b: list[Any]) -> bool:
    """Whether two lists of expressions are alike."""
    return len(a) == len(b) and all(alike(x, y) for x, y in zip(a, b, strict=True))


def number(node: Any) -> int | float | None:
    """Return the value of a number that is written out, None for anything else."""
    node = plain(node)
    if isinstance(node, ast.Unary) and node.operator == "-":
        inner = number(node.operand)
        return None if inner is None else -inner
    return node.value if isinstance(node, ast.Number) else None


def negated(node: Any) -> Any:
    """Return x for `-x`."""
    node = plain(node)
    if isinstance(node, ast.Unary) and node.operator == "-":
        return node.operand
    if isinstance(node, ast.Number) and node.value < 0:
        return ast.Number(node.line, node.column, -node.value, node.text.lstrip("-"))
    return None


def method_call(node: Any, *names: str) -> bool:
    """Whether an expression is a call of one of some methods."""
    return isinstance(node, ast.MethodCall) and node.method in names


def package_member(node: Any, *packages: str) -> str | None:
    """Return "X" for `nn.X`."""
    if not isinstance(node, ast.Index) or not isinstance(node.key, ast.String):
        return None
    owner = node.table
    if isinstance(owner, ast.Name) and owner.variable is None and owner.name in packages:
        return node.key.value
    return None
