"""tds.Hash: a table of any keys whose length is the number of its entries.

Source: torch/tds hash.lua.
"""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table, TdsHash
from rekindle.core.checkpoint.registry import identity_of
from rekindle.core.checkpoint.torch_types import tensor_class
from rekindle.core.tensor import Tensor

from ..lualib import LuaError, pairs, rawset, tostring, type_of
from .containers import checked, described, fill


def Hash(*args: Any) -> TdsHash:
    """Return a new hash, with the entries of a table; tables in it become containers too.

    Raises
    ------
    LuaError
        If the argument is no table.
    """
    hashed = TdsHash()
    if len(args) == 1 and type_of(args[0]) == "table":
        fill(hashed, args[0])
    elif args:
        raise LuaError("lua table or nothing expected")
    return hashed


def _assign(hashed: TdsHash, key: Any, value: Any) -> None:
    if key is None:
        raise LuaError("hash index is nil")
    rawset(hashed, checked(key), checked(value))


def _key_text(key: Any) -> str:
    if type_of(key) in ("string", "number", "boolean"):
        return tostring(key)
    if isinstance(key, Tensor):
        return tensor_class(key.dtype)
    identity = identity_of(key)
    return type_of(key) if identity is None else identity[0]


def _text(hashed: TdsHash) -> str:
    entries = list(pairs(hashed))[:20]
    keys = [_key_text(key) for key, _ in entries]
    width = max(map(len, keys), default=0)
    lines = [
        (f"{key:<{width}} : ", tostring(value))
        for key, (_, value) in zip(keys, entries, strict=True)
    ]
    return described(hashed, lines)


TdsHash.lua_methods = Table({"__newindex": _assign, "__len": len, "__tostring": _text})
