"""The namespaces that derivative rules compute in.

`xp.name` is the registered operation of that name: on tensors where the backward pass is
itself recorded, otherwise its forward function on plain arrays, so that no tensor is made.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import backend

if TYPE_CHECKING:
    from .op import Op

OPERATIONS: dict[str, Op[..., Any]] = {}
"""All operations by name; the registry fills it."""


class TensorNamespace:
    """The operations themselves."""

    def __getattr__(self, name: str) -> Any:
        return OPERATIONS[name]


class ArrayNamespace:
    """The operations' forward functions, bound to one array library.

    Parameters
    ----------
    library : module
        numpy or cupy.
    """

    def __init__(self, library: Any) -> None:
        self.library = library

    def __getattr__(self, name: str) -> Any:
        op = OPERATIONS[name]
        bound: Any = functools.partial(op.forward, self.library)
        if op.variadic:
            bound = functools.partial(_spread, bound)
        setattr(self, name, bound)
        return bound


def _spread(forward: Any, arrays: Any, *args: Any, **params: Any) -> Any:
    return forward(*arrays, *args, **params)


TENSORS = TensorNamespace()
_ON_NUMPY = ArrayNamespace(np)


@functools.cache
def _on_library(library: Any) -> ArrayNamespace:
    return ArrayNamespace(library)


def array_namespace(array: Any) -> ArrayNamespace:
    """Return the namespace for arrays of the library that `array` belongs to."""
    if isinstance(array, (np.ndarray, np.generic)):
        return _ON_NUMPY
    return _on_library(backend.namespace(array))
