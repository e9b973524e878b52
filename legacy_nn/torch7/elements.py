"""Single elements and parts: `t[...]`, apply and map, tables of numbers, conversion of types.

Source: torch7 generic/Tensor.c, Tensor.lua.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.torch_types import TENSOR_CLASSES, tensor_class
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from . import types
from .checks import as_function, as_tensor
from .errors import BadArgument, TorchError
from .functions import NUMERIC, plain
from .indexing import masked_copy, masked_fill, masked_select
from .memory import convert_number, dims, new_tensor, shape, values, wrap, wrote
from .resizing import cast, copy
from .views import narrowed, same_view, selected

Key = Any


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _element(tensor: Tensor, place: Sequence[int]) -> tuple[int, ...]:
    """Return an element's index from 0; negative ones count from the end."""
    if len(place) != dims(tensor):
        raise BadArgument(2, "invalid size")
    found = []
    for z, n in zip(place, shape(tensor), strict=True):
        z = z - 1 if z > 0 else z + n
        if not 0 <= z < n:
            raise BadArgument(2, "index out of bound")
        found.append(z)
    return tuple(found)


def _part(tensor: Tensor, key: Table) -> Tensor | tuple[Tensor, int]:
    """Return the view that a table of indices and ranges names; of a vector also the index."""
    parts = key.array()
    if len(parts) > dims(tensor):
        raise BadArgument(2, "too many indices provided")
    view = same_view(tensor)
    dim = 0
    for part in parts:
        length = shape(view)[dim]
        if _is_number(part):
            z = int(part) - 1
            z += length + 1 if z < 0 else 0
            if not 0 <= z < length:
                raise BadArgument(2, "index out of bound")
            if dims(view) == 1:
                return view, z
            view = selected(view, dim, z)
        elif isinstance(part, Table):
            start, end = part.get(1), part.get(2)
            first = int(start) - 1 if _is_number(start) else 0
            last = int(end) - 1 if _is_number(end) else (first if _is_number(start) else length - 1)
            first += length + 1 if first < 0 else 0
            last += length + 1 if last < 0 else 0
            if not 0 <= first < length:
                raise BadArgument(2, "start index out of bound")
            if not 0 <= last < length:
                raise BadArgument(2, "end index out of bound")
            if last < first:
                raise BadArgument(2, "end index must be greater or equal to start index")
            view = narrowed(view, dim, first, last - first + 1)
            dim += 1
        else:
            break
    return view


def _row(tensor: Tensor, key: float, position: int = 2) -> int:
    if not dims(tensor):
        raise BadArgument(1, "empty tensor")
    index = int(key) - 1
    index += shape(tensor)[0] + 1 if index < 0 else 0
    if not 0 <= index < shape(tensor)[0]:
        raise BadArgument(position, "out of range")
    return index


@plain("__index")
def get(self: Tensor, key: Key) -> Any:
    """Return `t[key]`: a number, a view, or the elements that a mask selects.

    `key` is a number, a LongStorage of one for each dimension, a table of numbers and ranges
    `{first, last}`, or a ByteTensor of 0 and 1.
    """
    if _is_number(key):
        index = _row(self, key)
        if dims(self) == 1:
            return values(self)[index].item()
        return selected(self, 0, index)
    if isinstance(key, Storage) and key.dtype.char == "l":
        return values(self)[_element(self, key.tolist())].item()
    if isinstance(key, Table):
        part = _part(self, key)
        if isinstance(part, tuple):
            view, z = part
            return values(view)[z].item()
        return part
    if isinstance(key, Tensor) and key.dtype.char == "B":
        return masked_select(new_tensor(self.dtype), self, key)
    raise TorchError(f"a tensor has no element {key!r}")


@plain("__newindex")
def put(self: Tensor, key: Key, value: Any) -> None:
    """Assign a number or a tensor to `t[key]`; see `get`."""
    if _is_number(key):
        index = _row(self, key)
        if dims(self) == 1 and _is_number(value):
            values(self)[index] = convert_number(value, self.dtype)
            wrote(self, "[]")
        else:
            _assign(narrowed(self, 0, index, 1), value)
    elif isinstance(key, Storage) and key.dtype.char == "l":
        values(self)[_element(self, key.tolist())] = convert_number(value, self.dtype)
        wrote(self, "[]")
    elif isinstance(key, Table):
        part = _part(self, key)
        if isinstance(part, tuple):
            view, z = part
            if not _is_number(value):
                raise BadArgument(3, "number expected")
            values(view)[z] = convert_number(value, self.dtype)
            wrote(self, "[]")
        else:
            _assign(part, value)
    elif isinstance(key, Tensor) and key.dtype.char == "B":
        if _is_number(value):
            masked_fill(self, key, convert_number(value, self.dtype))
        elif isinstance(value, Tensor) and value.dtype == self.dtype:
            masked_copy(self, key, value)
        else:
            raise TorchError(f"number or {tensor_class(self.dtype)} expected")
    else:
        raise TorchError(f"a tensor has no element {key!r}")


