"""Reverse mode, as users call it: `backward` fills the `grad` of leaves, `grad` returns."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np

from ..backend import Batched
from ..dtypes import as_dtype
from ..tensor import Tensor
from .accumulate import Totals, accumulate, fitted, is_fresh, lock_of
from .alias import zeros_for
from .engine import walk
from .errors import GraphError
from .hooked import as_tensor, finish, replaced
from .levels import for_each_sample, for_leaf
from .node import Node
from .views import parent_of


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Any = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the gradient of `tensors` with respect to every leaf into the leaf's `grad`.

    Parameters
    ----------
    tensors : Tensor or sequence of Tensor
        The outputs; those of more than one element need a gradient.
    grad_tensors : array_like or sequence, optional
        For each output the gradient of the final result with respect to it; 1 by default.
    retain_graph : bool, optional
        Keep what was saved, for another backward pass; by default as `create_graph`.
    create_graph : bool
        Record the backward pass itself, so that gradients can be differentiated.
    inputs : Tensor or sequence of Tensor, optional
        Accumulate into these, leaves or not, instead of all leaves.

    Raises
    ------
    GraphError
        If an output requires no gradient, or has several elements and none was given; if the
        graph was used up before; if a saved value was overwritten (VersionError).
    """
    retain = create_graph if retain_graph is None else retain_graph
    if inputs is not None:
        targets = _listed(inputs)
        if not targets:
            raise GraphError("backward: `inputs` is empty; leave it out to reach all leaves")
        found = _gradients(tensors, targets, grad_tensors, retain, create_graph)
        for t, g in zip(targets, found, strict=True):
            if g is not None:
                accumulate(t, g, False, create_graph)
                finish(t, create_graph)
        return
    later = Totals()
    known: dict[Tensor, tuple[Any, Lock]] = {}

    def deliver(leaf: Tensor, g: Any, node: Node | None, arrived: Any) -> None:
        if type(g) is Batched:
            g = for_leaf(g, leaf)
        entry = known.get(leaf)
        if entry is not None:
            array, lock = entry
            if g.shape != array.shape:
                g = fitted(g, array.shape, array.dtype, node)
            with lock:
                array += g
        elif create_graph or hasattr(leaf, "_hooks"):
            later.add(leaf, g, node, arrived)
        else:
            g = fitted(g, leaf.shape, leaf.dtype, node)
            accumulate(leaf, g, is_fresh(g, node, arrived), False)
            assert leaf.grad is not None
            known[leaf] = leaf.grad.array, lock_of(leaf)

    walk(_roots(tensors, grad_tensors, create_graph), deliver, graph=create_graph, retain=retain)
    for leaf, total, fresh in later.items():
        g = _hooked(leaf, total, create_graph)
        accumulate(leaf, g, fresh and not hasattr(leaf, "_hooks"), create_graph)
    for leaf, _, _ in later.items():
        finish(leaf, create_graph)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of `outputs` with respect to `inputs`; no `grad` is touched.

    Parameters
    ----------
    outputs, grad_outputs, retain_graph, create_graph
        As `tensors`, `grad_tensors` and so on of `backward`.
    inputs : Tensor or sequence of Tensor
        Leaves or intermediate results.
    allow_unused : bool
        Give None for an input that the outputs do not depend on, instead of raising.
    materialize_grads : bool
        Give zeros for such an input.

    Returns
    -------
    tuple of Tensor
        One for each input, of its shape and dtype.

    Raises
    ------
    GraphError
        As `backward`, and for an input that is not used or requires no gradient.
    """
    retain = create_graph if retain_graph is None else retain_graph
    targets = _listed(inputs)
    found = _gradients(outputs, targets, grad_outputs, retain, create_graph)
    for i, g in enumerate(found):
        if g is None and materialize_grads:
            found[i] = zeros_for(targets[i]).requires_grad_(create_graph)
        elif g is None and not allow_unused:
            raise GraphError(
                f"the outputs do not depend on input {i}; allow_unused=True gives None for it, "
                "materialize_grads=True zeros"
            )
    return tuple(None if g is None else as_tensor(g) for g in found)


def _gradients(
    outputs: Any, targets: Sequence[Tensor], given: Any, retain: bool, graph: bool
) -> list[Any]:
    """Return the gradient of each target, an array or under `graph` a tensor, or None."""
    parents = [parent_of(t) for t in targets]
    for i, p in enumerate(parents):
        if p is None:
            raise GraphError(f"input {i} requires no gradient")
    roots = _roots(outputs, given, graph)
    totals = Totals()
    wanted = {id(p) for p in parents}
    leading = _leading_to(wanted, roots)
    through = leading | wanted

    def deliver(target: Any, g: Any, node: Node | None, arrived: Any) -> None:
        if id(target) in wanted:
            totals.add(target, g, node, arrived)

    walk(
        [(root, g) for root, g in roots if id(root) in through],
        deliver,
        graph=graph,
        retain=retain,
        targets={p: id(p) in leading for p in parents if isinstance(p, Node)},
        through=through,
    )
    found = {
        id(p): g if isinstance(p, Node) else _hooked(p, g, graph) for p, g, _ in totals.items()
    }
    return [found.get(id(p)) for p in parents]


def _roots(tensors: Any, gradients: Any, graph: bool) -> list[tuple[Any, Any]]:
    """Return where the pass starts: (node or leaf, gradient) for each output."""
    outputs = _listed(tensors)
    given = [gradients] if isinstance(tensors, Tensor) else gradients
    if given is None:
        given = [None] * len(outputs)
    if len(given) != len(outputs):
        raise GraphError(f"{len(given)} gradients for {len(outputs)} outputs; give one for each")
    roots = []
    for t, g in zip(outputs, given, strict=True):
        parent = parent_of(t)
        if parent is None:
            raise GraphError(
                "backward from a tensor that requires no gradient: nothing it was computed from "
                "has requires_grad=True, or it was computed inside no_grad()"
            )
        if g is None:
            if t.size != 1:
                raise GraphError(
                    f"backward from a tensor of shape {t.shape} needs a gradient of that shape; "
                    "without one the tensor must have one element"
                )
            g = np.ones(t.shape, as_dtype(t.dtype))
        g = g if isinstance(g, Tensor) else Tensor(g, t.dtype, t.device)
        if g.shape != t.shape:
            raise GraphError(f"a gradient of shape {g.shape} for an output of {t.shape}")
        if type(t._array) is Batched:
            g = for_each_sample(g, t._array)
        roots.append((parent, fitted(g if graph else g.array, t.shape, t.dtype, None)))
    return roots


def _leading_to(wanted: set[int], roots: Sequence[tuple[Any, Any]]) -> set[int]:
    """Return the ids of the nodes that have a path from a root and to what is wanted."""
    order, seen = [], set()
    pending = [root for root, _ in roots]
    while pending:
        node = pending.pop()
        if isinstance(node, Node) and node not in seen:
            seen.add(node)
            order.append(node)
            pending.extend(node.parents)
    leading: set[int] = set()
    for node in sorted(order, key=lambda n: -n.order):
        if any(id(p) in wanted or id(p) in leading for p in node.parents if p is not None):
            leading.add(id(node))
    return leading


def _hooked(leaf: Tensor, g: Any, graph: bool) -> Any:
    """Call the hooks of a leaf with its gradient; return what takes its place."""
    hooks = getattr(leaf, "_hooks", None)
    for hook in [*hooks.before] if hooks is not None else ():
        g = replaced(g, hook(as_tensor(g)), graph)
    return g


def _listed(tensors: Tensor | Sequence[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)
