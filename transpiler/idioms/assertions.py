"""`assert(condition, message)` as a statement: a condition that is not held is an error."""

from __future__ import annotations

from .. import ast
from ..code import Code, negation
from ..lower.context import Context
from ..syntax import dotted
from ..walk import plain, walk
from .libraries import is_librarys

_OPPOSITES = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def put_assertion(c: Context, node: ast.Call | ast.MethodCall) -> bool:
    """Write `if not condition: error(message)`; return whether it can be written so.

    It can where the condition is one, and where it makes no difference that the message is put
    together only when it is needed.
    """
    if not isinstance(node, ast.Call) or len(node.arguments) != 2 or not is_librarys(c, node):
        return False
    if dotted(node.function) != "assert" or not _has_error(c):
        return False
    condition, message = node.arguments
    if c.type_of(condition).kind != "boolean" or not _is_text_alone(message):
        return False
    text = str(c.expression(message))
    if not text.startswith(('"', 'f"')):
        return False
    c.put(f"if {_fails(c, plain(condition))}:")
    with c.indented():
        c.put(f"{c.use('error')}({text})")
    return True


def _has_error(c: Context) -> bool:
    """Whether `error` is Lua's, and no variable of the file has its name."""
    other = c.module.is_own_global("error") or c.module.is_shared_global("error")
    return not other and not c.names.has("error")


def _is_text_alone(node: ast.Expression) -> bool:
    """Whether text is put together of what other text and variables hold."""
    for part in walk(node):
        match part:
            case ast.String() | ast.Number() | ast.Name() | ast.Index() | ast.Paren():
                pass
            case ast.Binary(operator=".."):
                pass
            case ast.Call(function=function):
                if dotted(function) not in ("string.format", "tostring"):
                    return False
            case _:
                return False
    return True


def _fails(c: Context, condition: ast.Expression) -> Code:
    from ..lower.operators import binary, test

    if isinstance(condition, ast.Binary) and condition.operator in _OPPOSITES:
        kinds = [c.type_of(side) for side in (condition.left, condition.right)]
        if all(kind.kind == "integer" and not kind.optional for kind in kinds):  # never nan
            opposite = _OPPOSITES[condition.operator]
            return binary(
                c,
                ast.Binary(
                    condition.line, condition.column, opposite, condition.left, condition.right
                ),
            )
    if isinstance(condition, ast.Unary) and condition.operator == "not":
        return test(c, condition.operand)
    if isinstance(condition, ast.Binary) and condition.operator in ("==", "~="):
        return test(c, ast.Unary(condition.line, condition.column, "not", condition))
    return negation(test(c, condition))
