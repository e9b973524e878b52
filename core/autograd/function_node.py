"""What a call of a user's Function leaves in the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..dtypes import as_dtype
from ..tensor import Tensor
from .accumulate import fitted
from .alias import ALIAS, alias
from .errors import GraphError
from .hooked import as_tensor
from .modes import MODE, setting
from .node import Node, new_node, saved_version
from .packing import PackedArray
from .parts import Parts, pick
from .reverse import grad
from .views import View, check_writable, parent_of, set_history

if TYPE_CHECKING:
    from .function import Context, Function


def record(
    function: type[Function],
    ctx: Context,
    args: tuple[Any, ...],
    parents: tuple[Any, ...],
    result: Any,
) -> Any:
    """Return what `forward` returned as outputs of a new node.

    Parameters
    ----------
    args, parents
        What the function was applied to, and the node or leaf of each.
    result : Any
        Tensors among several are differentiated.
    """
    results = result if isinstance(result, tuple) else (result,)
    tensors, name = ctx.saved_tensors, function.__name__
    for x in ctx.written:
        _check_written(x, results, name)
    positions = {
        id(y): j
        for j, y in enumerate(results)
        if isinstance(y, Tensor) and y.dtype.kind == "f" and not _among(y, ctx.constants)
    }
    outputs = [
        y.detach()
        if isinstance(y, Tensor)
        and (y._node is not None or _among(y, args))
        and not _among(y, ctx.written)
        else y
        for y in results
    ]
    node = new_node(
        _Call(function),
        parents,
        tuple(y.shape if isinstance(y, Tensor) else None for y in outputs),
        tuple(y.dtype if isinstance(y, Tensor) else None for y in outputs),
        saved=(ctx, [None if t is None else _Kept(t, positions.get(id(t))) for t in tensors]),
        versions=_versions(tensors),
    )
    # The context must not hold a result, which holds the node, which holds the context.
    written, ctx._saved, ctx.constants, ctx.written = ctx.written, None, (), ()
    for j, (y, original) in enumerate(zip(outputs, results, strict=True)):
        if positions.get(id(original)) == j:
            made = pick(node, j)
            if not _among(original, written):
                y._node = made if y is original else _shared(original, made, name)
            elif isinstance(y._node, View):
                _write_through(y, made)
            else:
                set_history(y, made)
    if written and node.versions and type(node.saved) is tuple:
        node.saved = (*node.saved[: node.versions], *_versions(tensors))
    return tuple(outputs) if isinstance(result, tuple) else outputs[0]


def _shared(original: Tensor, node: Node, name: str) -> View:
    """Return the history of an output on memory that another tensor's history tells of."""
    above = original._node
    base, path = (above.base, above.path) if isinstance(above, View) else (original, None)
    return View(base, path, node, f"{name}.forward returned")


def _check_written(x: Tensor, results: tuple[Any, ...], name: str) -> None:
    """Check that the history of a tensor that forward wrote into can be told."""
    check_writable(x, name)
    if not _among(x, results):
        raise GraphError(f"{name}.forward marked a tensor as dirty and did not return it")


def _versions(saved: tuple[Tensor | None, ...]) -> tuple[Any, ...]:
    return tuple(v for t in saved if t is not None for v in saved_version(t))


def _write_through(view: Tensor, node: Node) -> None:
    """Record that a view holds the output of `node`, which is in its memory already."""
    value = Tensor._wrap(view.array.copy())
    value._node = node
    with setting(grad=True):
        view.copy_(value)


def _among(y: Any, tensors: Sequence[Any]) -> bool:
    return any(y is other for other in tensors)


class _Kept:
    """A saved tensor, without the tensor: its array and version, and what it came from."""

    __slots__ = ("array", "cell", "parent", "position", "unpack")

    def __init__(self, tensor: Tensor, position: int | None) -> None:
        packing = MODE.get().packing
        self.array = tensor.array if packing is None else PackedArray(tensor.array, packing[0])
        self.unpack = None if packing is None else packing[1]
        self.cell = tensor._version
        self.position = position
        self.parent = parent_of(tensor) if position is None else None

    def tensor(self, node: Node) -> Tensor:
        """Return the tensor again; `node` is that of the call."""
        if self.unpack is None and isinstance(self.parent, Tensor):
            return self.parent
        if self.unpack is None:
            tensor = Tensor._wrap(self.array)
            tensor._version = self.cell
        else:
            tensor = Tensor._wrap(self.array.unpacked(self.unpack, node.name))
        parent = self.parent if self.position is None else pick(node, self.position)
        if isinstance(parent, Tensor):
            # The values that came back, and the gradients of the leaf.
            parent = new_node(ALIAS, (parent,), tensor.shape, tensor.dtype)
        tensor._node = parent
        return tensor


