"""What a file puts into fields, and the options that it declares."""

from __future__ import annotations

from . import ast
from .lapp_options import lapp_options
from .scope import FileScope


def field_writes(file: FileScope) -> dict[str, list[ast.Expression | None]]:
    """Return what the file assigns to fields, by their names."""
    found: dict[str, list[ast.Expression | None]] = {}
    for target, value in file.field_writes:
        if isinstance(target.key, ast.String):
            found.setdefault(target.key.value, []).append(value)
    return found


def declared_options(file: FileScope) -> dict[str, list[ast.Expression]]:
    """Return the options that the file declares, with their defaults, or values like them."""
    found: dict[str, list[ast.Expression]] = {}
    for call in file.calls:
        for name, example in lapp_options(call).items():
            if example is not None:
                found.setdefault(name, []).append(example)
        if not isinstance(call, ast.MethodCall) or call.method != "option":
            continue
        if len(call.arguments) > 1 and isinstance(call.arguments[0], ast.String):
            name = call.arguments[0].value.lstrip("-")
            found.setdefault(name, []).append(call.arguments[1])
    return found
