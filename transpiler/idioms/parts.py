"""Parts of tensors: `x[{{1, n}, {}}]`, `x[i]`, `x:size(1)`."""

from __future__ import annotations

from .. import ast
from ..code import ATOM, Code
from ..kinds import Type
from ..lower.context import Context
from ..lower.tables import shifted


def part_of(c: Context, node: ast.Index) -> list[str] | None:
    """Return a key that is a table of places and ranges as Python arguments.

    A place is a number, a range is `(first, last)`, `()` is all; None for any other key.
    """
    key = node.key
    if c.type_of(node.table).kind == "tensor" and c.type_of(key).is_number:
        return [str(c.expression(key))]
    if not isinstance(key, ast.TableConstructor) or not key.fields:
        return None
    found = []
    for entry in key.fields:
        if entry.key is not None or entry.before or entry.after:
            return None
        value = entry.value
        if isinstance(value, ast.TableConstructor):
            if any(f.key is not None for f in value.fields) or len(value.fields) > 2:
                return None
            bounds = [str(c.expression(f.value)) for f in value.fields]
            found.append(f"({bounds[0]},)" if len(bounds) == 1 else f"({', '.join(bounds)})")
        elif isinstance(value, (ast.Call, ast.MethodCall, ast.Vararg, ast.Function)):
            return None
        else:
            found.append(str(c.expression(value)))
    return found


def python_part(c: Context, node: ast.Index) -> Code | None:
    """Return a part of a tensor as Python takes it, counted from 0: `x[:n]`, `x[i - 1].item()`.

    The places must be sure to be positive, since others count from the end in another way; and
    whether an element is meant or a part must be known.
    """
    owner = c.type_of(node.table)
    if owner.kind != "tensor":
        return None
    keys: list[ast.Expression] = [node.key]
    if isinstance(node.key, ast.TableConstructor):
        if not node.key.fields or any(f.key or f.before or f.after for f in node.key.fields):
            return None
        keys = [f.value for f in node.key.fields]
    texts = []
    places = 0
    for key in keys:
        text = _range(c, key) if isinstance(key, ast.TableConstructor) else _place(c, key)
        if text is None:
            return None
        places += not isinstance(key, ast.TableConstructor)
        texts.append(text)
    if places == len(texts) and owner.detail is None:
        return None
    while len(texts) > 1 and texts[-1] == ":":
        texts.pop()
    target = c.expression(node.table).at(ATOM)
    whole = places == owner.detail and places == len(keys)
    return Code(f"{target}[{', '.join(texts)}]{'.item()' if whole else ''}")


def _place(c: Context, node: ast.Expression) -> str | None:
    return str(shifted(c, node, -1)) if is_position(c, node) else None


def _range(c: Context, node: ast.TableConstructor) -> str | None:
    if any(f.key or f.before or f.after for f in node.fields) or len(node.fields) > 2:
        return None
    if not node.fields:
        return ":"
    first, last = node.fields[0].value, node.fields[-1].value
    if not (is_position(c, first) and is_position(c, last)):
        return None
    if any(module.catches for module in c.module.project.of_one_run(c.module)):
        return None  # Python's slices end where the tensor does, and raise no error
    start = str(shifted(c, first, -1))
    return f"{'' if start == '0' else start}:{c.expression(last)}"


def is_position(c: Context, node: ast.Expression) -> bool:
    """Whether an expression is a whole number from 1."""
    if c.type_of(node).kind != "integer":
        return False
    match node:
        case ast.Number(value=value):
            return value >= 1
        case ast.Paren(inner=inner):
            return is_position(c, inner)
        case ast.Binary(operator="+" | "*", left=left, right=right):
            return is_position(c, left) and is_position(c, right)
        case ast.MethodCall(method="size"):
            return True
        case ast.Name(variable=variable) if variable is not None and not variable.writes:
            if variable.kind == "for":
                loop = c.types.counter(variable)
                counts_up = loop is not None and loop.step is None
                return loop is None or (counts_up and is_position(c, loop.start))
            single = len(variable.values) == 1 and not (variable.unknown or variable.several)
            return single and is_position(c, variable.values[0])
    return False


def size_of(c: Context, node: ast.MethodCall, owner: Type) -> Code | None:
    """Return `x.shape[0]` for `x:size(1)`."""
    if owner.kind != "tensor" or node.method != "size" or len(node.arguments) != 1:
        return None
    dimension = node.arguments[0]
    if not isinstance(dimension, ast.Number) or dimension.value < 1:
        return None
    return Code(f"{c.expression(node.object).at(ATOM)}.shape[{int(dimension.value) - 1}]")
