"""Calls of library functions that may give several values, where one value is wanted."""

from __future__ import annotations

from .. import ast
from ..code import NOT, OR, Code, comparison, negation
from ..kinds import STRING
from ..lower.context import Context
from ..syntax import dotted, may_be_several
from .libraries import is_librarys


def first_result(c: Context, node: ast.Call | ast.MethodCall) -> Code | None:
    """Return a call's first value, None for calls of which nothing special is known."""
    if not isinstance(node, ast.Call) or not is_librarys(c, node):
        return None
    name = dotted(node.function)
    if name == "torch.typename":
        from ..lower.calls import all_results

        return Code(f"{all_results(c, node).at(OR)} or None", OR)
    return _asserted(c, node) if name == "assert" else None


def _asserted(c: Context, node: ast.Call) -> Code | None:
    """Return `assert(f())` and `assert(x, message)` as the value that they let through."""
    from ..lower.calls import all_results

    if len(node.arguments) == 1 and may_be_several(node.arguments[0]):
        results = c.types.results(node.arguments[0])
        if results is None or len(results) > 1:
            return c.lua("asserted", all_results(c, node.arguments[0]))
        return None if not results else c.lua("asserted", c.expression(node.arguments[0]))
    if len(node.arguments) not in (1, 2):
        return None
    return c.lua("asserted", *(c.expression(a) for a in node.arguments))


def is_there(c: Context, node: ast.Expression) -> Code | None:
    """Return whether a call gives anything, None where its first value tells."""
    from ..lower.calls import all_results

    if isinstance(node, ast.Call) and is_librarys(c, node):
        name = dotted(node.function)
        if name == "torch.typename":
            return all_results(c, node)
        if name == "string.find":
            return comparison(all_results(c, node), "is not", Code("None"))
    if (
        isinstance(node, ast.MethodCall)
        and node.method == "find"
        and c.type_of(node.object) == STRING
    ):
        return comparison(all_results(c, node), "is not", Code("None"))
    return None


def is_missing(c: Context, node: ast.Expression) -> Code | None:
    """Return whether a call gives nothing, None where its first value tells."""
    there = is_there(c, node)
    if there is None:
        return None
    found, mark, _ = there.text.rpartition(" is not None")
    return Code(f"{found} is None", there.binding) if mark else negation(Code(there.text, NOT))
