"""The package torchnet: what of it is not written in Lua."""

from __future__ import annotations

import hashlib
from typing import Any

from ..toolbox import Toolbox


def load(tools: Toolbox) -> Any:
    """Return the functions that `torchnet/utils.lua` has from Python."""

    def md5(text: str) -> str:
        """Return the MD5 sum of a string of bytes, in hexadecimal digits."""
        return hashlib.md5(text.encode("latin-1"), usedforsecurity=False).hexdigest()

    return tools.table({"md5": md5})
