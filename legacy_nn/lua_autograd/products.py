"""Products of vectors and matrices, sums with them, and inverses.

Source: torch7 doc/maths.md; twitter/torch-autograd src/gradfuns.lua.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from .values import is_number, number_for, recorded

PRODUCTS: dict[str, Callable[..., Any]] = {
    "mm": ops.matmul,
    "mv": ops.matmul,
    "bmm": ops.matmul,
    "ger": ops.outer,
}

for _name, _op in PRODUCTS.items():
    recorded(_name)(_op)


def _summed(a: Tensor, b: Tensor) -> Tensor:
    return ops.sum(ops.matmul(a, b), axis=0)


def _with_summand(name: str, product: Callable[..., Any]) -> None:
    @recorded(name)
    def function(*args: Any) -> Any:
        """Take `f([scale], summand, [factor], a, b)`."""
        scale = args[0] if is_number(args[0]) else None
        summand, *factor, a, b = args if scale is None else args[1:]
        result = product(a, b)
        if factor:
            result = result * number_for(factor[0], result)
        return result + (summand if scale is None else summand * number_for(scale, summand))


_with_summand("addmm", ops.matmul)
_with_summand("addmv", ops.matmul)
_with_summand("addr", ops.outer)
_with_summand("baddbmm", ops.matmul)
_with_summand("addbmm", _summed)

recorded("inverse")(ops.inv)


@recorded("trace")
def trace(x: Tensor) -> Tensor:
    """Return the sum of the diagonal, a number."""
    return ops.astype(ops.trace(x), "float64")


@recorded("diag")
def diag(x: Tensor, offset: float = 0) -> Any:
    """Return the diagonal of a matrix, or the matrix with a diagonal."""
    if x.ndim == 1:
        return ops.diag_embed(x, offset=int(offset))
    return ops.diagonal(x, offset=int(offset))


@recorded("tril")
def tril(x: Tensor, offset: float = 0) -> Any:
    """Return a matrix without what is above a diagonal."""
    return ops.tril(x, k=int(offset))


@recorded("triu")
def triu(x: Tensor, offset: float = 0) -> Any:
    """Return a matrix without what is below a diagonal."""
    return ops.triu(x, k=int(offset))
