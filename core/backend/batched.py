"""Arrays inside vmap: to whoever sees one, it is one sample; underneath, it is all of them.

`Batched` stands beside the arrays of NumPy and CuPy as a third kind, below tensors and graphs: a
Tensor may hold one, nodes save them, derivative rules compute with them. Its operators and
methods, and what an operation does with it, are filled in by core/ops/batching.py.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..errors import RekindleError


class BatchingError(RekindleError, TypeError):
    """What cannot be done for all samples of a vmap at once."""


class Level:
    """One call of vmap.

    Attributes
    ----------
    size : int
        Number of samples.
    order : int
        Smaller than those of the levels, nodes and writes before; see autograd/versions.py.
    randomness : str
        "error", "different" or "same": what draws inside give.
    closed : bool
        Whether the call has returned. Gradients with respect to what is outside of a level that
        is closed are summed over its samples; while it is open they belong to one sample.
    """

    __slots__ = ("_dtypes", "closed", "order", "randomness", "size")

    def __init__(self, size: int, order: int, randomness: str) -> None:
        self.size = size
        self.order = order
        self.randomness = randomness
        self.closed = False
        self._dtypes: dict[Any, Any] = {}

    def dtype(self, of: Any, levels: tuple[Level, ...]) -> Any:
        """Return a dtype equal to `of` that knows the levels of its array, this one the newest.

        The engine compares dtypes by identity, so it looks again at each gradient that has other
        levels than what it is for, and pays nothing for levels anywhere else.
        """
        own = self._dtypes.get((of, levels))
        if own is None:
            own = self._dtypes[of, levels] = np.dtype(of, metadata={"levels": levels})
        return own


OPEN: Final[ContextVar[tuple[Level, ...]]] = ContextVar("rekindle_vmap_levels", default=())
"""The levels that are running, outermost first."""


class Batched:
    """Samples along the first dimension of `value`, which is hidden.

    Parameters
    ----------
    value : array
        May be Batched itself, at an older level.
    level : Level
    """

    __slots__ = ("level", "value")
    __array_ufunc__ = None  # so that `ndarray * Batched` reaches Batched.__rmul__

    def __init__(self, value: Any, level: Level) -> None:
        self.value = value
        self.level = level

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the dimensions of one sample."""
        shape: tuple[int, ...] = self.value.shape[1:]
        return shape

    @property
    def ndim(self) -> int:
        """Number of dimensions of one sample."""
        ndim: int = self.value.ndim - 1
        return ndim

    @property
    def size(self) -> int:
        """Number of elements of one sample."""
        count = 1
        for n in self.shape:
            count *= n
        return count

    @property
    def dtype(self) -> Any:
        """Type of the elements; see `Level.dtype`."""
        levels = []
        array: Any = self
        while type(array) is Batched:
            levels.append(array.level)
            array = array.value
        return self.level.dtype(array.dtype, tuple(levels))

    @property
    def strides(self) -> tuple[int, ...]:
        """Distances in memory within one sample."""
        strides: tuple[int, ...] = self.value.strides[1:]
        return strides

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        size: int = self.value.itemsize
        return size

    @property
    def nbytes(self) -> int:
        """Bytes of one sample."""
        return self.size * self.itemsize

    @property
    def flags(self) -> Any:
        """Those of the memory of all samples."""
        return self.value.flags

    if TYPE_CHECKING:  # what core/ops/batching.py adds, and is used here

        def astype(self, dtype: Any) -> Batched:
            """Return it converted."""

        def __array_namespace__(self) -> Any:
            """Return the operations on such arrays."""

    def swapaxes(self, a: int, b: int) -> Batched:
        """Return it with two dimensions of a sample exchanged."""
        return Batched(self.value.swapaxes(a + 1, b + 1), self.level)

    def copy(self, order: str = "C") -> Batched:
        """Return a copy of all samples."""
        return Batched(self.value.copy(order), self.level)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self.level.closed:
            raise BatchingError(
                "this tensor belongs to a vmap that is over: it was kept by other means than being "
                "returned, as in a list outside; return it"
            )
        raise BatchingError(
            "inside vmap a batched tensor has no values that Python could look at: not one number, "
            "but one for each sample. Leave out what needs numpy(), item(), bool() or float() of "
            "it, or use where() in place of `if`"
        )

    def __bool__(self) -> bool:
        return bool(self.__array__())

    def __float__(self) -> float:
        return float(self.__array__())

    def __int__(self) -> int:
        return int(self.__array__())

    __index__ = __int__

    def __repr__(self) -> str:
        return f"<{self.level.size} samples of shape {self.shape}, dtype {self.dtype}>"


def innermost(array: Any) -> Any:
    """Return the array of NumPy or CuPy that holds all samples."""
    while type(array) is Batched:
        array = array.value
    return array


def levels_of(array: Any) -> list[Level]:
    """Return the levels that an array has samples of, oldest first.

    That is the order of their dimensions in the memory, as `innermost` has it.
    """
    levels: list[Level] = []
    while type(array) is Batched:
        levels.insert(0, array.level)
        array = array.value
    return levels


def levels_in(dtype: Any) -> tuple[Level, ...]:
    """Return the levels of the array that has this dtype."""
    found: tuple[Level, ...] = dtype.metadata["levels"] if dtype.metadata else ()
    return found


def wrapped(array: Any, level: Level) -> Batched:
    """Return an array whose first dimension becomes the samples of `level`.

    The newest level is always outermost, whatever order they come in.
    """
    if type(array) is Batched and array.level.order < level.order:
        return Batched(wrapped(array.value.swapaxes(0, 1), level), array.level)
    return Batched(array, level)


def unwrapped(array: Batched, level: Level) -> Any:
    """Return an array that has samples of `level` with these as its first dimension."""
    if array.level is level:
        return array.value
    return Batched(unwrapped(array.value, level).swapaxes(0, 1), array.level)


def draw_levels() -> tuple[Level, ...]:
    """Return the levels whose samples draw numbers of their own.

    Raises
    ------
    BatchingError
        In a vmap that did not say what its samples draw.
    """
    levels = OPEN.get()
    if any(level.randomness == "error" for level in levels):
        raise BatchingError(
            'a draw inside vmap: say randomness="different" (each sample its own numbers) or '
            '"same" (all of them the same) in the call of vmap'
        )
    return tuple(level for level in levels if level.randomness == "different")
