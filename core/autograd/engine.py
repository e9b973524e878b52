"""The backward pass: an iterative walk from outputs to leaves.

Nodes are taken in reverse order of creation, which is an order in which every node comes
after all that use its output; so one heap and no recursion suffice.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np

from ..errors import UseError
from ..tensor import Tensor
from .modes import MODE, setting
from .node import Node, check_versions, position_of
from .recompute import recall
from .views import parent_of

_LOCKS = [threading.Lock() for _ in range(64)]
"""A leaf's lock is the one of its address: few leaves share one, and none holds two."""


def backward(
    tensors: Tensor | Sequence[Tensor],
    gradients: Any = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[Tensor] | None = None,
) -> None:
    """Add the gradient of `tensors` with respect to every leaf into the leaf's `grad`.

    Parameters
    ----------
    tensors : Tensor or sequence of Tensor
        The outputs; those of more than one element need a gradient.
    gradients : array_like or sequence, optional
        For each output the gradient of the final result with respect to it; 1 by default.
    retain_graph : bool, optional
        Keep what was saved, for another backward pass; by default as `create_graph`.
    create_graph : bool
        Record the backward pass itself, so that gradients can be differentiated.
    inputs : sequence of Tensor, optional
        Leaves to accumulate into, instead of all.

    Raises
    ------
    RuntimeError
        If an output requires no gradient or has several elements and none was given; if the
        graph was used before; if a saved value was overwritten (VersionError).
    """
    roots = _roots(tensors, gradients, create_graph)
    only = None if inputs is None else {id(t) for t in inputs}
    wanted = None if inputs is None else _leading_to([parent_of(t) for t in inputs], roots)
    retain = create_graph if retain_graph is None else retain_graph

    def accept(leaf: Tensor, g: Any, owned: bool) -> None:
        if only is None or id(leaf) in only:
            _accumulate(leaf, g, owned, create_graph)

    _walk(roots, accept, wanted, {}, retain, create_graph)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    gradients: Any = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of `outputs` with respect to `inputs`; no `grad` is touched.

    Parameters
    ----------
    outputs, gradients, retain_graph, create_graph
        As for `backward`.
    inputs : Tensor or sequence of Tensor
        Leaves or intermediate results.
    allow_unused : bool
        Give None for an input that the outputs do not depend on, instead of raising.

    Returns
    -------
    tuple of Tensor
        One for each input, of its shape.

    Raises
    ------
    RuntimeError
        As `backward`, and for an input that is not used or requires no gradient.
    """
    targets = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    roots = _roots(outputs, gradients, create_graph)
    found: dict[tuple[int, int], Any] = {}
    keys: list[tuple[int, int]] = []
    captured: dict[Node, dict[int, tuple[int, int]]] = {}
    parents = []
    for i, t in enumerate(targets):
        parent = parent_of(t)
        if parent is None:
            raise RuntimeError(f"input {i} of grad requires no gradient")
        position = position_of(t) if isinstance(parent, Node) else 0
        keys.append((id(parent), position))
        parents.append(parent)
        if isinstance(parent, Node):
            captured.setdefault(parent, {})[position] = keys[-1]

    def accept(leaf: Tensor, g: Any, owned: bool) -> None:
        key = (id(leaf), 0)
        found[key] = found[key] + g if key in found else g

    retain = create_graph if retain_graph is None else retain_graph
    wanted = _leading_to(parents, roots)
    _walk(roots, accept, wanted, captured, retain, create_graph, found)
    results: list[Tensor | None] = []
    for i, (key, t) in enumerate(zip(keys, targets, strict=True)):
        if key in found:
            g = found[key]
            results.append(g if isinstance(g, Tensor) else Tensor(np.asarray(g), t.dtype))
        elif allow_unused:
            results.append(None)
        else:
            raise RuntimeError(
                f"the outputs do not depend on input {i}; allow_unused=True gives None for it"
            )
    return tuple(results)


def _roots(tensors: Any, gradients: Any, graph: bool) -> list[tuple[Any, int, Any]]:
    outputs = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    given = [gradients] if isinstance(tensors, Tensor) else gradients or [None] * len(outputs)
    roots = []
    for t, g in zip(outputs, given, strict=True):
        parent = parent_of(t)
        if parent is None:
            raise RuntimeError(
                "backward from a tensor that requires no gradient: nothing it was computed from "
                "has requires_grad=True, or it was computed inside no_grad()"
            )
        if g is None:
            if t.size != 1:
                raise RuntimeError(
                    f"backward from a tensor of shape {t.shape} needs a gradient of that shape; "
                    "without one the tensor must have one element"
                )
            g = np.ones(t.shape, t.dtype) if not graph else Tensor(np.ones(t.shape, t.dtype))
        else:
            g = g if isinstance(g, Tensor) else Tensor(g, t.dtype)
            if g.shape != t.shape:
                raise RuntimeError(f"a gradient of shape {g.shape} for an output of {t.shape}")
            g = g if graph else g.array
        roots.append((parent, position_of(t) if isinstance(parent, Node) else 0, g))
    return roots


def _leading_to(targets: list[Any], roots: list[tuple[Any, int, Any]]) -> set[int]:
    """Return the ids of the nodes and leaves on a path from a root to a target."""
    wanted = {id(t) for t in targets}
    order, seen = [], set()
    pending = [parent for parent, _, _ in roots]
    while pending:
        node = pending.pop()
        if not isinstance(node, Node) or node in seen:
            continue
        seen.add(node)
        order.append(node)
        pending.extend(p for p in node.parents if p is not None)
    for node in sorted(order, key=lambda n: n.sequence):
        if any(id(p) in wanted for p in node.parents if p is not None):
            wanted.add(id(node))
    return wanted


def _walk(
    roots: list[tuple[Any, int, Any]],
    accept: Any,
    wanted: set[int] | None,
    captured: dict[Node, dict[int, tuple[int, int]]],
    retain: bool,
    graph: bool,
    found: dict[tuple[int, int], Any] | None = None,
) -> None:
    """Carry gradients from `roots` to the leaves, which `accept` takes."""
    grads: dict[Node, Any] = {}
    leaves: dict[Tensor, list[Any]] = {}
    heap: list[tuple[int, Node]] = []

    def send(parent: Any, position: int, g: Any, node: Node | None) -> None:
        if type(parent) is Node:
            if parent.op.outputs != 1:
                slots = grads.get(parent)
                if slots is None:
                    slots = grads[parent] = [None] * parent.op.outputs
                    heappush(heap, (-parent.sequence, parent))
                slots[position] = g if slots[position] is None else slots[position] + g
            elif parent in grads:
                grads[parent] = grads[parent] + g
            else:
                grads[parent] = g
                heappush(heap, (-parent.sequence, parent))
        elif (entry := leaves.get(parent)) is None:
            leaves[parent] = [g, node is not None and _owned(node, g)]
        elif entry[1] and not graph:
            entry[0] += g
        else:
            leaves[parent] = [entry[0] + g, True]

    anomaly = MODE.get().anomaly
    with setting(grad=graph):
        for parent, position, g in roots:
            if wanted is None or id(parent) in wanted:
                send(parent, position, g, None)
        while heap:
            node = heappop(heap)[1]
            g = grads.pop(node)
            if node.hooks is not None:
                g = _run_hooks(node, g, graph)
            if captured and node in captured and found is not None:
                for position, key in captured[node].items():
                    found[key] = g if node.op.outputs == 1 else g[position]
            if type(node.saved) is not tuple:
                recall(node)
            if node.versions:
                check_versions(node)
            results = node.op.pullback(node, g, graph, wanted)
            arrived, positions = g, node.positions
            for i, parent in enumerate(node.parents):
                g = results[i]
                if parent is None or g is None:
                    continue
                if anomaly:
                    _check_finite(node, i, g)
                owner = None if g is arrived else node
                send(parent, 0 if positions is None else positions[i], g, owner)
            if not retain:
                node.saved = None
        for leaf, (g, owned) in leaves.items():
            accept(leaf, _leaf_gradient(leaf, g), owned)


def _owned(node: Node, g: Any) -> bool:
    """Whether nobody but the engine can hold the memory of a gradient that `node` sent."""
    return (
        isinstance(g, np.ndarray)
        and g.base is None
        and g.flags.writeable
        and all(g is not s for s in node.saved or ())
    )


def _leaf_gradient(leaf: Tensor, g: Any) -> Any:
    return g if g.dtype == leaf.dtype else g.astype(leaf.dtype)


def _accumulate(leaf: Tensor, g: Any, owned: bool, graph: bool) -> None:
    for hook in getattr(leaf, "_hooks", ()):
        replaced = hook(g if isinstance(g, Tensor) else Tensor(np.asarray(g)))
        if replaced is not None:
            g, owned = (replaced if graph else replaced.array), False
    with _LOCKS[id(leaf) // 64 % len(_LOCKS)]:
        if leaf.grad is not None:
            with setting(grad=graph):
                leaf.grad.add_(g)
        elif graph:
            leaf.grad = g
        else:
            leaf.grad = Tensor(g if owned else g.copy())


def _run_hooks(node: Node, g: Any, graph: bool) -> Any:
    assert node.hooks is not None
    slots = [g] if node.op.outputs == 1 else g
    for position, hooks in node.hooks.items():
        for hook in hooks:
            value = slots[position]
            if value is None:
                continue
            replaced = hook(value if isinstance(value, Tensor) else Tensor(value))
            if replaced is not None:
                slots[position] = replaced if graph else replaced.array
    return slots[0] if node.op.outputs == 1 else slots


def _check_finite(node: Node, i: int, g: Any) -> None:
    values = g.array if isinstance(g, Tensor) else g
    if np.isnan(values).any():
        raise FloatingPointError(
            f"the gradient of {node.name} for operand {i} has nan; the forward call was at\n"
            f"{node.trace or '(not recorded: enter detect_anomaly before the forward pass)'}"
        )


def register_hook(tensor: Tensor, hook: Callable[[Tensor], Tensor | None]) -> Callable[[], None]:
    """Call `hook` with the gradient of this tensor in every backward pass.

    Parameters
    ----------
    hook : callable
        Takes the gradient; what it returns, unless None, takes the gradient's place.

    Returns
    -------
    callable
        Removes the hook.
    """
    parent = parent_of(tensor)
    if parent is None:
        raise UseError("a hook needs a tensor that requires gradients")
    if isinstance(parent, Node):
        if parent.hooks is None:
            parent.hooks = {}
        hooks = parent.hooks.setdefault(position_of(tensor), [])
    else:
        if not hasattr(tensor, "_hooks"):
            tensor._hooks = []
        hooks = tensor._hooks
    hooks.append(hook)
    return lambda: hooks.remove(hook)


def retain_grad(tensor: Tensor) -> None:
    """Keep the gradient of this intermediate result in its `grad` too."""
    reference = weakref.ref(tensor)

    def keep(g: Tensor) -> None:
        target = reference()
        if target is not None:
            target.grad = g if target.grad is None else target.grad + g

    if not tensor.is_leaf:
        register_hook(tensor, keep)
