"""What a constructor of Torch's nn is given, and what becomes of it in core.nn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import ast
from ..walk import alike, number, plain
from .nodes import NN, Part, Template, Whole


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of core.

    Attributes
    ----------
    code : Template
    rank : str or None
        What comes out of it: "features", "spatial" or not known.
    has_parameters : bool
    note : str
        What a program should know of it.
    helper : str
        The class of the file itself that it is, if core has none.
    """

    code: Template
    rank: str | None
    has_parameters: bool = False
    note: str = ""
    helper: str = ""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a constructor is given, and the methods called on what it makes.

    Attributes
    ----------
    node : ast.Node
    values : list of Expression
    rank : str or None
    methods : dict of str to list of Expression
        `:ceil()`, `:noBias()`, `:setNumInputDims(3)`.
    """

    node: ast.Node
    values: list[Any]
    rank: str | None
    methods: dict[str, list[Any]]

    def __getitem__(self, position: int) -> Any:
        if position >= len(self.values) or isinstance(plain(self.values[position]), ast.Nil):
            return None
        return self.values[position]

    def count(self, position: int) -> Any:
        """Return a size: None where it is left out."""
        value = self[position]
        return value if value is None or number(value) is not None else whole(value)

    def code(self, name: str, *parts: Part, **named: Part) -> Template:
        """Return `nn.Name(parts, name=part)`; what is None is left out."""
        found: list[Part] = [f"nn.{name}("]
        given = [("", p) for p in parts if p is not None]
        given += [(f"{key}=", p) for key, p in named.items() if p is not None]
        for position, (key, part) in enumerate(given):
            found.append(f"{', ' if position else ''}{key}")
            found += part if isinstance(part, list) else [part]
        return Template(self.node.line, self.node.column, [*found, ")"], imports=(NN,))

    def size(self, *positions: int, default: float | None = None) -> Part:
        """Return one number for equal ones, a tuple of different ones, None for the default.

        `positions` are those of height and width, which Torch has the other way round.
        """
        values = [self[p] for p in positions]
        if any(v is None for v in values):
            if all(v is None for v in values):
                return None
            filled = ast.Number(self.node.line, self.node.column, default or 0, str(default or 0))
            values = [filled if v is None else v for v in values]
        if default is not None and all(number(v) == default for v in values):
            return None
        if all(alike(values[0], v) for v in values[1:]):
            return whole(values[0])
        parts: list[Part] = ["("]
        for v in values:
            parts += [whole(v), ", "]
        return [*parts[:-1], ")"]

    def flag(self, position: int, default: bool) -> str | None:
        """Return a boolean that is written out, None where it is the default.

        Raises
        ------
        Unclear
            If it is not written out.
        """
        value = self[position]
        if value is None:
            return None
        if not isinstance(plain(value), ast.Boolean):
            raise Unclear
        given = plain(value).value
        return None if given == default else str(given)


def whole(node: Any) -> Any:
    """Return an expression as a size."""
    return node if number(node) is not None else Whole(node.line, node.column, node)


class Unclear(Exception):
    """An argument whose meaning depends on its value while the program runs."""


Maker = Callable[[Arguments], Layer | None]
"""Gives a layer of core for the arguments, None where core has nothing of the same meaning."""
