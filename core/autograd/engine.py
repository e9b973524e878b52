"""The backward pass: an iterative walk from outputs to leaves.

Nodes are taken in reverse order of creation, which is an order in which every node comes
after all that use its output; so one heap and no recursion suffice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any

from numpy import ndarray

from ..kernels.chains import LARGE, Chain
from .accumulate import fitted
from .anomaly import check_not_nan
from .chained import pull_chain, takes_chains, write_down
from .hooked import arrive, leave, set_out
from .modes import MODE, setting
from .node import Node
from .parts import PICK
from .recompute import recall
from .versions import LAST_WRITE, check_versions

Deliver = Callable[[Any, Any, Node | None, Any], None]
"""Takes (a leaf or node, a gradient for it, the node that computed it, what had arrived there)."""

PATIENCE = 32
"""For how many older nodes the chain for a leaf waits for more."""

_NONE: Mapping[Node, bool] = {}


def walk(
    roots: Sequence[tuple[Any, Any]],
    deliver: Deliver,
    *,
    graph: bool,
    retain: bool,
    targets: Mapping[Node, bool] = _NONE,
    through: set[int] | None = None,
) -> None:
    """Carry gradients from `roots` to the leaves.

    Parameters
    ----------
    roots : sequence of (node or leaf, gradient)
        Gradients are arrays, or tensors under `graph`.
    deliver : callable
        Is told of each gradient for a leaf, and of the total for each node in `targets`.
    graph : bool
        Whether to record the pass itself.
    retain : bool
        Whether to keep what nodes saved.
    targets : mapping of Node to bool
        Nodes whose gradients `deliver` wants, and whether to go on from there.
    through : set of int, optional
        Ids of the nodes and leaves to go to; by default all.
    """
    grads: dict[Node, Any] = {}
    heap: list[tuple[int, Node]] = []
    results: Sequence[Any] | None
    mode = MODE.get()
    watched = mode.watched
    ordinary = through is None and not graph and not watched
    packed: Any = None
    chained = False
    last: Any = None  # the leaf that a chain goes to, its chain so far, and who made that
    with setting(grad=graph):
        for root, g in roots:
            if not isinstance(root, Node):
                deliver(root, g, None, None)
            elif root in grads:
                grads[root] = grads[root] + g
            else:
                grads[root] = g
                heappush(heap, (root.order, root))
        while heap:
            node = heappop(heap)[1]
            g = grads.pop(node)
            hooks = node.hooks
            if chained:
                last = _limited(node, grads, deliver, last)
            if hooks is not None:
                g = arrive(node, g.evaluated() if type(g) is Chain else g, graph)
            if targets and node in targets:
                g = g.evaluated() if type(g) is Chain else g
                deliver(node, g, None, None)
                if not targets[node]:
                    continue
            if hooks is not None and hooks.ahead:
                g = set_out(node, g, graph)
            if type(node.saved) is not tuple:
                packed = recall(node)
            if node.order > LAST_WRITE[0]:
                check_versions(node)
            if ordinary:
                if type(g) is ndarray and g.size < LARGE:
                    results = node.op.pullback_arrays(node, g)
                elif takes_chains(node, g):
                    results = pull_chain(node, g)
                    chained = True
                else:
                    write_down(node)
                    results = node.op.pullback_arrays(node, g)
            elif watched:
                write_down(node)
                results = _watched_pullback(node, g, graph, through)
            else:
                write_down(node)
                results = node.op.pullback(node, g, graph, through)
            if hooks is not None and hooks.after:
                results = leave(node, results, g, graph)
            parents = (node.x, node.y) if node.many is None else node.many
            for parent, gi in zip(parents, results):  # noqa: B905  # strict takes time
                if gi is None or parent is None:
                    continue
                if type(parent) is Node:
                    if gi.shape != parent.shape or gi.dtype is not parent.dtype:
                        gi = fitted(gi, parent.shape, parent.dtype, node, parent)
                    if parent in grads:
                        grads[parent] = grads[parent] + gi
                    else:
                        grads[parent] = gi
                        heappush(heap, (parent.order, parent))
                elif type(gi) is Chain:
                    if last is not None and last[0] is not parent:
                        _deliver_chain(deliver, *last)
                        last = None
                    last = parent, gi if last is None else last[1] + gi, node
                else:
                    deliver(parent, gi, node, g)
            if not retain:
                if node.versions:
                    node.saved = None
            elif packed is not None:
                node.saved, packed = packed, None
            gi = results = None  # the next rule may need the memory
        if last is not None:
            _deliver_chain(deliver, *last)


def _limited(node: Node, grads: dict[Node, Any], deliver: Deliver, last: Any) -> Any:
    """Compute chains that must not wait for what `node` does next; return what is left of `last`.

    Where a program's code may run, nothing waits: it could write into what chains read. Those for
    leaves keep memory, so they wait for others to the same leaf for a short while only.
    """
    if node.hooks is not None or not node.op.computes_afresh or type(node.saved) is not tuple:
        for other, g in grads.items():
            if type(g) is Chain:
                grads[other] = g.evaluated()
    elif last is None or node.order - last[2].order < PATIENCE:
        return last
    if last is not None:
        _deliver_chain(deliver, *last)
    return None


def _deliver_chain(deliver: Deliver, leaf: Any, chain: Chain, node: Node) -> None:
    fresh = chain.step >= 0
    g = chain.computed()
    deliver(leaf, g, node, None if fresh else g)


def _watched_pullback(node: Node, g: Any, graph: bool, through: set[int] | None) -> Sequence[Any]:
    """Pull back under a profiler or anomaly detection."""
    mode = MODE.get()
    start = time.perf_counter()
    results = node.op.pullback(node, g, graph, through)
    seconds = time.perf_counter() - start
    if node.op is PICK:
        return results
    if mode.watcher is not None and not graph:  # else each operation of the rules is told of
        nbytes = sum(r.nbytes for r in results if r is not None)
        mode.watcher.record(f"{node.name} backward", seconds, nbytes)
    if mode.anomaly:
        check_not_nan(node, results)
    return results
