"""What the rest of Python sees of a tensor: arrays of NumPy and DLPack, numbers, lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from . import backend
from .autograd.versions import expose
from .backend import CPU
from .dtypes import DtypeError
from .errors import ShapeError, SharingError, UseError

if TYPE_CHECKING:
    from .autograd.versions import Cell
    from .storage import Storage


class Interchange:
    """The part of Tensor that hands its values to others."""

    __slots__ = ()

    if TYPE_CHECKING:  # what Tensor has beside this
        requires_grad: bool
        _version: Cell

        @property
        def array(self) -> Any:
            """The NumPy or CuPy array behind the tensor."""

        def storage(self) -> Storage:
            """Return the storage that the tensor views."""

    # -- arrays -------------------------------------------------------------------------

    def numpy(self) -> np.ndarray[Any, Any]:
        """Return a NumPy array: the same memory on the CPU, a copy from a GPU.

        Writes through the array are not tracked: neither `version` nor a graph sees them.
        """
        expose(self._version)
        return backend.to_numpy(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        device = backend.device_of(self.array)
        if device != CPU:
            raise UseError(f"a tensor on {device} is no NumPy array; .numpy() copies it")
        expose(self._version)
        return np.asarray(self.array, dtype=dtype, copy=copy)

    def __dlpack__(self, **options: Any) -> Any:
        """Export the memory; see the DLPack protocol of the array API."""
        if self.requires_grad:
            raise SharingError("a tensor that requires gradients is not exported: use .detach()")
        expose(self._version)
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        kind, index = self.array.__dlpack_device__()
        return int(kind), int(index)

    # -- other processes ----------------------------------------------------------------

    def share_memory_(self) -> Self:
        """Move the storage to memory that processes share; return this tensor.

        Sent to another process, the tensor is there on the same memory: what one writes, the
        other reads. All tensors on the storage go along. Keep it until the others have it.

        Raises
        ------
        SharingError
            On a GPU.
        UseError
            If an operation that was recorded made a tensor on this storage.
        """
        from .sharing import share_storage  # multiprocessing, which few programs need

        share_storage(self.storage())
        return self

    def is_shared(self) -> bool:
        """Whether the memory is one that processes share."""
        from .sharing import block_of

        return block_of(self.storage().raw) is not None

    # -- numbers and lists --------------------------------------------------------------

    def tolist(self) -> Any:
        """Return nested lists of Python numbers."""
        return backend.to_numpy(self.array).tolist()

    def item(self) -> Any:
        """Return the only element as a Python number.

        Raises
        ------
        ShapeError
            If there is not exactly one.
        """
        if self.array.size != 1:
            raise ShapeError(
                f"item() needs a tensor of one element; this has shape {self.array.shape}"
            )
        return backend.to_numpy(self.array).item()

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise ShapeError(
                f"the truth of a tensor of shape {self.array.shape} is ambiguous: use .any() or "
                ".all()"
            )
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.array.dtype.kind not in "iu":
            raise DtypeError(f"only integer tensors are indices; this one is {self.array.dtype}")
        return int(self.item())
