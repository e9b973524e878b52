"""Output files: whole or not at all, and none replaced unless that was asked for."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .group import Unusable


def check_output(target: str, *, force: bool) -> None:
    """Check, before any work, that `target` can become an output file.

    Raises
    ------
    Unusable
        If it is there already and `force` is not given, or its folder is not.
    """
    if target == "-":
        return
    path = Path(target)
    if path.is_dir():
        raise Unusable(f"{target} is a folder")
    if not path.parent.is_dir():
        raise Unusable(f"{target}: there is no folder {path.parent}")
    if not force and _is_regular(path):
        raise Unusable(f"{target} is there already; --force replaces it")


@contextmanager
def atomic_output(target: str) -> Iterator[str]:
    """Give a path to write to, which becomes `target` when all went well.

    The temporary file lies beside `target` and is renamed. For `-`, a pipe or a device it
    lies elsewhere and is copied.
    """
    path = Path(os.path.realpath(target))  # a link stays one
    stream = target == "-" or (path.exists() and not _is_regular(path))
    folder = None if stream else path.parent
    handle, temporary = tempfile.mkstemp(prefix=".rekindle-", suffix=".partial", dir=folder)
    os.close(handle)
    try:
        yield temporary
        if target == "-":
            with open(temporary, "rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.buffer.flush()
        elif stream:
            shutil.copyfile(temporary, path)
        else:
            os.chmod(temporary, _permissions(path))
            os.replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _permissions(path: Path) -> int:
    """Return those of the file that is replaced, or what `open` would give a new one."""
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