def _assign(part: Tensor, value: Any) -> None:
    if _is_number(value):
        values(part)[...] = convert_number(value, part.dtype)
        wrote(part, "[]")
    else:
        copy(part, as_tensor(value, 3))


# -- functions of elements ----------------------------------------------------------------


def _mapped(self: Tensor, others: Sequence[Tensor], function: Callable[..., Any]) -> Tensor:
    array = values(self)
    columns = [array.ravel().tolist(), *(values(o).ravel().tolist() for o in others)]
    if any(len(c) != len(columns[0]) for c in columns):
        raise TorchError("inconsistent tensor size")
    flat = array.reshape(-1) if self.is_contiguous() else array.flat
    for i, row in enumerate(zip(*columns, strict=True)):
        result = function(*row)
        if _is_number(result):
            flat[i] = convert_number(result, self.dtype)
        elif result is not None:
            raise TorchError("given function should return a number or nil")
    wrote(self, "apply")
    return self


@plain("apply", types=NUMERIC)
def apply(self: Tensor, function: Any = None) -> Tensor:
    """Replace each element by what the function returns for it, unless that is nil."""
    return _mapped(self, (), as_function(function, 2))


@plain("map", types=NUMERIC)
def map_(self: Tensor, other: Any = None, function: Any = None) -> Tensor:
    """Do the same with a function of the elements of two tensors."""
    return _mapped(self, (as_tensor(other, 2, self.dtype),), as_function(function, 3))


@plain("map2", types=NUMERIC)
def map2(self: Tensor, first: Any = None, second: Any = None, function: Any = None) -> Tensor:
    """Do the same with a function of the elements of three tensors."""
    others = as_tensor(first, 2, self.dtype), as_tensor(second, 3, self.dtype)
    return _mapped(self, others, as_function(function, 4))


@plain("totable", forms="function method")
def totable(self: Tensor) -> Table:
    """Return nested tables of numbers."""

    def table(rows: Any) -> Any:
        return Table([table(row) for row in rows]) if isinstance(rows, list) else rows

    return table(values(self).tolist()) if self.size else Table()


def from_table(dtype: Any, table: Table) -> Tensor:
    """Return the tensor of a table of numbers, or of tables of them.

    Raises
    ------
    TorchError
        If rows differ in length, or something is not a number.
    """
    sizes = []
    row: Any = table
    while isinstance(row, Table) and len(row):
        sizes.append(len(row))
        row = row[1]
    flat: list[Any] = []

    def collect(part: Any, depth: int) -> None:
        if not isinstance(part, Table):
            raise TorchError("invalid tensor definition")
        if len(part) != sizes[depth]:
            raise TorchError("invalid tensor sizes")
        for i in range(1, sizes[depth] + 1):
            value = part.get(i)
            if depth + 1 < len(sizes):
                collect(value, depth + 1)
            elif _is_number(value):
                flat.append(convert_number(value, dtype))
            else:
                raise TorchError("invalid element (not a number)")

    if sizes:
        collect(table, 0)
        return wrap(np.array(flat, dtype).reshape(sizes))
    return new_tensor(dtype)


# -- types -------------------------------------------------------------------------------


@plain("type")
def type_(self: Tensor, name: str | None = None, *_: Any) -> Any:
    """Return the name of the type, or a copy converted to another."""
    if name is None:
        return tensor_class(self.dtype)
    if name not in TENSOR_CLASSES:
        raise TorchError(f"no tensor type is called {name!r}")
    return converted(self, TENSOR_CLASSES[name])


def converted(self: Tensor, dtype: Any) -> Tensor:
    """Return the tensor itself if it has the dtype, else a converted copy."""
    if self.dtype == dtype:
        return self
    if not self.size:
        return new_tensor(dtype)
    return wrap(np.ascontiguousarray(cast(values(self), dtype)))


def _conversion(method: str, name: str) -> None:
    dtype = TENSOR_CLASSES[name]

    @plain(method)
    def convert(self: Tensor) -> Tensor:
        return converted(self, dtype)


for _method in ("byte", "char", "short", "int", "long", "float", "double", "half"):
    _conversion(_method, f"torch.{_method.capitalize()}Tensor")
for _method, _element_name in {
    "cuda": "Float",
    "cudaByte": "Byte",
    "cudaChar": "Char",
    "cudaShort": "Short",
    "cudaInt": "Int",
    "cudaLong": "Long",
    "cudaHalf": "Half",
    "cudaDouble": "Double",
    "cl": "Float",
}.items():
    _conversion(_method, f"torch.{_element_name}Tensor")


@plain("real")
def real(self: Tensor) -> Tensor:
    """Convert to the default type."""
    return converted(self, types.default_dtype())


@plain("typeAs")
def type_as(self: Tensor, other: Any) -> Tensor:
    """Convert to the type of another tensor."""
    return converted(self, as_tensor(other, 2).dtype)


@plain("new")
def new(self: Any, *args: Any) -> Tensor:
    """Return a new tensor of this type; see `creation.tensor`."""
    from .creation import construct

    return construct(self.dtype, args)
