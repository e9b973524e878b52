"""What modules are given and give: tensors, and tables of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar, Token
from typing import Any

import numpy as np

from rekindle.core.autograd import is_grad_enabled, no_grad
from rekindle.core.backend import address
from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.table import new_table
from rekindle.core.creation import empty
from rekindle.core.errors import ShapeError
from rekindle.core.ops.adoption import move_to
from rekindle.core.ops.inplace import overwritten
from rekindle.core.ops.namespaces import TENSORS
from rekindle.core.ops.owing import owed_again
from rekindle.core.tensor import Tensor, contiguous_strides


class Callee:
    """What a module makes a node of a graph from, instead of computing: see nngraph."""


class Nothing:
    """The argument of a call without one."""


NOTHING = Nothing()


def builds_graph(input: Any) -> bool:
    """Whether a call with this argument builds a graph."""
    if isinstance(input, (list, tuple, Table)):
        elements = input.values() if isinstance(input, Table) else input
        return any(isinstance(x, Callee) for x in elements)
    return isinstance(input, (Callee, Nothing))


_WITHIN: ContextVar[bool] = ContextVar("rekindle_as_torch", default=False)


class as_torch:  # used like a function: `with as_torch():`
    """Compute as Torch7 does: nothing is recorded, and 1/0 is not worth a warning.

    Every method of Torch's protocol says so; inside another one it costs next to nothing.
    """

    __slots__ = ("_modes", "_token")

    _token: Token[bool] | None

    def __enter__(self) -> None:
        self._token = None
        if _WITHIN.get() and not is_grad_enabled():
            return
        self._token = _WITHIN.set(True)
        self._modes = no_grad(), np.errstate(all="ignore")
        for mode in self._modes:
            mode.__enter__()

    def __exit__(self, *exception: Any) -> None:
        if self._token is not None:
            for mode in reversed(self._modes):
                mode.__exit__(*exception)
            _WITHIN.reset(self._token)


def as_input(input: Any) -> Any:
    """Return `input` with lists and tuples as Tables, which is what modules take."""
    if isinstance(input, (list, tuple)):
        parts = ((i, as_input(x)) for i, x in enumerate(input, 1))
        return new_table({i: x for i, x in parts if x is not None})
    return input


def size_text(tensor: Tensor) -> str:
    """Return the size of a tensor as Torch7's messages give it: "[2 x 3]"."""
    return f"[{' x '.join(str(n) for n in tensor.shape if tensor.size)}]"


def in_shape(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return a tensor in another shape; one that has it stays itself, and no view of it."""
    return tensor if tensor.shape == shape else TENSORS.reshape(tensor, shape)


def paired(owner: Any, result: Any, gradOutput: Any) -> list[tuple[Tensor, Tensor]]:
    """Return the recorded tensors of an output, each with its gradient in its shape.

    Raises
    ------
    ShapeError
        If a gradient has another number of elements than its tensor.
    """
    pairs = []
    for y, g in zip(tensors_in(result), tensors_in(gradOutput), strict=False):
        if not y.requires_grad:
            continue
        if g.size != y.size:
            raise ShapeError(
                f"{owner.t7_typename}: output and gradOutput shapes do not match: "
                f"output {size_text(y)}, gradOutput {size_text(g)}"
            )
        pairs.append((y, g.detach().reshape(y.shape)))
    return pairs


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield the tensors of an input: itself, or those of a table, depth first."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Table):
        for element in value.values():
            yield from tensors_in(element)


def replace_contents(target: Any, value: Any) -> Any:
    """Put `value` into the tensor `target`, reusing its memory where it is large enough.

    Where the two are not tensors of one dtype, return a copy: `value` may be a view of
    memory that is another's to write into.
    """
    if not isinstance(value, Tensor) or target is value:
        return value
    if owed_again(target, value):
        return target
    if isinstance(target, Tensor) and overwritten(target, value):
        return target
    if not isinstance(target, Tensor) or target.dtype != value.dtype:
        return Tensor._wrap(value.array.copy())  # memory of its own, which clone() has not
    if target.shape != value.shape or not target.is_contiguous():
        if target.storage().size >= value.size:
            target.set_(target.storage(), 0, value.shape, contiguous_strides(value.shape))
        else:
            move_to(target, empty(value.shape, value.dtype, value.device))
    return target.copy_(value)


def share_memory(target: Any, value: Any) -> Any:
    """Make the tensor `target` view what `value` views, keeping its identity.

    Where the two are not tensors of one dtype, return `value` itself.
    """
    if not (isinstance(target, Tensor) and isinstance(value, Tensor)):
        return value
    if target is value or target.dtype != value.dtype:
        return value
    return target if _same_view(target, value) else target.set_(value)


def _same_view(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors are the same elements of one storage."""
    if a._array is None and b._array is None:  # then nothing has to be in its place
        place = a.storage_offset(), a.shape, a.stride()
        other = b.storage_offset(), b.shape, b.stride()
        return a.storage() is b.storage() and place == other
    x, y = a.array, b.array
    return (
        x.shape == y.shape
        and x.strides == y.strides
        and a.storage() is b.storage()
        and address(x) == address(y)
    )


def detached_copy(value: Any) -> Any:
    """Return copies of the tensors of `value`, in tables of their own."""
    return map_tensors(lambda tensor: tensor.detach().clone(), value)


def map_tensors(function: Callable[[Tensor], Any], value: Any) -> Any:
    """Return `value` with `function` applied to its tensors, in tables of their own."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, Table):
        parts = ((k, map_tensors(function, v)) for k, v in value._map.items())
        return new_table({k: v for k, v in parts if v is not None})
    return value
