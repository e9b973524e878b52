"""Function: operations that users define with a forward and a backward of their own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from ..tensor import Tensor
from .errors import GraphError
from .function_node import record
from .modes import MODE, setting
from .views import parent_of

F = TypeVar("F", bound=Callable[..., Any])


class Context:
    """What `forward` leaves for `backward`; any other attribute may be set on it too.

    Attributes
    ----------
    needs_input_grad : tuple of bool
        For each argument of `apply`, whether its gradient will be asked for.
    written : tuple of Tensor
        What `mark_dirty` was given.
    constants : tuple of Tensor
        What `mark_non_differentiable` was given.
    materialize_grads : bool
        What `set_materialize_grads` was given.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self._saved: tuple[Tensor | None, ...] | None = ()
        self.written: tuple[Tensor, ...] = ()
        self.constants: tuple[Tensor, ...] = ()
        self.materialize_grads = True

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep arguments, results or other tensors for `backward`.

        A backward pass raises if one of them was written to since.
        """
        self._saved = tensors

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What `save_for_backward` was given, in `backward`, with its history at that time.

        Raises
        ------
        GraphError
            When `forward` has returned and `backward` does not run.
        """
        if self._saved is None:
            raise GraphError("saved_tensors are there while `backward` runs, and only then")
        return self._saved

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say which arguments `forward` has written into; it has to return them as well.

        They are afterwards what `forward` made of them, also in the graph.
        """
        self.written = tensors

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Say which results of `forward` have no gradient."""
        self.constants = outputs

    def set_materialize_grads(self, value: bool) -> None:
        """Say whether `backward` is given zeros (the default) or None for unused results."""
        self.materialize_grads = value


class Function:
    """Base of user-defined operations: override `forward` and `backward`, call `apply`.

    `forward(ctx, *args)` computes on tensors without recording and returns a value or a
    tuple, of which the tensors are differentiated; `backward(ctx, *gradients)` takes one
    gradient for each (None for a value that is no tensor) and returns one (or None) for each
    argument. If that is made of operations, it can be differentiated in its turn, and forward
    mode works. With `setup_context(ctx, args, result)`, `forward` takes the arguments alone.

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

    setup_context: Callable[[Context, tuple[Any, ...], Any], None] | None = None

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        """Compute the gradients of the arguments from those of the results."""
        raise NotImplementedError("a Function defines backward(ctx, *gradients)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Compute the function and record it.

        Returns
        -------
        Any
            What `forward` returns.

        Raises
        ------
        GraphError
            If `forward` wrote into a tensor that `mark_dirty` was given and did not return it.
        InplaceError
            If that tensor is a leaf that requires a gradient, or a view of one.
        """
        if cls.setup_context is not None:
            bound = inspect.signature(cls.forward).bind(*args)
            bound.apply_defaults()
            args = bound.args
        recording = MODE.get().grad
        parents = tuple(parent_of(x) if recording and isinstance(x, Tensor) else None for x in args)
        ctx = Context(tuple(p is not None for p in parents))
        with setting(grad=False):
            if cls.setup_context is None:
                result = cls.forward(ctx, *args)
            else:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
        return record(cls, ctx, args, parents, result) if any(ctx.needs_input_grad) else result


def once_differentiable(backward: F) -> F:
    """Mark a `Function.backward` that computes with other things than operations on tensors.

    A derivative of what it returns then raises, where otherwise it would be wrong.
    """
    backward.once_differentiable = True  # type: ignore[attr-defined]
    return backward
