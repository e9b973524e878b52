"""Expressions that must not be nil: where they stand, nil is an error in both languages.

What is indexed, called, counted with or compared by size is something, or the program ends there;
a length that is counted with is a number, so what has it is a table or text.
"""

from __future__ import annotations

from . import ast
from .walk import walk


def demanded(block: ast.Block, catches: bool) -> set[int]:
    """Return the expressions of a file, by their ids, that must be something.

    Those that are called are not among them: a function that is read from an object is another
    thing in Python.

    Parameters
    ----------
    block : ast.Block
    catches : bool
        Whether the program goes on after errors. Then they have to come at the same place: before
        what else is called; and lengths of tensors have to be errors where they are counted with.
    """
    found: set[int] = set()

    def note(node: ast.Expression, *later: ast.Expression) -> None:
        if catches and any(map(calls_something, later)):
            return
        while isinstance(node, ast.Paren):
            found.add(id(node))
            node = node.inner
        if not (catches and isinstance(node, ast.Unary) and node.operator == "#"):
            found.add(id(node))

    for node in walk(block):
        match node:
            case ast.Index(table=table, key=key):
                note(table, key)
            case ast.MethodCall(object=owner):
                note(owner)
            case ast.Binary(operator=operator, left=left, right=right):
                if operator not in ("and", "or", "==", "~="):
                    note(left, right)
                    note(right)
            case ast.Unary(operator="-" | "#", operand=operand):
                note(operand)
            case ast.NumericFor(start=start, stop=stop, step=step):
                bounds = [start, stop, *([] if step is None else [step])]
                for i, bound in enumerate(bounds):
                    note(bound, *bounds[i + 1 :])
    return found


def calls_something(node: ast.Expression) -> bool:
    """Whether an expression calls a function on its way."""
    return any(isinstance(part, (ast.Call, ast.MethodCall)) for part in walk(node))
