"""Calls of library functions that may give several values, where one value is wanted."""

from __future__ import annotations

from .. import ast
from ..code import ATOM, OR, Code, comparison, negation
from ..kinds import STRING, Type
from ..lower.context import Context
from ..syntax import dotted, may_be_several
from .libraries import is_librarys


def first_result(c: Context, node: ast.Call | ast.MethodCall) -> Code | None:
    """Return a call's first value, None for calls of which nothing special is known."""
    from ..lower.calls import all_results

    if not isinstance(node, ast.Call) or not is_librarys(c, node):
        return None
    name = dotted(node.function)
    if name == "torch.typename":
        return Code(f"{all_results(c, node).at(OR)} or None", OR)
    if name in ("pcall", "xpcall"):
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
    found = _looked_for(c, node)
    if found is not None:
        return comparison(found, "is not", Code("None"))
    return _typename(c, node)


def is_missing(c: Context, node: ast.Expression) -> Code | None:
    """Return whether a call gives nothing, None where its first value tells."""
    found = _looked_for(c, node)
    if found is not None:
        return comparison(found, "is", Code("None"))
    named = _typename(c, node)
    return None if named is None else negation(named)


def to_compare(c: Context, node: ast.Expression, other: Type) -> Code:
    """Return a value that is compared with another of a type: no results equal no text, either."""
    named = _typename(c, node) if other == STRING else None
    return c.expression(node) if named is None else named


def _looked_for(c: Context, node: ast.Expression) -> Code | None:
    """Return all results of `string.find`, which are None where nothing was found."""
    from ..lower.calls import all_results

    match node:
        case ast.MethodCall(object=text, method="find") if c.type_of(text) == STRING:
            return all_results(c, node)
        case ast.Call(function=function) if dotted(function) == "string.find":
            return all_results(c, node) if is_librarys(c, node) else None
    return None


def _typename(c: Context, node: ast.Expression) -> Code | None:
    """Return all results of `torch.typename`: a name or none."""
    from ..lower.calls import all_results

    if not isinstance(node, ast.Call) or dotted(node.function) != "torch.typename":
        return None
    return all_results(c, node) if is_librarys(c, node) else None
