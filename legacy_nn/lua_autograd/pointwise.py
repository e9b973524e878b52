"""Functions and operators element by element.

Source: torch7 doc/maths.md; twitter/torch-autograd src/gradfuns.lua.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint.torch_types import tensor_class
from rekindle.core.tensor import Tensor

from ..torch7.errors import TorchError
from ..torch7.types import dtype_of
from .values import is_number, is_tensor, number_for, operands, recorded

UNARY: dict[str, Callable[..., Any]] = {
    **{name: getattr(ops, name) for name in ("abs", "exp", "log", "log1p", "sqrt", "rsqrt")},
    **{name: getattr(ops, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: getattr(ops, name) for name in ("asin", "acos", "atan", "sigmoid")},
    "neg": ops.negative,
    "__unm": ops.negative,
    "cinv": ops.reciprocal,
    "square": ops.square,
}

for _name, _op in UNARY.items():
    recorded(_name)(_op)


def _binary(names: str, op: Callable[..., Any]) -> None:
    @recorded(*names.split())
    def function(a: Any, b: Any) -> Any:
        return op(*operands(a, b))


_binary("cmul mul", ops.multiply)
_binary("cdiv div __div", ops.divide)
_binary("pow cpow __pow", ops.power)
_binary("cmax", ops.maximum)
_binary("cmin", ops.minimum)
_binary("atan2", ops.atan2)
_binary("__add", ops.add)
_binary("__sub", ops.subtract)


def _scaled_sum(names: str, op: Callable[..., Any]) -> None:
    @recorded(*names.split())
    def function(x: Any, *args: Any) -> Any:
        """Take `f(x, y)`, or `f(x, factor, y)`."""
        *factor, y = args
        if factor:
            y = ops.multiply(*operands(y, factor[0]))
        return op(*operands(x, y))


_scaled_sum("add", ops.add)
_scaled_sum("csub sub", ops.subtract)


def _with_product(name: str, op: Callable[..., Any]) -> None:
    @recorded(name)
    def function(x: Tensor, *args: Any) -> Any:
        """Take `f(x, [factor], a, b)`."""
        *factor, a, b = args
        product = op(*operands(a, b))
        if factor:
            product = product * number_for(factor[0], product)
        return ops.add(*operands(x, product))


_with_product("addcmul", ops.multiply)
_with_product("addcdiv", ops.divide)


@recorded("lerp")
def lerp(a: Tensor, b: Tensor, weight: Any) -> Any:
    """Return `a + weight * (b - a)`."""
    a, b = operands(a, b)
    return a + (b - a) * number_for(weight, a)


@recorded("clamp")
def clamp(x: Any, low: Any, high: Any) -> Any:
    """Limit x; without a gradient where it is at a limit, or beyond."""
    if not (is_number(low) and is_number(high)):
        raise TorchError("autograd: torch.clamp(x, low, high) takes two numbers")
    return ops.clamp(x, min=float(low), max=float(high))


@recorded("type")
def type_of(x: Tensor, name: str | None = None) -> Any:
    """Return x in the type of a name; the name of its own type without one."""
    return tensor_class(x.dtype) if name is None else ops.astype(x, dtype_of(name))


@recorded("typeAs")
def type_as(x: Tensor, other: Any) -> Any:
    """Return x in the type of another tensor."""
    return ops.astype(x, other.dtype) if is_tensor(other) else x


@recorded("__mul")
def multiply(a: Any, b: Any) -> Any:
    """Return `a * b`: scaling, the dot product of vectors, or products with a matrix."""
    if not (is_tensor(a) and is_tensor(b)):
        return ops.multiply(*operands(a, b))
    counts = a.ndim, b.ndim
    if counts == (1, 1):
        return dot(a, b)
    if counts not in ((2, 1), (2, 2)):
        raise TorchError(
            f"multiplication between {counts[0]}D and {counts[1]}D tensors not yet supported"
        )
    return ops.matmul(a, b)


@recorded("dot")
def dot(a: Tensor, b: Tensor) -> Any:
    """Return the sum of the products of elements, a number."""
    a, b = operands(a, b)
    return ops.sum(ops.astype(a, "float64") * ops.astype(b, "float64"))
