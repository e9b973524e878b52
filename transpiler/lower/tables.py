"""Table constructors, and reads and writes of their fields."""

from __future__ import annotations

from rekindle.core.checkpoint.holes import border, end_of_results, end_of_written

from .. import ast
from ..code import ADD, ATOM, Code, quoted
from ..code import binary as binary_code
from ..names import is_attribute
from ..syntax import may_be_several
from .class_names import HIDDEN, member
from .comments import _clean, comment_lines
from .context import Context
from .dicts import KINDS, entry_of, made
from .values import last_argument


def constructor(c: Context, node: ast.TableConstructor) -> Code:
    """`{...}`: `Table(1, 2, name=3)`; `Table.of({...})` where keys are no names."""
    owner = c.dicts.made.get(id(node))
    if owner is not None:
        return made(c, node, owner)
    fields = plain_fields_of(c, node)
    if fields is not None:
        return Code(f"{c.use('Table')}({fields})")
    c.use("Table")
    positional = [f for f in node.fields if f.key is None]
    named = [f for f in node.fields if f.key is not None]
    ordered = named + positional
    if ordered != node.fields and (_several_calls(ordered) or _twice(positional, named)):
        return _in_order(c, node)
    return _mapping(c, node, positional, named)


def _twice(positional: list[ast.Field], named: list[ast.Field]) -> bool:
    """Whether an entry is given by its place and by its number: the later one stays."""
    numbers = [f.key.value for f in named if isinstance(f.key, ast.Number)]
    return any(1 <= n <= len(positional) for n in numbers)


def _several_calls(ordered: list[ast.Field]) -> bool:
    return sum(_calls(f.key) or _calls(f.value) for f in ordered) > 1


def plain_fields_of(c: Context, node: ast.TableConstructor) -> str | None:
    """Return a constructor's entries as arguments: `1, 2, name=3`; None where they cannot be."""
    positional = [f for f in node.fields if f.key is None]
    named = [f for f in node.fields if f.key is not None]
    keys = [f.key.value if isinstance(f.key, ast.String) else None for f in named]
    names_only = all(k is not None and is_attribute(k) and k.isascii() for k in keys)
    names_only = names_only and len(set(keys)) == len(keys) and "self" not in keys
    names_only = names_only and not _has_holes_of_its_own(positional)
    ordered = positional + named
    if not names_only or (ordered != node.fields and _several_calls(ordered)):
        return None
    spread = (
        any(may_be_several(f.value) for f in positional[-1:])
        and positional[-1:] == node.fields[-1:]
    )
    texts: list[tuple[ast.Field, str]] = []
    for entry in ordered:
        last = entry is positional[-1] if positional else False
        text = _value(c, entry, spread and last)
        if not text:
            continue
        if entry.key is not None:
            assert isinstance(entry.key, ast.String)
            text = f"{entry.key.value}={text}"
        texts.append((entry, text))
    return lines_of(c, node, texts)


def _has_holes_of_its_own(positional: list[ast.Field]) -> bool:
    """Whether LuaJIT counts it otherwise than the same values in `{...}`: `{nil, nil, 3}`."""
    values = [f.value for f in positional]
    if not any(isinstance(v, ast.Nil) for v in values):
        return False
    if not all(isinstance(v, (ast.Nil, ast.Number, ast.String, ast.Boolean)) for v in values):
        return False
    there = [not isinstance(v, ast.Nil) for v in values]
    entries = {i for i, value in enumerate(there, 1) if value}
    return border(entries, end_of_written(there)) != border(entries, end_of_results(len(there)))


def _value(c: Context, entry: ast.Field, several: bool) -> str:
    if isinstance(entry.key, ast.String):
        c.module.hints.setdefault(id(entry.value), entry.key.value)
    return last_argument(c, entry.value) if several else str(c.expression(entry.value))


def shifted(c: Context, node: ast.Expression, by: int) -> Code:
    """Return `node + by`, simplified."""
    if isinstance(node, ast.Number):
        return Code(str(node.value + by))
    if (
        isinstance(node, ast.Binary)
        and node.operator in "+-"
        and isinstance(node.right, ast.Number)
    ):
        total = (node.right.value if node.operator == "+" else -node.right.value) + by
        left = c.expression(node.left)
        if not total:
            return left
        return binary_code(left, "+" if total > 0 else "-", Code(str(abs(total))), ADD)
    return binary_code(c.expression(node), "+" if by > 0 else "-", Code(str(abs(by))), ADD)


