"""Dicts and records: how they are made, read and changed."""

from __future__ import annotations

from .. import ast
from ..code import ATOM, TERNARY, Code, comparison, quoted
from ..dict_candidates import Keyed
from ..syntax import dotted
from .context import Context

KINDS = ("dict", "record")
"""Kinds of what this is about."""


def made(c: Context, node: ast.TableConstructor, owner: Keyed) -> Code:
    """Return a constructor as a dict, or as a record."""
    from .tables import lines_of

    texts: list[tuple[ast.Field, str]] = []
    for entry in node.fields:
        assert entry.key is not None
        if isinstance(entry.key, ast.String):
            c.module.hints.setdefault(id(entry.value), entry.key.value)
        value = c.expression(entry.value)
        if owner.record:
            assert isinstance(entry.key, ast.String)
            texts.append((entry, f"{entry.key.value}={value}"))
        else:
            texts.append((entry, f"{c.expression(entry.key).at(TERNARY)}: {value.at(TERNARY)}"))
    listed = lines_of(c, node, texts)
    if owner.record:
        return Code(f"{c.use('SimpleNamespace', 'types')}({listed})")
    return Code(f"{{{listed}}}")


def entry_of(c: Context, node: ast.Index) -> str:
    """Return the place of an entry: `t["k"]`, of a record `t.k`."""
    owner = c.expression(node.table).at(ATOM)
    key = node.key
    if isinstance(key, ast.String):
        if c.type_of(node.table).kind == "record":
            return f"{owner}.{key.value}"
        return f"{owner}[{quoted(key.value)}]"
    return f"{owner}[{c.expression(key)}]"


def read(c: Context, node: ast.Index) -> Code:
    """Return an entry's value, None where there is none."""
    kind = c.type_of(node.table)
    if kind.kind == "record" or kind.detail.is_sure(node):
        return Code(entry_of(c, node))
    return Code(f"{c.expression(node.table).at(ATOM)}.get({c.expression(node.key)})")


def uncertain(c: Context, node: ast.Expression) -> tuple[ast.Index, Keyed] | None:
    """Return an entry of a dict that may be missing."""
    while isinstance(node, ast.Paren):
        node = node.inner
    if not isinstance(node, ast.Index):
        return None
    kind = c.type_of(node.table)
    if kind.kind != "dict" or kind.detail.is_sure(node):
        return None
    return node, kind.detail


def contains(c: Context, node: ast.Expression, there: bool, truth: bool) -> Code | None:
    """Return `k in t` for `t[k] ~= nil`, or for the truth of `t[k]`; None where it is not that."""
    found = uncertain(c, node)
    if found is None:
        return None
    index, owner = found
    if not (owner.is_true if truth else owner.solid):
        return None
    key, table = c.expression(index.key), c.expression(index.table)
    return comparison(key, "in" if there else "not in", table)


def is_empty(c: Context, node: ast.Expression) -> Code | None:
    """Return the dict of `next(t)`, which is true where it has entries; None for anything else."""
    if not isinstance(node, ast.Call) or dotted(node.function) != "next":
        return None
    of_dict = len(node.arguments) == 1 and c.type_of(node.arguments[0]).kind == "dict"
    return c.expression(node.arguments[0]) if of_dict else None


def with_default(c: Context, left: ast.Expression, right: ast.Expression) -> Code | None:
    """Return `t.get(k, 0)` for `t[k] or 0`; None where it is not that."""
    found = uncertain(c, left)
    if found is None:
        return None
    index, owner = found
    false = isinstance(right, ast.Boolean) and not right.value
    kind = owner.all.kind
    flags = false and owner.solid and kind is not None and kind.kind == "boolean"
    if not (owner.is_true or flags) or not _is_cheap(right):
        return None
    key, value = c.expression(index.key), c.expression(right)
    return Code(f"{c.expression(index.table).at(ATOM)}.get({key}, {value})")


def _is_cheap(node: ast.Expression) -> bool:
    """Whether computing a value that is not needed does no harm."""
    if isinstance(node, ast.TableConstructor):
        return not node.fields
    return isinstance(node, (ast.Number, ast.String, ast.Boolean, ast.Name, ast.Nil))


def changed(c: Context, target: ast.Index, value: ast.Expression) -> bool:
    """Write what has a word of its own: deleting, and `t[k] = t[k] or {}`; whether it did."""
    from ..idioms import same_place

    kind = c.type_of(target.table)
    if kind.kind != "dict":
        return False
    table = c.expression(target.table).at(ATOM)
    if isinstance(value, ast.Nil):
        c.put(f"{table}.pop({c.expression(target.key)}, None)")
        return True
    is_default = isinstance(value, ast.Binary) and value.operator == "or"
    if not (is_default and isinstance(value, ast.Binary) and same_place(target, value.left)):
        return False
    owner: Keyed = kind.detail
    if not owner.is_true or not _is_cheap(value.right):
        return False
    c.put(f"{table}.setdefault({c.expression(target.key)}, {c.expression(value.right)})")
    return True


def loop(c: Context, node: ast.GenericFor) -> tuple[list[ast.Name], str] | None:
    """Return the variables and the values of a loop over a dict; None for other loops."""
    source = node.values[0]
    if len(node.values) != 1 or not isinstance(source, ast.Call) or len(source.arguments) != 1:
        return None
    if c.type_of(source.arguments[0]).kind != "dict":
        return None
    owner: Keyed = c.type_of(source.arguments[0]).detail
    table = c.expression(source.arguments[0])
    names, text = node.names, f"{table.at(ATOM)}.items()"
    used = [name.variable is not None and bool(name.variable.names) for name in names]
    if len(names) == 1 or not used[1]:
        names, text = names[:1], str(table)
    elif not used[0]:
        names, text = names[1:], f"{table.at(ATOM)}.values()"
    return names, f"list({text})" if owner.walkers[id(node)] else text
