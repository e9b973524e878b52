"""Moving a module to another dtype or device, without losing what its tensors share."""

from __future__ import annotations

from typing import Any, Self

from .. import backend
from ..backend import Device
from ..dtypes import Dtype, as_dtype, float16, float32, float64, is_floating
from ..storage import Storage
from ..tensor import Tensor
from .errors import ArgumentError
from .walking import Walking

Memo = dict[int, tuple[Storage, Storage]]
"""Converted storages by the identity of their originals, which are kept alive."""


class Converting(Walking):
    """The part of Module that changes dtypes and devices.

    Tensors keep their identity, so that optimisers and ties between modules go on to hold;
    those that shared a storage share one afterwards.
    """

    def to(self, *args: Any, dtype: Any = None, device: Device | str | None = None) -> Self:
        """Convert floating tensors to a dtype, and move all to a device; return the module.

        Parameters
        ----------
        *args
            Any of a dtype, a device ("cuda", "cpu"), and a Tensor to be like.
        dtype : dtype, optional
        device : Device or str, optional

        Raises
        ------
        ArgumentError
            If the dtype is not floating.
        """
        for value in args:
            if isinstance(value, Tensor):
                dtype, device = value.dtype, value.device
            elif isinstance(value, (Device, str)):
                device = value
            else:
                dtype = value
        wanted = None if dtype is None else as_dtype(dtype)
        if wanted is not None and not is_floating(wanted):
            raise ArgumentError(f"modules are converted to floating dtypes; given {wanted}")
        place = None if device is None else backend.as_device(device)
        memo: Memo = {}
        for module in self.modules():
            module.convert_own(wanted, place, memo)
        return self

    def convert_own(self, dtype: Dtype | None, device: Device | None, memo: Memo) -> None:
        """Convert what this module itself holds."""
        for _, parameter in self.own_parameters():
            convert_(parameter, dtype, device, memo)
            if parameter.grad is not None:
                parameter.grad = convert_(parameter.grad.detach(), dtype, device, memo)
        for _, buffer in self.own_buffers():
            convert_(buffer, dtype, device, memo)

    def float(self) -> Self:
        """Convert floating tensors to float32."""
        return self.to(dtype=float32)

    def double(self) -> Self:
        """Convert floating tensors to float64."""
        return self.to(dtype=float64)

    def half(self) -> Self:
        """Convert floating tensors to float16."""
        return self.to(dtype=float16)

    def cuda(self) -> Self:
        """Move all tensors to the GPU."""
        return self.to(device="cuda")

    def cpu(self) -> Self:
        """Move all tensors to the CPU."""
        return self.to(device="cpu")


def convert_(tensor: Tensor, dtype: Dtype | None, device: Device | None, memo: Memo) -> Tensor:
    """Convert a tensor itself: it keeps its identity, and what it shares."""
    dtype = tensor.dtype if dtype is None or not is_floating(tensor.dtype) else dtype
    device = tensor.device if device is None else device
    if tensor.dtype == dtype and tensor.device == device:
        return tensor
    storage = tensor.storage()
    if id(storage) not in memo:
        memo[id(storage)] = storage, Storage(backend.asarray(storage.array, dtype, device))
    converted = memo[id(storage)][1]
    return tensor.set_(converted, tensor.storage_offset(), tensor.shape, tensor.stride())
