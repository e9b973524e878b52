"""The package lfs: files and folders. Source: the manual of LuaFileSystem."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Any

from rekindle.core.checkpoint import Table

from ..adapt import as_lua_calls
from ..toolbox import Toolbox

KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "directory"),
    (stat.S_ISLNK, "link"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISFIFO, "named pipe"),
    (stat.S_ISCHR, "char device"),
    (stat.S_ISBLK, "block device"),
)


def _failed(error: OSError, path: str) -> Any:
    return None, f"{path}: {error.strerror}", error.errno


def _tried(function: Callable[..., Any], path: str, *args: Any) -> Any:
    """Return true, or what Lua's functions return where a file cannot be had."""
    try:
        function(path, *args)
    except OSError as error:
        return _failed(error, path)
    return True


def _described(path: str, wanted: Any, found: Callable[[str], os.stat_result]) -> Any:
    try:
        info = found(path)
    except OSError as error:
        message = f"cannot obtain information from file '{path}': {error.strerror}"
        return None, message, error.errno
    fields = {
        "mode": next((name for test, name in KINDS if test(info.st_mode)), "other"),
        "dev": info.st_dev,
        "ino": info.st_ino,
        "nlink": info.st_nlink,
        "uid": info.st_uid,
        "gid": info.st_gid,
        "rdev": getattr(info, "st_rdev", 0),
        "access": int(info.st_atime),
        "modification": int(info.st_mtime),
        "change": int(info.st_ctime),
        "size": info.st_size,
        "permissions": stat.filemode(info.st_mode)[1:],
        "blocks": getattr(info, "st_blocks", 0),
        "blksize": getattr(info, "st_blksize", 0),
    }
    if isinstance(wanted, Table):
        wanted.update(fields)
        return wanted
    if wanted is None:
        return Table(fields)
    if wanted not in fields:
        raise ValueError(f"invalid attribute name '{wanted}'")
    return fields[wanted]


def attributes(path: str, wanted: Any = None) -> Any:
    """Return a table of what is known of a file, or one entry of it."""
    return _described(path, wanted, os.stat)


def symlinkattributes(path: str, wanted: Any = None) -> Any:
    """Return what `attributes` does, of a link itself."""
    if wanted == "target":
        return os.readlink(path)
    return _described(path, wanted, os.lstat)


def names(path: str) -> Table:
    """Return the names in a folder, `.` and `..` first."""
    try:
        return Table([".", "..", *os.listdir(path)])
    except OSError as error:
        raise ValueError(f"cannot open {path}: {error.strerror}") from error


def touch(path: str, access: float | None = None, modification: float | None = None) -> Any:
    """Set the times of a file: now, unless they are given."""
    if access is None:
        return _tried(os.utime, path)
    return _tried(os.utime, path, (access, access if modification is None else modification))


def link(old: str, new: str, symbolic: Any = None) -> Any:
    """Make another name for a file."""
    return _tried(os.symlink if symbolic else os.link, old, new)


def load(tools: Toolbox) -> Any:
    """Return the functions that `lfs.lua` completes."""
    functions: dict[str, Callable[..., Any]] = {
        "attributes": attributes,
        "symlinkattributes": symlinkattributes,
        "names": names,
        "currentdir": lambda: os.getcwd(),
        "chdir": lambda path: _tried(os.chdir, path),
        "mkdir": lambda path: _tried(os.mkdir, path),
        "rmdir": lambda path: _tried(os.rmdir, path),
        "touch": touch,
        "link": link,
    }
    return tools.table({name: as_lua_calls(function) for name, function in functions.items()})
