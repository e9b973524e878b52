"""torch.PipeFile: what another program prints, or reads.

Source: torch7 PipeFile.c, lib/TH/THDiskFile.c, doc/pipefile.md.
"""

from __future__ import annotations

import subprocess
from typing import ClassVar, Self

from rekindle.core.checkpoint.source import Buffer

from .classes import FileClasses
from .disk_file import DiskFile
from .file import File
from .state import check_mode


class PipeFile(DiskFile):
    """The output of a shell command, for mode "r", or its input, for "w".

    Parameters
    ----------
    command : str
    mode : {"r", "w"}
    quiet : bool
        Whether errors only set a flag.
    classes : FileClasses, optional

    Raises
    ------
    BadArgument
        For another mode.

    Notes
    -----
    A command that does not exist is the shell's failure: there is nothing to read.
    `readObject` waits for the command to end.
    """

    t7_typename: ClassVar[str] = "torch.PipeFile"

    def __init__(
        self,
        command: str,
        mode: str = "r",
        quiet: bool = False,
        *,
        classes: FileClasses | None = None,
    ) -> None:
        check_mode(mode, ("r", "w"), "file mode should be 'r','w'", f"{self.source}:764")
        File.__init__(self, mode == "r", mode == "w", quiet, classes)
        self._name = command
        self._buffered = True
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command,
            shell=True,
            stdout=pipe if self._readable else None,
            stdin=pipe if self._writable else None,
        )
        self._handle = self._process.stdout if self._readable else self._process.stdin
        self._ahead = b""
        self._taken = 0

    def _fill(self, count: int) -> None:
        """Read on, until `count` bytes are there or the command has closed its end."""
        while count < 0 or len(self._ahead) - self._taken < count:
            wanted = -1 if count < 0 else count - (len(self._ahead) - self._taken)
            piece = self._stream.read(wanted)
            if self._taken > 1 << 16:
                self._ahead, self._taken = self._ahead[self._taken :], 0
            self._ahead += piece
            if not piece:
                return

    def _read(self, count: int = -1) -> bytes:
        raw = self._peek(count)
        self._taken += len(raw)
        return raw

    def _peek(self, count: int) -> bytes:
        self._fill(count)
        stop = len(self._ahead) if count < 0 else self._taken + count
        return self._ahead[self._taken : stop]

    def _position(self) -> int:
        return self._taken

    def _move(self, position: int) -> None:
        self._taken = position

    def _contents(self) -> Buffer:
        self._fill(-1)
        return self._ahead

    def position(self) -> int:
        """Refuse: a pipe has no position.

        Raises
        ------
        TorchError
            Unless the file is quiet: then 1 is returned.
        """
        self._check_open("position")
        self._failed(
            "unable to obtain disk file offset (maybe a long overflow occurred)", "position"
        )
        return 1

    def close(self) -> Self:
        """Close the pipe and wait for the command to end."""
        super().close()
        self._process.wait()
        return self

    def __repr__(self) -> str:
        state = f"[status: {self._state()} -- mode: {self._mode()}]"
        return f"{self.t7_typename} on <{self._name}> {state}"
