"""Operators between tensors and numbers."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .fast import fast_call
from .methods import install_method
from .op import Op

_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")


def install_operator(op: Op[..., Any], name: str) -> None:
    """Make a binary operation the operator `name` ("add" fills `__add__` and `__radd__`)."""

    def general(x: Any, y: Any) -> Any:
        return op.call(x, y) if _is_operand(x) and _is_operand(y) else NotImplemented

    forward = fast_call(op, general) if op.plain else general

    def reflected(self: Tensor, other: Any) -> Any:
        return forward(other, self)

    install_method(f"__{name}__", forward)
    if name not in _COMPARISONS:
        install_method(f"__r{name}__", reflected)


def _is_operand(value: Any) -> bool:
    return isinstance(value, (Tensor, bool, int, float)) or hasattr(value, "dtype")
