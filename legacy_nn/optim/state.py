"""What the optimisers share: their tables, and how they are called.

Source: torch/optim, whose functions these follow in signature, state and numbers.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, MutableMapping
from typing import Any, ParamSpec, TypeVar

from rekindle.core.autograd import no_grad
from rekindle.core.checkpoint import Table
from rekindle.core.creation import full
from rekindle.core.errors import RekindleError
from rekindle.core.tensor import Tensor

P = ParamSpec("P")
R = TypeVar("R")

Settings = MutableMapping[str, Any] | Table | None
"""A table of options or of an optimiser's state: a dict or a Table, which is written to."""

Objective = Callable[[Tensor], tuple[Any, Tensor]]
"""`opfunc(x)` returns f(x) and its gradient, a tensor of x's shape."""


class OptimError(RekindleError, ValueError):
    """Options that an optimiser does not take."""


def optimiser(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function one that writes into parameters, whether they require gradients or not."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with no_grad():
            return function(*args, **kwargs)

    return wrapper


def tables(config: Settings, state: Settings, without: str | None = None) -> tuple[Any, Any]:
    """Return the options and the state; without a table of its own the state is kept with them.

    Parameters
    ----------
    config, state : dict, Table or None
    without : str, optional
        What Torch7 prints where neither is given.
    """
    if without is not None and config is None and state is None:
        print(without)
    config = {} if config is None else config
    return config, config if state is None else state


def option(config: Any, name: str, default: Any) -> Any:
    """Return an option; one that is missing, None or False has its default, as in Lua."""
    value = config.get(name)
    return default if value is None or value is False else value


def buffer(state: Any, name: str, like: Tensor, value: float = 0) -> Tensor:
    """Return the tensor `state[name]`, made like `like` and filled if it is not there."""
    found = state.get(name)
    if found is None:
        found = state[name] = full(like.shape, value, like.dtype, like.device)
    tensor: Tensor = found
    return tensor


def evaluated(opfunc: Objective, x: Tensor) -> tuple[Any, Tensor]:
    """Return f(x) and the gradient, detached from any graph."""
    fx, dfdx = opfunc(x)
    return fx, dfdx.detach()


def decayed(dfdx: Tensor, x: Tensor, weight_decay: float) -> Tensor:
    """Add the gradient of half of `weight_decay` times the squared length of x."""
    return dfdx.add_(x.detach() * weight_decay) if weight_decay != 0 else dfdx


def dot(a: Tensor, b: Tensor) -> float:
    """Return the sum of products of two vectors."""
    return float(a.detach().numpy() @ b.detach().numpy())


def ratio(a: float, b: float) -> float:
    """Return a / b, infinite or nan where b is 0, as C does."""
    if b == 0:
        return math.nan if a == 0 or a != a else math.copysign(math.inf, a)
    return a / b
