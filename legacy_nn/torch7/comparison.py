"""Comparisons, whose results are ByteTensors, and what they say together.

Source: torch7 lib/TH/generic/THTensorMath.c, TensorMath.lua.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle.core.tensor import Tensor

from .errors import BadArgument
from .functions import described
from .memory import resize_as, values, wrote
from .pointwise import aligned


def _compared(name: str, ufunc: Callable[..., Any]) -> None:
    def compute(res: Tensor, src: Tensor, b: Any) -> None:
        resize_as(res, src)
        if src.size:
            values(res)[...] = ufunc(values(src), b)
        wrote(res, name)

    @described(name, "*res:ByteTensor=new src value:real", "*res src value:real")
    def number(res: Tensor, src: Tensor, value: Any) -> None:
        compute(res, src, src.dtype.type(value))

    @described(name, "*res:ByteTensor=new src other", "*res src other")
    def tensor(res: Tensor, src: Tensor, other: Tensor) -> None:
        compute(res, src, aligned(name, res, src, other))


for _name, _ufunc in {
    "lt": np.less,
    "gt": np.greater,
    "le": np.less_equal,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}.items():
    _compared(_name, _ufunc)


@described("equal", "a b")
def equal(a: Tensor, b: Tensor) -> bool:
    """Whether sizes and elements are the same."""
    return values(a).shape == values(b).shape and bool(np.all(values(a) == values(b)))


@described("all", "src", types="B")
def all_set(src: Tensor) -> bool:
    """Whether no element is 0."""
    _not_empty(src)
    return bool(np.all(values(src)))


@described("any", "src", types="B")
def any_set(src: Tensor) -> bool:
    """Whether an element is not 0."""
    _not_empty(src)
    return bool(np.any(values(src)))


def _not_empty(src: Tensor) -> None:
    if not src.size:
        raise BadArgument(1, "empty Tensor")
