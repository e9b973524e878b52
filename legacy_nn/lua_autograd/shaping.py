"""Views, parts and combinations of tensors, and elements read and written.

Source: torch7 doc/tensor.md; twitter/torch-autograd src/gradfuns.lua, src/util.lua.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import tensor, zeros
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from ..torch7 import types
from ..torch7.errors import TorchError
from .values import as_number, is_number, is_tensor, method, number_for, recorded, shaped_as

for _name in ("view", "viewAs", "reshape", "squeeze"):
    recorded(_name)(lambda x, *args, _name=_name: shaped_as(_name, x, *args))


@recorded("expand", "expandAs")
def expand(x: Tensor, *args: Any) -> Any:
    """Return x repeated along dimensions of size 1."""
    name = "expandAs" if is_tensor(args[0]) else "expand"
    return ops.expand(x, method(name, x, *args).shape)


@recorded("repeatTensor")
def repeat_tensor(x: Tensor, *args: Any) -> Any:
    """Return copies of x beside each other."""
    counts = args[0].tolist() if isinstance(args[0], Storage) else args
    return ops.tile(x, tuple(int(n) for n in counts))


@recorded("contiguous", "clone")
def clone(x: Any) -> Any:
    """Return a copy."""
    return ops.clone(x)


@recorded("transpose")
def transpose(x: Tensor, a: float, b: float) -> Any:
    """Return x with two dimensions exchanged."""
    return ops.transpose(x, int(a) - 1, int(b) - 1)


@recorded("t")
def t(x: Tensor) -> Any:
    """Return the transpose of a matrix."""
    method("t", x)
    return ops.transpose(x, 0, 1)


@recorded("select")
def select(x: Tensor, dim: float, index: float) -> Any:
    """Return one slice."""
    axis, at = int(dim) - 1, int(index) - 1 if index > 0 else int(index) + x.shape[int(dim) - 1]
    part = ops.select(x, axis, at)
    return part if part.ndim else as_number(part)


@recorded("narrow")
def narrow(x: Tensor, dim: float, index: float, size: float) -> Any:
    """Return slices beside each other."""
    method("narrow", x, dim, index, size)
    return ops.narrow(x, int(dim) - 1, int(index) - 1, int(size))


@recorded("index")
def index(x: Tensor, dim: float, positions: Tensor) -> Any:
    """Return the slices at positions."""
    return ops.take(x, positions - 1, axis=int(dim) - 1)


@recorded("gather")
def gather(x: Tensor, dim: float, positions: Tensor) -> Any:
    """Return the elements at positions along a dimension."""
    return ops.gather(x, positions - 1, axis=int(dim) - 1)


@recorded("scatter")
def scatter(x: Tensor, dim: float, positions: Tensor, source: Any) -> Any:
    """Return x with elements at positions along a dimension replaced."""
    if is_number(source):
        source = ops.expand(_element(source, x), positions.shape)
    return ops.scatter(x, positions - 1, source, axis=int(dim) - 1)


@recorded("split")
def split(x: Tensor, size: float, dim: float = 1) -> Any:
    """Return parts of a size, in a table."""
    return list(ops.split(x, int(size), axis=int(dim) - 1))


@recorded("chunk")
def chunk(x: Tensor, count: float, dim: float = 1) -> Any:
    """Return that many parts, in a table."""
    return list(ops.chunk(x, int(count), axis=int(dim) - 1))


@recorded("cat")
def cat(*args: Any) -> Any:
    """Return tensors joined along a dimension, by default the last of the first."""
    parts = args[0].array() if isinstance(args[0], Table) else [a for a in args if is_tensor(a)]
    rest = [a for a in args if not is_tensor(a) and is_number(a)]
    if not parts or not all(is_tensor(p) for p in parts):
        raise TorchError("autograd: torch.cat takes tensors; util.cat takes numbers, too")
    return ops.concat(parts, axis=(int(rest[0]) if rest else parts[0].ndim) - 1)


@recorded("numbers")
def numbers(values: Table) -> Any:
    """Return numbers as a vector of the default type."""
    dtype = types.default_dtype()
    parts = [tensor(v, "float64") if not isinstance(v, Tensor) else v for v in values.array()]
    return ops.astype(ops.stack(parts), dtype)


@recorded("copy")
def copy(target: Tensor, source: Any) -> Any:
    """Return `source` in the shape and type of `target`, which is written if it is no node."""
    result = ops.astype(_filling(source, target), target.dtype)
    if not target.requires_grad:
        target.copy_(result.detach())
    return result


@recorded("fill")
def fill(template: Tensor, value: Any) -> Any:
    """Return a tensor like another, filled with a number."""
    return ops.expand(_element(value, template), template.shape)


def _element(value: Any, template: Tensor) -> Any:
    if isinstance(value, Tensor):
        return number_for(value, template)
    return tensor(value, template.dtype)


def _filling(source: Any, target: Tensor) -> Any:
    if is_number(source):
        return fill(target, source)
    return source if source.shape == target.shape else ops.reshape(source, target.shape)


# -- elements -----------------------------------------------------------------------------------


@recorded("get")
def get(x: Tensor, key: Any) -> Any:
    """Return `x[key]`."""
    if is_tensor(key):
        return ops.masked_select(x, ops.not_equal(key, 0))
    found = ops.getitem(x, index=_index(x, key))
    return found if found.ndim else as_number(found)


@recorded("set")
def put(x: Tensor, key: Any, value: Any) -> Any:
    """Return x with `x[key]` replaced."""
    if is_tensor(key):
        mask = ops.not_equal(key, 0)
        if is_tensor(value):
            return ops.masked_scatter(x, mask, value)
        return ops.masked_fill(x, mask, _element(value, x))
    at = _index(x, key)
    part = x.detach().numpy()[at]
    if is_number(value):
        return ops.index_put(x, _element(value, x), index=at)
    return ops.index_put(x, ops.reshape(ops.astype(value, x.dtype), np.shape(part)), index=at)


def _index(x: Tensor, key: Any) -> tuple[Any, ...]:
    """Return a key of Lua's as NumPy's: numbers, ranges {a, b}, {} for all."""
    if is_number(key):
        return (_position(int(key), x.shape[0]),)
    keys = key.tolist() if isinstance(key, Storage) else key.array()
    if len(keys) > x.ndim:
        raise TorchError(f"{len(keys)} indices given; the tensor has {x.ndim} dimensions")
    found: list[Any] = []
    for k, n in zip(keys, x.shape, strict=False):
        if isinstance(k, Table):
            ends = k.array() or [1, n]
            first, last = (_position(int(e), n) for e in (ends[0], ends[-1]))
            found.append(slice(first, last + 1))
        else:
            found.append(_position(int(k), n))
    return tuple(found)


def _position(k: int, n: int) -> int:
    at = k - 1 if k > 0 else k + n
    if not 0 <= at < n:
        raise TorchError(f"index {k} is out of range: the dimension has {n} elements")
    return at


# -- what util has ------------------------------------------------------------------------------


@recorded("selectSliceCopy")
def select_slice_copy(g: Tensor, x: Tensor, dim: float, at: float) -> Any:
    """Return zeros like x with g as one slice."""
    return _with_slice(g, x, int(dim) - 1, int(at) - 1)


@recorded("narrowSliceCopy")
def narrow_slice_copy(g: Tensor, x: Tensor, dim: float, at: float, size: float) -> Any:
    """Return zeros like x with g as slices beside each other."""
    first = int(at) - 1
    return _with_slice(g, x, int(dim) - 1, slice(first, first + int(size)))


def _with_slice(g: Tensor, x: Tensor, axis: int, at: Any) -> Any:
    key = (slice(None),) * axis + (at,)
    whole = zeros(x.shape, g.dtype)
    return ops.index_put(whole, ops.reshape(g, whole.numpy()[key].shape), index=key)


@recorded("indexAdd")
def index_add(g: Tensor, x: Tensor, dim: float, positions: Tensor) -> Any:
    """Return zeros like x with the slices of g added at positions."""
    return ops.index_add(zeros(x.shape, g.dtype), positions - 1, g, axis=int(dim) - 1)
