"""What a hash or a vector of tds takes, and how tables become them.

Source: torch/tds elem.lua, hash.lua, vec.lua.
"""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import TdsHash, TdsVec
from rekindle.core.checkpoint.objects import TdsContainer
from rekindle.core.checkpoint.registry import identity_of
from rekindle.core.tensor import Tensor

from ..lualib import LuaError, pairs, type_of


def checked(value: Any) -> Any:
    """Return a value that tds stores, or nil.

    Raises
    ------
    LuaError
        For what is no number, string, boolean, tensor, tds.Hash or tds.Vec.
    """
    if value is None or isinstance(value, (Tensor, TdsContainer)):
        return value
    kind = type_of(value)
    if kind in ("number", "string", "boolean"):
        return value
    identity = identity_of(value)
    name = kind if identity is None else identity[0]
    raise LuaError(f"unsupported key/value type <{name}> (set)")


def is_vector(table: Any) -> bool:
    """Whether a table has numbers only as keys; it then becomes a vector."""
    return all(type_of(key) == "number" for key, _ in pairs(table))


def converted(value: Any) -> Any:
    """Return a table as a tds.Vec or tds.Hash, with the tables in it, and other values as is."""
    if type_of(value) != "table":
        return checked(value)
    container: TdsContainer = TdsVec() if is_vector(value) else TdsHash()
    fill(container, value)
    return container


def fill(container: TdsContainer, table: Any) -> None:
    """Assign all entries of a table."""
    for key, value in pairs(table):
        container[converted(key)] = converted(value)


def position(key: Any) -> int:
    """Return a position in a vector.

    Raises
    ------
    LuaError
        If it is no positive number.
    """
    if type_of(key) != "number" or not key > 0:
        raise LuaError("positive number expected as key")
    return int(key)


def described(container: TdsContainer, lines: list[tuple[str, str]]) -> str:
    """Return a container as `print` shows it, from its first keys and values as text."""
    shown = [f"{container.t7_typename}[{len(container)}]{{"]
    for key, value in lines[:20]:
        indent = " " * len(key)
        first, *rest = value.split("\n")
        shown.append("\n".join([key + first, *(line and indent + line for line in rest)]))
    if len(lines) >= 20:
        shown.append("...")
    return "\n".join([*shown, "}"])
