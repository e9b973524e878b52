"""What programs translated in modern style need beside core."""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core.creation import tensor
from rekindle.core.tensor import Tensor


def from_zero(numbers: Any) -> Tensor:
    """Return numbers of classes or words, which count from 1 in Lua, as they count from 0.

    Parameters
    ----------
    numbers : Tensor or number
        Of any type.

    Returns
    -------
    Tensor
        Of int64.

    Examples
    --------
    >>> from_zero(3).item()
    2
    """
    array = numbers.numpy() if isinstance(numbers, Tensor) else np.asarray(numbers)
    return tensor(array.astype(np.int64) - 1)