class _Call:
    """What a Function's node has for its operation."""

    computes_afresh = False

    def __init__(self, function: type[Function]) -> None:
        self.name = function.__name__
        self.function = function

    def pullback_arrays(self, node: Node, g: Parts) -> Sequence[Any]:
        """Run the user's backward without recording."""
        return self.pullback(node, g, False, None)

    def pullback(
        self, node: Node, g: Parts, graph: bool, through: set[int] | None
    ) -> Sequence[Any]:
        """Run the user's backward on tensors."""
        given = [as_tensor(g.values[j]) if j in g.values else None for j in range(len(node.shape))]
        results = self._backward(node, given)
        return [
            None
            if r is None or p is None or (through is not None and id(p) not in through)
            else r
            if graph
            else r.array
            for r, p in zip(results, node.parents, strict=True)
        ]

    def _backward(self, node: Node, gradients: list[Tensor | None]) -> list[Any]:
        """Return what the user's backward returns, one for each argument."""
        if not (MODE.get().grad and hasattr(self.function.backward, "once_differentiable")):
            return self._call_backward(node, gradients)
        with setting(grad=False):
            results = self._call_backward(node, gradients)
        parents = (*node.parents, *(g if g is None else parent_of(g) for g in gradients))
        return [r if r is None else _ending(r, parents, self.name) for r in results]

    def _call_backward(self, node: Node, gradients: list[Tensor | None]) -> list[Any]:
        ctx, kept = node.saved[:2]
        if ctx.materialize_grads:
            gradients = _materialized(gradients, node)
        ctx._saved = tuple(None if k is None else k.tensor(node) for k in kept)
        try:
            returned = self.function.backward(ctx, *gradients)
        finally:
            ctx._saved = None
        results = list(returned) if isinstance(returned, (tuple, list)) else [returned]
        count = len(node.parents)
        if len(results) < count or any(r is not None for r in results[count:]):
            raise GraphError(
                f"{self.name}.backward returned {len(results)} gradients for {count} arguments; "
                "return one for each, None where there is none"
            )
        for i, r in enumerate(results):
            if r is not None and not isinstance(r, Tensor):
                raise GraphError(
                    f"{self.name}.backward returned a {type(r).__name__} for argument {i}; return "
                    "a tensor or None"
                )
        return results[:count]

    def pushforward(self, node: Node, tangents: Sequence[Any]) -> list[Any]:
        """Push tangents forward by pulling back twice.

        The user's backward is linear in the gradients `u` that it is given, so the derivative of
        its result along the tangents, pulled back to `u`, is what the tangents become.
        """
        xp = next(t for t in tangents if t is not None).array.__array_namespace__()
        u = [
            None if shape is None else alias(Tensor._wrap(xp.zeros(shape, dtype=as_dtype(dtype))))
            for shape, dtype in zip(node.shape, node.dtype, strict=True)
        ]
        pulled, along = [], []
        for r, t, p in zip(self._backward(node, [*u]), tangents, node.parents, strict=True):
            if r is not None and t is not None:
                pulled.append(fitted(r, p.shape, p.dtype, node))
                along.append(t)
        if not all(r.requires_grad for r in pulled):
            raise GraphError(
                f"forward mode through {self.name} needs a backward made of operations on tensors"
            )
        if not pulled:
            return [None] * len(u)
        asked = [x for x in u if x is not None]
        found = iter(grad(pulled, asked, along, create_graph=True, allow_unused=True))
        return [None if x is None else next(found) for x in u]


def _materialized(gradients: list[Tensor | None], node: Node) -> list[Tensor | None]:
    """Return `gradients` with zeros for None."""
    xp = next(g for g in gradients if g is not None).array.__array_namespace__()
    return [
        Tensor._wrap(xp.zeros(shape, dtype=as_dtype(dtype)))
        if g is None and shape is not None
        else g
        for g, shape, dtype in zip(gradients, node.shape, node.dtype, strict=True)
    ]


def _ending(gradient: Tensor, parents: tuple[Any, ...], name: str) -> Tensor:
    """Return the same gradient, of which there is no derivative."""
    result = gradient.detach()
    result._node = new_node(_Ending(name), parents, result.shape, result.dtype)
    return result


class _Ending:
    """What a gradient from a `once_differentiable` backward has for its operation."""

    computes_afresh = False

    def __init__(self, function: str) -> None:
        self.name = f"the backward of {function}"

    def pullback_arrays(self, node: Node, g: Any) -> Sequence[Any]:
        raise GraphError(f"{self.name} is once_differentiable: its result has no derivative")

    def pullback(self, node: Node, g: Any, graph: bool, through: set[int] | None) -> Sequence[Any]:
        return self.pullback_arrays(node, g)

    def pushforward(self, node: Node, tangents: Sequence[Any]) -> Any:
        return self.pullback_arrays(node, tangents)
