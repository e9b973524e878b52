"""Lua methods that a module carries itself, so that it computes something else than its class."""

from __future__ import annotations

from rekindle.legacy_nn.module import Module
from rekindle.legacy_nn.naming import Place, walk
from rekindle.legacy_nn.unknown_classes import typename
from rekindle.legacy_nn.unsupported import stored_methods


def find_overrides(model: Place) -> list[str]:
    """Return one text for each module of a known class that carries a method of forward."""
    return [
        f"{place.lua_path or 'the model'} ({typename(place.value)}) has its own "
        + ", ".join(stored_methods(place.value))
        for place in walk(model)
        if isinstance(place.value, Module) and stored_methods(place.value)
    ]
