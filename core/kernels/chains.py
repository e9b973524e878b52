"""Chains of elementwise operations on large arrays, computed in one pass over memory.

A `Chain` is an array that is not computed yet: arithmetic with it makes longer chains, and only the
end of one is written to memory, or its sums. Whoever makes one sees to it that nothing is written
into what it reads before it is computed.

What computes one is a program (programs.py): here is which.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from threading import Lock
from typing import Any

import numpy as np
from numpy import ndarray

from .programs import SINGLE, STEPS, UNARY, compute_chain
from .totals import total
from .under_way import under_way

LARGE = 1 << 17
"""Elements from which on a chain is worth its while."""

LONGEST = 40
"""Steps after which what is computed so far is written down."""

WORTH = 6
"""Steps from which on it is quicker to read a result than to compute it again."""

FUNCTION = 5
"""The steps of arithmetic that one function of one operand takes as long as."""

OFTEN = 12
"""Steps that were taken for a part of others after which it is written down the next time."""

_LOCK = Lock()


class Chain:
    """An array of float32 that is the result of a step, or is there.

    Attributes
    ----------
    step : int
        Place in STEPS, or -1 if `value` is there.
    parts : tuple of Chain
        The operands, which broadcast to the shape.
    value : array or None
    shape : tuple of int
    most : int
        Bound of `length`, which takes longer to find.
    taken : int
        How often it was computed as a part of others.
    """

    __array_ufunc__ = None  # so that `ndarray * Chain` reaches Chain.__rmul__
    __slots__ = ("__weakref__", "most", "parts", "shape", "step", "taken", "value")

    dtype = SINGLE
    step: int
    parts: tuple[Chain, ...]
    value: Any
    shape: tuple[int, ...]
    most: int
    taken: int

    def __init__(
        self, step: int, parts: tuple[Chain, ...], value: Any, shape: tuple[int, ...]
    ) -> None:
        self.step = step
        self.parts = parts
        self.value = value
        self.shape = shape
        self.taken = 0
        self.most = 0
        if parts:
            self.most = 1 if step < UNARY else FUNCTION
            for part in parts:
                self.most += part.most

    @classmethod
    def of(cls, value: Any) -> Chain:
        """Return a chain without steps, for an array of float32 or a number."""
        return cls(-1, (), value, getattr(value, "shape", ()))

    @property
    def length(self) -> int:
        """Number of steps behind it, functions counted as FUNCTION."""
        if not self.most:
            return 0
        return sum(1 if c.step < UNARY else FUNCTION for c in _steps(self, {}).values())

    def is_long(self) -> bool:
        """Whether it is quicker to read the values than to compute them again."""
        return self.most >= WORTH and self.length >= WORTH

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

    def function(self, name: str) -> Chain:
        """Return the chain of one step more that applies a function of one operand."""
        return _made(STEPS.index(name), (self,), self.shape)

    def evaluated(self) -> Any:
        """Return the values as an array of the full shape; from now on they are there."""
        if self.step >= 0:
            self._is(self.computed())
        return self.value

    def arrays(self) -> list[Any]:
        """Return the arrays that it reads, each once."""
        found: dict[int, Any] = {}
        pending, seen = [self], set()
        while pending:
            chain = pending.pop()
            if id(chain) in seen:
                continue
            seen.add(id(chain))
            parts = chain.parts
            if chain.step >= 0:
                pending += parts
            elif type(chain.value) is ndarray:
                found[id(chain.value)] = chain.value
        return [*found.values()]

    def _is(self, value: Any) -> None:
        with _LOCK:
            if self.step < 0:
                return  # another thread was quicker: there is one array only
            # In this order, since another thread may be listing what a program needs.
            self.value = value
            self.step = -1
            self.parts = ()
            self.most = 0

    def computed(self) -> Any:
        """Return the values as an array that, unless they are there, nobody else has."""
        with under_way():
            steps, values = program(self)
            return compute_chain(np, steps, values, shape=self.shape) if len(steps) else values[0]

    def sums(self, axis: Sequence[int]) -> int:
        """Return what `compute_chain` calls sums over some dimensions, 0 for those it has not."""
        last = self.ndim - 1
        over = sorted(a + self.ndim if a < 0 else a for a in axis)
        kinds = {(*range(last + 1),): 3, (last,): 1, (*range(last),): 2}
        return kinds.get(tuple(over), 0)

    def sum(self, axis: Sequence[int], keepdims: bool, *, keep: bool = False) -> Any:
        """Return the sums over all dimensions, all but the last, or the last, without the values.

        Others are summed from the values. With `keep` these are there afterwards.
        """
        over = {a % self.ndim for a in axis}
        kind = self.sums(axis)
        with under_way():
            steps, values = program(self)
            if not len(steps) or not kind:
                return total(np, self.evaluated(), axis=tuple(axis), keepdims=keepdims)
            found = compute_chain(np, steps, values, shape=self.shape, sums=kind, keep=keep)
        if keep:
            value, found = found
            self._is(value)
        kept = [(a, 1 if a in over else n) for a, n in enumerate(self.shape)]
        return found.reshape([n for a, n in kept if keepdims or a not in over])


def _steps(chain: Chain, found: dict[int, Chain]) -> dict[int, Chain]:
    """Find the steps behind a chain, by identity, each once."""
    parts = chain.parts
    if chain.step >= 0 and id(chain) not in found:
        found[id(chain)] = chain
        for part in parts:
            _steps(part, found)
    return found


def _step(step: int, a: Any, b: Any) -> Any:
    """Return a chain of one step more, or an array where chains cannot have it."""
    operands = [_operand(a), _operand(b)]
    if operands[0] is None or operands[1] is None:
        function = getattr(np, STEPS[step])
        return function(*(x.evaluated() if type(x) is Chain else x for x in (a, b)))
    x, y = operands
    shape = x.shape if x.shape == y.shape else np.broadcast_shapes(x.shape, y.shape)
    return _made(step, (x, y), shape)


def _made(step: int, parts: tuple[Chain, ...], shape: tuple[int, ...]) -> Chain:
    made = Chain(step, parts, None, shape)
    if made.most > LONGEST:
        made.most = made.length
        if made.most > LONGEST:
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

    A step that is taken twice stands there once, and so does an array. Parts that were computed
    often before are written down first.
    """
    _write_down_parts(chain, set())
    values: list[Any] = []
    order: list[tuple[int, list[int | str]]] = []
    seen: dict[int | str, int] = {}
    _visit(chain, values, order, seen)
    count = len(values)
    steps = []
    for step, keys in order:
        numbers = [_number(seen[key], count) for key in keys]
        steps.append((step, numbers[0], numbers[-1]))
    return np.array(steps, np.int64), values


def _write_down_parts(chain: Chain, seen: set[int]) -> None:
    for part in chain.parts:
        if part.step < 0 or id(part) in seen:
            continue
        seen.add(id(part))
        if part.taken and part.is_long() and part.taken * part.length >= OFTEN:
            part.evaluated()
        else:
            _write_down_parts(part, seen)


def _visit(
    chain: Chain,
    values: list[Any],
    order: list[tuple[int, list[int | str]]],
    seen: dict[int | str, int],
) -> int | str:
    """List values and steps in the order of their computation; `seen` has steps as ~place.

    Return the key in `seen`: that of an array or a number where that is there, so that it stands
    in a program once. Another thread may compute a chain at any time: what was looked at first
    is not looked at again.
    """
    parts = chain.parts
    step = chain.step
    if step < 0:
        value = chain.value
        key: int | str = str(value) if type(value) is float else id(value)
        if key not in seen:
            seen[key] = len(values)
            values.append(value)
        return key
    key = id(chain)
    if key not in seen:
        keys = [_visit(part, values, order, seen) for part in parts]
        chain.taken += 1
        seen[key] = ~len(order)
        order.append((step, keys))
    return key


def _number(place: int, values: int) -> int:
    return place if place >= 0 else values + ~place
