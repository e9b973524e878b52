"""What Torch7's library raises."""

from __future__ import annotations

from rekindle.core.errors import RekindleError


class TorchError(RekindleError, ValueError):
    """An error of Torch7's tensor library, in Torch7's words."""


class BadArgument(TorchError):
    """An argument that a function written in C does not take.

    Parameters
    ----------
    position : int
        Which argument, from 1; a method's own tensor counts as the first.
    reason : str

    Attributes
    ----------
    name : str
        What was called.
    method : bool
        Whether it was called as a method: LuaJIT then does not count the tensor itself.
    """

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(position, reason)
        self.position = position
        self.reason = reason
        self.name = "?"
        self.method = False

    def __str__(self) -> str:
        if not self.method:
            return f"bad argument #{self.position} to '{self.name}' ({self.reason})"
        if self.position == 1:
            return f"calling '{self.name}' on bad self ({self.reason})"
        return f"bad argument #{self.position - 1} to '{self.name}' ({self.reason})"
