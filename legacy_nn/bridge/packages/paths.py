"""The package paths: names of files and folders, as torch/paths has them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rekindle.core.checkpoint import Table

from ..toolbox import Toolbox

HOME = str(Path.home())


def filep(path: Any = None) -> bool:
    """Whether there is a file, which is no folder."""
    return isinstance(path, str) and os.path.exists(path) and not os.path.isdir(path)


def dirp(path: Any = None) -> bool:
    """Whether there is a folder."""
    return isinstance(path, str) and os.path.isdir(path)


def concat(*parts: str) -> str:
    """Return a path from its parts, each relative to those before, and absolute at last."""
    return os.path.abspath(os.path.join(os.getcwd(), *parts))


def basename(path: str, suffix: str | None = None) -> str:
    """Return the last part of a path, without a suffix, given with or without its dot."""
    name = os.path.basename(path.rstrip("/")) or "/"
    if suffix is None:
        return name
    ending = suffix if suffix.startswith(".") else f".{suffix}"
    return name.removesuffix(ending)


def dirname(path: str) -> str:
    """Return a path without its last part."""
    stripped = path.rstrip("/")
    if not stripped:
        return "/" if path else "."
    return os.path.dirname(stripped) or "."


def extname(path: str) -> str | None:
    """Return what follows the last dot; None without one."""
    _, dot, extension = os.path.basename(path).rpartition(".")
    return extension if dot else None


def cwd() -> str:
    """Return the folder that relative names start from."""
    return os.getcwd()


def mkdir(path: str) -> bool:
    """Make a folder, and those above it; return whether it is there."""
    os.makedirs(path, exist_ok=True)
    return True


def rmdir(path: str) -> Any:
    """Remove an empty folder; return whether that went well, else why not."""
    return _tried(os.rmdir, path)


def rmall(path: str, confirmation: str | None = None) -> Any:
    """Remove a file or a folder with all that is inside; `confirmation` must be "yes"."""
    if confirmation != "yes":
        raise ValueError("missing confirmation: the second argument should be 'yes'")
    return _tried(os.remove if not os.path.isdir(path) else shutil.rmtree, path)


def _tried(function: Any, path: str) -> Any:
    try:
        function(path)
    except OSError as error:
        return None, error.strerror, error.errno
    return True


def names(path: str) -> Table:
    """Return the names in a folder, `.` and `..` among them."""
    try:
        return Table([".", "..", *sorted(os.listdir(path))])
    except OSError:
        return Table()


def tmpname() -> str:
    """Return the name of a new file for temporary use."""
    handle, path = tempfile.mkstemp(prefix="lua_")
    os.close(handle)
    return path


def home() -> str:
    """Return the user's folder."""
    return HOME


def is_win() -> bool:
    """Whether this is Windows."""
    return os.name == "nt"


def is_mac() -> bool:
    """Whether this is macOS."""
    return os.uname().sysname == "Darwin" if hasattr(os, "uname") else False


def findprogram(*candidates: str) -> str | None:
    """Return the path of the first program that is there."""
    found: Iterator[str | None] = (shutil.which(name) for name in candidates)
    return next((path for path in found if path), None)


def load(_: Toolbox) -> dict[str, Any]:
    """Return what `paths.lua` builds on."""
    return {
        "filep": filep,
        "dirp": dirp,
        "concat": concat,
        "basename": basename,
        "dirname": dirname,
        "extname": extname,
        "cwd": cwd,
        "mkdir": mkdir,
        "rmdir": rmdir,
        "rmall": rmall,
        "names": names,
        "tmpname": tmpname,
        "user_home": home,
        "is_win": is_win,
        "is_mac": is_mac,
        "findprogram": findprogram,
    }
