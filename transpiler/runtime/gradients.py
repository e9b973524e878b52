"""Gradients that a translated program writes to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rekindle.core.tensor import Tensor


def own_gradients(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of `rekindle.func` whose gradients may be written to.

    Those of core may share memory with each other. Torch's do not.

    Parameters
    ----------
    function : callable
        Gives gradients, or (value, gradients).

    Examples
    --------
    >>> from rekindle import func, tensor
    >>> df = own_gradients(func.grad(lambda x: x.sum()))
    >>> g = df(tensor([1.0, 2.0]))
    >>> g *= 2
    >>> g.tolist()
    [2.0, 2.0]
    """

    def own(*args: Any) -> Any:
        found = function(*args)
        if isinstance(found, tuple):
            value, gradients = found
            return value, _copied(gradients)
        return _copied(found)

    return own


def _copied(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _copied(part) for key, part in tree.items()}
    if isinstance(tree, list):
        return [_copied(part) for part in tree]
    return tree.clone() if isinstance(tree, Tensor) else tree
