"""Calls of library functions that may give several values, where one value is wanted."""

from __future__ import annotations

from .. import ast
from ..code import ATOM, NOT, OR, Code, comparison, negation
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
    if name in ("pcall", "xpcall"):
        from ..lower.calls import all_results

        return Code(f"{all_results(c, node).at(ATOM)}[0]")
    return _asserted(c, node) if name == "assert" else None


def _asserted(c: Context, node: ast.Call) -> Code | None:
    """Return `assert(f())` and `assert(x, message)` as the value that they let through."""
    from ..lower.calls import all_results

    if len(node.arguments) not in (1, 2):
        return None
    given, *message = node.arguments
    results = c.types.results(given)
    if results == []:
        return None
    several = may_be_several(given) and (results is None or len(results) > 1)
    value = all_results(c, given) if several else c.expression(given)
    return c.lua("asserted", value, *map(c.expression, message))


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
