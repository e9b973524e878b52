"""autograd.optim: the optimisers of optim for a table of parameters, each with its own state.

Source: twitter/torch-autograd src/optim/init.lua.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rekindle.legacy_nn.lualib import call, spread
from rekindle.legacy_nn.lualib.calls import single

from ..packages import Package, optim
from ..tables import Table
from .parts import translated


def _flat(parameters: Any) -> list[Any]:
    found: list[Any] = call(translated("util").sortedFlatten, parameters).array()
    return found


def _over_tables(optimise: Any) -> Callable[..., Any]:
    util = translated("util")

    def prepare(df: Any, state: Any, parameters: Any) -> Any:
        flat = _flat(parameters)
        states = Table(*(call(util.deepCopy, state) for _ in flat))

        def step(*args: Any) -> Any:
            out = spread(call(df, parameters, *args))
            found = _flat(out[0])
            for x, gradient, own in zip(flat, found, states.array(), strict=False):
                optimise(lambda *_, g=gradient: (out[1], g), x, own)
            return single(out)

        return step, states

    return prepare


def _member(name: str) -> Any:
    optimise = getattr(optim, name)
    return None if optimise is None or isinstance(optimise, type) else _over_tables(optimise)


optimisers = Package("autograd.optim", _member)
"""The package autograd.optim."""
