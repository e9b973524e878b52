"""Comments and blank lines, where they stood."""

from __future__ import annotations

from collections.abc import Iterable

from .. import ast
from .context import Context

_WIDTH = 100
"""What a line may have; the comment behind a longer one stands above it, lest it be broken."""


def comment_lines(comment: ast.Comment) -> list[str]:
    """Return a comment as lines of Python."""
    text = comment.text.encode("latin-1").decode("utf-8", "replace").expandtabs(4)
    if not comment.block:
        text = text.rstrip()
        rule = text.lstrip("-")
        if not rule and text:
            return ["# " + "-" * len(text)]
        if text.startswith("-"):
            text = text[: len(text) - len(rule)] + rule
        return ["#" if not text else f"#{text}" if text[0] == " " else f"# {text}"]
    lines = [line.strip() for line in text.strip("\n").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return [f"# {line}" if line else "#" for line in lines]


def put_comments(c: Context, comments: Iterable[ast.Comment]) -> None:
    """Write comments on lines of their own."""
    for comment in comments:
        for line in comment_lines(comment):
            c.put(_clean(line))


def _clean(line: str) -> str:
    return "".join(ch if ch.isprintable() else " " for ch in line).rstrip()


def put_before(c: Context, node: ast.Statement) -> None:
    """Write the empty line and the comments before a statement."""
    if node.blank_before:
        c.put()
    put_comments(c, node.before)


def put_after(c: Context, node: ast.Statement, first_line: int) -> None:
    """Write the comment behind a statement: on its line where it is one, else before it."""
    if node.after is None:
        return
    lines = [_clean(line) for line in comment_lines(node.after)]
    if not lines:
        return
    only = len(c.lines) == first_line + 1 and len(lines) == 1 and bool(c.lines[-1].strip())
    short = only and len(c.lines[-1]) <= _WIDTH - 2 - len(lines[0])
    if only and (short or c.lines[-1].strip() in ("else:", "try:")):
        c.lines[-1] += "  " + lines[0]
        return
    indent = "    " * c.depth
    c.lines[first_line:first_line] = [indent + line for line in lines]


def put_trailing(c: Context, block: ast.Block) -> None:
    """Write the comments at the end of a block."""
    put_comments(c, block.trailing)
