"""Functions of numbers that also take tensors, as the packages cephes and randomkit wrap C's.

Source: deepmind/torch-cephes error_handling.lua, deepmind/torch-randomkit init.lua.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle.core.creation import tensor
from rekindle.core.errors import RekindleError
from rekindle.core.tensor import Tensor


class VectorisedError(RekindleError, ValueError):
    """Arguments that such a function does not take."""


def vectorised(name: str, count: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `name([result,] ...)` of `count` numbers or tensors.

    Of numbers alone it gives a number; otherwise the result, or a new DoubleTensor with one
    dimension. Tensors have as many elements as the others, or one.
    """

    def call(*given: Any) -> Any:
        if len(given) not in (count, count + 1):
            raise VectorisedError(
                f"{name} takes {count} arguments, and a tensor for the result before them; "
                f"given {len(given)}"
            )
        result = given[0] if len(given) > count else None
        if len(given) > count and not isinstance(result, Tensor):
            raise VectorisedError(f"{name}: the result should be a tensor, got {result!r}")
        values = given[len(given) - count :]
        if not any(isinstance(value, Tensor) for value in given):
            return float(function((), *(float(value) for value in values)))
        arrays = [_elements(value) for value in values]
        sizes = {a.size for a in arrays if a.size != 1}
        if result is not None:
            sizes.add(result.size)
        if len(sizes) > 1:
            raise VectorisedError(f"{name}: tensors of {sorted(sizes)} elements")
        size = next(iter(sizes), 1)
        found = np.asarray(function((size,), *(np.broadcast_to(a, size) for a in arrays)))
        if result is None:
            return tensor(found.astype(np.float64))
        return result.copy_(tensor(found.astype(result.dtype)).reshape(result.shape))

    return call


def _elements(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().numpy().astype(np.float64).reshape(-1)
    return np.array([float(value)])
