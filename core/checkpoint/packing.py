"""States as JSON and tensors: dicts, lists, tuples, numbers and texts one way and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import RekindleError
from ..tensor import Tensor


class PackingError(RekindleError, TypeError):
    """A value that is neither plain nor a tensor."""


def pack(value: Any, tensors: dict[str, Tensor], path: str = "") -> Any:
    """Return a value as JSON takes it; tensors and arrays go into `tensors`, by their path.

    Everything but None, booleans, numbers and text becomes a list that begins with what it
    is, so that tuples, and numbers as keys, come back as they were. Python reads and writes
    floats exactly, also inf and nan.

    Raises
    ------
    PackingError
        For anything else, with its path.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (Tensor, np.ndarray)):
        name = path
        while name in tensors:  # {"a.b": ...} beside {"a": {"b": ...}}
            name += "'"
        tensors[name] = value if isinstance(value, Tensor) else Tensor(value)
        return ["tensor" if isinstance(value, Tensor) else "array", name]
    if isinstance(value, np.generic):
        return pack(value.item(), tensors, path)
    if isinstance(value, Mapping):
        pairs = [
            [pack(k, tensors, f"{path}.key"), pack(v, tensors, f"{path}.{k}" if path else str(k))]
            for k, v in value.items()
        ]
        return ["dict", *pairs]
    if isinstance(value, (list, tuple)):
        kind = "list" if isinstance(value, list) else "tuple"
        return [kind, *(pack(v, tensors, f"{path}.{i}") for i, v in enumerate(value))]
    raise PackingError(
        f"{path}: a {type(value).__name__} cannot be saved; what is saved are numbers, texts, "
        "tensors, lists and dicts, and objects with state_dict() or get_state()"
    )


def unpack(packed: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Return the value that `pack` was given."""
    if not isinstance(packed, list):
        return packed
    kind, *parts = packed
    if kind == "tensor":
        return tensors[parts[0]]
    if kind == "array":
        return tensors[parts[0]].numpy()
    if kind == "dict":
        return {unpack(k, tensors): unpack(v, tensors) for k, v in parts}
    values = [unpack(part, tensors) for part in parts]
    return values if kind == "list" else tuple(values)
