"""`string.format` as an f-string, where the types allow it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .. import ast
from ..code import Code, in_braces
from ..lower.context import Context
from ..lower.operators import in_f_string
from ..lower.values import arguments
from ..syntax import may_be_several

_SPEC = re.compile(r"%(?P<flags>[-+ #0]*)(?P<width>\d*)(?:\.(?P<digits>\d*))?(?P<kind>[a-zA-Z%])")


def string_format(c: Context, template: ast.Expression, given: Sequence[ast.Expression]) -> Code:
    """Return `string.format(template, ...)`."""
    if isinstance(template, ast.Paren):
        template = template.inner
    if isinstance(template, ast.String):
        found = _f_string(c, template.value, list(given))
        if found is not None:
            return Code(found)
    listed = ", ".join([str(c.expression(template)), *arguments(c, given)])
    return Code(f"{c.use('string')}.format({listed})")


def _f_string(c: Context, text: str, given: list[ast.Expression]) -> str | None:
    if given and may_be_several(given[-1]):
        results = c.types.results(given[-1])
        if results is None or len(results) != 1:
            return None
    pieces: list[str] = []
    position = end = 0
    for found in _SPEC.finditer(text):
        before = text[end : found.start()]
        if "%" in before:
            return None
        pieces.append(in_braces(before))
        end = found.end()
        if found["kind"] == "%":
            pieces.append("%")
            continue
        if position >= len(given):
            return None
        spec = _spec(c, found, given[position])
        piece = None if spec is None else in_f_string(c, given[position], spec)
        if piece is None:
            return None
        pieces.append(piece)
        position += 1
    if "%" in text[end:] or position != len(given):
        return None
    pieces.append(in_braces(text[end:]))
    return ("f" if position else "") + '"' + "".join(pieces) + '"'


def _spec(c: Context, found: re.Match[str], node: ast.Expression) -> str | None:
    """Return Python's format specification for one of C's, "" for none; None if unsure."""
    kind, flags = found["kind"], found["flags"]
    width, digits = found["width"], found["digits"]
    value = c.type_of(node)
    if value.optional or "#" in flags:
        return None
    sign = "+" if "+" in flags else " " if " " in flags else ""
    left = "-" in flags
    zero = "0" if "0" in flags and not left else ""
    if kind == "s" and value.kind == "string" and digits is None and not sign and not zero:
        return f":{'' if left else '>'}{width}" if width else ""
    if kind in "di" and value.kind == "integer" and digits is None:
        align = "<" if left and width else ""
        return f":{align}{sign}{zero}{width}" if align or sign or width else ""
    if kind in "fe" and value.is_number:
        align = "<" if left and width else ""
        precision = "6" if digits is None else digits or "0"
        return f":{align}{sign}{zero}{width}.{precision}{kind}"
    return None
