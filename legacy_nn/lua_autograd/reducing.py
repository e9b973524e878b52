"""Sums, means, extremes and norms: of all elements, a number, or along a dimension that stays.

Source: torch7 doc/maths.md; twitter/torch-autograd src/gradfuns.lua.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from .values import as_number, is_number, recorded, torch7


def _reduction(name: str, op: Callable[..., Any]) -> None:
    @recorded(name)
    def function(x: Any, dim: float | None = None) -> Any:
        if is_number(x):
            return x
        if dim is None:  # in double precision, as Torch7's sums of floats are
            return op(as_number(x), axis=None, keepdims=False)
        return op(x, axis=_axis(x, dim), keepdims=True)


def _axis(x: Tensor, dim: float) -> int:
    torch7("size", x, dim)  # says what is wrong with it
    return int(dim) - 1


_reduction("sum", ops.sum)
_reduction("mean", ops.mean)
_reduction("prod", ops.prod)


def _deviation(name: str, op: Callable[..., Any]) -> None:
    @recorded(name)
    def function(x: Tensor, dim: float | None = None, biased: bool = False) -> Any:
        correction = 0 if biased else 1
        if dim is None:
            return op(as_number(x), axis=None, correction=correction, keepdims=False)
        return op(x, axis=_axis(x, dim), correction=correction, keepdims=True)


_deviation("std", ops.std)
_deviation("var", ops.var)


def _extreme(name: str, op: Callable[..., Any]) -> None:
    @recorded(name)
    def function(x: Any, dim: float | None = None) -> Any:
        """Return a number; or along a dimension, values and their positions."""
        if is_number(x):
            return x
        if dim is None:
            return as_number(op(x, axis=None, keepdims=False))
        _, positions = torch7(name, x, dim)
        return op(x, axis=_axis(x, dim), keepdims=True), positions


_extreme("max", ops.max)
_extreme("min", ops.min)


@recorded("norm")
def norm(x: Tensor, p: float = 2, dim: float | None = None) -> Any:
    """Return the p-norm."""
    if dim is None:
        return ops.norm(as_number(x), p=float(p), axis=None, keepdims=False)
    return ops.norm(x, p=float(p), axis=_axis(x, dim), keepdims=True)


@recorded("dist")
def dist(a: Tensor, b: Tensor, p: float = 2) -> Any:
    """Return the p-norm of a difference."""
    return norm(a - b, p)


@recorded("cumsum")
def cumsum(x: Tensor, dim: float = 1) -> Any:
    """Return running sums."""
    return ops.cumsum(x, axis=_axis(x, dim))


@recorded("cumprod")
def cumprod(x: Tensor, dim: float = 1) -> Any:
    """Return running products."""
    return ops.cumprod(x, axis=_axis(x, dim))


@recorded("sort")
def sort(x: Tensor, *args: Any) -> Any:
    """Return sorted values and the positions they had."""
    values, positions = torch7("sort", x, *args)
    dim = next((int(a) for a in args if is_number(a)), x.ndim)
    del values
    return ops.gather(x, positions - 1, axis=dim - 1), positions
