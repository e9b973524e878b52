"""Loops and branches, with the blocks in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ast
from ..syntax import blocks_of
from .fields import presence

if TYPE_CHECKING:
    from .rewrite import Rewriter

LOOPS = (ast.While, ast.Repeat, ast.NumericFor, ast.GenericFor)


def compound(r: Rewriter, node: ast.Statement) -> None:
    """Rewrite a statement that holds blocks, in place."""
    match node:
        case ast.While():
            node.condition = r.expression(node.condition)
        case ast.Repeat():
            r.loops += 1
            r.visible.append({})
            node.body.statements = r.statements(node.body.statements)
            node.condition = r.expression(node.condition)
            r.visible.pop()
            r.loops -= 1
            return
        case ast.If():
            node.branches = [(presence(r, t) or r.expression(t), b) for t, b in node.branches]
        case ast.NumericFor():
            node.start, node.stop = r.expression(node.start), r.expression(node.stop)
            node.step = None if node.step is None else r.expression(node.step)
        case ast.GenericFor():
            node.values = [r.expression(v) for v in node.values]
    is_loop = isinstance(node, LOOPS)
    r.loops += is_loop
    names: list[ast.Name] = []
    if isinstance(node, ast.NumericFor):
        names = [node.name]
    elif isinstance(node, ast.GenericFor):
        names = node.names
    for block in blocks_of(node):
        r.block(block, names)
    r.loops -= is_loop
