"""Parameters that some call of the file gives `false`: `x or default` tests for more than nil."""

from __future__ import annotations

from collections.abc import Iterator

from . import ast
from .variables import FileScope


def mark_false(file: FileScope) -> None:
    """Note of each parameter whether a function of its function's name is called with `false`."""
    given: dict[str, set[int]] = {}
    for call in file.calls:
        name = call.method if isinstance(call, ast.MethodCall) else _last_name(call.function)
        for i, value in enumerate(call.arguments):
            if name is not None and isinstance(value, ast.Boolean) and not value.value:
                given.setdefault(name, set()).add(i)
    if not given:
        return
    for name, function in _named_functions(file):
        scope = file.scopes[id(function)]
        parameters = [v for v in scope.variables if v.kind == "parameter"]
        for i in given.get(name, ()):
            # a method's `self` may be written out in the call, or among the parameters
            for variable in parameters[max(i - 1, 0) : i + 2]:
                variable.given_false = True


def _last_name(node: ast.Expression) -> str | None:
    if isinstance(node, ast.Name):
        return node.name
    if isinstance(node, ast.Index) and isinstance(node.key, ast.String):
        return node.key.value
    return None


def _named_functions(file: FileScope) -> Iterator[tuple[str, ast.Function]]:
    for scope in (file.top, *file.scopes.values()):
        for variable in scope.variables:
            yield from _functions(variable.name, variable.values)
    for name, values in file.global_values.items():
        yield from _functions(name, values)
    for target, value in file.field_writes:
        if isinstance(target.key, ast.String):
            yield from _functions(target.key.value, [value])


def _functions(
    name: str, values: list[ast.Expression] | list[ast.Expression | None]
) -> Iterator[tuple[str, ast.Function]]:
    for value in values:
        if isinstance(value, ast.Function):
            yield name, value
