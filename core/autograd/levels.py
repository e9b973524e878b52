"""Where samples begin and end: the border of a vmap, as nodes of the graph.

Inside vmap tensors hold arrays of a kind of their own (backend/batched.py), and operations are
recorded on them as on others. `enter` and `leave` are each other's derivative. A gradient that
reaches what is outside of a vmap that is over, is summed over the samples; while the vmap runs,
the gradients asked for inside it belong to one sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import backend
from ..backend import Batched, Level
from ..tensor import Tensor
from .modes import MODE
from .node import Node, new_node
from .views import View, parent_of

OUTSIDE = "came into a vmap from outside"
INSIDE = "came out of a vmap"


def enter(x: Tensor, level: Level, axis: int) -> Tensor:
    """Return the samples of `x` along dimension `axis` as one; they share its memory."""
    result = Tensor._wrap(backend.wrapped(_moved(x.array, axis, 0), level))
    result._version = x._version
    parent = parent_of(x)
    node = None
    if parent is not None and MODE.get().grad:
        node = new_node(ENTER, (parent,), result.shape, result.dtype, params=(level, axis))
    above = x._node
    base = above.base if isinstance(above, View) else x
    result._node = View(base, None, node, OUTSIDE)
    return result


def leave(x: Tensor, level: Level, axis: int) -> Tensor:
    """Return all samples of `x` along a new dimension `axis`, repeated where it has none."""
    array = x.array
    if level not in backend.levels_of(array):
        shape = [*x.shape]
        shape.insert(axis, level.size)
        expanded: Tensor = x.unsqueeze(axis).expand(shape)
        return expanded
    result = Tensor._wrap(_moved(backend.unwrapped(array, level), 0, axis))
    result._version = x._version
    parent, above, node = parent_of(x), x._node, None
    if parent is not None and MODE.get().grad:
        node = new_node(LEAVE, (parent,), result.shape, result.dtype, params=(level, axis))
    result._node = node
    if isinstance(above, View) and level not in backend.levels_of(above.base.array):
        result._node = View(above.base, None, node, INSIDE)
    return result


def _moved(array: Any, source: int, target: int) -> Any:
    if source == target:
        return array
    if type(array) is Batched:
        return Batched(_moved(array.value, source + 1, target + 1), array.level)
    return backend.namespace(array).moveaxis(array, source, target)


class _Enter:
    name = "vmap's input"
    computes_afresh = False

    def pullback_arrays(self, node: Node, g: Any) -> tuple[Any]:
        level, axis = node.params
        return (_moved(backend.unwrapped(g, level), 0, axis),)

    def pullback(self, node: Node, g: Any, graph: bool, through: set[int] | None) -> tuple[Any]:
        return (leave(g, *node.params),) if graph else self.pullback_arrays(node, g)

    def pushforward(self, node: Node, tangents: Sequence[Any]) -> Any:
        return enter(tangents[0], *node.params)


class _Leave:
    name = "vmap's output"
    computes_afresh = False

    def pullback_arrays(self, node: Node, g: Any) -> tuple[Any]:
        level, axis = node.params
        return (backend.wrapped(_moved(g, axis, 0), level),)

    def pullback(self, node: Node, g: Any, graph: bool, through: set[int] | None) -> tuple[Any]:
        return (enter(g, *node.params),) if graph else self.pullback_arrays(node, g)

    def pushforward(self, node: Node, tangents: Sequence[Any]) -> Any:
        return leave(tangents[0], *node.params)


ENTER = _Enter()
LEAVE = _Leave()


def for_each_sample(g: Tensor, like: Any) -> Tensor:
    """Return `g` with samples of each level that the array `like` has samples of."""
    own = backend.levels_of(g.array)
    for level in backend.levels_of(like):
        if level not in own:
            g = enter(g.unsqueeze(0).expand((level.size, *g.shape)), level, 0)
    return g


def outside(g: Any, parent: Any) -> Any:
    """Return a gradient for a node or leaf, summed over the levels that are over and it has not.

    Summed later it would be wrong: what else is added to it counts once, not for each sample.
    """
    array = g._array if isinstance(g, Tensor) else g
    if type(array) is Batched:
        own = backend.levels_in(parent.dtype)
        for level in backend.levels_of(array):
            if level.closed and level not in own:
                g = _summed(g, level)
    return g


def for_leaf(g: Any, leaf: Tensor) -> Any:
    """Return a gradient to be added to the `grad` of a leaf: the sum of what samples it has not."""
    own = backend.levels_of(leaf.array)
    for level in backend.levels_of(g._array if isinstance(g, Tensor) else g):
        if level not in own:
            g = _summed(g, level)
    return g


def _summed(g: Any, level: Level) -> Any:
    if isinstance(g, Tensor):
        return leave(g, level, 0).sum(axis=0)
    return backend.unwrapped(g, level).sum(axis=0)
