"""Python that the modern pass puts into a file's tree, between what stays Lua's.

A `Template` is text with expressions of the tree in it, which are translated where they stand;
`Line`, `Suite` and `Nothing` are statements made of such text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .. import ast
from ..kinds import ANY, Type

Part = Any
"""Text, or an expression of the tree."""


@dataclass(slots=True)
class Template(ast.Node):
    """An expression of Python.

    Attributes
    ----------
    parts : list of str or Expression
    kind : Type
        What it gives.
    imports : tuple of (str, str)
        Names that the text needs, and the modules that have them.
    """

    parts: list[Part]
    kind: Type = ANY
    imports: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class ClassNumbers(ast.Node):
    """Numbers of classes or words, which count from 1 in Lua and from 0 here."""

    inner: Any


@dataclass(slots=True)
class Whole(ast.Node):
    """A size, which Lua may have computed as a fraction: `n / 2`."""

    inner: Any


@dataclass(slots=True)
class Handed(ast.Node):
    """A model that becomes one of Torch here, for what is done with it from here on."""

    inner: Any


@dataclass(slots=True)
class Line(ast.Statement):
    """A statement of one line: `code` as it stands."""

    code: Template


@dataclass(slots=True)
class Suite(ast.Statement):
    """`header:` and a body; `names` are declared by the header, as by `for p in ...`."""

    header: Template
    body: ast.Block
    names: list[ast.Name] = field(default_factory=list)


@dataclass(slots=True)
class Nothing(ast.Statement):
    """What is left of a statement that has no meaning any more: its comments."""


def at(node: ast.Node, *parts: Part, kind: Type = ANY, imports: Any = ()) -> Any:
    """Return a template in the place of a node."""
    return Template(node.line, node.column, list(parts), kind, tuple(imports))


NN = ("nn", "rekindle")
OPTIM = ("optim", "rekindle")
NO_GRAD = ("no_grad", "rekindle")
SEED = ("share_generator", "rekindle.transpiler.runtime.modern")
RESET = ("reset", "rekindle.transpiler.runtime.modern")
TO_TYPE = ("to_type", "rekindle.transpiler.runtime.modern")
DEFAULT_DTYPE = ("default_dtype", "rekindle.transpiler.runtime.modern")
SET_FIELD = ("set_field", "rekindle.transpiler.runtime.as_torch")
AS_TORCH = ("as_torch", "rekindle.transpiler.runtime.as_torch")
AS_GRAPH = ("as_graph", "rekindle.transpiler.runtime.graphs")
OVERWRITTEN = ("overwritten", "rekindle.transpiler.runtime.graphs")
GRADIENTS = ("gradients_to_vector", "rekindle.transpiler.runtime.modern")
FROM_ZERO = ("from_zero", "rekindle.transpiler.runtime.modern")


def like(new: ast.Statement, old: ast.Statement) -> ast.Statement:
    """Give a statement the comments of the one that it stands for."""
    new.before, new.blank_before, new.after = old.before, old.blank_before, old.after
    return new
