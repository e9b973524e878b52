"""Arguments by name or by position, as dok.unpack takes them.

Source: torch/dok inline.lua, dok.unpack.
"""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table

from .errors import ImageError

NEEDED = object()
"""The default of an argument that must be given."""


class Same:
    """The default of an argument that is another argument's value."""

    def __init__(self, name: str) -> None:
        self.name = name


def unpack(name: str, args: tuple[Any, ...], defaults: dict[str, Any]) -> list[Any]:
    """Return the values of the arguments that `defaults` names, in its order.

    One table without elements 1, 2, ... gives them by name; otherwise they come in this order.

    Raises
    ------
    ImageError
        If one that is needed is missing.
    """
    named: dict[Any, Any]
    if len(args) == 1 and isinstance(args[0], (Table, dict)) and 1 not in args[0]:
        named = dict(args[0].items())
    else:
        named = dict(zip(defaults, args, strict=False))
    found: dict[str, Any] = {}
    for key, default in defaults.items():
        value = named.get(key)
        if value is None and default is NEEDED:
            raise ImageError(f"image.{name}: missing argument: {key}")
        if value is None:
            value = found[default.name] if isinstance(default, Same) else default
        found[key] = value
    return list(found.values())
