"""Changing the type of tensors, in modules and tables, without losing what they share.

Source: torch/nn Module.lua, Criterion.lua, utils.lua.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, ClassVar, Self

import numpy as np

from rekindle.core.backend import CPU, Device, as_device, asarray, cuda_available
from rekindle.core.checkpoint import Table
from rekindle.core.dtypes import is_floating
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from .clearing import drop
from .errors import not_stated
from .nesting import nested
from .torch7.types import dtype_of

Cache = MutableMapping[Any, Any] | Table
"""Converted tensors and storages by their originals, which it keeps alive."""


class Converting:
    """The part of nn.Module and nn.Criterion that changes the type of their tensors."""

    not_converted: ClassVar[tuple[str, ...]] = ()
    """Fields that start anew when the type changes."""

    def type(self, type: str | None = None, tensorCache: Cache | None = None) -> Any:
        """Convert all tensors here and below to a type and return this object.

        Tensors that view one storage still do so afterwards. Tensors of the type already are
        left as they are; the others become new tensors.

        Parameters
        ----------
        type : str, optional
            "torch.FloatTensor", "torch.DoubleTensor" or "torch.HalfTensor"; the GPU types,
            such as "torch.CudaTensor", move to the first GPU, and on a machine without one
            mean the CPU type of the same elements. Without it, return the type of now.
        tensorCache : dict or Table, optional
            What earlier calls converted: tensors shared between two modules stay shared if
            both are converted with one cache.
        """
        raise not_stated(self, "type")

    def float(self, tensorCache: Cache | None = None) -> Self:
        """Convert to single precision: see `type`."""
        return self._to("torch.FloatTensor", tensorCache)

    def double(self, tensorCache: Cache | None = None) -> Self:
        """Convert to double precision: see `type`."""
        return self._to("torch.DoubleTensor", tensorCache)

    def half(self, tensorCache: Cache | None = None) -> Self:
        """Convert to half precision: see `type`."""
        return self._to("torch.HalfTensor", tensorCache)

    def cuda(self, tensorCache: Cache | None = None) -> Self:
        """Convert to single precision on a GPU, or on the CPU where there is none."""
        return self._to("torch.CudaTensor", tensorCache)

    def cudaDouble(self, tensorCache: Cache | None = None) -> Self:
        """Convert to double precision on a GPU, or on the CPU where there is none."""
        return self._to("torch.CudaDoubleTensor", tensorCache)

    def cudaHalf(self, tensorCache: Cache | None = None) -> Self:
        """Convert to half precision on a GPU, or on the CPU where there is none."""
        return self._to("torch.CudaHalfTensor", tensorCache)

    def _to(self, typename: str, cache: Cache | None) -> Self:
        self.type(typename, cache)
        return self

    @nested
    def convert_fields(self, typename: str, cache: Cache) -> None:
        """Convert the tensors in the fields of this object."""
        drop(self, *self.not_converted)
        for name, value in list(vars(self).items()):
            converted = recursive_type(value, typename, cache)
            if converted is not value:
                setattr(self, name, converted)


def recursive_type(value: Any, typename: str, cache: Cache | None = None) -> Any:
    """Return `value` with its tensors converted: a tensor, or a table or object with some.

    Tables, modules and criterions are changed themselves. See `Converting.type`.
    """
    cache = {} if cache is None else cache
    if isinstance(value, Tensor):
        return _converted(value, typename, cache)
    if isinstance(value, (Table, dict)):
        for key, entry in list(value.items()):
            value[key] = recursive_type(entry, typename, cache)
    elif type(value) in (list, tuple):
        return type(value)(recursive_type(entry, typename, cache) for entry in value)
    elif isinstance(value, Converting):
        value.type(typename, cache)
    return value


def _converted(tensor: Tensor, typename: str, cache: Cache) -> Tensor:
    dtype, device = dtype_of(typename), device_for(typename)
    if tensor.dtype == dtype and tensor.device == device:
        return tensor
    if (found := cache.get(tensor)) is not None:
        known: Tensor = found
        return known
    storage = tensor.storage()
    if (memory := cache.get(storage)) is None:
        with np.errstate(all="ignore"):  # scratch memory holds anything
            array = asarray(storage.raw, dtype, device)
        memory = cache[storage] = Storage(array.copy() if array is storage.raw else array)
    view = type(tensor).view_of
    new = view(memory, tensor.storage_offset(), tensor.shape, tensor.stride())
    new.requires_grad = is_floating(dtype) and tensor.requires_grad and tensor.is_leaf
    cache[tensor] = new
    return new


def device_for(typename: str) -> Device:
    """Return where tensors of this type live: the CPU, or the first GPU if there is one."""
    on_gpu = typename.startswith("torch.Cuda") and cuda_available()
    return as_device("cuda") if on_gpu else CPU
