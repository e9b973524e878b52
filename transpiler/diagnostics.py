"""What is said about a translation: places that need a person, by stable codes."""

from __future__ import annotations

from dataclasses import dataclass

CODES = {
    "RK101": "this is not Lua",
    "RK103": "a file that is compiled while the program runs",
    "RK104": "the environment of a function is changed",
    "RK105": "LuaJIT's C interface",
    "RK106": "a package that is not here",
    "RK107": "the file is nested too deeply",
    "RK108": "the debug library",
}
"""What each code is about."""

HINTS = {
    "RK101": "correct the file, or leave it out",
    "RK103": "translate the source that is compiled, or run the file with rekindle.lua.Runtime",
    "RK104": "pass the values as a table",
    "RK105": "replace the C function by a Python one",
    "RK106": "put its Lua files beside the program and translate them too, or write it in Python",
    "RK107": "split the expression or function",
    "RK108": "use Python's inspect or traceback",
}
"""What a person can do about each."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something that was not translated, or only in part.

    Attributes
    ----------
    code : str
        One of CODES.
    message : str
    file : str
    line, column : int
    """

    code: str
    message: str
    file: str
    line: int
    column: int

    @property
    def hint(self) -> str:
        """What to do about it."""
        return HINTS[self.code]

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.code} {self.message}"


@dataclass(frozen=True, slots=True)
class RuntimeUse:
    """A place where Lua's meaning is kept by a function of the runtime.

    Attributes
    ----------
    line : int
    function : str
        "index", "call", ...
    reason : str
    """

    line: int
    function: str
    reason: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that the modern style leaves as the faithful one has it.

    Attributes
    ----------
    line : int
    what : str
        Variables, or a class.
    reason : str
    """

    line: int
    what: str
    reason: str
