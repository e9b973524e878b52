"""What is wrong with a checkpoint, and where."""

from __future__ import annotations

from ..errors import RekindleError


class T7Error(RekindleError, ValueError):
    """A checkpoint that cannot be read, or an object that cannot be written.

    Parameters
    ----------
    problem : str
        What was expected and what was found.
    offset : int, optional
        Where in the file, in bytes from its start.
    hint : str, optional
        What to do about it.

    Attributes
    ----------
    file : str or None
        Name of the file; filled in by `load` and `save`.
    path : str or None
        The object, as Lua would write it: `modules[3].weight`.
    """

    def __init__(self, problem: str, *, offset: int | None = None, hint: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.offset = offset
        self.hint = hint
        self.file: str | None = None
        self.path: str | None = None

    def __str__(self) -> str:
        place = []
        if self.offset is not None:
            place.append(f"at byte {self.offset}")
        if self.path:
            place.append(f"in {self.path}")
        where = f" ({', '.join(place)})" if place else ""
        start = f"{self.file}: " if self.file else ""
        end = f". {self.hint}" if self.hint else ""
        return f"{start}{self.problem}{where}{end}"


class RekindleWarning(UserWarning):
    """Something that a user should look at, though work went on."""
