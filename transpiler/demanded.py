"""Expressions that must not be nil: where they stand, nil is an error in both languages.

What is indexed, called, counted with or compared by size is something, or the program ends there;
a length that is counted with is a number, so what has it is a table or text.
"""

from __future__ import annotations

from . import ast


def demanded(block: ast.Block) -> set[int]:
    """Return the expressions of a file, by their ids, that must be something.

    Those that are called are not among them: a function that is read from an object is another
    thing in Python.
    """
    found: set[int] = set()
    stack: list[object] = [block]
    while stack:
        node = stack.pop()
        match node:
            case ast.Index(table=table):
                _note(found, table)
            case ast.MethodCall(object=owner):
                _note(found, owner)
            case ast.Binary(operator=operator, left=left, right=right):
                if operator not in ("and", "or", "==", "~="):
                    _note(found, left)
                    _note(found, right)
            case ast.Unary(operator="-" | "#", operand=operand):
                _note(found, operand)
            case ast.NumericFor(start=start, stop=stop, step=step):
                for bound in (start, stop, step):
                    if bound is not None:
                        _note(found, bound)
        stack += _parts(node)
    return found


def _note(found: set[int], node: ast.Expression) -> None:
    found.add(id(node))
    while isinstance(node, ast.Paren):
        node = node.inner
        found.add(id(node))


def _parts(node: object) -> list[object]:
    """Return what a node consists of."""
    if isinstance(node, (list, tuple)):
        return list(node)
    if not isinstance(node, (ast.Node, ast.Block)):
        return []
    names = [name for cls in type(node).__mro__ for name in getattr(cls, "__slots__", ())]
    return [getattr(node, name) for name in names]
