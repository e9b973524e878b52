"""A statement of Python that takes values apart: `(loss, out), grads = df(params, x)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import ast
from ..lower.assignment import plain_place, store
from ..lower.context import Context
from .nodes import Template

if TYPE_CHECKING:
    from ..scope import _Resolver


@dataclass(slots=True)
class Unpacked(ast.Statement):
    """An assignment.

    Attributes
    ----------
    targets : list of Name
    pattern : list of str or int
        Text, and positions of targets.
    value : Template
    declares : bool
        Whether the targets are new variables.
    """

    targets: list[Any]
    pattern: list[str | int]
    value: Template
    declares: bool


def resolve_unpacked(resolver: _Resolver, node: Unpacked) -> None:
    """Find the variables of such a statement."""
    resolver.expression(node.value)  # type: ignore[arg-type]  # templates are expressions here
    for name in node.targets:
        if node.declares:
            resolver.declare(name, "local").unknown = True
        else:
            resolver.write(name, None, [ast.Nil(0, 0), ast.Nil(0, 0)])


def unpacked(c: Context, node: Unpacked) -> None:
    """Write such a statement."""
    from .lowering import template

    value = template(c, node.value)
    places, later = [], []
    for name in node.targets:
        held = node.declares and name.variable in c.cells
        place = None if held else plain_place(c, name)
        if place is None:
            place = c.fresh(name.name)
            later.append((name, held, place))
        places.append(place)
    text = "".join(places[p] if isinstance(p, int) else p for p in node.pattern)
    c.put(f"{text} = {value}")
    for name, held, place in later:
        if held:
            c.put(f"{c.name_of(name.variable)} = {c.lua('Cell', place)}")
        else:
            store(c, name, place)
