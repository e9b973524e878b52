"""What operations take as operands, and what they say of wrong ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import BoundsError, RekindleError, ShapeError
from ..tensor import Tensor

SCALARS = frozenset((bool, int, float))
"""Types of operands that are passed on as they are; Python's numbers are weak in promotion."""

NUMPY_ERRORS = (ValueError, TypeError, IndexError)


class OperandError(RekindleError, TypeError):
    """Something given to an operation that it does not take."""


def as_operand(name: str, value: Any) -> Any:
    """Return what is given beside tensors and plain numbers as an array, or as a number."""
    if hasattr(value, "dtype") or isinstance(value, (list, tuple)):
        return Tensor(value).array
    if isinstance(value, int):  # an enumeration's
        return int(value)
    raise OperandError(
        f"{name} takes tensors, arrays and numbers; given {type(value).__name__} {value!r:.60}"
    )


def explained(name: str, operands: Sequence[Any], error: Exception) -> Exception:
    """Return the error of an array library as one of ours that names operation and operands."""
    given = ", ".join(
        f"{x.dtype} of shape {x.shape}" if hasattr(x, "shape") else repr(x) for x in operands
    )
    kind = {ValueError: ShapeError, TypeError: OperandError}
    cls = next((kind[base] for base in kind if isinstance(error, base)), BoundsError)
    text = str(error).removeprefix(f"{name}: ")
    return cls(f"{name}: {text}; given {given}")
