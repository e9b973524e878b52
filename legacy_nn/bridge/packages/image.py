"""The package image: files, sizes, colours and filters of pictures."""

from __future__ import annotations

from typing import Any

from ... import image
from ...image.display import saturated
from ..adapt import as_lua_calls
from ..toolbox import Toolbox


def load(tools: Toolbox) -> Any:
    """Return the functions that `image.lua` completes."""
    functions = {
        name: as_lua_calls(value)
        for name, value in vars(image).items()
        if callable(value) and not isinstance(value, type)
    }
    return tools.table({**functions, "saturate": saturated})
