"""Derivative rules that have a faster version for NumPy arrays, as kernels do."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.dispatch import KERNELS, Declined, Kernel, fast_wanted
from .namespaces import ArrayNamespace


def dispatched_rule(
    home: str, *, least: int = 0
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a rule `rule(xp, g, ...)` whose faster version computes the same from arrays.

    Where the pass is itself recorded, the rule computes.

    Parameters
    ----------
    home : str
        "library.module" with the function of the rule's name, which takes what the rule takes,
        less `xp`, by position.
    least : int
        Number of elements of the (first) gradient below which it is not asked.
    """

    def decorate(rule: Callable[..., Any]) -> Callable[..., Any]:
        kernel = KERNELS[rule.__name__] = Kernel(rule.__name__, home)

        @functools.wraps(rule)
        def call(xp: Any, g: Any, *given: Any) -> Any:
            if type(xp) is ArrayNamespace and xp.library is np and fast_wanted():
                first = g[0] if type(g) is list else g
                if first.size >= least:
                    result = kernel.attempt((g, *given), {})
                    if type(result) is not Declined:
                        return result
            return rule(xp, g, *given)

        return call

    return decorate
