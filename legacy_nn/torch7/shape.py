"""Views of tensors and their sizes: narrow, select, transpose, view, expand, split, resize, set.

Source: torch7 generic/Tensor.c, Tensor.lua, lib/TH/generic/THTensor.c.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.torch_types import tensor_class
from rekindle.core.resizing import resize_storage
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor, contiguous_strides

from .checks import as_int, as_storage, as_tensor
from .errors import BadArgument, TorchError
from .functions import described, plain
from .memory import (
    dims,
    long_storage,
    new_tensor,
    resize,
    set_to,
    shape,
    sizes_of,
    values,
    view,
    view_of,
    wrote,
)

# -- what it is -------------------------------------------------------------------------


@plain("dim", "nDimension")
def dim(self: Tensor) -> int:
    """Return the number of dimensions."""
    return dims(self)


@plain("size", "__len")
def size(self: Tensor, dim: int | None = None, *_: Any) -> Any:
    """Sizes as a LongStorage, or that of one dimension."""
    return _sizes_or_one(self, shape(self), dim)


@plain("stride")
def stride(self: Tensor, dim: int | None = None) -> Any:
    """Strides as a LongStorage, or that of one dimension."""
    return _sizes_or_one(self, strides(self), dim)


def strides(tensor: Tensor) -> tuple[int, ...]:
    """Return the strides, of as many dimensions as Torch7 counts."""
    return (tensor.stride() or (1,)) if dims(tensor) else ()


def _sizes_or_one(self: Tensor, numbers: Sequence[int], dim: Any) -> Any:
    if isinstance(dim, (int, float)):
        if not 1 <= dim <= len(numbers):
            raise BadArgument(2, f"dimension {int(dim)} out of range of {len(numbers)}D tensor")
        return numbers[int(dim) - 1]
    return long_storage(numbers)


@plain("nElement")
def n_element(self: Tensor) -> int:
    """Return the number of elements."""
    return self.size


@plain("elementSize")
def element_size(self: Tensor) -> int:
    """Bytes of an element."""
    return self.dtype.itemsize


@plain("storage")
def storage(self: Tensor) -> Storage | None:
    """Return the storage that the tensor views; none where there never was one."""
    found = self.storage()
    return found if found.size else None


@plain("storageOffset")
def storage_offset(self: Tensor) -> int:
    """Return which element of the storage is the first, from 1."""
    return self.storage_offset() + 1


@plain("isContiguous")
def is_contiguous(self: Tensor) -> bool:
    """Whether the elements lie in row-major order without gaps."""
    return self.is_contiguous()


@plain("isSameSizeAs")
def is_same_size_as(self: Tensor, other: Any) -> bool:
    """Whether the other tensor has the same sizes."""
    return shape(self) == shape(as_tensor(other, 2))


@plain("isSize")
def is_size(self: Tensor, sizes: Any) -> bool:
    """Whether the sizes are those of a LongStorage."""
    return shape(self) == tuple(as_storage(sizes, 2).tolist())


@plain("isSetTo")
def is_set_to(self: Tensor, other: Any) -> bool:
    """Whether both are the same view of the same storage."""
    other = as_tensor(other, 2)
    return (
        bool(self.size)
        and self.storage() is other.storage()
        and self.storage_offset() == other.storage_offset()
        and shape(self) == shape(other)
        and strides(self) == strides(other)
    )


# -- views ------------------------------------------------------------------------------


def same_view(tensor: Tensor) -> Tensor:
    """Return another tensor on the same memory."""
    return view(tensor.storage(), tensor.storage_offset(), shape(tensor), strides(tensor))


def narrowed(tensor: Tensor, dim: int, first: int, count: int) -> Tensor:
    """Return the part of a dimension from `first` on; all numbers count from 0."""
    if not 0 <= dim < dims(tensor):
        raise BadArgument(2, "out of range")
    array = values(tensor)
    if not 0 <= first < array.shape[dim]:
        raise BadArgument(3, "out of range")
    if count <= 0 or first + count > array.shape[dim]:
        raise BadArgument(4, "out of range")
    part = (*(slice(None),) * dim, slice(first, first + count))
    return view_of(tensor, array[part])


def selected(tensor: Tensor, dim: int, index: int) -> Tensor:
    """Return a slice with one dimension less; all numbers count from 0."""
    if dims(tensor) < 2:
        raise BadArgument(1, "cannot select on a vector")
    if not 0 <= dim < dims(tensor):
        raise BadArgument(2, "out of range")
    array = values(tensor)
    if not 0 <= index < array.shape[dim]:
        raise BadArgument(3, "out of range")
    place: Any = (*(slice(None),) * dim, index)
    return view_of(tensor, array[place])


@plain("narrow")
def narrow(self: Tensor, dim: Any = None, first: Any = None, count: Any = None) -> Tensor:
    """Return a view of `count` elements of a dimension, from `first` on."""
    return narrowed(self, as_int(dim, 2) - 1, as_int(first, 3) - 1, as_int(count, 4))


@plain("select")
def select(self: Tensor, dim: Any = None, index: Any = None) -> Any:
    """Return a view with a dimension less; a number of a vector."""
    dim, index = as_int(dim, 2) - 1, as_int(index, 3) - 1
    if dims(self) > 1:
        return selected(self, dim, index)
    if not dims(self):
        raise BadArgument(1, "empty Tensor")
    if not 0 <= index < self.size:
        raise BadArgument(2, "out of range")
    return values(self)[index].item()


@plain("sub")
def sub(self: Tensor, *bounds: Any) -> Tensor:
    """Return a view of ranges of the first dimensions; negative bounds count from the end."""
    result = self
    for i in range(0, max(len(bounds), 2), 2):
        position = i + 2
        dim = i // 2
        first = as_int(bounds[i] if i < len(bounds) else None, position) - 1
        last = as_int(bounds[i + 1] if i + 1 < len(bounds) else None, position + 1) - 1
        if dim >= dims(self):
            raise BadArgument(position, "invalid dimension")
        length = shape(self)[dim]
        first += length + 1 if first < 0 else 0
        last += length + 1 if last < 0 else 0
        if not 0 <= first < length:
            raise BadArgument(position, "out of range")
        if not 0 <= last < length:
            raise BadArgument(position + 1, "out of range")
        if last < first:
            raise BadArgument(position + 1, "end smaller than beginning")
        result = narrowed(result, dim, first, last - first + 1)
    return result


def transposed(tensor: Tensor, a: int, b: int) -> Tensor:
    """Return a view with two dimensions, from 0, exchanged."""
    for dim in (a, b):
        if not 0 <= dim < dims(tensor):
            raise BadArgument(1, "out of range")
    return view_of(tensor, values(tensor).swapaxes(a, b))


@plain("transpose")
def transpose(self: Tensor, a: Any = None, b: Any = None) -> Tensor:
    """Return a view with two dimensions exchanged."""
    return transposed(self, as_int(a, 2) - 1, as_int(b, 3) - 1)


@plain("t")
def t(self: Tensor) -> Tensor:
    """Return the transpose of a matrix, a view."""
    if dims(self) != 2:
        raise BadArgument(1, "Tensor must have 2 dimensions")
    return transposed(self, 0, 1)


@plain("permute", forms="function method")
def permute(self: Tensor, *order: Any) -> Tensor:
    """Return a view whose dimension i is dimension `order[i]` of this tensor."""
    order = sizes_of(order)
    if sorted(order) != list(range(1, dims(self) + 1)):
        raise TorchError("Invalid permutation")
    sizes, steps = shape(self), strides(self)
    return view(
        self.storage(),
        self.storage_offset(),
        [sizes[i - 1] for i in order],
        [steps[i - 1] for i in order],
    )


@plain("unfold")
def unfold(self: Tensor, dim: Any = None, length: Any = None, step: Any = None) -> Tensor:
    """Return a view of all windows along a dimension, as a last dimension more."""
    dim, length, step = as_int(dim, 2) - 1, as_int(length, 3), as_int(step, 4)
    if not dims(self):
        raise BadArgument(1, "cannot unfold an empty tensor")
    if not 0 <= dim < dims(self):
        raise BadArgument(2, "out of range")
    sizes, steps = list(shape(self)), list(strides(self))
    if length > sizes[dim]:
        raise BadArgument(3, "out of range")
    if step <= 0:
        raise BadArgument(4, "invalid step")
    sizes.append(length)
    steps.append(steps[dim])
    sizes[dim] = (sizes[dim] - length) // step + 1
    steps[dim] *= step
    return view(self.storage(), self.storage_offset(), sizes, steps)


@described("squeeze", "*res=new src")
def squeeze(res: Tensor, src: Tensor) -> Any:
    """Drop the dimensions of size 1; one element comes as a number."""
    kept = [(n, s) for n, s in zip(shape(src), strides(src), strict=True) if n != 1]
    if src.size and not kept:
        kept = [(1, 1)]
    _set_view(res, src, kept)
    if src.size == 1:
        return values(res)[0].item()
    return res


@described("squeeze", "*res=new src dim:index")
def squeeze_dim(res: Tensor, src: Tensor, dim: int) -> Any:
    """Drop one dimension if its size is 1."""
    if not 0 <= dim < dims(src):
        raise BadArgument(3, "dimension out of range")
    kept = list(zip(shape(src), strides(src), strict=True))
    if kept[dim][0] == 1 and len(kept) > 1:
        del kept[dim]
    _set_view(res, src, kept)
    if dims(src) == 1 and src.size == 1:
        return values(res)[0].item()
    return res


def _set_view(res: Tensor, src: Tensor, kept: Sequence[tuple[int, int]]) -> None:
    if kept:
        sizes, steps = zip(*kept, strict=True)
        res.set_(src.storage(), src.storage_offset(), sizes, steps)
    else:
        set_to(res, src)


def _result_first(args: Sequence[Any]) -> tuple[Tensor, Tensor, list[Any]]:
    """Split the arguments of (result, tensor, ...) or (tensor, ...), as Tensor.lua does."""
    first = as_tensor(args[0], 1)
    if len(args) > 1 and isinstance(args[1], Tensor):
        return first, args[1], list(args[2:])
    return new_tensor(first.dtype), first, list(args[1:])


@plain("expand", forms="function method")
def expand(*args: Any) -> Tensor:
    """Return a view in which dimensions of size 1 are repeated."""
    result, tensor, rest = _result_first(args)
    return _expand(result, tensor, sizes_of(rest))


def _expand(result: Tensor, tensor: Tensor, wanted: Sequence[int]) -> Tensor:
    if len(wanted) != dims(tensor):
        raise TorchError("the number of dimensions provided must equal tensor:dim()")
    sizes, steps = list(shape(tensor)), list(strides(tensor))
    for i, n in enumerate(wanted):
        if sizes[i] == 1:
            sizes[i], steps[i] = n, 0
        elif sizes[i] != n:
            raise TorchError("incorrect size: only supporting singleton expansion (size=1)")
    return result.set_(tensor.storage(), tensor.storage_offset(), sizes, steps)


@plain("expandAs", forms="function method")
def expand_as(*args: Any) -> Tensor:
    """Expand to the sizes of another tensor."""
    result, tensor = (args[0], args[1]) if len(args) > 2 else (new_tensor(args[0].dtype), args[0])
    return _expand(result, tensor, shape(as_tensor(args[-1], len(args))))


@plain("repeatTensor", forms="function method")
def repeat_tensor(*args: Any) -> Tensor:
    """Return copies of a tensor laid side by side."""
    result, tensor, rest = _result_first(args)
    counts = sizes_of(rest)
    if len(counts) < dims(tensor):
        raise TorchError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions "
            "of tensor"
        )
    tiled = np.tile(values(tensor), counts)
    resize(result, tiled.shape)
    values(result)[...] = tiled
    return result


_VIEW_FORMS = (
    "torch.view, expected (torch.Tensor, torch.Tensor, number [, number ]*) or\n"
    " (torch.Tensor, torch.Tensor, torch.LongStorage) or\n (torch.Tensor, torch.LongStorage)\n"
    " or (torch.Tensor, number [, number ]*)"
)


@plain("view", forms="function method")
def view_(*args: Any) -> Tensor:
    """Return a contiguous tensor in other sizes, of which one may be -1."""
    result, tensor, rest = _result_first(args)
    numbers = all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in rest)
    if not rest or not (numbers or (len(rest) == 1 and isinstance(rest[0], Storage))):
        raise TorchError(_VIEW_FORMS)
    return _view(result, tensor, list(sizes_of(rest)))


def _view(result: Tensor, tensor: Tensor, sizes: list[int]) -> Tensor:
    if sizes.count(-1) > 1:
        raise TorchError("Only one of torch.view dimensions can be -1.")
    if -1 in sizes:
        covered = -math.prod(sizes)
        if not covered or tensor.size % covered:
            raise TorchError("The number of covered elements is not a multiple of all elements.")
        sizes[sizes.index(-1)] = tensor.size // covered
    if not tensor.is_contiguous():
        raise TorchError("expecting a contiguous tensor")
    if math.prod(sizes) != tensor.size:
        given = "x".join(map(str, shape(tensor)))
        wanted = "x".join(map(str, sizes))
        raise TorchError(f"Wrong size for view. Input size: {given}. Output size: {wanted}")
    if not tensor.size:
        return set_to(result, tensor)
    return result.set_(tensor.storage(), tensor.storage_offset(), sizes, contiguous_strides(sizes))


@plain("viewAs", forms="function method")
def view_as(*args: Any) -> Tensor:
    """View in the sizes of another tensor."""
    result, tensor = (args[0], args[1]) if len(args) > 2 else (new_tensor(args[0].dtype), args[0])
    return _view(result, tensor, list(shape(as_tensor(args[-1], len(args)))))


@described("reshape", "*res=new src sizes:sizes")
def reshape(res: Tensor, src: Tensor, sizes: Sequence[int]) -> None:
    """Copy into other sizes."""
    if math.prod(sizes) != src.size:
        raise TorchError(
            f"inconsistent tensor size, expected {'x'.join(map(str, sizes))} to have the same "
            f"number of elements as {'x'.join(map(str, shape(src)))}"
        )
    resize(res, sizes)
    values(res)[...] = values(src).reshape(tuple(sizes))
    wrote(res, "reshape")


@plain("split", forms="function method")
def split(*args: Any) -> Table:
    """Return a Table of views of `length` along a dimension; the last may be smaller."""
    table, (tensor, length, *rest) = _table_first(args)
    along = as_int(rest[0] if rest and rest[0] is not None else 1, len(args)) - 1
    tensor, length = as_tensor(tensor, 1), as_int(length, 2)
    if not 0 <= along < dims(tensor):
        raise BadArgument(2, f"dimension {along + 1} out of range of {dims(tensor)}D tensor")
    if length < 1:
        raise TorchError("the size of a split must be positive")
    total = shape(tensor)[along]
    for key in list(table.keys()):
        table[key] = None
    for i, start in enumerate(range(0, total, length), 1):
        table[i] = narrowed(tensor, along, start, min(length, total - start))
    return table


@plain("chunk", forms="function method")
def chunk(*args: Any) -> Table:
    """Return a Table of `count` views of about the same size along a dimension."""
    table, (tensor, count, *rest) = _table_first(args)
    along = int(rest[0]) if rest and rest[0] is not None else 1
    total = size(as_tensor(tensor, 1), along)
    return split(table, tensor, math.ceil(total / as_int(count, 2)), along)


def _table_first(args: Sequence[Any]) -> tuple[Table, Sequence[Any]]:
    if args and isinstance(args[0], Table):
        return args[0], args[1:]
    return Table(), args


# -- memory -----------------------------------------------------------------------------


@plain("resize")
def resize_(self: Tensor, *sizes: Any) -> Tensor:
    """Give the tensor these sizes; contents are undefined where it grows."""
    steps = None
    if len(sizes) == 2 and isinstance(sizes[0], Storage):
        if sizes[1] is not None:
            steps = as_storage(sizes[1], 3).tolist()
            if len(steps) != sizes[0].size:
                raise BadArgument(3, "provided stride and size are inconsistent")
        sizes = sizes[:1]
    elif not (len(sizes) == 1 and isinstance(sizes[0], Storage)):
        sizes = tuple(as_int(n, i) for i, n in enumerate(sizes, 2))
    return resize(self, sizes_of(sizes), steps)


@plain("resizeAs")
def resize_as_(self: Tensor, other: Any) -> Tensor:
    """Give the tensor the sizes of another."""
    return resize(self, shape(as_tensor(other, 2)))


@plain("set")
def set_(self: Tensor, *args: Any) -> Tensor:
    """Make the tensor view other memory: a tensor's, a storage's, or new."""
    made = make_tensor(self.dtype, args, 2)
    return set_to(self, made)


def make_tensor(dtype: Any, args: Sequence[Any], position: int = 1) -> Tensor:
    """Return a tensor on a tensor's or a storage's memory, or of given sizes.

    Source: torch7 generic/Tensor.c, c_readTensorStorageSizeStride.
    """
    if not args:
        return new_tensor(dtype)
    first = args[0]
    if isinstance(first, Tensor) and first.dtype == dtype:
        return same_view(first) if first.size else new_tensor(dtype)
    if isinstance(first, Storage) and first.dtype == dtype:
        return _on_storage(first, args[1:], position)
    if isinstance(first, Storage) and first.dtype.char == "l":
        steps = args[1].tolist() if len(args) > 1 and args[1] is not None else None
        return resize(new_tensor(dtype), first.tolist(), steps)
    if isinstance(first, (int, float)) and not isinstance(first, bool):
        return resize(new_tensor(dtype), [as_int(n, i) for i, n in enumerate(args, position)])
    name = tensor_class(dtype)
    raise BadArgument(
        position, f"expecting number or {name} or {name.replace('Tensor', 'Storage')}"
    )


def _on_storage(storage: Storage, rest: Sequence[Any], position: int) -> Tensor:
    offset = as_int(rest[0], position + 1) - 1 if rest and rest[0] is not None else 0
    if len(rest) < 2:
        return view(storage, offset, (storage.size - offset,) if storage.size > offset else ())
    if isinstance(rest[1], Storage):
        sizes = rest[1].tolist()
        steps = rest[2].tolist() if len(rest) > 2 and rest[2] is not None else None
    else:
        numbers = [as_int(n, i) for i, n in enumerate(rest[1:], position + 2)]
        sizes, given = numbers[0::2], numbers[1::2]
        steps = given + [-1] * (len(sizes) - len(given))
    made = view(storage, offset, ())
    if any(n <= 0 for n in sizes):
        sizes = sizes[: next(i for i, n in enumerate(sizes) if n <= 0)]
    if not sizes:
        return made
    full = list(contiguous_strides(sizes))
    if steps is not None:
        for i in reversed(range(len(sizes))):
            following = full[i + 1] * sizes[i + 1] if i + 1 < len(sizes) else 1
            full[i] = steps[i] if steps[i] >= 0 else following
    needed = offset + 1 + sum((n - 1) * s for n, s in zip(sizes, full, strict=True))
    if needed > storage.size:
        resize_storage(storage, needed)
    return view(storage, offset, sizes, full)


@plain("clone")
def clone(self: Tensor) -> Tensor:
    """Return a copy in memory of its own."""
    if not self.size:
        return new_tensor(self.dtype)
    return Tensor._wrap(np.array(values(self), order="C"))


@plain("contiguous")
def contiguous_(self: Tensor) -> Tensor:
    """Return the tensor if it is contiguous, else a copy."""
    return self if self.is_contiguous() else clone(self)


@plain("copy")
def copy(self: Tensor, other: Any) -> Tensor:
    """Copy the elements of a tensor with as many of them, of any type and sizes."""
    other = as_tensor(other, 2)
    if self.size != other.size:
        sizes = [f"[{' x '.join(map(str, shape(x)))}]" for x in (self, other)]
        raise TorchError(
            f"inconsistent tensor size, expected tensor {sizes[0]} and src {sizes[1]} to have "
            f"the same number of elements, but got {self.size} and {other.size} elements "
            "respectively"
        )
    if self.size:
        target = values(self)
        target[...] = cast(values(other), self.dtype).reshape(target.shape)
        wrote(self, "copy")
    return self


def cast(array: Any, dtype: Any) -> Any:
    """Return elements converted as C converts them: towards zero, wrapping."""
    if array.dtype == dtype or array.dtype.kind != "f" or dtype.kind == "f":
        return array.astype(dtype, copy=False)
    with np.errstate(invalid="ignore"):
        return array.astype(np.int64).astype(dtype)
