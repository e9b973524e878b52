"""What a torch.File is set to, and the checks and errors that depend on it.

Source: torch7 lib/TH/THFile.c, THDiskFile.c, THMemoryFile.c.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Self

from ..errors import BadArgument, TorchError
from .errors import bad_argument


class FileState(ABC):
    """The flags of a file.

    Parameters
    ----------
    readable, writable : bool
    quiet : bool
        Whether errors only set the flag that `hasError` returns.
    """

    source: ClassVar[str]
    """Torch's C file, for error messages."""
    lines: ClassVar[dict[str, tuple[int, int, int]]]
    """Where it checks, for each method, that the file is open, that the mode allows it, and
    that it worked."""

    def __init__(self, readable: bool, writable: bool, quiet: bool) -> None:
        self._readable = readable
        self._writable = writable
        self._quiet = quiet
        self._binary = False
        self._spacing = True
        self._error = False
        self._big_endian = False
        self._long_size = 8

    @abstractmethod
    def isOpened(self) -> bool:
        """Whether the file was not closed yet."""

    # -- errors -------------------------------------------------------------------------

    def _place(self, method: str, check: int) -> str:
        return f"{self.source}:{self.lines[method][check]}"

    def _check_open(self, method: str) -> None:
        if not self.isOpened():
            raise bad_argument(
                1, f"attempt to use a closed file at {self._place(method, 0)}", method
            )

    def _check_readable(self, method: str) -> None:
        self._check_open(method)
        if not self._readable:
            reason = f"attempt to read in a write-only file at {self._place(method, 1)}"
            raise bad_argument(1, reason, method)

    def _check_writable(self, method: str) -> None:
        self._check_open(method)
        if not self._writable:
            reason = f"attempt to write in a read-only file at {self._place(method, 1)}"
            raise bad_argument(1, reason, method)

    def _failed(self, problem: str, method: str, cause: Exception | None = None) -> None:
        """Raise the flag, and, unless the file is quiet, an error."""
        self._error = True
        if not self._quiet:
            raise TorchError(f"{problem} at {self._place(method, 2)}") from cause

    # -- flags --------------------------------------------------------------------------

    def binary(self) -> Self:
        """Read and write numbers as a computer's memory holds them."""
        self._binary = True
        return self

    def ascii(self) -> Self:
        """Read and write numbers as text: the default."""
        self._binary = False
        return self

    def autoSpacing(self) -> Self:
        """Separate numbers as text, and end lines: the default."""
        self._spacing = True
        return self

    def noAutoSpacing(self) -> Self:
        """Put nothing between numbers as text."""
        self._spacing = False
        return self

    def quiet(self) -> Self:
        """Only set a flag after an error."""
        self._quiet = True
        return self

    def pedantic(self) -> Self:
        """Raise errors: the default."""
        self._quiet = False
        return self

    def clearError(self) -> Self:
        """Forget that there was an error."""
        self._error = False
        return self

    def hasError(self) -> bool:
        """Whether there was an error since the last `clearError`."""
        return self._error

    def isQuiet(self) -> bool:
        """Whether errors only set a flag."""
        return self._quiet

    def isReadable(self) -> bool:
        """Whether the mode allows reading."""
        return self._readable

    def isWritable(self) -> bool:
        """Whether the mode allows writing."""
        return self._writable

    def isBinary(self) -> bool:
        """Whether numbers are not text."""
        return self._binary

    def isAutoSpacing(self) -> bool:
        """Whether numbers as text are separated."""
        return self._spacing

    def _state(self) -> str:
        return "open" if self.isOpened() else "closed"

    def _mode(self) -> str:
        return ("r" if self._readable else " ") + ("w" if self._writable else " ")


def check_mode(mode: str, allowed: tuple[str, ...], reason: str, place: str) -> None:
    """Check a mode, the second argument of a constructor.

    Raises
    ------
    BadArgument
        If it is not one of those allowed.
    """
    if mode not in allowed:
        raise BadArgument(2, f"{reason} at {place}")
