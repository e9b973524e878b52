"""Statements under `with no_grad()`: the passes that train nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ast
from .nodes import NO_GRAD, Suite, at

if TYPE_CHECKING:
    from .rewrite import Rewriter


def guard(r: Rewriter, node: ast.Statement) -> list[ast.Statement]:
    """Put a statement that runs a model without training it into `with no_grad()`."""
    r.may_guard = False
    if not r.guarded:
        return [node]
    r.guarded = False
    header = at(node, "with no_grad()", imports=[NO_GRAD])
    suite = Suite(node.line, node.column, header, ast.Block([node]))
    suite.before, node.before = node.before, []
    suite.blank_before, node.blank_before = node.blank_before, False
    return [suite]


def merged(found: list[ast.Statement]) -> list[ast.Statement]:
    """Return statements with neighbours under one `with`."""
    out: list[ast.Statement] = []
    for statement in found:
        last = out[-1] if out else None
        if (
            isinstance(statement, Suite)
            and isinstance(last, Suite)
            and not statement.names
            and not last.names
            and statement.header.parts == last.header.parts
            and not statement.blank_before
        ):
            first = statement.body.statements[0]
            first.before = statement.before
            last.body.statements += statement.body.statements
        else:
            out.append(statement)
    return out
