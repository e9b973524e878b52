"""Chains of elementwise operations on large arrays, computed in one pass over memory.

Backward passes are full of them. A `Chain` is an array that is not computed yet: arithmetic with
it makes longer chains, and only the end of one is written to memory, or its sums. It exists while
one backward pass runs, during which nothing can write into what it is made of.

This file says what a chain is; `compute_chain` is the reference, which walks through it in pieces
that fit into a cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from ..backend import empty
from .dispatch import dispatched

LARGE = 1 << 17
"""Elements from which on a chain is worth its while."""

LONGEST = 12
"""Steps after which what is computed so far is written down, so that none is computed often."""

SINGLE = np.dtype(np.float32)
BLOCK = 1 << 15

STEPS = ("add", "subtract", "multiply", "divide")
"""The names of NumPy's functions; a program has their places in this list."""


class Chain:
    """An array of float32 that is the result of a step, or is there.

    Attributes
    ----------
    step : int
        Place in STEPS, or -1 if `value` is there.
    parts : tuple of Chain
        The two operands, which broadcast to the shape.
    value : array or None
    shape : tuple of int
    length : int
        Number of steps behind it, those that are taken twice counted twice.
    """

    __array_ufunc__ = None  # so that `ndarray * Chain` reaches Chain.__rmul__
    __slots__ = ("length", "parts", "shape", "step", "value")

    dtype = SINGLE
    step: int
    parts: tuple[Chain, ...]
    value: Any
    shape: tuple[int, ...]
    length: int

    def __init__(
        self, step: int, parts: tuple[Chain, ...], value: Any, shape: tuple[int, ...]
    ) -> None:
        self.step = step
        self.parts = parts
        self.value = value
        self.shape = shape
        self.length = 1 + sum(p.length for p in parts) if parts else 0

    @classmethod
    def of(cls, value: Any) -> Chain:
        """Return a chain without steps, for an array of float32 or a number."""
        return cls(-1, (), value, getattr(value, "shape", ()))

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that the elements would take."""
        return self.size * SINGLE.itemsize

    def __add__(self, other: Any) -> Any:
        return _step(0, self, other)

    def __sub__(self, other: Any) -> Any:
        return _step(1, self, other)

    def __mul__(self, other: Any) -> Any:
        return _step(2, self, other)

    def __truediv__(self, other: Any) -> Any:
        return _step(3, self, other)

    def __radd__(self, other: Any) -> Any:
        return _step(0, other, self)

    def __rsub__(self, other: Any) -> Any:
        return _step(1, other, self)

    def __rmul__(self, other: Any) -> Any:
        return _step(2, other, self)

    def __rtruediv__(self, other: Any) -> Any:
        return _step(3, other, self)

    def __neg__(self) -> Any:
        return _step(2, -1.0, self)

    def evaluated(self) -> Any:
        """Return the values as an array of the full shape; from now on they are there."""
        if self.step >= 0:
            self.value = self.computed()
            self.step, self.parts, self.length = -1, (), 0
        return self.value

    def computed(self) -> Any:
        """Return the values as an array that, unless they are there, nobody else has."""
        if self.step < 0:
            return self.value
        return compute_chain(np, *program(self), shape=self.shape)

    def sum(self, axis: Sequence[int], keepdims: bool) -> Any:
        """Return the sums over all dimensions but the last, or over the last, without the values.

        Others are summed from the values.
        """
        over = {a % self.ndim for a in axis}
        rows, columns = {*range(self.ndim - 1)}, {self.ndim - 1}
        kind = 1 if over == columns else 2 if over == rows else 0
        if self.step < 0 or not kind:
            return self.evaluated().sum(axis=tuple(axis), keepdims=keepdims)
        found = compute_chain(np, *program(self), shape=self.shape, sums=kind)
        kept = [1 if a in over else n for a, n in enumerate(self.shape)]
        return found.reshape(kept if keepdims else [n for n in kept if n != 1])


def _step(step: int, a: Any, b: Any) -> Any:
    """Return a chain of one step more, or an array where chains cannot have it."""
    operands = [_operand(a), _operand(b)]
    if operands[0] is None or operands[1] is None:
        function = getattr(np, STEPS[step])
        return function(*(x.evaluated() if type(x) is Chain else x for x in (a, b)))
    x, y = operands
    shape = x.shape if x.shape == y.shape else np.broadcast_shapes(x.shape, y.shape)
    made = Chain(step, (x, y), None, shape)
    if made.length > LONGEST:
        made.evaluated()
    return made


def _operand(value: Any) -> Any:
    if type(value) is Chain:
        return value
    if isinstance(value, (int, float)):
        return Chain.of(float(value))
    if isinstance(value, (ndarray, np.generic)) and value.dtype == SINGLE:
        return Chain.of(np.asarray(value))
    return None


def program(chain: Chain) -> tuple[ndarray[Any, Any], list[Any]]:
    """Return what computes a chain: steps (step, operand, operand), and its values.

    Operands are numbered: first the values, then the results of the steps, the last of which is
    the chain's. A step that is taken twice stands there once.
    """
    values: list[Any] = []
    order: list[Chain] = []
    seen: dict[int, int] = {}
    _visit(chain, values, order, seen)
    count = len(values)
    steps = [(c.step, *(_number(seen[id(p)], count) for p in c.parts)) for c in order]
    return np.array(steps, np.int64), values


def _visit(chain: Chain, values: list[Any], order: list[Chain], seen: dict[int, int]) -> None:
    """List values and steps in the order of their computation; `seen` has steps as ~place."""
    if id(chain) in seen:
        return
    for part in chain.parts:
        _visit(part, values, order, seen)
    if chain.step < 0:
        seen[id(chain)] = len(values)
        values.append(chain.value)
    else:
        seen[id(chain)] = ~len(order)
        order.append(chain)


def _number(place: int, values: int) -> int:
    return place if place >= 0 else values + ~place


@dispatched("fused.chains")
def compute_chain(
    xp: Any,
    steps: ndarray[Any, Any],
    values: list[Any],
    *,
    shape: tuple[int, ...],
    sums: int = 0,
) -> Any:
    """Compute what `program` returned.

    Parameters
    ----------
    steps : array, shape (steps, 3), int64
    values : list of array or float
        They broadcast to `shape`.
    shape : tuple of int
    sums : int
        0 for the values, 1 for their sums over the last dimension, 2 for those over all others.

    Returns
    -------
    array
        Of `shape`, or of the shape that a sum leaves.
    """
    length = shape[-1]
    count = prod(shape[:-1])
    tables = [v if isinstance(v, float) else as_table(v, shape) for v in values]
    out = empty(shape, SINGLE) if not sums else np.zeros(shape[:-1] if sums == 1 else length, "f4")
    flat = out.reshape(count, length) if not sums else out.reshape(-1)
    size = max(BLOCK // length, 1)
    memory = np.empty((len(steps), size, length), SINGLE)
    for start in range(0, count, size):
        stop = min(start + size, count)
        known: list[Any] = [v if isinstance(v, float) else v[start:stop] for v in tables]
        for i, (step, a, b) in enumerate(steps.tolist()):
            last = i + 1 == len(steps) and not sums
            target = flat[start:stop] if last else memory[i, : stop - start]
            known.append(getattr(np, STEPS[step])(known[a], known[b], out=target))
        if sums == 1:
            known[-1].sum(axis=1, out=flat[start:stop])
        elif sums == 2:
            flat += known[-1].sum(axis=0)
    return out


def as_table(value: Any, shape: tuple[int, ...]) -> Any:
    """Return an array broadcast to `shape` as a 2-D view, copied only where that cannot be."""
    table = np.broadcast_to(value, shape)
    wanted = (prod(shape[:-1]), shape[-1])
    if len(shape) == 2:
        return table
    if value.size == 1:
        return np.broadcast_to(value.reshape(1, 1), wanted)
    if value.shape[:-1] == (1,) * (value.ndim - 1) or value.ndim == 1:
        return np.broadcast_to(value.reshape(1, -1), wanted)
    if value.ndim == len(shape) and value.shape[-1] == 1 and value.shape[:-1] == shape[:-1]:
        return np.broadcast_to(value.reshape(-1, 1), wanted)
    return table.reshape(wanted)
