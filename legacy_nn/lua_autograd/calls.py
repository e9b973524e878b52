"""Calls from Lua on recorded values, and what goes back to Lua."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle.core.autograd import enable_grad
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from ..torch7 import api
from ..torch7.functions import Described
from . import pointwise as pointwise  # each fills the table of functions
from . import products as products
from . import reducing as reducing
from . import shaping as shaping
from .values import FUNCTIONS as FUNCTIONS
from .values import plain

PLAIN, NODE, NUMBER, NODES = 0, 1, 2, 3
"""How Lua has to take a result: as it is, as a node of a tensor or a number, as a table of them."""

CONSTANT = (
    *("lt", "le", "gt", "ge", "eq", "ne", "all", "any", "floor", "ceil", "round", "sign", "trunc"),
    *("bernoulli", "equal", "numel", "histc", "multinomial", "range", "zeros", "ones", "eye"),
)
"""Functions whose results have no gradient; they compute with the values."""


REFUSED = sorted(
    name
    for name, function in api.FUNCTIONS.items()
    if isinstance(function, Described) and name not in FUNCTIONS and name not in CONSTANT
)
"""Functions of tensors that have no gradient here."""


def record(name: str, nodes: bool, *args: Any) -> Any:
    """Call a function on recorded values.

    Parameters
    ----------
    name : str
        In Lua, or one of `FUNCTIONS`.
    nodes : bool
        Whether there are nodes among the arguments; without, nothing is recorded.
    *args : Any
        Tensors, of which those of nodes have a history; numbers; Tables.

    Returns
    -------
    tuple
        Each result, after the number that says what it is to Lua.
    """
    if not nodes:
        return marked(FUNCTIONS[name](*args))
    with enable_grad():
        return marked(FUNCTIONS[name](*args))


def constant(name: str, *args: Any) -> Any:
    """Call a function of `CONSTANT`."""
    return api.FUNCTIONS[name](*map(plain, args))


def is_finite(value: Tensor) -> bool:
    """Whether no element is infinite or nan."""
    return bool(np.isfinite(value.detach().numpy()).all())


def marked(result: Any) -> tuple[Any, ...]:
    """Return results with what they are to Lua."""
    found: list[Any] = []
    for value in result if isinstance(result, tuple) else (result,):
        found += _marked(value)
    return tuple(found)


def _marked(value: Any) -> tuple[int, Any]:
    if isinstance(value, Tensor):
        if value.requires_grad:
            return (NODE if value.ndim else NUMBER), value
        return PLAIN, plain(value)
    if isinstance(value, list):
        return (NODES if any(v.requires_grad for v in value) else PLAIN), Table(value)
    return PLAIN, value


NAMES: dict[str, Callable[..., Any]] = {"record": record, "constant": constant, "plain": plain}
