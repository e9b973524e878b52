"""Layers whose starting values are not drawn."""

from __future__ import annotations

from typing import Any, TypeVar

from .. import init
from ..module import Module

M = TypeVar("M", bound=Module)


def skip_init(module_cls: type[M], *args: Any, **kwargs: Any) -> M:
    """Return a module whose Parameters are not drawn: their memory holds anything.

    It is for modules that are given their Parameters at once, by `load_state_dict` or one by one:
    drawing those of a large layer takes longer than reading them.

    Parameters
    ----------
    module_cls : type
    *args, **kwargs
        Of its constructor.

    Examples
    --------
    >>> from rekindle.core import nn
    >>> from rekindle.core.creation import full
    >>> layer = skip_init(nn.Linear, 2, 1)
    >>> found = layer.load_state_dict({"weight": full((1, 2), 3.0), "bias": full(1, 0.5)})
    >>> layer.weight.tolist()
    [[3.0, 3.0]]
    """
    with init.undrawn():
        return module_cls(*args, **kwargs)
