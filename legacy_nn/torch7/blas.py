"""Products of vectors and matrices, and sums with them.

Source: torch7 lib/TH/generic/THTensorMath.c, TensorMath.lua, TensorOperator.c.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle.core.tensor import Tensor

from .errors import BadArgument, TorchError
from .functions import described, plain
from .memory import Array, convert_number, dims, shape, size_text, store, values
from .pointwise import c_remainder, divide


def _matmul(a: Array, b: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(np.matmul(a, b))


def _check_mv(matrix: Tensor, vector: Tensor) -> None:
    if shape(matrix)[1] != shape(vector)[0]:
        raise TorchError(f"size mismatch, {size_text(matrix)}, {size_text(vector)}")


def _check_mm(a: Tensor, b: Tensor) -> None:
    if shape(a)[1] != shape(b)[0]:
        raise TorchError(f"size mismatch, m1: {size_text(a)}, m2: {size_text(b)}")


def _check_bmm(a: Tensor, b: Tensor) -> None:
    if shape(a)[0] != shape(b)[0]:
        raise BadArgument(2, f"equal number of batches expected, got {shape(a)[0]}, {shape(b)[0]}")
    if shape(a)[2] != shape(b)[1]:
        raise BadArgument(
            2,
            f"wrong matrix size, batch1: {shape(a)[1]}x{shape(a)[2]}, "
            f"batch2: {shape(b)[1]}x{shape(b)[2]}",
        )


def _mv(a: Tensor, b: Tensor) -> Array:
    _check_mv(a, b)
    return _matmul(values(a), values(b))


def _mm(a: Tensor, b: Tensor) -> Array:
    _check_mm(a, b)
    return _matmul(values(a), values(b))


def _ger(a: Tensor, b: Tensor) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(np.outer(values(a), values(b)))


def _bmm(a: Tensor, b: Tensor) -> Array:
    _check_bmm(a, b)
    return _matmul(values(a), values(b))


def _summed_bmm(a: Tensor, b: Tensor) -> Array:
    _check_bmm(a, b)
    return np.asarray(np.sum(_matmul(values(a), values(b)), axis=0))


def _product(name: str, first: int, second: int, multiply: Callable[..., Array]) -> None:
    @described(name, f"*res=new! a~{first} b~{second}", forms="function")
    def function(res: Tensor, a: Tensor, b: Tensor) -> None:
        store(res, multiply(a, b), name)

    # The method's own tensor is also the summand, of which Torch7 asks the dimensions
    # before it gives it the sizes of the product.
    @described(name, f"*res=new! a~{first} b~{second}", forms="method")
    def method(res: Tensor, a: Tensor, b: Tensor) -> None:
        wanted = multiply(a, b)
        if name != "mv" and name != "ger" and dims(res) == 0:
            kind = "matrix" if wanted.ndim == 2 else f"{wanted.ndim}D tensor"
            raise TorchError(f"{kind} expected, got 0D tensor for t")
        store(res, wanted, name)


_product("mv", 2, 1, _mv)
_product("mm", 2, 2, _mm)
_product("ger", 1, 1, _ger)
_product("bmm", 3, 3, _bmm)


def _sum_product(name: str, sizes: tuple[int, int, int], multiply: Callable[..., Array]) -> None:
    summand, first, second = sizes

    def run(res: Tensor, beta: Any, src: Tensor, alpha: Any, a: Tensor, b: Tensor) -> None:
        product = multiply(a, b)
        if shape(src) != product.shape:
            raise TorchError(
                f"size mismatch, t: {size_text(src)}, m1: {size_text(a)}, m2: {size_text(b)}"
            )
        with np.errstate(all="ignore"):
            scaled = product if alpha == 1 else product * src.dtype.type(alpha)
            # As BLAS, which does not read what it multiplies by 0
            total = scaled if beta == 0 else scaled + values(src) * src.dtype.type(beta)
        store(res, total, name)

    described(
        name,
        f"*res=new beta:real=1 src~{summand} alpha:real=1 a~{first} b~{second}",
        forms="function",
    )(run)

    @described(name, f"*res~{summand} alpha:real=1 a~{first} b~{second}", forms="method")
    def accumulate(res: Tensor, alpha: Any, a: Tensor, b: Tensor) -> None:
        run(res, 1, res, alpha, a, b)

    @described(
        name, f"*res~{summand} src~{summand} alpha:real=1 a~{first} b~{second}", forms="method"
    )
    def from_source(res: Tensor, src: Tensor, alpha: Any, a: Tensor, b: Tensor) -> None:
        run(res, 1, src, alpha, a, b)

    @described(name, f"*res~{summand} beta:real alpha:real a~{first} b~{second}", forms="method")
    def scaled(res: Tensor, beta: Any, alpha: Any, a: Tensor, b: Tensor) -> None:
        run(res, beta, res, alpha, a, b)

    @described(
        name,
        f"*res~{summand} beta:real src~{summand} alpha:real a~{first} b~{second}",
        forms="method",
    )
    def scaled_source(
        res: Tensor, beta: Any, src: Tensor, alpha: Any, a: Tensor, b: Tensor
    ) -> None:
        run(res, beta, src, alpha, a, b)


_sum_product("addmv", (1, 2, 1), _mv)
_sum_product("addmm", (2, 2, 2), _mm)
_sum_product("addr", (2, 1, 1), _ger)
_sum_product("addbmm", (2, 3, 3), _summed_bmm)
_sum_product("baddbmm", (3, 3, 3), _bmm)


@described("match", "*res=new! a b gain:real=1")
def match(res: Tensor, a: Tensor, b: Tensor, gain: Any) -> None:
    """Squared distances between the rows of two matrices, times `gain`."""
    x = values(a).reshape(shape(a)[0], -1)
    y = values(b).reshape(shape(b)[0], -1)
    if x.shape[1] != y.shape[1]:
        raise BadArgument(3, "m1 and m2 must have the same inner vector dim")
    difference = x[:, None, :] - y[None, :, :]
    store(res, gain * np.sum(difference * difference, axis=2), "match")


# -- operators ----------------------------------------------------------------------------------


def _operands(a: Any, b: Any) -> tuple[Any, Any, Any]:
    """Return the type that an operator works in, and both operands as arrays or numbers."""
    tensor = a if isinstance(a, Tensor) else b
    dtype = tensor.dtype
    operands = []
    for position, x in enumerate((a, b), 1):
        if isinstance(x, Tensor) and x.dtype == dtype:
            operands.append(values(x))
        elif isinstance(x, (int, float)) and not isinstance(x, bool):
            operands.append(dtype.type(convert_number(x, dtype)))
        else:
            raise BadArgument(position, "number expected")
    return dtype, operands[0], operands[1]


def _sum(name: str, ufunc: Callable[..., Any]) -> None:
    @plain(name)
    def operator(a: Any, b: Any) -> Tensor:
        _, x, y = _operands(a, b)
        if isinstance(a, Tensor) and isinstance(b, Tensor):
            if a.size != b.size:
                raise TorchError(
                    f"inconsistent tensor size, expected r_ {size_text(a)}, t {size_text(a)} and "
                    f"src {size_text(b)} to have the same number of elements, but got {a.size}, "
                    f"{a.size} and {b.size} elements respectively"
                )
            y = y.reshape(x.shape)
        with np.errstate(all="ignore"):
            return Tensor._wrap(ufunc(x, y))


_sum("__add", np.add)
_sum("__sub", np.subtract)


@plain("__mul")
def multiply(a: Any, b: Any) -> Any:
    """Tensor times number; dot product of vectors; product of matrix and vector or matrix."""
    _, x, y = _operands(a, b)
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        counts = dims(a), dims(b)
        if counts == (1, 1):
            if a.size != b.size:
                raise TorchError(
                    f"inconsistent tensor size, expected tensor {size_text(a)} and src "
                    f"{size_text(b)} to have the same number of elements, but got {a.size} and "
                    f"{b.size} elements respectively"
                )
            wide = np.float64 if x.dtype.kind == "f" else np.int64
            return np.sum(x.astype(wide) * y.astype(wide)).item()
        if counts not in ((2, 1), (2, 2)):
            raise TorchError(
                f"multiplication between {counts[0]}D and {counts[1]}D tensors not yet supported"
            )
        return Tensor._wrap(_mv(a, b) if counts[1] == 1 else _mm(a, b))
    with np.errstate(all="ignore"):
        return Tensor._wrap(x * y)


def _by_number(name: str, compute: Callable[..., Any]) -> None:
    @plain(name)
    def operator(a: Any, b: Any) -> Tensor:
        if not isinstance(a, Tensor):
            raise BadArgument(1, f"torch.*Tensor expected, got {type(a).__name__}")
        if isinstance(b, bool) or not isinstance(b, (int, float)):
            raise BadArgument(2, "number expected")
        _, x, y = _operands(a, b)
        out = np.empty(x.shape, x.dtype)
        with np.errstate(all="ignore"):
            compute(x, y, out=out)
        return Tensor._wrap(out)


_by_number("__div", divide)
_by_number("__mod", c_remainder)


@plain("__unm")
def negative(self: Tensor, *_: Any) -> Tensor:
    """Every element times -1; bytes wrap."""
    with np.errstate(all="ignore"):
        return Tensor._wrap(np.negative(values(self)))
