"""The namespaces that derivative rules compute in.

`xp.name` is the registered operation of that name: on tensors where the backward pass is
itself recorded, otherwise its forward function on plain arrays, so that no tensor is made.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
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
        bound = bound_to(self.library, op.forward)
        if op.variadic:
            bound = functools.partial(_spread, bound)
        setattr(self, name, bound)
        return bound


def _spread(forward: Any, arrays: Any, *args: Any, **params: Any) -> Any:
    return forward(*arrays, *args, **params)


_CALL_OF_ONE = (lambda xp, x: xp.f(x)).__code__.co_code
_CALL_OF_TWO = (lambda xp, x, y: xp.f(x, y)).__code__.co_code


def bound_to(library: Any, forward: Callable[..., Any]) -> Callable[..., Any]:
    """Return `forward` with `library` for its `xp`.

    If all that it does is to call one function of `xp`, as most elementwise operations do, that
    function itself is returned: for a few elements the call between costs as much as they do.
    """
    code = forward.__code__
    if code.co_code in (_CALL_OF_ONE, _CALL_OF_TWO):
        direct: Callable[..., Any] = getattr(library, code.co_names[0])
        return direct
    return functools.partial(forward, library)


TENSORS = TensorNamespace()
_ON_NUMPY = ArrayNamespace(np)


@functools.cache
def _on_library(library: Any) -> ArrayNamespace:
    return ArrayNamespace(library)


def array_namespace(array: Any) -> Any:
    """Return the namespace for arrays of the library that `array` belongs to."""
    if type(array) is np.ndarray or isinstance(array, np.generic):
        return _ON_NUMPY
    if type(array) is backend.Batched:
        return backend.namespace(array)
    return _on_library(backend.namespace(array))
