"""The options that a program declares by `lapp[[...]]`, of Penlight: a text that explains them."""

from __future__ import annotations

import re

from . import ast

_OPTION = re.compile(
    r"""
    ^[ \t]*(?:-\w[ \t]*,[ \t]*)?        # -r,
    (?:--|-(?!-)|<)(\w[\w-]*)>?         # --rate, -r, <file>
    (\.\.\.)?[ \t]*                     # any number of them
    (?:\(([^)\n]*)\))?                  # (default 0.1)
    """,
    re.MULTILINE | re.VERBOSE,
)
_RANGE = re.compile(r"[-+\d.]+\.\.[-+\d.]+$")
_OTHERS = ("stdin", "stdout", "stderr", "true")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?$", re.IGNORECASE)


def lapp_options(call: ast.Call | ast.MethodCall) -> dict[str, ast.Expression | None]:
    """Return the options that a call declares, with values of their types where those are known."""
    if not isinstance(call, ast.Call) or len(call.arguments) != 1:
        return {}
    function, text = call.function, call.arguments[0]
    if not isinstance(function, ast.Name) or function.name != "lapp":
        return {}
    if not isinstance(text, ast.String):
        return {}
    return {
        re.sub(r"\W", "_", name): None if several else _example(call, inside)
        for name, several, inside in _OPTION.findall(text.value)
    }


def _example(at: ast.Node, inside: str) -> ast.Expression | None:
    """Return a value like an option's: of `default 5`, `string`, `1..10 default 2`, a flag."""
    given, _, default = f" {inside.strip()}".partition(" default ")
    kind, default = given.strip(), default.strip()
    if not inside.strip():
        return ast.Boolean(at.line, at.column, False)
    numeric = kind == "number" or _RANGE.match(kind)
    if numeric or not kind:
        if _NUMBER.match(default):
            value = float(default) if re.search(r"[.eE]", default) else int(default)
            return ast.Number(at.line, at.column, value, default)
        if numeric:
            return ast.Number(at.line, at.column, 0.5, "0.5")
    if kind == "string" or "|" in kind or not (kind or default in _OTHERS):
        return ast.String(at.line, at.column, default)
    return None
