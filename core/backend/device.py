"""Devices, and the arrays that live on them: NumPy on the CPU, CuPy on CUDA GPUs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import RekindleError
from .batched import Batched, innermost

Array = Any
"""An array of NumPy or CuPy; kernels only use what both have."""


class DeviceError(RekindleError, ValueError):
    """A device that does not exist here, or arrays on different devices."""


@dataclass(frozen=True, slots=True)
class Device:
    """A place for arrays.

    Parameters
    ----------
    kind : str
        "cpu" or "cuda".
    index : int
        Number of the GPU, from 0; always 0 for the CPU.
    """

    kind: str
    index: int = 0

    def __str__(self) -> str:
        return self.kind if self.kind == "cpu" else f"{self.kind}:{self.index}"


CPU = Device("cpu")


def as_device(device: Device | str) -> Device:
    """Return the device that `device` names ("cpu", "cuda", "cuda:1").

    Raises
    ------
    DeviceError
        If the name is not of that form.
    """
    if isinstance(device, Device):
        return device
    kind, _, index = device.partition(":")
    if kind == "cpu" and not index:
        return CPU
    if kind == "cuda" and (not index or index.isdigit()):
        return Device("cuda", int(index or 0))
    raise DeviceError(f"a device is 'cpu', 'cuda' or 'cuda:N'; given {device!r}")


def _cupy(reason: str) -> Any:
    try:
        import cupy
    except ImportError as error:
        raise DeviceError(
            f"{reason} needs CuPy, which is not installed: "
            "pip install 'rekindle[cuda12]' (or [cuda13])"
        ) from error
    return cupy


def cuda_available() -> bool:
    """Whether CuPy is installed and sees a GPU."""
    try:
        import cupy
    except ImportError:
        return False
    return bool(cupy.cuda.is_available())


def _on_gpu(array: Any) -> bool:
    cupy = sys.modules.get("cupy")  # without the import there are no such arrays
    return cupy is not None and isinstance(array, cupy.ndarray)


def namespace(array: Array) -> Any:
    """Return what has the functions that work on `array`: numpy, cupy, or that of vmap."""
    if isinstance(array, np.ndarray):
        return np
    if _on_gpu(array):
        return sys.modules["cupy"]
    if type(array) is Batched:
        return array.__array_namespace__()
    raise DeviceError(f"arrays are those of NumPy and CuPy; given {type(array).__name__}")


def library_of(array: Any) -> Any:
    """Return numpy or cupy: the library of the memory of an array, in vmap or not."""
    return namespace(innermost(array))


@contextmanager
def on(device: Device) -> Iterator[Any]:
    """Make `device` the one on which new arrays are made; gives the array library."""
    if device.kind == "cpu":
        yield np
    else:
        cupy = _cupy(f"device {device}")
        with cupy.cuda.Device(device.index):
            yield cupy


def device_of(array: Array) -> Device:
    """Return the device that holds `array`."""
    while type(array) is Batched:
        array = array.value
    return Device("cuda", array.device.id) if _on_gpu(array) else CPU


def asarray(data: Any, dtype: Any, device: Device) -> Array:
    """Return `data` as an aligned array on `device`, copied only where it has to be."""
    if type(data) is Batched:
        same = dtype is None or dtype == data.dtype
        return data if same else data.astype(dtype)
    if device.kind == "cpu":
        array = np.asarray(to_numpy(data) if _on_gpu(data) else data, dtype=dtype)
        return array if array.flags.aligned else array.copy()
    cupy = _cupy(f"device {device}")
    with cupy.cuda.Device(device.index):
        return cupy.asarray(data, dtype=dtype, blocking=True)


def to_device(array: Array, device: Device) -> Array:
    """Return `array` on `device`: itself where it is there already."""
    if device_of(array) == device:
        return array
    return to_numpy(array) if device.kind == "cpu" else asarray(array, None, device)


def to_numpy(array: Array) -> np.ndarray[Any, Any]:
    """Return `array` as a NumPy array; from a GPU this waits and copies."""
    if isinstance(array, np.ndarray):
        return array
    if type(array) is Batched:
        return np.asarray(array)  # which says why not
    host: np.ndarray[Any, Any] = array.get()
    return host


def from_dlpack(source: Any) -> Array:
    """Return a GPU array on the memory that `source` exports through DLPack."""
    return _cupy("memory on a GPU").from_dlpack(source)
