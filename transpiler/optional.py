"""Which of a function's parameters its body takes for optional."""

from __future__ import annotations

from typing import Any

from . import ast


def trailing_optional(function: ast.Function) -> list[ast.Name]:
    """Return the last parameters that the body itself takes for optional."""
    tested: set[str] = set()

    def test(node: Any) -> None:
        if isinstance(node, ast.Name):
            tested.add(node.name)
        elif isinstance(node, ast.Unary) and node.operator == "not":
            test(node.operand)
        elif isinstance(node, ast.Paren):
            test(node.inner)
        elif (isinstance(node, ast.Binary) and node.operator in ("and", "or")) or (
            isinstance(node, ast.Binary)
            and node.operator in ("==", "~=")
            and isinstance(node.right, ast.Nil)
        ):
            test(node.left)

    for statement in function.body.statements:
        if isinstance(statement, ast.If):
            for condition, _ in statement.branches:
                test(condition)
        elif isinstance(statement, (ast.Local, ast.Assign)):
            for value in statement.values:
                if isinstance(value, ast.Binary) and value.operator == "or":
                    test(value)
    found: list[ast.Name] = []
    for name in reversed(function.parameters):
        if name.name not in tested:
            break
        found.append(name)
    return found
