"""Tensor and Parameter: an array with a place in a graph.

A tensor is a view of a storage. Operations (core/ops) make new ones and fill the method table
(methods.py). What graphs know of a tensor is in differentiable.py, what the rest of Python sees
of it in interchange.py. Nothing here computes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import index
from typing import Any, Protocol, Self

from . import backend
from .autograd.hooks import Hooks
from .autograd.node import LEAF, Leaf, Node
from .autograd.versions import Cell, count_write, expose, version_of
from .autograd.views import View, parent_of
from .backend import Device
from .differentiable import Differentiable, check_differentiable
from .dtypes import Dtype, as_array, as_dtype
from .errors import UseError
from .interchange import Interchange
from .kernels.chains import Chain
from .methods import TensorMethods
from .printing import format_tensor
from .storage import Geometry, Storage, check_view
from .waiting import PRIVATE, hand_out


class Mirror(Protocol):
    """What is told where a tensor's elements are, whenever that changes."""

    def refresh(self, tensor: Tensor) -> None:
        """Look at the tensor again."""


class Tensor(TensorMethods, Differentiable, Interchange):
    """An n-dimensional array of one dtype on one device.

    Parameters
    ----------
    data : array_like
        NumPy arrays, CuPy arrays and tensors are wrapped, not copied (`rekindle.tensor`
        copies), unless they are unaligned or of foreign byte order. Python floats become
        float32, Python integers int64; nested lists of arrays keep their dtype.
    dtype : dtype, optional
        Convert to this dtype.
    device : Device or str, optional
        Where the data shall live; by default where they are, or on the CPU.
    requires_grad : bool
        Whether gradients with respect to this tensor are wanted.

    Raises
    ------
    DtypeError
        For a dtype that tensors do not have, or `requires_grad` on one that is not floating.
    """

    # Only `_array`, `_node` and `_version` are always set: a small operation is no more than
    # they cost. Where `_array` is None, either `_geometry` is set, for a view of `_storage`, or
    # `_chain`, for what waits; to find that an attribute is not set takes five times as long.
    __slots__ = (
        "__weakref__",
        "_array",
        "_chain",
        "_geometry",
        "_hooks",
        "_mirror",
        "_storage",
        "_version",
    )

    _array: Any
    _chain: Chain
    _version: Cell
    _geometry: Geometry
    _storage: Storage
    _hooks: Hooks
    _mirror: Mirror

    __array_ufunc__ = None  # so that `ndarray * Tensor` reaches Tensor.__rmul__

    def __init__(
        self,
        data: Any,
        dtype: Any = None,
        device: Device | str | None = None,
        *,
        requires_grad: bool = False,
    ) -> None:
        source = data.array if isinstance(data, Tensor) else as_array(data, exact=dtype is not None)
        wanted = as_dtype(source.dtype if dtype is None else dtype)
        target = backend.device_of(source) if device is None else backend.as_device(device)
        self._array = backend.asarray(source, wanted, target)
        self._node = None
        if isinstance(data, Tensor) and self._array is source:
            self._share_storage(data)
            self._version = data._version
        else:
            self._version = {}
            if self._array is data:
                expose(self._version)
        if requires_grad:
            self.requires_grad = True

    @classmethod
    def _wrap(cls, array: Any) -> Self:
        """Return a tensor on `array` as it is, which nothing else views."""
        tensor = object.__new__(cls)
        tensor._array = array
        tensor._node = None
        tensor._version = {}
        return tensor

    @classmethod
    def view_of(
        cls, storage: Storage, offset: int, shape: Sequence[int], strides: Sequence[int]
    ) -> Self:
        """Return a tensor that views `storage`; nothing is read before its values are needed.

        Parameters
        ----------
        storage : Storage
        offset : int
            Element of the storage that is the tensor's first.
        shape, strides : sequence of int
            Strides count elements; 0 repeats, which costs no memory here.

        Raises
        ------
        ViewError
            If the view reaches outside the storage.
        """
        geometry = _geometry(storage, offset, shape, strides)
        tensor = cls._wrap(None)
        tensor._storage, tensor._version, tensor._geometry = storage, storage.cell, geometry
        return tensor

    # -- what it is ---------------------------------------------------------------------

    @property
    def array(self) -> Any:
        """The NumPy or CuPy array behind the tensor, sharing its memory."""
        array = self._array
        if array is None:
            if hasattr(self, "_geometry"):
                array = backend.strided_view(self._storage.array, *self._geometry)
            else:
                array = self._chain.evaluated()
            self._array = array
        if self._version and PRIVATE in self._version:
            hand_out(self._version)
        return array

    def _values(self) -> Any:
        """Return the array for those that only read it, and keep it for graphs at most."""
        if self._array is None and not hasattr(self, "_geometry"):
            self._array = self._chain.evaluated()
        return self.array if self._array is None else self._array

    @property
    def _described(self) -> Any:
        """What has shape and dtype: the array, or the chain that it is going to be."""
        return self._array if self._array is not None else getattr(self, "_chain", None)

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the dimensions."""
        known = self._array
        if known is None:
            if hasattr(self, "_geometry"):
                return self._geometry[1]
            known = self._chain
        shape: tuple[int, ...] = known.shape
        return shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        count = 1
        for n in self.shape:
            count *= n
        return count

    @property
    def dtype(self) -> Dtype:
        """Type of the elements."""
        known = self._array
        if known is None:
            known = self._storage if hasattr(self, "_geometry") else self._chain
        dtype: Dtype = known.dtype
        return dtype

    @property
    def device(self) -> Device:
        """Where the memory is."""
        if self._array is None:
            return self._storage.device if hasattr(self, "_geometry") else backend.CPU
        return backend.device_of(self._array)

    @property
    def nbytes(self) -> int:
        """Bytes that the elements would take without sharing."""
        return self.size * self.dtype.itemsize

    def stride(self) -> tuple[int, ...]:
        """Return the distance between neighbours in each dimension, in elements."""
        if self._array is None:
            views = hasattr(self, "_geometry")
            return self._geometry[2] if views else contiguous_strides(self.shape)
        return tuple(s // self._array.itemsize for s in self._array.strides)

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory one after the other, in row-major order."""
        return _row_major(self.shape, self.stride())

    # -- memory -------------------------------------------------------------------------

    def storage(self) -> Storage:
        """Return the storage that this tensor views; its views return the same object."""
        if not hasattr(self, "_storage"):
            if isinstance(self._node, View) and type(self._array) is not backend.Batched:
                self._storage = self._node.base.storage()
            else:
                self._storage = Storage(backend.flat_memory(self._values())[0], self._version)
        return self._storage

    def _share_storage(self, other: Tensor) -> None:
        """Take the storage of another tensor on the same memory; inside vmap there is none."""
        if type(other._array) is not backend.Batched:
            self._storage = other.storage()

    def storage_offset(self) -> int:
        """Return which element of the storage is the tensor's first, from 0."""
        storage = self.storage()
        if self._array is None:
            return self._geometry[0]
        if self._array.size == 0:
            return 0
        distance = backend.address(self._array) - backend.address(storage.array)
        return distance // int(self._array.itemsize)

    @property
    def version(self) -> int:
        """Number of in-place writes to the memory so far, counted for all views together."""
        return version_of(self._version)

    def set_(
        self,
        source: Tensor | Storage,
        offset: int | None = None,
        shape: Sequence[int] | None = None,
        strides: Sequence[int] | None = None,
    ) -> Self:
        """Give this tensor other memory and keep its identity, as Torch7's `set` does.

        Parameters
        ----------
        source : Tensor or Storage
            Whose storage to view from now on.
        offset, shape, strides : optional
            The view, in elements; by default that of a Tensor, or all of a Storage.
            Strides default to row-major order.

        Returns
        -------
        Tensor
            This tensor.

        Raises
        ------
        ViewError
            If the view reaches outside the storage.
        DtypeError
            If this tensor requires gradients and the storage is not floating.
        """
        if isinstance(source, Tensor):
            storage = source.storage()
            if offset is None and shape is None and strides is None:
                offset, shape, strides = source.storage_offset(), source.shape, source.stride()
        else:
            storage = source
        offset = offset or 0
        if shape is None:
            shape = (storage.size - offset,)
        if strides is None:
            strides = contiguous_strides(shape)
        geometry = _geometry(storage, offset, shape, strides)
        if self.requires_grad:
            check_differentiable(storage.dtype)
        if isinstance(parent_of(self), Node):
            raise UseError("set_ on a tensor that an operation made; detach() it first")
        count_write(self._version, "set_")
        if hasattr(self, "_chain"):
            del self._chain
        self._array, self._storage, self._geometry = None, storage, geometry
        self._version = storage.cell
        self._node = LEAF if isinstance(self._node, Leaf) else None
        if hasattr(self, "_mirror"):
            self._mirror.refresh(self)
        return self

    def detach(self) -> Tensor:
        """Return a tensor on the same memory without a graph."""
        waits = self._array is None and not hasattr(self, "_geometry")
        tensor = Tensor._wrap(self._values() if waits else self._array)
        tensor._share_storage(self)
        tensor._version = self._version
        if tensor._array is None:
            tensor._geometry = self._geometry
        return tensor

    # -- Python's protocols -------------------------------------------------------------

    def __len__(self) -> int:
        if not self.shape:
            raise UseError("a 0-d tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    __hash__ = object.__hash__  # `==` is elementwise; the identity counts

    def __repr__(self) -> str:
        return format_tensor(self)

    def __reduce__(self) -> tuple[Any, ...]:
        view = (self.storage(), self.storage_offset(), self.shape, self.stride())
        if not self.is_leaf:
            raise UseError(
                "only leaves are copied and pickled: detach() a tensor that an operation made"
            )
        return _rebuild, (type(self), view, self.requires_grad, self.grad)


class Parameter(Tensor):
    """A tensor that is trained: a Module registers it when it is assigned to an attribute.

    Parameters
    ----------
    data : array_like
        As for Tensor; must be floating.
    requires_grad : bool
        False freezes it.
    """

    __slots__ = ()

    def __init__(
        self,
        data: Any,
        dtype: Any = None,
        device: Device | str | None = None,
        *,
        requires_grad: bool = True,
    ) -> None:
        super().__init__(data, dtype, device, requires_grad=requires_grad)


def contiguous_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the strides, in elements, of a row-major array of this shape."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


@lru_cache(1024)  # modules ask for few shapes, often
def _row_major(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    expected = 1
    for n, s in zip(reversed(shape), reversed(strides), strict=True):
        if n != 1 and s != expected:
            return 0 in shape
        expected *= n
    return True


def _geometry(
    storage: Storage, offset: int, shape: Sequence[int], strides: Sequence[int]
) -> Geometry:
    geometry = index(offset), tuple(map(index, shape)), tuple(map(index, strides))
    check_view(storage.size, *geometry)
    return geometry


def _rebuild(
    cls: type[Tensor],
    view: tuple[Storage, int, tuple[int, ...], tuple[int, ...]],
    requires_grad: bool,
    grad: Tensor | None,
) -> Tensor:
    tensor = cls.view_of(*view)
    tensor.requires_grad = requires_grad
    if grad is not None:
        tensor.grad = grad
    return tensor
