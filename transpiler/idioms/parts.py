"""Parts of tensors: `x[{{1, n}, {}}]`."""

from __future__ import annotations

from .. import ast
from ..lower.context import Context


def part_of(c: Context, node: ast.Index) -> list[str] | None:
    """Return a key that is a table of places and ranges as Python arguments.

    A place is a number, a range is `(first, last)`, `()` is all; None for any other key.
    """
    key = node.key
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
