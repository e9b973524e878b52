"""A file as the translation starts from it: parsed, without what no Python could say.

In Lua `torch.setmetatable(x, name)` makes the table itself an object of the class. No table of
Python becomes one, so the object takes the variable's place: `x = torch.setmetatable(x, name)`.
"""

from __future__ import annotations

from . import ast
from .parse import parse
from .syntax import dotted
from .walk import walk

_SETS_METATABLES = b"setmetatable"


def read(source: bytes, name: str = "?") -> ast.Block:
    """Return the statements of a Lua file, whose names have no variables yet.

    Parameters
    ----------
    source : bytes
    name : str
        What messages call the file.

    Raises
    ------
    LuaSyntaxError
        If it is not Lua.
    """
    block = parse(source, name)
    if _SETS_METATABLES in source:
        for part in walk(block):
            if isinstance(part, ast.Block):
                part.statements = [_with_object(s) for s in part.statements]
    return block


def _with_object(statement: ast.Statement) -> ast.Statement:
    if not isinstance(statement, ast.CallStatement) or not isinstance(statement.call, ast.Call):
        return statement
    call = statement.call
    first = call.arguments[0] if call.arguments else None
    if dotted(call.function) != "torch.setmetatable" or not isinstance(first, ast.Name):
        return statement
    return ast.Assign(
        statement.line,
        statement.column,
        [ast.Name(first.line, first.column, first.name)],
        [call],
        before=statement.before,
        blank_before=statement.blank_before,
        after=statement.after,
    )
