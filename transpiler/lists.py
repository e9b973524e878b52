"""Locals that are lists: tables of the file that nothing but a list's own words touch.

A table becomes a Python list where nobody else can see it, nil is never put into it, nothing is
taken out of it, and every position that is read or assigned is between 1 and its length: counted
by a loop over the table, or up to what the table was filled to.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from . import ast
from .kinds import ANY, Type, join
from .list_finder import ListFinder
from .scope import Variable
from .types import Types


@dataclass(slots=True)
class Lists:
    """What is known of a file's lists.

    Attributes
    ----------
    variables : set of Variable
    types : dict
        Of these variables, and of those that hold their elements in loops.
    fills : set of int
        Assignments, by their ids, that put a value behind the last.
    walks : dict
        Loops over positions, by their ids, and `local x = t[i]` with which their bodies begin.
    """

    variables: set[Variable] = field(default_factory=set)
    types: dict[Variable, Type] = field(default_factory=dict)
    fills: set[int] = field(default_factory=set)
    walks: dict[int, ast.Local] = field(default_factory=dict)


def find_lists(block: ast.Block, types: Types) -> Lists:
    """Return the locals of a file that are lists."""
    finder = ListFinder(types)
    finder.block(block)
    kept: dict[Variable, Type] = {}
    for variable, owner in finder.candidates.items():
        kind: Type | None = None
        for element in owner.elements:
            kind = join(kind, types.of(element))
        kind = kind or ANY
        text = kind.is_number or kind.kind == "string"
        if all(is_something(types, node) for node in owner.elements) and (
            text or not (owner.joined or owner.sorted)
        ):
            kept[variable] = kind
    known = {variable: Type("list", detail=kind) for variable, kind in kept.items()}
    for owner, name in finder.elements:
        if owner.variable in kept and name.variable is not None and not name.variable.writes:
            known[name.variable] = kept[owner.variable]
    return Lists(
        set(kept),
        known,
        {node for node, owner in finder.fills.items() if owner.variable in kept},
        {
            node: first
            for node, (owner, first) in finder.walks.items()
            if owner.variable in kept and node not in finder.changed
        },
    )


def is_something(types: Types, node: ast.Expression) -> bool:
    """Whether a value cannot be nil."""
    match node:
        case ast.Paren(inner=inner):
            return is_something(types, inner)
        case ast.Binary(operator="and" | "or"):
            pass
        case ast.Binary() | ast.Unary() | ast.Function() | ast.TableConstructor():
            return True
    kind = types.of(node)
    return not kind.optional and kind.kind not in ("any", "nil")
