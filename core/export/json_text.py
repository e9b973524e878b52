"""`.json`: Lua tables without tensors, such as options and vocabularies."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import IO, Any

from ..checkpoint.table import Table
from .errors import ExportError

MOST_TEXT = 1 << 28
"""Characters of JSON that are written at most: few tables that share each other mean many."""

Member = tuple[str, str, Any]
"""A member of a table: the text before it, its step in a Lua path, and its value."""


def write_json(file: IO[bytes], value: Any) -> None:
    """Write a table, string, number, boolean or nil as JSON.

    A table of 1, 2, ... becomes an array, any other an object whose names are its keys as
    Lua prints them. Numbers that JSON lacks become "nan", "inf" and "-inf". A table that is
    in several places is written in each.

    Raises
    ------
    ExportError
        For tensors, objects and functions, with their path, and for tables inside themselves.
    """
    written = 0
    for text in _pieces(value):
        written += len(text)
        if written > MOST_TEXT:
            raise ExportError(
                f"more than {MOST_TEXT >> 20} MiB of JSON: tables that are in several places "
                "are written in each; choose a part with --select"
            )
        file.write(text.encode("ascii"))
    file.write(b"\n")


def _pieces(value: Any) -> Iterator[str]:
    """Yield the text; with a stack of its own, as files nest as deep as they like."""
    members: list[Iterator[Member]] = [iter([("", "", value)])]
    path: list[str] = []
    tables: list[tuple[int, str]] = []
    around: set[int] = set()
    while members:
        member = next(members[-1], None)
        if member is None:
            members.pop()
            if tables:
                table, closing = tables.pop()
                around.discard(table)
                path.pop()
                yield closing
            continue
        before, step, item = member
        path.append(step)
        if not isinstance(item, Table):
            yield before + _scalar(item, path)
            path.pop()
            continue
        if id(item) in around:
            raise ExportError(f"{_where(path)} is a table inside itself, which JSON cannot say")
        opening, inside, closing = _members(item, path)
        around.add(id(item))
        tables.append((id(item), closing))
        members.append(inside)
        yield before + opening


def _members(table: Table, path: list[str]) -> tuple[str, Iterator[Member], str]:
    """Return what opens a table, its members, and what closes it."""
    elements = table.array()
    if elements and len(elements) == table.count():
        return (
            "[",
            ((", " if i > 1 else "", f"[{i}]", v) for i, v in enumerate(elements, 1)),
            "]",
        )
    names: dict[str, Any] = {}
    for key, value in table.items():
        name = key if isinstance(key, str) else _key(key, path)
        if name in names:
            raise ExportError(
                f"{_where(path)} has both a text and another key that JSON calls {name!r}"
            )
        names[name] = value
    return (
        "{",
        (
            (f"{', ' if i else ''}{json.dumps(name)}: ", f".{name}", v)
            for i, (name, v) in enumerate(names.items())
        ),
        "}",
    )


def _key(key: Any, path: list[str]) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, (int, float)):
        return f"{key:.14g}" if isinstance(key, float) else str(key)
    raise ExportError(f"{_where(path)} has a key that is a {type(key).__name__}: JSON has none")


def _scalar(value: Any, path: list[str]) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps("nan" if value != value else "inf" if value > 0 else "-inf")
    if value is None or isinstance(value, (str, bool, int, float)):
        return json.dumps(value)
    what = getattr(value, "t7_typename", type(value).__name__)
    raise ExportError(
        f"{_where(path)} is a {what}: JSON takes tables, text, numbers and booleans; "
        "choose a part without it with --select, or another format"
    )


def _where(path: list[str]) -> str:
    steps = path if len(path) <= 12 else [*path[:6], ".(...)", *path[-5:]]
    return "".join(steps).removeprefix(".") or "the object"
