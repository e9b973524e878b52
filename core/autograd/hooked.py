"""Calling hooks during a backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..tensor import Tensor
from .accumulate import accumulate
from .errors import GraphError
from .modes import setting
from .node import Node
from .parts import Parts


def arrive(node: Node, g: Any, graph: bool) -> Any:
    """Call the hooks of a node's output with its gradient; return what goes on from there."""
    hooks = node.hooks
    assert hooks is not None
    for hook in [*hooks.before]:
        g = replaced(g, hook(as_tensor(g)), graph)
    keeper = None if hooks.kept_by is None else hooks.kept_by()
    if keeper is not None:
        accumulate(keeper, g, False, graph)
    return g


def set_out(node: Node, g: Any, graph: bool) -> Any:
    """Call the hooks of a node that precede its rules; return what the rules are given.

    Raises
    ------
    GraphError
        If a hook returns other than one gradient, or None, for each output.
    """
    assert node.hooks is not None
    for hook in [*node.hooks.ahead]:
        arrived = _arrived(node, g)
        given = hook(tuple(None if x is None else as_tensor(x) for x in arrived))
        if given is None:
            continue
        _check_tuple(node, given, len(arrived))
        pairs = zip(arrived, given, strict=True)
        values = [x if x is None else replaced(x, y, graph) for x, y in pairs]
        if isinstance(g, Parts):
            g = Parts({j: v for j, v in enumerate(values) if v is not None}, g.shape, g.dtype)
        else:
            g = values[0]
    return g


def leave(node: Node, computed: Sequence[Any], g: Any, graph: bool) -> Sequence[Any]:
    """Call the hooks of a node with what it computed; return what goes on from there.

    Raises
    ------
    GraphError
        If a hook returns other than one gradient, or None, for each that was computed.
    """
    assert node.hooks is not None
    outputs = tuple(None if x is None else as_tensor(x) for x in _arrived(node, g))
    for hook in [*node.hooks.after]:
        inputs = tuple(None if x is None else as_tensor(x) for x in computed)
        given = hook(inputs, outputs)
        if given is None:
            continue
        _check_tuple(node, given, len(inputs))
        computed = [
            x if x is None else replaced(x, y, graph) for x, y in zip(computed, given, strict=True)
        ]
    return computed


def finish(leaf: Tensor, graph: bool) -> None:
    """Call the hooks of a leaf whose `grad` has been added to, recording them under `graph`.

    Raises
    ------
    GraphError
        If one returns something.
    """
    hooks = getattr(leaf, "_hooks", None)
    for hook in [*hooks.after] if hooks is not None else ():
        with setting(grad=graph):
            given = hook(leaf)
        if given is not None:
            raise GraphError(
                f"a hook that runs after a gradient was added up returned a "
                f"{type(given).__name__}; it returns None, and may change `grad` of its argument"
            )


def _arrived(node: Node, g: Any) -> tuple[Any, ...]:
    """Return the gradient of each output, or None."""
    if isinstance(g, Parts):
        return tuple(g.values.get(j) for j in range(len(node.shape)))
    return (g,)


def _check_tuple(node: Node, given: Any, count: int) -> None:
    if not isinstance(given, tuple) or len(given) != count:
        raise GraphError(
            f"a hook of {node.name} returned {given!r:.60}; return None, or a tuple of "
            f"{count} gradients"
        )


def replaced(g: Any, value: Any, graph: bool) -> Any:
    """Return what a hook returned in the place of `g`, or `g` if that was None.

    Raises
    ------
    GraphError
        If it is no tensor, or has another shape.
    """
    if value is None:
        return g
    if not isinstance(value, Tensor) or value.shape != g.shape:
        given = f"shape {value.shape}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
        raise GraphError(
            f"a hook returned {given} for a gradient of shape {g.shape}; return a tensor of that "
            "shape, or None to leave the gradient as it is"
        )
    value = value if value.dtype == g.dtype else value.astype(g.dtype)
    return value if graph else value.array


def as_tensor(g: Any) -> Tensor:
    """Return a gradient as users see it."""
    return g if isinstance(g, Tensor) else Tensor(g)
