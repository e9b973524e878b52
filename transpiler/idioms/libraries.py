"""Calls of known functions that are written in another way."""

from __future__ import annotations

from collections.abc import Callable

from .. import ast
from ..call_results import made_object
from ..code import ATOM, Code, quoted
from ..diagnostics import RuntimeUse
from ..lower.context import Context
from ..lower.tables import plain_fields_of
from ..lower.values import arguments
from ..metatable_candidates import base_of
from ..syntax import dotted, may_be_several
from .formats import string_format


def is_librarys(c: Context, node: ast.Call) -> bool:
    """Whether a function's name means one of Lua's or Torch's, not one of the program's."""
    root = (dotted(node.function) or "").partition(".")[0]
    return bool(root) and not (c.module.is_own_global(root) or c.module.is_shared_global(root))


def _format(c: Context, node: ast.Call) -> Code | None:
    if not node.arguments or (len(node.arguments) == 1 and may_be_several(node.arguments[0])):
        return None
    return string_format(c, node.arguments[0], node.arguments[1:])


def _dofile(c: Context, node: ast.Call) -> Code:
    listed = ", ".join([*arguments(c, node.arguments), "here=__file__"])
    return Code(f"{c.use('dofile')}({listed})")


def _include(c: Context, node: ast.Call) -> Code:
    listed = ", ".join([*arguments(c, node.arguments[:1]), "here=__file__"])
    return Code(f"{c.use('include')}({listed})")


def _string_of(c: Context, node: ast.Call) -> Code | None:
    if len(node.arguments) != 1:
        return None
    kind = c.type_of(node.arguments[0])
    return c.expression(node.arguments[0]) if kind.kind == "string" and not kind.optional else None


def _require(c: Context, node: ast.Call) -> Code | None:
    if len(node.arguments) != 1 or not isinstance(node.arguments[0], ast.String):
        return None
    name = node.arguments[0].value
    if name == "ffi":
        c.diagnose("RK105", "LuaJIT's C interface is not translated", node)
    elif name in c.module.missing:
        c.diagnose("RK106", f"the package '{name}' is not here", node)
    target = c.module.project.import_name(name, c.module.path) or name
    return Code(f"{c.use('require')}({quoted(target)})")


def _insert(c: Context, node: ast.Call) -> Code | None:
    if len(node.arguments) != 2 or may_be_several(node.arguments[1]):
        return None
    kind = c.type_of(node.arguments[0])
    if kind.kind not in ("table", "list"):
        return None
    owner = c.expression(node.arguments[0]).at(ATOM)
    return Code(f"{owner}.append({c.expression(node.arguments[1])})")


def _concat(c: Context, node: ast.Call) -> Code | None:
    if not node.arguments or c.type_of(node.arguments[0]).kind != "list":
        return None
    parts = c.expression(node.arguments[0])
    separator = c.expression(node.arguments[1]).at(ATOM) if len(node.arguments) > 1 else '""'
    if c.type_of(node.arguments[0]).detail.kind == "string":
        return Code(f"{separator}.join({parts})")
    return Code(f"{separator}.join(map({c.use('tostring')}, {parts}))")


def _sort(c: Context, node: ast.Call) -> Code | None:
    if len(node.arguments) != 1 or c.type_of(node.arguments[0]).kind != "list":
        return None
    return Code(f"{c.expression(node.arguments[0]).at(ATOM)}.sort()")


def _setmetatable(c: Context, node: ast.Call) -> Code | None:
    made = made_object(c.types, node)
    if made is None:
        _tell_why(c, node)
        return None
    first = node.arguments[0]
    bare = base_of(node)
    cls = c.expression(node.arguments[1] if bare is None else bare).at(ATOM)
    filled = any("__init" in info.methods for info in made.detail.lineage())
    if isinstance(first, ast.TableConstructor) and not filled:
        fields = plain_fields_of(c, first)
        if fields is not None:
            return Code(f"{cls}({fields})")
    return Code(f"{c.use('setmetatable')}({c.expression(first)}, {cls})")


def _tell_why(c: Context, node: ast.Call) -> None:
    """Tell the report why a metatable is no class."""
    given = base_of(node) or (node.arguments[1] if len(node.arguments) == 2 else None)
    if not isinstance(given, ast.Name) or given.variable is None:
        return
    other = c.module.imported.get(given.variable)
    module = c.module if other is None else other
    variable = given.variable if other is None else other.exports
    if variable in module.no_classes:
        reason = f"{given.name} is no class: {module.no_classes[variable]}"
        c.uses.append(RuntimeUse(c.line, "setmetatable", reason))


SPECIAL_CALLS: dict[str, Callable[[Context, ast.Call], Code | None]] = {
    "string.format": _format,
    "dofile": _dofile,
    "paths.dofile": _dofile,
    "include": _include,
    "require": _require,
    "setmetatable": _setmetatable,
    "tostring": _string_of,
    "table.concat": _concat,
    "table.insert": _insert,
    "table.sort": _sort,
}
"""By the function's name in Lua; None leaves the call to the general way."""