def lines_of(c: Context, node: ast.TableConstructor, texts: list[tuple[ast.Field, str]]) -> str:
    """Return the entries of a constructor, each on a line if there are comments between them."""
    commented = any(f.before or f.after for f in node.fields) or node.trailing
    if not commented:
        joined = ", ".join(text for _, text in texts)
        several = node.lines > 1 and len(texts) > 1
        return f"{joined}," if several and not joined.startswith("*") else joined
    lines = []
    for entry, text in texts:
        for comment in entry.before:
            lines += [_clean(line) for line in comment_lines(comment)]
        behind = ""
        if entry.after is not None:
            behind = "  " + " ".join(_clean(line) for line in comment_lines(entry.after))
        lines.append(f"{text},{behind}")
    for comment in node.trailing:
        lines += [_clean(line) for line in comment_lines(comment)]
    return "\n" + "\n".join(lines) + "\n"


def _mapping(
    c: Context,
    node: ast.TableConstructor,
    positional: list[ast.Field],
    named: list[ast.Field],
) -> Code:
    texts: list[tuple[ast.Field, str]] = []
    for entry in named:
        assert entry.key is not None
        key, value = c.expression(entry.key), c.expression(entry.value)
        texts.append((entry, f"({key}, {value})"))
    pairs = f"[{lines_of(c, node, texts)}]"
    if not positional:
        return Code(f"Table.of({pairs})")
    several = positional[-1] is node.fields[-1]
    listed = [_value(c, f, several and f is positional[-1]) for f in positional]
    return Code(f"Table.of({pairs}, {', '.join(x for x in listed if x)})")


def _in_order(c: Context, node: ast.TableConstructor) -> Code:
    """`{f(), n = g(), h()}`, where it matters which is called first."""
    texts: list[tuple[ast.Field, str]] = []
    place = 0
    for entry in node.fields:
        if entry.key is not None:
            text = f"({c.expression(entry.key)}, {c.expression(entry.value)})"
        else:
            place += 1
            text = _value(c, entry, entry is node.fields[-1])
            several = text.startswith("*")
            text = f"*enumerate({text[1:]}, {place})" if several else f"({place}, {text})"
        texts.append((entry, text))
    return Code(f"Table.of([{lines_of(c, node, texts)}])")


def _calls(node: ast.Expression | None) -> bool:
    """Whether a value is computed by calls, or may be."""
    if isinstance(node, ast.Paren):
        return _calls(node.inner)
    if isinstance(node, ast.Unary):
        return _calls(node.operand)
    if isinstance(node, ast.Binary):
        return _calls(node.left) or _calls(node.right)
    if isinstance(node, ast.Index):
        return _calls(node.table) or _calls(node.key)
    if isinstance(node, ast.TableConstructor):
        return any(_calls(f.key) or _calls(f.value) for f in node.fields)
    return isinstance(node, (ast.Call, ast.MethodCall))


def list_of(c: Context, node: ast.TableConstructor) -> Code:
    """Return a constructor as a Python list."""
    texts = [(entry, str(c.expression(entry.value))) for entry in node.fields]
    return Code(f"[{lines_of(c, node, texts)}]")


def place(c: Context, node: ast.Index) -> str:
    """Return `t.k` or `t[k]` as Python reads and assigns it."""
    if c.type_of(node.table).kind in KINDS:
        return entry_of(c, node)
    table = c.expression(node.table).at(ATOM)
    if c.type_of(node.table).kind == "list":
        return f"{table}[{shifted(c, node.key, -1)}]"
    if isinstance(node.key, ast.String):
        key = node.key.value
        if c.type_of(node.table).kind == "class" and is_attribute(key):
            return f"{table}.{member(key)}"
        if is_attribute(key) and not key.startswith("_") and key not in HIDDEN and key.isascii():
            return f"{table}.{key}"
        return f"{table}[{quoted(key)}]"
    return f"{table}[{c.expression(node.key)}]"
