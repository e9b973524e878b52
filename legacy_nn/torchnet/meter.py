"""tnt.Meter, and the arrays that meters count in.

Source: torchnet/torchnet meter/meter.lua.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from rekindle.core.errors import RekindleError
from rekindle.core.tensor import Tensor

Array = np.ndarray[Any, Any]


class TorchnetError(RekindleError, ValueError):
    """Arguments, samples or settings that a meter, dataset or engine does not take."""


class Meter(ABC):
    """Measures something over many samples: `add` them, then ask for the `value`."""

    @abstractmethod
    def reset(self) -> None:
        """Forget all samples."""

    @abstractmethod
    def value(self) -> Any:
        """Return what was measured since the last reset."""


def array(x: Any) -> Array:
    """Return the elements of a tensor, array, number or list."""
    return np.asarray(x.numpy() if isinstance(x, Tensor) else x)


def squeezed(x: Any) -> Array:
    """Return an array without its dimensions of size 1, but with one dimension at least."""
    return np.atleast_1d(np.squeeze(array(x)))


def as_rows(x: Any) -> Array:
    """Return a vector as one row, and a matrix as it is.

    Raises
    ------
    TorchnetError
        For other numbers of dimensions.
    """
    found = np.atleast_2d(array(x))
    check(found.ndim == 2, f"a vector or matrix expected, got the shape {found.shape}")
    return found


def check(holds: Any, message: str) -> None:
    """Raise a TorchnetError unless something holds."""
    if not holds:
        raise TorchnetError(message)


def check_same(output: Array, target: Array) -> None:
    """Raise a TorchnetError for outputs and targets of different shapes."""
    if output.shape != target.shape:
        raise TorchnetError(
            f"output and target should have one shape, got {output.shape} and {target.shape}"
        )


def check_binary(target: Array) -> None:
    """Raise a TorchnetError for targets other than 0 and 1."""
    check(np.isin(target, (0, 1)).all(), "targets should be binary (0 or 1)")


def ratio(above: Any, below: Any) -> float:
    """Return a quotient as floats have it: inf or nan for a divisor of 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.float64(above) / np.float64(below))


def root(x: float) -> float:
    """Return the square root, nan for a negative number."""
    with np.errstate(invalid="ignore"):
        return float(np.sqrt(np.float64(x)))


def descending(x: Array, axis: int = -1) -> Array:
    """Return positions from 0 of elements, the largest first."""
    return np.argsort(-x.astype(np.float64), axis=axis, kind="stable")
