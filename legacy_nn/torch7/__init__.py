"""LuaTorch's own library, in Python.

- `tensor`: LuaTensor and LuaStorage, the faces of core's tensors with LuaTorch's methods;
  `torch7.DoubleTensor(2, 3)`, `torch7.zeros(2, 3)` and so on, as the Lua package `torch`
- `api`: the same library as tables of functions on core's tensors, which the bridge calls
- `types`: the tensor types by name, and the default type
- `generator`, `random`: the random generator, `torch.Generator`, and numbers in tensors
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return getattr(import_module(".tensor", __name__), name)
