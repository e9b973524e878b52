"""Making tensors: from data, of constants, of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import backend, ops  # noqa: F401  # ops: tensors made here have their methods
from .autograd.alias import zeros_for
from .backend import CPU, Batched, Device
from .dtypes import as_dtype, float32
from .errors import ShapeError
from .tensor import Tensor
from .waiting import private_cell


def tensor(
    data: Any,
    dtype: Any = None,
    device: Device | str | None = None,
    *,
    requires_grad: bool = False,
) -> Tensor:
    """Return a new tensor with a copy of `data`.

    Parameters
    ----------
    data : array_like
        Python floats become float32, Python integers int64, arrays keep their dtype.
    dtype : dtype, optional
    device : Device or str, optional
    requires_grad : bool

    Raises
    ------
    DtypeError
        For a dtype that tensors do not have.
    ShapeError
        For rows of several lengths.
    """
    copied = Tensor._wrap(Tensor(data, dtype, device).array.copy(order="C"))
    copied._version = private_cell(copied._array)
    copied.requires_grad = requires_grad
    return copied


def from_dlpack(source: Any) -> Tensor:
    """Return a tensor on the memory of any object that speaks DLPack, without copying."""
    if isinstance(source, Tensor):
        return source.detach()
    kind, _ = source.__dlpack_device__()
    if int(kind) == 1:
        return Tensor(np.from_dlpack(source))
    return Tensor(backend.from_dlpack(source))


def _filled(name: str, shape: Any, dtype: Any, device: Device | str, *args: Any) -> Tensor:
    sizes = (shape,) if hasattr(shape, "__index__") else tuple(shape)
    if any(n < 0 for n in sizes):
        raise ShapeError(f"{name} needs sizes of 0 or more; given {sizes}")
    made = getattr(np, name)(sizes, *args, dtype=as_dtype(dtype))
    return Tensor._wrap(backend.asarray(made, made.dtype, backend.as_device(device)))


def empty(shape: int | Sequence[int], dtype: Any = float32, device: Device | str = CPU) -> Tensor:
    """Return a tensor whose elements are whatever the memory held."""
    return _filled("empty", shape, dtype, device)


def zeros(shape: int | Sequence[int], dtype: Any = float32, device: Device | str = CPU) -> Tensor:
    """Return a tensor of zeros."""
    return _filled("zeros", shape, dtype, device)


def ones(shape: int | Sequence[int], dtype: Any = float32, device: Device | str = CPU) -> Tensor:
    """Return a tensor of ones."""
    return _filled("ones", shape, dtype, device)


def full(
    shape: int | Sequence[int], value: float, dtype: Any = float32, device: Device | str = CPU
) -> Tensor:
    """Return a tensor with `value` everywhere."""
    return _filled("full", shape, dtype, device, value)


def arange(
    start: float,
    stop: float | None = None,
    step: float = 1,
    dtype: Any = None,
    device: Device | str = CPU,
) -> Tensor:
    """Return `start`, `start + step`, ... below `stop`; with one argument from 0 to it.

    Integers give int64 and floats float32, unless `dtype` says otherwise.
    """
    if step == 0:
        raise ShapeError(f"arange from {start} to {stop} needs a step that is not 0")
    values = np.arange(start, step=step) if stop is None else np.arange(start, stop, step)
    if dtype is None and values.dtype.kind == "f":
        dtype = float32
    return Tensor(values, dtype, device)


def eye(n: int, m: int | None = None, dtype: Any = float32, device: Device | str = CPU) -> Tensor:
    """Return an (n, m) matrix with ones on the diagonal; m is n by default."""
    return Tensor(np.eye(n, m, dtype=as_dtype(dtype)), device=device)


def zeros_like(x: Tensor) -> Tensor:
    """Return zeros of the shape, dtype and device of `x`."""
    if type(x.array) is Batched:
        return zeros_for(x)  # inside vmap: for each sample
    return zeros(x.shape, x.dtype, x.device)
