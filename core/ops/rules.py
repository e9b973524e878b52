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

SHAPE = "_shape"


class Rule:
    """One derivative rule, with the names of what it needs."""

    __slots__ = ("function", "names", "run", "sources")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.names = tuple(inspect.signature(function).parameters)
        self.sources: tuple[int | str, ...] = ()
        self.run: Callable[[Any, Any, int, Sequence[Any], Any], Any] = self._run

    def bind(self, saved_names: Sequence[str]) -> None:
        """Find where each named value comes from once the operation knows what it saves."""
        fixed = {"g": -1, "xp": -2, "i": -3}
        places = {name: k for k, name in enumerate(saved_names)}
        self.sources = tuple(fixed.get(n, places.get(n, n)) for n in self.names)
        self.run = self._shortcut() or self._run

    def _shortcut(self) -> Callable[[Any, Any, int, Sequence[Any], Any], Any] | None:
        """Return what `run` comes to for the shortest rules, which are most of all calls."""
        f = self.function
        match self.sources:
            case (-1,):
                return lambda xp, g, i, saved, params: f(g)
            case (-1, int(k)) if k >= 0:
                return lambda xp, g, i, saved, params: f(g, saved[k])
            case (-1, int(k), int(m)) if k >= 0 and m >= 0:
                return lambda xp, g, i, saved, params: f(g, saved[k], saved[m])
        return None

    def _run(self, xp: Any, g: Any, i: int, saved: Sequence[Any], params: Any) -> Any:
        """Evaluate the rule on the values that a node saved."""
        given = (i, xp, g)
        return self.function(
            *[
                params[s] if isinstance(s, str) else saved[s] if s >= 0 else given[s]
                for s in self.sources
            ]
        )


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum `g` over the dimensions along which an operand of `shape` was repeated.

    The one place that undoes broadcasting; works on arrays and tensors.
    """
    if g.shape == shape:
        return g
    extra = len(g.shape) - len(shape)
    axes = tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1
    )
    return g.sum(axis=axes, keepdims=True).reshape(shape)
