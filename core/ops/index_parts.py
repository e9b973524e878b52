"""What an index consists of."""

from __future__ import annotations

from typing import Any

import numpy as np


def is_basic(index: Any) -> bool:
    """Whether an index has integers, slices, None and ... only, and so names a view."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(i is None or i is ... or isinstance(i, (int, np.integer, slice)) for i in parts)


def before_samples(index: Any) -> tuple[Any, ...]:
    """Return an index of one sample as one of samples that are the last dimension."""
    return (*(index if isinstance(index, tuple) else (index,)), slice(None))
