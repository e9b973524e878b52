"""Function: operations that users define with a forward and a backward of their own."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .alias import alias
from .modes import MODE, setting
from .node import Node, next_sequence, position_of
from .views import parent_of


class Context:
    """What `forward` leaves for `backward`; any other attribute may be set on it too.

    Attributes
    ----------
    needs_input_grad : tuple of bool
        For each argument of `apply`, whether its gradient will be asked for.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self._kept: tuple[Tensor | None, ...] = ()
        self._outputs: dict[int, tuple[int, Any]] = {}
        self._constant: set[int] = set()
        self._node: Node | None = None

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors; `saved_tensors` gives them back unless they were written to."""
        self._kept = tensors

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Say which results of `forward` have no gradient."""
        self._constant |= {id(t) for t in outputs}

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What `save_for_backward` was given; results of `forward` with their history."""
        kept = list(self._kept)
        for k, (position, array) in self._outputs.items():
            output = Tensor._wrap(array)
            if self._node is not None:
                output._node = self._node
                output._index = position
            kept[k] = output
        return tuple(kept)


class Function:
    """Base of user-defined operations: override `forward` and `backward`, call `apply`.

    `forward(ctx, *args)` computes on tensors without recording and returns a tensor or a
    tuple; `backward(ctx, *gradients)` returns one gradient (or None) for each argument.

    Examples
    --------
    >>> class Double(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 2
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         return g * 2
    """

    @staticmethod
    def forward(ctx: Context, *args: Any) -> Any:
        """Compute the results."""
        raise NotImplementedError("a Function defines forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        """Compute the gradients of the arguments from those of the results."""
        raise NotImplementedError("a Function defines backward(ctx, *gradients)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Compute the function and record it."""
        grad = MODE.get().grad
        parents = tuple(parent_of(x) if grad and isinstance(x, Tensor) else None for x in args)
        ctx = Context(tuple(p is not None for p in parents))
        with setting(grad=False):
            result = cls.forward(ctx, *args)
        if not any(ctx.needs_input_grad):
            return result
        results = result if isinstance(result, tuple) else (result,)
        # A result that is an argument itself would lose its own history.
        outputs = tuple(alias(y) if any(y is x for x in args) else y for y in results)
        node = Node()
        node.op, node.parents = _Recorded(cls, len(outputs)), parents
        node.positions = tuple(position_of(x) for x in args)
        node.sequence = next_sequence()
        shapes = tuple(y.shape for y in outputs)
        node.shape = shapes[0] if len(outputs) == 1 else shapes
        node.saved = (ctx,)
        node.versions = tuple(
            v for t in ctx._kept if t is not None for v in (t._version, t._version[0])
        )
        # The context must not hold a result that holds the node that holds the context.
        kept = list(ctx._kept)
        for k, t in enumerate(kept):
            for position, (y, original) in enumerate(zip(outputs, results, strict=True)):
                if t is original:
                    ctx._outputs[k] = (position, y.array)
                    kept[k] = None
        ctx._kept = tuple(kept)
        for position, (y, original) in enumerate(zip(outputs, results, strict=True)):
            if id(original) not in ctx._constant and y.dtype.kind == "f":
                y._node = node
                y._index = position
        return outputs if isinstance(result, tuple) else outputs[0]


class _Recorded:
    """What a Function's node has for its operation."""

    view = variadic = False

    def __init__(self, function: type[Function], outputs: int) -> None:
        self.name = function.__name__
        self.function = function
        self.outputs = outputs

    def pullback(self, node: Node, g: Any, graph: bool, wanted: set[int] | None) -> list[Any]:
        """Run the user's backward on tensors."""
        assert node.saved is not None
        ctx: Context = node.saved[0]
        slots = [g] if self.outputs == 1 else g
        gradients = [_as_tensor(s) if s is not None else None for s in slots]
        ctx._node = node if graph else None
        try:
            returned = self.function.backward(ctx, *gradients)
        finally:
            ctx._node = None
        results = list(returned) if isinstance(returned, tuple) else [returned]
        if len(results) != len(node.parents):
            raise RuntimeError(
                f"{self.name}.backward returned {len(results)} gradients for "
                f"{len(node.parents)} arguments; return None for those without one"
            )
        return [
            r if r is None or graph else r.array
            for r in (self._checked(node, i, r) for i, r in enumerate(results))
        ]

    def _checked(self, node: Node, i: int, g: Any) -> Any:
        if node.parents[i] is None or g is None:
            return None
        return g

    def pushforward(self, node: Node, tangents: list[Any]) -> Any:
        """Refuse: a Function says nothing of tangents."""
        raise NotImplementedError(f"{self.name} is a Function and has no forward-mode rule")


def _as_tensor(g: Any) -> Tensor:
    return g if isinstance(g, Tensor) else Tensor(g)
