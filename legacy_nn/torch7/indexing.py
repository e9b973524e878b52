"""Elements by index tensors and masks: index*, gather, scatter, masked*, nonzero; triangles.

Where Torch7's C code returns its last argument instead of the tensor, so do these.

Source: torch7 lib/TH/generic/THTensorMath.c, generic/Tensor.c.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core.dtypes import int64, uint8
from rekindle.core.tensor import Tensor

from .checks import as_int, as_number, as_tensor
from .errors import BadArgument, TorchError
from .functions import NUMERIC, described, plain
from .memory import Array, convert_number, dims, new_tensor, resize, shape, store, values, wrote


def _places(index: Any, length: int, position: int) -> Array:
    """Return indices from 0, checked."""
    if dims(index) != 1:
        raise BadArgument(position, "Index is supposed to be a vector")
    places: Array = values(index) - 1
    if places.size and (places.min() < 0 or places.max() >= length):
        raise TorchError("index out of range")
    return places


@plain("index", types=NUMERIC)
def index(*args: Any) -> Tensor:
    """Return a copy of the slices that a LongTensor names along a dimension."""
    if len(args) == 4:
        result, src, dim, at = args
    elif len(args) == 3:
        (src, dim, at), result = args, new_tensor(args[0].dtype)
    else:
        raise TorchError(
            "Tensor, number, torch.LongTensor | Tensor, Tensor, number, torch.LongTensor expected"
        )
    src = as_tensor(src, 1, result.dtype)
    dim, at = as_int(dim, 2) - 1, as_tensor(at, 3, int64)
    if not dims(src):
        raise BadArgument(2, "Source tensor is empty")
    _dimension(src, dim)
    places = _places(at, shape(src)[dim], 3)
    store(result, np.take(values(src), places, axis=dim), "index")
    return at if len(args) == 4 else result


def _dimension(tensor: Tensor, dim: int) -> None:
    if not 0 <= dim < dims(tensor):
        raise BadArgument(4, f"Indexing dim {dim + 1} is out of bounds of tensor")


def _index_target(self: Tensor, dim: Any, at: Any) -> tuple[Array, Array]:
    dim, at = as_int(dim, 2) - 1, as_tensor(at, 3, int64)
    _dimension(self, dim)
    return np.moveaxis(values(self), dim, 0), _places(at, shape(self)[dim], 3)


def _index_source(self: Tensor, dim: Any, at: Any, src: Any) -> Array:
    src = as_tensor(src, 4, self.dtype)
    dim = int(dim) - 1
    _dimension(src, dim)
    if shape(src)[dim] != at.size:
        raise BadArgument(4, "Number of indices should be equal to source:size(dim)")
    target = np.moveaxis(values(self), dim, 0)
    rows = np.moveaxis(values(src), dim, 0)
    return rows.reshape((at.size, *target.shape[1:]))


@plain("indexCopy", types=NUMERIC)
def index_copy(self: Tensor, dim: Any = None, at: Any = None, src: Any = None) -> Any:
    """Copy slices of `src` to the places that a LongTensor names."""
    target, places = _index_target(self, dim, at)
    target[places] = _index_source(self, dim, at, src)
    wrote(self, "indexCopy")
    return src


@plain("indexAdd", types=NUMERIC)
def index_add(self: Tensor, dim: Any = None, at: Any = None, src: Any = None) -> Any:
    """Add slices of `src` at the places that a LongTensor names."""
    target, places = _index_target(self, dim, at)
    np.add.at(target, places, _index_source(self, dim, at, src))
    wrote(self, "indexAdd")
    return src


@plain("indexFill", types=NUMERIC)
def index_fill(self: Tensor, dim: Any = None, at: Any = None, value: Any = None) -> Any:
    """Fill the slices that a LongTensor names."""
    target, places = _index_target(self, dim, at)
    target[places] = convert_number(as_number(value, 4), self.dtype)
    wrote(self, "indexFill")
    return value


def _along(at: Tensor, dim: int, length: int, what: str) -> tuple[Any, ...]:
    places = values(at) - 1
    if places.size and (places.min() < 0 or places.max() >= length):
        raise TorchError(f"Invalid index in {what}")
    grid: list[Any] = list(np.indices(places.shape, sparse=True))
    grid[dim] = places
    return tuple(grid)


@described("gather", "*res=new src dim:index at:LongTensor")
def gather(res: Tensor, src: Tensor, dim: int, at: Tensor) -> None:
    """res[i][j] = src[at[i][j]][j] along dimension 1, and so on."""
    if not 0 <= dim < dims(src):
        raise BadArgument(3, "Index dimension is out of bounds")
    if dims(at) != dims(src):
        raise BadArgument(4, "Index tensor must have same dimensions as input tensor")
    store(res, values(src)[_along(at, dim, shape(src)[dim], "gather")], "gather")


def _check_scatter(res: Tensor, dim: int, at: Tensor) -> None:
    if not 0 <= dim < dims(res):
        raise BadArgument(2, "Index dimension is out of bounds")
    if dims(at) != dims(res):
        raise BadArgument(3, "Index tensor must have same dimensions as output tensor")


@described("scatter", "*res dim:index at:LongTensor src")
def scatter(res: Tensor, dim: int, at: Tensor, src: Tensor) -> None:
    """res[at[i][j]][j] = src[i][j] along dimension 1, and so on."""
    _check_scatter(res, dim, at)
    if dims(src) != dims(res):
        raise BadArgument(4, "Input tensor must have same dimensions as output tensor")
    part = values(src)[tuple(slice(0, n) for n in shape(at))]
    values(res)[_along(at, dim, shape(res)[dim], "scatter")] = part
    wrote(res, "scatter")


@described("scatter", "*res dim:index at:LongTensor value:real")
def scatter_fill(res: Tensor, dim: int, at: Tensor, value: Any) -> None:
    """Do the same with one number."""
    _check_scatter(res, dim, at)
    values(res)[_along(at, dim, shape(res)[dim], "scatter")] = value
    wrote(res, "scatter")


def _mask(mask: Any, tensor: Tensor, position: int, message: str) -> Array:
    mask = as_tensor(mask, position, uint8)
    if mask.size != tensor.size:
        raise TorchError(message)
    flat = values(mask).ravel()
    if flat.size and flat.max() > 1:
        raise TorchError("Mask tensor can take 0 and 1 values only")
    return flat.astype(bool)


def masked_select(result: Tensor, src: Tensor, mask: Any) -> Tensor:
    """Put the elements of `src` where the mask is 1 into `result`."""
    chosen = _mask(mask, src, 2, "inconsistent tensor size: mask and source")
    store_vector(result, values(src).ravel()[chosen])
    return result


def store_vector(result: Tensor, vector: Array) -> None:
    """Store a vector, which may be empty."""
    if vector.size:
        store(result, vector, "maskedSelect")
    else:
        resize(result, ())


@plain("maskedSelect", types=NUMERIC)
def masked_select_(*args: Any) -> Tensor:
    """Return the elements where a ByteTensor is 1."""
    if len(args) == 3:
        masked_select(args[0], as_tensor(args[1], 2, args[0].dtype), args[2])
        return as_tensor(args[2], 3)
    if len(args) == 2:
        return masked_select(new_tensor(args[0].dtype), args[0], args[1])
    raise TorchError("Tensor, torch.ByteTensor | Tensor, Tensor, torch.ByteTensor expected")


@plain("maskedFill", types=NUMERIC)
def masked_fill(self: Tensor, mask: Any, value: Any = None) -> Any:
    """Fill the elements where a ByteTensor is 1."""
    message = "Number of elements of destination tensor != Number of elements in mask"
    chosen = _mask(mask, self, 2, message)
    target = values(self)
    target[chosen.reshape(target.shape)] = convert_number(as_number(value, 3), self.dtype)
    wrote(self, "maskedFill")
    return value


@plain("maskedCopy", types=NUMERIC)
def masked_copy(self: Tensor, mask: Any, src: Any = None) -> Tensor:
    """Copy elements of `src`, in order, to where a ByteTensor is 1."""
    message = "Number of elements of destination tensor != Number of elements in mask"
    chosen = _mask(mask, self, 2, message)
    given = values(as_tensor(src, 3, self.dtype)).ravel()
    count = int(np.count_nonzero(chosen))
    if given.size < count:
        raise TorchError("Number of elements of src < number of ones in mask")
    target = values(self)
    target[chosen.reshape(target.shape)] = given[:count]
    wrote(self, "maskedCopy")
    return self


@described("nonzero", "*res:LongTensor=new src")
def nonzero(res: Tensor, src: Tensor) -> None:
    """Compute indices of the elements that are not 0, one row each."""
    found = np.argwhere(values(src)) + 1
    if found.size:
        store(res, found, "nonzero")
    else:
        resize(res, ())


# -- diagonals and triangles ----------------------------------------------------------------


@described("diag", "*res=new src k:long=0")
def diag(res: Tensor, src: Tensor, k: int) -> None:
    """Compute the diagonal of a matrix, or a matrix with this diagonal."""
    if dims(src) not in (1, 2):
        raise BadArgument(1, "matrix or a vector expected")
    store(res, np.diag(values(src), k), "diag")


@described("eye", "*res=new! n:long m:long=0", types=NUMERIC)
def eye(res: Tensor, n: int, m: int) -> None:
    """Make a matrix with ones on the diagonal."""
    if n <= 0:
        raise BadArgument(1, "invalid argument")
    store(res, np.eye(n, m if m > 0 else n, dtype=res.dtype), "eye")


def _triangle(name: str, cut: Any) -> None:
    @described(name, "*res=new src k:int=0")
    def body(res: Tensor, src: Tensor, k: int) -> None:
        if dims(src) != 2:
            raise BadArgument(1, "expected a matrix")
        store(res, cut(values(src), k), name)


_triangle("tril", np.tril)
_triangle("triu", np.triu)
