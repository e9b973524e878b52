"""torch with nodes: its functions and tensors' operators, which then record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rekindle.core.checkpoint.torch_types import tensor_class
from rekindle.core.dtypes import float32, float64
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.lua_autograd import calls
from rekindle.legacy_nn.lualib import call, index, newindex
from rekindle.legacy_nn.lualib.errors import located

from ...text import words
from ..tensors import tensor
from ..torch_package import torch
from . import nodes

_NO_FUNCTIONS = frozenset(
    words("get set fill numbers selectSliceCopy narrowSliceCopy indexAdd type")
)
"""Names of what is recorded that are no functions of torch, or not the same."""

_OF_VALUES = words(
    """
    size dim nDimension nElement numel isSameSizeAs isTensor typename isTypeOf type
    """
)
"""Functions of torch that look at the values."""

_JOINING = words("cat view viewAs expand expandAs dot")
"""Methods of tensors that take nodes."""


def overloaded(plain: Any, recorded: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is another one where there are nodes among the arguments."""

    def function(*args: Any) -> Any:
        if nodes.any_node(args):
            return recorded(*args)
        return call(plain, *args)

    return function


def overload(owner: Any, name: str, recorded: Any) -> None:
    """Give a package's function, or a method of tensors, another meaning for nodes."""
    plain = index(owner, name)
    if plain is None:
        plain = getattr(tensor, name)
    newindex(owner, name, overloaded(plain, lambda *args: call(recorded, *args)))


def _refused(name: str) -> Callable[..., Any]:
    def refuse(*_: Any) -> Any:
        raise located(f"autograd: torch.{name} has no gradient here")

    return refuse


def _no_operator(*_: Any) -> Any:
    raise located("attempt to perform arithmetic on a tensor value")


def _of_values(function: Any) -> Callable[..., Any]:
    return lambda *args: nodes.with_values(function, *args)


def install() -> None:
    """Let torch take nodes."""
    for name in _OF_VALUES:
        found = getattr(torch, name)
        overload(torch, name, _of_values(getattr(tensor, name) if found is None else found))
    for name, method in nodes.METHODS.items():
        if not name.startswith("__") and name not in _NO_FUNCTIONS | set(_OF_VALUES):
            overload(torch, name, method)
    for name in calls.REFUSED:
        if name not in nodes.METHODS:
            overload(torch, name, _refused(name))
    operators = Tensor.lua_metatable._map  # type: ignore[attr-defined]  # see tensors.py
    for event in ("__add", "__sub", "__mul", "__div", "__pow"):
        plain = operators.get(event, _no_operator)
        operators[event] = overloaded(plain, nodes.METHODS[event])
    for dtype in (float32, float64):
        metatable = torch.getmetatable(tensor_class(dtype))
        for name in _JOINING:
            overload(metatable, name, nodes.METHODS[name])
