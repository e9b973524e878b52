"""Forward mode: the recorded graph, walked from inputs to outputs with tangents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..tensor import Tensor
from .alias import alias, zeros_for
from .modes import setting
from .node import Node, check_versions, position_of
from .recompute import recall
from .views import parent_of


def jvp(
    f: Callable[..., Any], primals: Sequence[Tensor], tangents: Sequence[Tensor]
) -> tuple[Any, Any]:
    """Return f's value and its derivative in the direction of `tangents`.

    Parameters
    ----------
    f : callable
        Takes `len(primals)` tensors, returns a tensor or a tuple of them.
    primals, tangents : sequence of Tensor
        Where to evaluate, and one direction of the same shape for each.

    Returns
    -------
    value, tangent
        As `f` returns; both can be differentiated again.

    Raises
    ------
    ValueError
        If a tangent's shape is not its primal's.

    Notes
    -----
    Records `f` and pushes the tangents through the graph in the order of its creation: the
    jvp rules of the operations, no dual numbers.
    """
    for i, (x, t) in enumerate(zip(primals, tangents, strict=True)):
        if x.shape != t.shape:
            raise ValueError(f"tangent {i} has shape {t.shape}, its primal {x.shape}")
    with setting(grad=True):
        inputs = [alias(x) for x in primals]
        value = f(*inputs)
        outputs = value if isinstance(value, tuple) else (value,)
        known: dict[Node, Any] = {parent_of(x): t for x, t in zip(inputs, tangents, strict=True)}
        for node in _between(outputs, known):
            recall(node)
            check_versions(node)
            arriving = [_tangent(known, node, i) for i in range(len(node.parents))]
            if any(t is not None for t in arriving):
                known[node] = node.op.pushforward(node, arriving)
        results = tuple(_of(known, parent_of(y), position_of(y), y) for y in outputs)
    return value, results if isinstance(value, tuple) else results[0]


def _between(outputs: Sequence[Tensor], known: dict[Node, Any]) -> list[Node]:
    """Return the nodes that `outputs` come from, up to those already known, oldest first."""
    seen: set[Node] = set()
    pending = [parent_of(y) for y in outputs]
    oldest = min(node.sequence for node in known)
    while pending:
        node = pending.pop()
        if isinstance(node, Node) and node not in seen and node not in known:
            if node.sequence < oldest:
                continue
            seen.add(node)
            pending.extend(node.parents)
    return sorted(seen, key=lambda node: node.sequence)


def _tangent(known: dict[Node, Any], node: Node, i: int) -> Any:
    parent = node.parents[i]
    if not isinstance(parent, Node) or parent not in known:
        return None
    tangent = known[parent]
    if parent.op.outputs == 1 or tangent is None:
        return tangent
    return tangent[0 if node.positions is None else node.positions[i]]


def _of(known: dict[Node, Any], parent: Any, position: int, like: Tensor) -> Tensor:
    tangent = known.get(parent) if isinstance(parent, Node) else None
    if tangent is not None and parent.op.outputs != 1:
        tangent = tangent[position]
    return zeros_for(like) if tangent is None else tangent
