"""A file of the program, as the modern pass takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import ast
from ..scope import FileScope


@dataclass(slots=True)
class File:
    """A parsed file."""

    path: str
    block: ast.Block
    scopes: FileScope

    exported: Any = None
    """What the file returns, if that is one value at its end."""

    def __post_init__(self) -> None:
        last = self.block.statements[-1] if self.block.statements else None
        only = last.values if isinstance(last, ast.Return) else []
        self.exported = only[0] if len(only) == 1 else None
