"""What containers hold: a layer or model each, and the list of them as arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import ast
from .nodes import Part

Child = tuple[Any, ast.Statement | None]
"""What is added, and the statement that adds it if there is one of its own."""


@dataclass(slots=True)
class Item:
    """What is added, in terms of core.

    Attributes
    ----------
    parts : list of Part
    has_parameters : bool
        It has parameters of core's default type.
    statement : Statement or None
        The statement that adds it.
    """

    parts: list[Part]
    has_parameters: bool = False
    statement: ast.Statement | None = None


def listed(items: list[Item], long: bool) -> list[Part]:
    """Return items between commas, with the comments of the statements that add them."""
    parts: list[Part] = []
    for position, item in enumerate(items):
        statement = item.statement
        if statement is not None and (statement.before or statement.after):
            parts += [_comments(statement.before), *item.parts, ","]
            after = [statement.after] if statement.after else []
            parts.append("  " + _comments(after).lstrip() if after else "\n")
            continue
        parts += [*item.parts, ", " if long or position < len(items) - 1 else ""]
    return parts


def _comments(comments: list[ast.Comment]) -> str:
    from ..lower.comments import comment_lines

    lines = [line for comment in comments for line in comment_lines(comment)]
    return "\n" + "".join(f"{line}\n" for line in lines) if lines else ""
