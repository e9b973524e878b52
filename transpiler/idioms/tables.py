"""Short forms of assignments."""

from __future__ import annotations

from .. import ast
from ..code import ATOM
from ..kinds import is_exact, is_nonzero
from ..lower.context import Context


def appended(c: Context, target: ast.Index, value: ast.Expression) -> bool:
    """Write `t[#t + 1] = v` as an append, if it is one; return whether it was."""
    key = target.key
    if not (
        isinstance(key, ast.Binary)
        and key.operator == "+"
        and isinstance(key.right, ast.Number)
        and key.right.value == 1
        and isinstance(key.left, ast.Unary)
        and key.left.operator == "#"
        and same_place(key.left.operand, target.table)
    ):
        return False
    table, text = c.expression(target.table), c.expression(value)
    kind = c.type_of(target.table)
    if kind.kind in ("table", "list") and not c.types.is_from_elsewhere(target.table):
        c.put(f"{table.at(ATOM)}.append({text})")
    else:
        c.put(str(c.lua("append", table, text)))
    return True


def same_place(a: ast.Expression, b: ast.Expression) -> bool:
    """Whether two expressions are the same variable, or the same field of one."""
    if isinstance(a, ast.Name) and isinstance(b, ast.Name):
        return a.name == b.name and a.variable is b.variable
    if isinstance(a, ast.String) and isinstance(b, ast.String):
        return a.value == b.value
    if isinstance(a, ast.Number) and isinstance(b, ast.Number):
        return a.value == b.value
    if isinstance(a, ast.Index) and isinstance(b, ast.Index):
        return same_place(a.table, b.table) and same_place(a.key, b.key)
    return False


def augmented(
    c: Context, target: ast.Name | ast.Index, value: ast.Expression, place: str
) -> str | None:
    """Return `x += y` for `x = x + y` of numbers."""
    if not (isinstance(value, ast.Binary) and value.operator in ("+", "-", "*", "/")):
        return None
    if not same_place(target, value.left):
        return None
    left, right = c.type_of(value.left), c.type_of(value.right)
    if not (left.is_number and right.is_number):
        return None
    if value.operator == "*" and not is_exact(left, right):
        return None
    if value.operator == "/" and not is_nonzero(value.right):
        return None
    return f"{place} {value.operator}= {c.expression(value.right)}"
