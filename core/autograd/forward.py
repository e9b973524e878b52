"""Forward mode: the recorded graph, walked from inputs to outputs with tangents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ShapeError
from ..tensor import Tensor
from .alias import alias, zeros_for
from .modes import setting
from .node import Node
from .recompute import recall
from .versions import check_versions
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
    ShapeError
        If there is not one tangent for each primal, or its shape is another.

    Notes
    -----
    Records `f` and pushes the tangents through the graph in the order of its creation: the
    jvp rules of the operations, no dual numbers.
    """
    if len(primals) != len(tangents):
        raise ShapeError(f"{len(tangents)} tangents for {len(primals)} primals")
    for i, (x, t) in enumerate(zip(primals, tangents, strict=True)):
        if x.shape != t.shape:
            raise ShapeError(f"tangent {i} has shape {t.shape}, its primal {x.shape}")
    with setting(grad=True):
        inputs = [alias(x) for x in primals]
        value = f(*inputs)
        outputs = value if isinstance(value, tuple) else (value,)
        results = tuple(pushed(outputs, inputs, tangents))
    return value, results if isinstance(value, tuple) else results[0]


def pushed(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], tangents: Sequence[Tensor]
) -> list[Tensor]:
    """Return the tangents of `outputs` for those of `inputs`, from which they were computed.

    Each input is the output of a node; zeros are returned where none leads to an output.
    """
    known: dict[Any, Any] = {
        parent_of(x): t if t.dtype == x.dtype else t.astype(x.dtype)
        for x, t in zip(inputs, tangents, strict=True)
    }
    for node in _between(outputs, known):
        packed = None if type(node.saved) is tuple else recall(node)
        check_versions(node)
        arriving = [known.get(p) if isinstance(p, Node) else None for p in node.parents]
        if any(t is not None for t in arriving):
            known[node] = node.op.pushforward(node, arriving)
        if packed is not None:
            node.saved = packed
    return [_of(known, y) for y in outputs]


def _between(outputs: Sequence[Tensor], known: dict[Node, Any]) -> list[Node]:
    """Return the nodes that `outputs` come from, up to those already known, oldest first."""
    seen: set[Node] = set()
    pending = [parent_of(y) for y in outputs]
    oldest = max(node.order for node in known) if known else 0
    while pending:
        node = pending.pop()
        if (
            isinstance(node, Node)
            and node.order < oldest
            and node not in seen
            and node not in known
        ):
            seen.add(node)
            pending.extend(node.parents)
    return sorted(seen, key=lambda node: -node.order)


def _of(known: dict[Any, Any], y: Tensor) -> Tensor:
    """Return the tangent of an output; zeros where no input leads to it."""
    parent = parent_of(y)
    tangent = known.get(parent) if isinstance(parent, Node) else None
    return zeros_for(y) if tangent is None else tangent
