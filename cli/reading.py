"""From the name of a file to the object that a command works on."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

import rekindle
from rekindle.core.checkpoint import T7Error, Table
from rekindle.legacy_nn.naming import Place, modules_in, root_place
from rekindle.legacy_nn.paths import Path, PathError, follow, format_path, parse_path
from rekindle.legacy_nn.unknown_classes import typename

from .group import Unusable

LISTED = 20
"""Modules that are listed when one must be chosen."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a file holds, and the part of it that was selected.

    Attributes
    ----------
    name : str
        The file's name, or "standard input".
    root : object
        All of it; a Table of the objects where there are several.
    count : int
        How many objects the file holds one after the other.
    path : tuple
        Lua keys from `root` to the selected part.
    data : bytes or None
        The bytes, where they came from standard input.
    """

    name: str
    root: Any
    count: int
    path: Path
    data: bytes | None = None

    @property
    def value(self) -> Any:
        """The selected part."""
        return follow(self.root, self.path)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return os.path.getsize(self.name) if self.data is None else len(self.data)

    def sha256(self) -> str:
        """Return the digest of the file, in hexadecimal."""
        if self.data is not None:
            return hashlib.sha256(self.data).hexdigest()
        with open(self.name, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def read_checkpoint(file: str, select: str | None) -> Checkpoint:
    """Return the contents of a `.t7` file; `-` is standard input.

    Raises
    ------
    T7Error
        If it cannot be read.
    click.BadParameter
        If there is nothing at `select`.
    """
    data = sys.stdin.buffer.read() if file == "-" else None
    name = "standard input" if file == "-" else file
    objects = _objects(file if data is None else data, name)
    root = objects[0] if len(objects) == 1 else Table(objects)
    try:
        path = parse_path(select) if select else ()
        follow(root, path)
    except PathError as error:
        raise click.BadParameter(f"{name}: {error}", param_hint="--select") from None
    context = click.get_current_context(silent=True)
    if context is not None and "rekindle.build" in context.meta:
        value = follow(root, path)
        if not modules_in(root_place(value, path)):
            from .building import built

            root, path = built(context, value), ()
    return Checkpoint(name, root, len(objects), path, data)


def _objects(source: str | bytes, name: str) -> list[Any]:
    """Return the objects of a file; only the first where what follows it is no object."""
    try:
        try:
            return list(rekindle.load_all(source))
        except T7Error:
            return [rekindle.loads(source) if isinstance(source, bytes) else rekindle.load(source)]
    except T7Error as error:
        error.file = error.file or name
        raise


def find_model(checkpoint: Checkpoint) -> Place | None:
    """Return the only module of the selected part; None where it holds none.

    Raises
    ------
    Unusable
        If there are several: the message lists them.
    """
    found = modules_in(root_place(checkpoint.value, checkpoint.path))
    if len(found) <= 1:
        return found[0] if found else None
    raise Unusable(f"{checkpoint.name} holds {len(found)} modules; choose one:\n" + _choices(found))


def _choices(places: Sequence[Place]) -> str:
    lines = [f"  --select '{p.lua_path}'  ({typename(p.value)})" for p in places[:LISTED]]
    if len(places) > LISTED:
        lines.append(f"  and {len(places) - LISTED} more; rekindle inspect shows them")
    return "\n".join(lines)


def require_model(checkpoint: Checkpoint) -> Place:
    """Return the only module of the selected part.

    Raises
    ------
    Unusable
        If there is none, or several.
    """
    place = find_model(checkpoint)
    if place is None:
        where = format_path(checkpoint.path) or "it"
        raise Unusable(
            f"{checkpoint.name}: {where} holds no module; rekindle inspect shows what there is"
        )
    return place
