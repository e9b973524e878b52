"""LuaTensor and LuaStorage: Torch7's tensors for Python code, with its names and its habits.

A LuaTensor is a face of a core Tensor, `.tensor`, on the same memory. Its methods are those of
LuaTorch: they count from 1, write into the tensor and return it, take a result first, and do
not broadcast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.torch_types import (
    STORAGE_CLASSES,
    TENSOR_CLASSES,
    storage_class,
    tensor_class,
)
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from . import types
from .api import FUNCTIONS, METHODS, STORAGE_METHODS, construct, construct_storage
from .errors import TorchError
from .functions import METHOD_TYPES


def plain(value: Any) -> Any:
    """Return what stands behind a face: core's tensors and storages, also in tables."""
    if isinstance(value, (LuaTensor, LuaStorage)):
        return value.inner
    if isinstance(value, (list, tuple)):
        return Table([plain(x) for x in value])
    if isinstance(value, dict):
        return Table({k: plain(x) for k, x in value.items()})
    return value


def faced(value: Any) -> Any:
    """Return tensors and storages with their Lua faces, also in tables and several results."""
    if isinstance(value, Tensor):
        return LuaTensor(value)
    if isinstance(value, Storage):
        return LuaStorage(value)
    if isinstance(value, tuple):
        return tuple(faced(x) for x in value)
    if isinstance(value, Table):
        return Table({k: faced(x) for k, x in value.items()})
    return value


def _calls(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        return faced(function(*map(plain, args)))

    return call


class LuaTensor:
    """A tensor with LuaTorch's methods.

    Parameters
    ----------
    tensor : Tensor
        The core tensor that this is a face of; nothing is copied.

    Examples
    --------
    >>> from rekindle.legacy_nn import torch7 as torch
    >>> x = torch.DoubleTensor([[1, 2], [3, 4]])
    >>> x.narrow(2, 1, 1).fill(0)
     0
     0
    [torch.DoubleTensor of size 2x1]
    <BLANKLINE>
    >>> x[2][2], x.sum()
    (4.0, 6.0)

    Source: torch7 doc/tensor.md, doc/maths.md.
    """

    __slots__ = ("inner",)
    __hash__ = object.__hash__

    def __init__(self, tensor: Tensor) -> None:
        self.inner = tensor

    @property
    def tensor(self) -> Tensor:
        """The core tensor, on the same memory."""
        return self.inner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = METHODS.get(name)
        if method is None or self.inner.dtype.char not in METHOD_TYPES[name]:
            raise AttributeError(f"{tensor_class(self.inner.dtype)} has no method {name!r}")
        return lambda *args: faced(method(self.inner, *map(plain, args)))

    def __getitem__(self, key: Any) -> Any:
        return faced(METHODS["__index"](self.inner, _key(key)))

    def __setitem__(self, key: Any, value: Any) -> None:
        METHODS["__newindex"](self.inner, _key(key), plain(value))

    def __len__(self) -> int:
        return self.inner.shape[0] if self.inner.size else 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LuaTensor) and self.inner is other.inner

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return self.inner.__array__(dtype, copy)

    def __repr__(self) -> str:
        text: str = METHODS["__tostring"](self.inner)
        return text

    def __neg__(self) -> Any:
        return faced(METHODS["__unm"](self.inner))


def _key(key: Any) -> Any:
    return plain(list(key)) if isinstance(key, tuple) else plain(key)


def _operator(name: str, swapped: bool) -> Callable[[Any, Any], Any]:
    method = METHODS[f"__{name}"]

    def apply(self: Any, other: Any) -> Any:
        a, b = plain(self), plain(other)
        return faced(method(b, a) if swapped else method(a, b))

    return apply


for _python, _lua in {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div"}.items():
    setattr(LuaTensor, f"__{_python}__", _operator(_lua, swapped=False))
    setattr(LuaTensor, f"__r{_python}__", _operator(_lua, swapped=True))
setattr(LuaTensor, "__mod__", _operator("mod", swapped=False))  # noqa: B010


class LuaStorage:
    """A storage with LuaTorch's methods; elements count from 1.

    Source: torch7 doc/storage.md.
    """

    __slots__ = ("inner",)
    __hash__ = object.__hash__

    def __init__(self, storage: Storage) -> None:
        self.inner = storage

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = STORAGE_METHODS.get(name)
        if method is None:
            raise AttributeError(f"{storage_class(self.inner.dtype)} has no method {name!r}")
        return lambda *args: faced(method(self.inner, *map(plain, args)))

    def __getitem__(self, key: int) -> Any:
        return STORAGE_METHODS["__index"](self.inner, key)

    def __setitem__(self, key: int, value: float) -> None:
        STORAGE_METHODS["__newindex"](self.inner, key, value)

    def __len__(self) -> int:
        return self.inner.size

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LuaStorage) and self.inner is other.inner

    def __repr__(self) -> str:
        text: str = STORAGE_METHODS["__tostring"](self.inner)
        return text


def member(name: str) -> Callable[..., Any]:
    """Return what Lua calls `torch.name`: a tensor type, a storage type or a function.

    Raises
    ------
    TorchError
        If the package has no such member.
    """
    if name == "Tensor":
        return lambda *args: LuaTensor(construct(types.default_dtype(), list(map(plain, args))))
    if (full := f"torch.{name}") in TENSOR_CLASSES:
        kind = TENSOR_CLASSES[full]
        return lambda *args: LuaTensor(construct(kind, list(map(plain, args))))
    if full in STORAGE_CLASSES:
        element = STORAGE_CLASSES[full]
        return lambda *args: LuaStorage(construct_storage(element, list(map(plain, args))))
    if name in FUNCTIONS:
        return _calls(FUNCTIONS[name])
    raise TorchError(f"the package torch has no member {name!r}")


def __getattr__(name: str) -> Callable[..., Any]:
    try:
        return member(name)
    except TorchError as error:
        raise AttributeError(str(error)) from None
