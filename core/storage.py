"""Storage: the run of memory that tensors are views of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import backend
from .dtypes import Dtype, as_dtype
from .errors import RekindleError
from .kernels.copying import copy_into
from .waiting import PRIVATE, hand_out, one_at_a_time

Geometry = tuple[int, tuple[int, ...], tuple[int, ...]]
"""Offset, shape and strides of a view, in elements of its storage."""

Owed = tuple[Any, Geometry]
"""An array in an order of memory of its own, and the view that is to hold its values."""


class ViewError(RekindleError, ValueError):
    """A view that reaches outside its storage."""


def check_view(size: int, offset: int, shape: Sequence[int], strides: Sequence[int]) -> None:
    """Check that a view stays inside a storage of `size` elements.

    Raises
    ------
    ViewError
        If it has negative sizes, too few strides, or an element outside.
    """
    if len(shape) != len(strides):
        raise ViewError(f"a view needs one stride per dimension; given {shape} and {strides}")
    if any(n < 0 for n in shape):
        raise ViewError(f"sizes of a view are 0 or more; given {tuple(shape)}")
    first = last = offset
    if 0 not in shape:
        for n, s in zip(shape, strides, strict=True):
            if s < 0:
                first += (n - 1) * s
            else:
                last += (n - 1) * s
    elif offset == size:
        return
    if first < 0 or last >= size:
        raise ViewError(
            f"a view of shape {tuple(shape)}, strides {tuple(strides)} and offset {offset} "
            f"needs elements {first} to {last} of a storage of {size}"
        )


class Storage:
    """One-dimensional typed memory, shared by every tensor that views it.

    Torch7's storages, as objects: a LongStorage in a checkpoint is a Storage of int64.

    Parameters
    ----------
    raw : array, shape (n,)
        The memory itself, without gaps. A mapped file may be unaligned or of foreign byte
        order; the first use of `array` then copies it, once for all its tensors.

    Attributes
    ----------
    cell : dict
        How often the memory was written in place, and the name of the last write; shared by
        all tensors on it. See autograd/versions.py.
    dtype : dtype
        Type of the elements, in native byte order.

    Raises
    ------
    ViewError
        If the array is not one-dimensional and contiguous.
    """

    __slots__ = ("__weakref__", "_array", "_owed", "_raw", "cell", "dtype")

    def __init__(self, raw: Any, cell: dict[str, Any] | None = None) -> None:
        if raw.ndim != 1 or not raw.flags.c_contiguous:
            raise ViewError(
                "a storage is one-dimensional and contiguous; given an array of shape "
                f"{raw.shape} and strides {raw.strides}: flatten and copy it first"
            )
        self._raw = raw
        self.dtype: Dtype = as_dtype(raw.dtype)
        self._array: Any = None
        self._owed: Owed | None = None
        self.cell: dict[str, Any] = {} if cell is None else cell

    @property
    def version(self) -> int:
        """Number of in-place writes so far; all views share it."""
        count: int = self.cell["count"] if self.cell else 0
        return count

    @property
    def raw(self) -> Any:
        """The memory as given, until `array` had to copy it; for those that only read bytes."""
        self._settle()
        return self._raw

    @property
    def array(self) -> Any:
        """The memory as an aligned array in native byte order, shape (n,)."""
        self._settle()
        if self._array is None:
            raw = self._raw
            self._array = self._raw = backend.asarray(raw, self.dtype, backend.device_of(raw))
        return self._array

    def _settle(self) -> None:
        """Compute what waits, and fill in what is owed, before anybody sees the memory."""
        if self.cell and PRIVATE in self.cell:
            hand_out(self.cell)
        if self._owed is not None:
            with one_at_a_time():
                if self._owed is not None:  # else another thread was first
                    values, geometry = self._owed
                    copy_into(np, backend.strided_view(self._raw, *geometry), values)
                    self._owed = None

    def owe(self, values: Any, geometry: Geometry) -> None:
        """Let a view of this storage have `values`, which are copied there when somebody looks.

        The caller knows that nobody holds the memory itself, and nobody writes into `values`;
        see ops/owing.py.

        Parameters
        ----------
        values : ndarray, of the storage's dtype
        geometry : (offset, shape, strides)
            The view, which has the shape of `values`.
        """
        if self._owed is not None and self._owed[1] != geometry:
            self._settle()
        self._owed = values, geometry

    def owed_to(self, geometry: Geometry) -> Any:
        """Return the array that holds the values of a view in another order, or None."""
        owed = self._owed
        return owed[0] if owed is not None and owed[1] == geometry else None

    def replace(self, array: Any) -> None:
        """Take other memory of the same type; tensors have to be told: see `resizing`."""
        self._raw = self._array = array

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(self._raw.shape[0])

    @property
    def device(self) -> backend.Device:
        """Where the memory is."""
        return backend.device_of(self._raw)

    @property
    def nbytes(self) -> int:
        """Bytes that the elements take."""
        return int(self._raw.nbytes)

    def tolist(self) -> list[Any]:
        """Return the elements as Python numbers."""
        values: list[Any] = backend.to_numpy(self.raw).tolist()
        return values

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Any:
        """Return element `index`, from 0, as a Python number."""
        return self.raw[index].item()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __reduce__(self) -> tuple[Any, ...]:
        return Storage, (backend.to_numpy(self.array),)

    def __deepcopy__(self, memo: dict[int, Any]) -> Storage:
        return Storage(self.array.copy())

    def __repr__(self) -> str:
        head = ", ".join(str(x) for x in backend.to_numpy(self.raw[:8]).tolist())
        tail = ", ..." if self.size > 8 else ""
        return f"Storage([{head}{tail}], size={self.size}, dtype={self.dtype})"
