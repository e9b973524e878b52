"""Derivative rules: plain functions that name what they need.

A rule's parameters say what a recorded call must keep for it: `g` (the gradient that arrives,
or the tangent), an operand's name (`x`), an output's (`out`), `x_shape`, a parameter of the
operation (`axis`), `xp` (the namespace of operations: on arrays in an ordinary backward pass,
on tensors where the pass is itself recorded) and `i` (which operand of a variadic call).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ..autograd.node import Node
from ..errors import RekindleError
from .namespaces import array_namespace

SHAPE = "_shape"

_FIXED = {"g": -1, "xp": -2, "i": -3}
"""What a rule names beside what the node saved, and its place in `Rule.sources`."""


class RuleError(RekindleError, TypeError):
    """A derivative rule that asks for what its operation cannot give."""


class Rule:
    """One derivative rule, with the names of what it needs.

    Attributes
    ----------
    names : tuple of str
    on_arrays : callable
        `on_arrays(g, node, i)` evaluates the rule on the arrays that a node saved.
    """

    __slots__ = ("function", "names", "on_arrays", "sources")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.names = tuple(inspect.signature(function).parameters)
        self.sources: tuple[int | str, ...] = ()
        self.on_arrays: Callable[[Any, Node, int], Any] = self._on_arrays

    def bind(self, saved_names: Sequence[str]) -> None:
        """Find where each named value comes from once the operation knows what it saves."""
        places = {name: k for k, name in enumerate(saved_names)}
        self.sources = tuple(_FIXED.get(n, places.get(n, n)) for n in self.names)
        self.on_arrays = self._shortcut() or self._on_arrays

    def run(self, xp: Any, g: Any, i: int, saved: Sequence[Any], node: Node) -> Any:
        """Evaluate the rule for operand `i` in the namespace `xp`, on what `node` saved."""
        given = (i, xp, g)
        return self.function(
            *[
                node.params[s] if isinstance(s, str) else saved[s] if s >= 0 else given[s]
                for s in self.sources
            ]
        )

    def _on_arrays(self, g: Any, node: Node, i: int) -> Any:
        return self.run(array_namespace(g), g, i, node.saved, node)

    def _shortcut(self) -> Callable[[Any, Node, int], Any] | None:
        """Return what `on_arrays` comes to for the shortest rules, which are most of all calls."""
        f = self.function
        match self.sources:
            case (-1,):
                return lambda g, node, i: f(g)
            case (-1, int(k)) if k >= 0:
                return lambda g, node, i: f(g, node.saved[k])
            case (-1, int(k), int(m)) if k >= 0 and m >= 0:
                return lambda g, node, i: f(g, node.saved[k], node.saved[m])
            case (-2, -1, int(k)) if k >= 0:
                return lambda g, node, i: f(array_namespace(g), g, node.saved[k])
        return None
