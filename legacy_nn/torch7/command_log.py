"""The log of a program: what `print` writes goes to a file as well.

Source: torch7 CmdLine.lua, log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..lualib import io, os, pairs, tostring
from .errors import TorchError

if TYPE_CHECKING:
    from .cmdline import CmdLine


class LoggingPrint:
    """What takes the place of `print`.

    Attributes
    ----------
    original : callable
        The program's first `print`; a second log takes the place of the first one.
    """

    def __init__(self, owner: CmdLine, file: Any, own: bool, original: Any) -> None:
        self.original = original
        self._owner = owner
        self._file = file
        self._own = own

    def __del__(self) -> None:
        if self._own:
            self._file.close()

    def __call__(self, *values: Any) -> None:
        if not self._owner.silentio:
            self.original(*values)
        words = [tostring(value) for value in values]
        if self._owner.dateformat is not None:
            words.insert(0, os.date(self._owner.dateformat))
        self._file.write(" ".join([*words, "\n"]))
        self._file.flush()


def start_log(owner: CmdLine, file: Any, params: Any) -> None:
    """Replace `print` in the environment of `owner`; see CmdLine.log.

    Raises
    ------
    TorchError
        If the file cannot be opened.
    """
    own = io.type(file) != "file"
    if own:
        opened = io.open(file, "w")
        if isinstance(opened, tuple):
            raise TorchError(f"the log cannot be written: {opened[1]}")
        file = opened
    current = owner.environment["print"]
    printing = LoggingPrint(owner, file, own, getattr(current, "original", current))
    owner.environment["print"] = printing
    printing(f"[program started on {os.date()}]")
    printing("[command line arguments]")
    if params is not None:
        for key, value in pairs(params):
            printing(key, value)
    printing("[----------------------]")
