"""Sums and maxima of rows, which may be taken in any order.

They are functions of their own, so that nothing else is computed in another order than written.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiling import reduction


@reduction
def largest(row: Any) -> Any:
    """Return the maximum of a row, or any number where it has a nan."""
    highest = row[0]
    for j in range(row.size):
        highest = row[j] if row[j] > highest else highest
    return highest


@reduction
def total(row: Any) -> Any:
    """Return the sum of a row, added up in double precision."""
    result = 0.0
    for j in range(row.size):
        result += np.float64(row[j])
    return result


@reduction
def squares_around(row: Any, centre: Any) -> Any:
    """Return the sum of the squares of a row's distances from `centre`, as `total` does."""
    result = 0.0
    for j in range(row.size):
        distance = row[j] - centre
        result += np.float64(distance * distance)
    return result


@reduction
def dot(x: Any, y: Any) -> Any:
    """Return the sum of the products of two rows, as `total` does."""
    result = 0.0
    for j in range(x.size):
        result += np.float64(x[j] * y[j])
    return result


@reduction
def dot_around(x: Any, y: Any, centre: Any) -> Any:
    """Return the sum of the products of a row with another's distances from `centre`."""
    result = 0.0
    for j in range(x.size):
        result += np.float64(x[j] * (y[j] - centre))
    return result
