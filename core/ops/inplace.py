"""Writes in place: the operation, then the write, the version, the history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.chained import write_down
from ..autograd.modes import MODE
from ..autograd.node import Node
from ..autograd.versions import count_write
from ..autograd.views import View, check_writable, parent_of, rebase
from ..backend import Batched, BatchingError, levels_of
from ..dtypes import DtypeError
from ..errors import RekindleError, ShapeError, UseError
from ..kernels.copying import copy_into
from ..tensor import Tensor
from ..waiting import PRIVATE, hand_out
from .namespaces import TENSORS
from .op import Op
from .operand import NUMPY_ERRORS, explained
from .pending import taken_over


def inplace_method(op: Op[..., Any], name: str) -> Callable[..., Tensor]:
    """Return a method that computes `op` and writes the result into its first operand."""

    def method(self: Tensor, *args: Any, **params: Any) -> Tensor:
        return write_(self, op(self, *args, **params), name)

    method.__name__ = name
    method.__doc__ = f"Compute `{op.name}` and write it into this tensor; its dtype stays."
    return method


def write_(target: Tensor, value: Tensor, name: str) -> Tensor:
    """Write `value` into `target`'s memory, count the write, and let history follow.

    Raises
    ------
    ShapeError
        If the shape would change.
    DtypeError
        If floats would go into integers, or either into bool.
    UseError
        If the memory is read-only, or several elements of the tensor are one.
    InplaceError
        If gradients would be wrong: a leaf that requires them, or a view of one.
    """
    if taken_over(target, value):
        return target
    array, into = value.array, target.array
    if array.shape != into.shape:
        raise ShapeError(
            f"{name} writes into shape {into.shape}, but the result has shape {array.shape}"
        )
    if array.dtype is not into.dtype and not np.can_cast(array.dtype, into.dtype, "same_kind"):
        raise DtypeError(
            f"{name} writes into a tensor of {into.dtype}, but the result is {array.dtype}: "
            "convert the tensor first, or compute a new one"
        )
    _check_distinct(into, name)
    recorded = MODE.get().grad and (parent_of(value) is not None or _has_history(target))
    if recorded:
        check_writable(target, name)
        _keep_what_is_overwritten(value, target)
    _put(into, ..., array, name)
    count_write(target._version, name)
    if recorded:
        if value.dtype != target.dtype:
            value = TENSORS.astype(value, target.dtype)
        rebase(target, value, TENSORS.write_view)
    return target


def _has_history(target: Tensor) -> bool:
    """Whether a gradient goes through this tensor, or through the base that it views."""
    node = target._node
    base = node.base if isinstance(node, View) else target
    return parent_of(target) is not None or parent_of(base) is not None


def _is_apart(target: Tensor) -> bool:
    """Whether a tensor without history is a view of one that has some, made inside no_grad()."""
    node = target._node
    return isinstance(node, View) and bool(node.origin) and node.base.requires_grad


def _check_distinct(into: Any, name: str) -> None:
    """Check that no two elements of an array are one in memory."""
    strides = into.strides
    if 0 in strides and any(
        s == 0 and n > 1 and into.size for s, n in zip(strides, into.shape, strict=True)
    ):
        raise UseError(
            f"{name} writes into an expanded tensor, where several elements are one in memory; "
            "clone() it first"
        )


def _put(into: Any, index: Any, source: Any, name: str) -> None:
    if type(source) is Batched:
        _check_samples(into, source, name)
    try:
        into[index] = source
    except RekindleError:
        raise
    except NUMPY_ERRORS as error:
        if getattr(into.flags, "writeable", True):
            raise explained(name, (into, source), error) from error
        raise UseError(
            f"{name} writes into memory that is read-only: that of a read-only array, or the "
            "windows of unfold, which overlap; clone() it first"
        ) from error


def _check_samples(into: Any, source: Batched, name: str) -> None:
    """Check that there is memory for each sample of what is written inside vmap."""
    own = levels_of(into)
    if any(level not in own for level in levels_of(source)):
        raise BatchingError(
            f"{name} writes a batched value into a tensor of shape {into.shape} that all samples "
            "of the vmap share: return the value instead, or write into a tensor that is batched "
            "too (zeros_like() of one, or an argument with an in_axes)"
        )


def _keep_what_is_overwritten(value: Tensor, target: Tensor) -> None:
    """Copy what the operation that made `value` saved of `target`, which is about to change."""
    node = value._node
    if not isinstance(node, Node) or type(node.saved) is not tuple:
        return
    write_down(node)
    into = target.array
    if any(s is into for s in node.saved):
        kept = into.copy()
        count = sum(s is into for s in node.saved)
        start = node.versions or len(node.saved)
        values, versions = node.saved[:start], node.saved[start:]
        pairs = [*zip(versions[::2], versions[1::2], strict=True)]
        others = [p for p in pairs if p[0] is not target._version]
        own = [p for p in pairs if p[0] is target._version][count:]
        node.saved = (
            *(kept if s is into else s for s in values),
            *(x for pair in (*others, *own) for x in pair),
        )


def _open(index: Any) -> Any:
    """Return an index that names an array, never a bare element, which takes no array of one."""
    if isinstance(index, (int, np.integer)):
        return index, ...
    if isinstance(index, tuple) and not any(i is ... for i in index):
        return *index, ...
    return index


def _without_leading_ones(value: Any, ndim: int) -> Any:
    """Return a value of at most `ndim` dimensions where it can be: NumPy assigns (1, 3) to (3,)."""
    extra = getattr(value, "ndim", 0) - ndim
    if extra <= 0 or any(n != 1 for n in value.shape[:extra]):
        return value
    return TENSORS.reshape(value, value.shape[extra:])


def overwritten(target: Tensor, value: Tensor) -> bool:
    """Do what `target.copy_(value)` does, quicker, where it is plain; return whether it is.

    That is where shapes and dtypes are the same, in one stretch of memory, and nothing is
    recorded.
    """
    into, source = target._array, value._array
    plain = _plain(into, source)
    if plain:
        _ask_for(target)
        copy_into(np, into, source)
        count_write(target._version, "copy_")
    return plain


def increased(target: Tensor, value: Tensor) -> bool:
    """Do what `target.add_(value)` does, with no array between, where it is plain as above."""
    into, source = target._array, value._array
    plain = _plain(into, source)
    if plain:
        _ask_for(target)
        into += source
        count_write(target._version, "add_")
    return plain


def _ask_for(target: Tensor) -> None:
    """Compute what waits before the memory of a tensor is written to."""
    if target._version and PRIVATE in target._version:
        hand_out(target._version)


def _plain(into: Any, source: Any) -> bool:
    return (
        type(into) is np.ndarray
        and type(source) is np.ndarray
        and into.shape == source.shape
        and into.dtype == source.dtype
        and into.flags.c_contiguous
        and not MODE.get().grad
    )


def assign(target: Tensor, index: Any, value: Any, name: str) -> Tensor:
    """Write `value`, converted and broadcast, where `index` says, and count the write.

    Raises
    ------
    ShapeError
        If the value does not broadcast there.
    BoundsError
        If the index names nothing.
    InplaceError
        If gradients would be wrong; see `write_`.
    """
    if MODE.get().grad and (
        parent_of(target) is not None
        or (isinstance(value, Tensor) and parent_of(value) is not None)
        or _is_apart(target)
    ):
        part = target if index is ... else target[index]
        value = _without_leading_ones(value, part.ndim)
        if part._version is target._version:
            write_(part, TENSORS.converted(part, value), name)
        else:
            write_(target, TENSORS.index_put(target, value, index=index), name)
        return target
    if index is ... and taken_over(target, value):
        return target
    source = value.array if isinstance(value, Tensor) else value
    _check_distinct(target.array, name)
    _put(target.array, _open(index), source, name)
    count_write(target._version, name)
    return target
