"""Sums, means, extremes, norms and histograms; running sums and products.

A reduction along a dimension keeps it, with size 1. Sums of float tensors add up in double,
those of integers in long. Source: torch7 lib/TH/generic/THTensorMath.c, TensorMath.lua.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle.core.tensor import Tensor

from .errors import BadArgument, TorchError
from .functions import FLOATING, described
from .memory import Array, dims, shape, size_text, store, values

ALONG = "*res=new src dim:index"
PICKED = "*res=new *index:LongTensor=new src dim:index"


def check_dim(src: Tensor, dim: int, position: int = 2) -> None:
    """Check a dimension, counted from 0.

    Raises
    ------
    BadArgument
    """
    if not 0 <= dim < dims(src):
        raise BadArgument(position, f"dimension {dim + 1} out of range of {dims(src)}D tensor")


def _wide(array: Array) -> Array:
    """Return the elements in the type that sums add up in."""
    return array.astype(np.float64 if array.dtype.kind == "f" else np.int64)


def _number(value: Any) -> Any:
    return value.item()


def _along(name: str, reduce: Callable[[Array, int], Any]) -> Callable[..., None]:
    @described(name, ALONG)
    def body(res: Tensor, src: Tensor, dim: int) -> None:
        check_dim(src, dim, 3)
        with np.errstate(all="ignore"):
            store(res, reduce(values(src), dim), name)

    return body


@described("sum", "src")
def sum_all(src: Tensor) -> Any:
    """Sum of all elements; 0 of none."""
    with np.errstate(all="ignore"):
        return _number(np.sum(_wide(values(src))))


_along("sum", lambda a, dim: np.sum(_wide(a), axis=dim, keepdims=True))


@described("prod", "src")
def prod_all(src: Tensor) -> Any:
    """Product of all elements; 1 of none."""
    with np.errstate(all="ignore"):
        return _number(np.prod(_wide(values(src))))


_along("prod", lambda a, dim: np.prod(_wide(a), axis=dim, keepdims=True))


def _extreme(name: str, reduce: Callable[..., Any], arg: Callable[..., Any]) -> None:
    @described(name, "src")
    def everything(src: Tensor) -> Any:
        if not src.size:
            raise BadArgument(1, "tensor must have one dimension")
        return _number(reduce(values(src)))

    @described(name, PICKED)
    def along(res: Tensor, index: Tensor, src: Tensor, dim: int) -> None:
        check_dim(src, dim, 3)
        array = values(src)
        # the first nan wins, then the first of equals, as THTensorMath.c's loop
        where = np.expand_dims(arg(array, axis=dim), dim)
        store(res, np.take_along_axis(array, where, dim), name)
        store(index, where + 1, name)


_extreme("max", np.max, np.argmax)
_extreme("min", np.min, np.argmin)


@described("mean", "src", types=FLOATING)
def mean_all(src: Tensor) -> float:
    """Mean of all elements."""
    if not src.size:
        raise BadArgument(1, "empty Tensor")
    return float(np.sum(_wide(values(src))) / src.size)


@described("mean", ALONG, types=FLOATING)
def mean(res: Tensor, src: Tensor, dim: int) -> None:
    """Means along a dimension."""
    check_dim(src, dim, 3)
    array = values(src)
    total = np.sum(_wide(array), axis=dim, keepdims=True).astype(array.dtype)
    store(res, total / array.dtype.type(array.shape[dim]), "mean")


def _variance(array: Array, dim: int | None, biased: bool) -> Array:
    wide = array.astype(np.float64)
    count = wide.size if dim is None else wide.shape[dim]
    centred = wide - np.mean(wide, axis=dim, keepdims=True)
    total = np.sum(centred * centred, axis=dim, keepdims=dim is not None)
    if count == 1 and not biased:
        return np.asarray(total * np.nan)
    return np.asarray(total / (count if biased else count - 1))


def _spread(name: str, finish: Callable[[Any], Any]) -> None:
    @described(name, "src biased:boolean=false", types=FLOATING)
    def everything(src: Tensor, biased: bool) -> float:
        if not src.size:
            raise BadArgument(1, "empty Tensor")
        with np.errstate(all="ignore"):
            return float(finish(_variance(values(src), None, bool(biased))))

    @described(name, "*res=new src dim:index biased:boolean=false", types=FLOATING)
    def along(res: Tensor, src: Tensor, dim: int, biased: bool) -> None:
        check_dim(src, dim, 3)
        store(res, finish(_variance(values(src), dim, bool(biased))), name)


_spread("var", lambda v: v)
_spread("std", np.sqrt)


def _norm(array: Array, p: float, axis: int | None) -> Array:
    size = np.abs(array.astype(np.float64))
    keep = axis is not None
    if p == 0:
        return np.asarray(np.sum(size != 0, axis=axis, keepdims=keep, dtype=np.float64))
    return np.asarray(np.sum(size**p, axis=axis, keepdims=keep) ** (1.0 / p))


@described("norm", "src p:real=2", types=FLOATING)
def norm_all(src: Tensor, p: float) -> float:
    """(sum of |x|^p)^(1/p); the number of elements that are not 0 for p = 0."""
    with np.errstate(all="ignore"):
        return float(_norm(values(src), p, None))


@described("norm", "*res=new src p:real dim:index", types=FLOATING)
def norm(res: Tensor, src: Tensor, p: float, dim: int) -> None:
    """Norms along a dimension."""
    check_dim(src, dim, 4)
    store(res, _norm(values(src), p, dim), "norm")


@described("dist", "a b p:real=2", types=FLOATING)
def dist(a: Tensor, b: Tensor, p: float) -> float:
    """Norm of the difference."""
    if a.size != b.size:
        raise TorchError(
            f"inconsistent tensor size, expected tensor {size_text(a)} and src {size_text(b)} to "
            f"have the same number of elements, but got {a.size} and {b.size} elements "
            "respectively"
        )
    difference = values(a).ravel().astype(np.float64) - values(b).ravel()
    return float(np.sum(np.abs(difference) ** p) ** (1.0 / p))


@described("renorm", "*res=new! src! p:real dim:index limit:real", types=FLOATING)
def renorm(res: Tensor, src: Tensor, p: float, dim: int, limit: float) -> None:
    """Scale down each slice along `dim` whose norm is above `limit`."""
    if p <= 0:
        raise BadArgument(3, "non-positive-norm not supported")
    check_dim(src, dim, 4)
    if limit < 0:
        raise BadArgument(5, "maxnorm must be non-negative")
    array = values(src)
    axes = tuple(i for i in range(array.ndim) if i != dim)
    if not axes:
        raise BadArgument(1, "need at least 2 dimensions")
    norms = np.sum(np.abs(array.astype(np.float64)) ** p, axis=axes, keepdims=True) ** (1.0 / p)
    factor = np.where(norms > limit, limit / (norms + 1e-7), 1.0)
    store(res, array * factor, "renorm")


@described("dot", "a b")
def dot(a: Tensor, b: Tensor) -> Any:
    """Sum of the products of the elements."""
    if a.size != b.size:
        raise TorchError(
            f"inconsistent tensor size, expected tensor {size_text(a)} and src {size_text(b)} to "
            f"have the same number of elements, but got {a.size} and {b.size} elements "
            "respectively"
        )
    with np.errstate(all="ignore"):
        return _number(np.sum(_wide(values(a).ravel()) * _wide(values(b).ravel())))


@described("numel", "src")
def numel(src: Tensor) -> int:
    """Return the number of elements."""
    return src.size


@described("trace", "src")
def trace(src: Tensor) -> Any:
    """Sum of the diagonal."""
    if dims(src) != 2:
        raise BadArgument(1, "expected a matrix")
    return _number(np.sum(_wide(np.diagonal(values(src)))))


def _running(name: str, accumulate: Callable[..., Array]) -> None:
    @described(name, "*res=new src dim:index=1")
    def body(res: Tensor, src: Tensor, dim: int) -> None:
        check_dim(src, dim, 3)
        with np.errstate(all="ignore"):
            store(res, accumulate(_wide(values(src)), axis=dim), name)


_running("cumsum", np.cumsum)
_running("cumprod", np.cumprod)


@described("cross", "*res=new a b dim:index=0")
def cross(res: Tensor, a: Tensor, b: Tensor, dim: int) -> None:
    """Cross products along a dimension of size 3; by default the first such."""
    sizes = shape(a)
    if sizes != shape(b):
        raise TorchError(
            f"inconsistent tensor size, expected a and b to have the same size, "
            f"got {size_text(a)} and {size_text(b)}"
        )
    if dim < 0:
        if 3 not in sizes:
            raise TorchError("no dimension of size 3 in a and b")
        dim = sizes.index(3)
    check_dim(a, dim, 4)
    if sizes[dim] != 3:
        raise BadArgument(4, f"dimension {dim + 1} does not have size 3")
    x, y = np.moveaxis(values(a), dim, -1), np.moveaxis(values(b), dim, -1)
    out = np.stack(
        [
            x[..., 1] * y[..., 2] - x[..., 2] * y[..., 1],
            x[..., 2] * y[..., 0] - x[..., 0] * y[..., 2],
            x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0],
        ],
        axis=dim,
    )
    store(res, out, "cross")


def _range_of(array: Array, low: float, high: float) -> tuple[float, float]:
    if low == high:
        low, high = float(array.min()), float(array.max())
    if low == high:
        low, high = low - 1, high + 1
    return low, high


def _bins(array: Array, bins: int, low: float, high: float) -> tuple[Array, Array]:
    """Return the bin of each element within the bounds, from 0, and which are."""
    inside = (array >= low) & (array <= high)
    place = ((array - low) / (high - low) * bins).astype(np.int64)
    return np.minimum(place, bins - 1), inside


@described("histc", "*res=new src bins:long=100 low:double=0 high:double=0", types=FLOATING)
def histc(res: Tensor, src: Tensor, bins: int, low: float, high: float) -> None:
    """How many elements fall into each of `bins` equal parts of a range."""
    array = values(src).ravel()
    place, inside = _bins(array, bins, *_range_of(array, low, high))
    store(res, np.bincount(place[inside], minlength=bins), "histc")


@described("bhistc", "*res=new src bins:long=100 low:double=0 high:double=0", types=FLOATING)
def bhistc(res: Tensor, src: Tensor, bins: int, low: float, high: float) -> None:
    """Compute a histogram of each row."""
    if dims(src) > 2:
        raise BadArgument(2, f"invalid dimension {dims(src)}, the input must be a 2d tensor")
    rows = np.atleast_2d(values(src))
    low, high = _range_of(rows, low, high)
    counted = []
    for row in rows:
        place, inside = _bins(row, bins, low, high)
        counted.append(np.bincount(place[inside], minlength=bins))
    store(res, np.array(counted), "bhistc")
