"""What the nodes of a graph give, as expressions, and the names that programs give them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import ast
from ..code import ATOM
from ..walk import plain
from .nodes import Part

if TYPE_CHECKING:
    from .graph_writer import Writer


@dataclass(frozen=True, slots=True)
class Value:
    """What a node gives, as an expression.

    Attributes
    ----------
    parts : list of Part
    binding : int
    rank : str or None
    after : frozenset of str
        The names of what it is computed from.
    minus : list of Part or None
        The x of `-x`.
    fixed : bool
        For a table: it is written out.
    items : tuple of Value
        What is in it then.
    gates : list of Part or None
        The whole of which this is a table of equal parts.
    """

    parts: list[Part]
    binding: int = ATOM
    rank: str | None = None
    after: frozenset[str] = frozenset()
    minus: list[Part] | None = None
    fixed: bool = False
    items: tuple[Value, ...] = ()
    gates: tuple[Any, Value] | None = None


def annotation(node: ast.MethodCall, writer: Writer) -> tuple[str | None, bool]:
    """Return the name of a node for `annotate{name = 'i2h_' .. L}`, and whether it is numbered."""
    table = plain(node.arguments[0]) if len(node.arguments) == 1 else None
    if not isinstance(table, ast.TableConstructor) or len(table.fields) != 1:
        return None, False
    entry = table.fields[0]
    value = plain(entry.value)
    if not isinstance(entry.key, ast.String) or entry.key.value != "name":
        return None, False
    if isinstance(value, ast.String) and value.value.isidentifier():
        return value.value, False
    if isinstance(value, ast.Binary) and value.operator == "..":
        text, counter = plain(value.left), plain(value.right)
        counted = isinstance(counter, ast.Name) and counter.variable in writer.counters
        if isinstance(text, ast.String) and counted and text.value.endswith("_"):
            name = text.value.rstrip("_")
            return (name, True) if name.isidentifier() else (None, False)
    return None, False
