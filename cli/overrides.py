"""Lua methods that an object of a known class carries itself, in place of its class's."""

from __future__ import annotations

from rekindle.legacy_nn.module import Module
from rekindle.legacy_nn.naming import Place, walk
from rekindle.legacy_nn.unknown_classes import typename

from .survey import overridden


def find_overrides(model: Place) -> list[str]:
    """Return one text for each module below `model` that carries functions of its own."""
    return [
        f"{place.lua_path or 'the model'} ({typename(place.value)}) has its own "
        + ", ".join(overridden(place.value))
        for place in walk(model)
        if isinstance(place.value, Module) and overridden(place.value)
    ]
