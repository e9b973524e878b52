"""Chains of method calls: `nn.Sequential():add(a):add(b)`, and what they add."""

from __future__ import annotations

from typing import Any

from .. import ast
from ..walk import method_call, plain
from .classes import CONTAINERS, class_of


def chain_of(node: Any) -> tuple[Any, list[ast.MethodCall]]:
    """Return what a chain of method calls starts from, and the calls in order."""
    calls = []
    node = plain(node)
    while isinstance(node, ast.MethodCall):
        calls.append(node)
        node = plain(node.object)
    return node, calls[::-1]


def added(statement: ast.Statement) -> tuple[Any, list[Any]] | None:
    """Return the model and what is added for `model:add(a):add(b)` as a statement."""
    if not isinstance(statement, ast.CallStatement):
        return None
    base, calls = chain_of(statement.call)
    if not calls or not all(method_call(c, "add") and len(c.arguments) == 1 for c in calls):
        return None
    return base, [c.arguments[0] for c in calls]


def is_container(node: Any) -> bool:
    """Whether an expression is `nn.Sequential()` with any number of `:add(...)` behind."""
    base, calls = chain_of(node)
    return class_of(base) in CONTAINERS and all(
        c.method == "add" and len(c.arguments) == 1 for c in calls
    )


def added_at_once(node: Any) -> list[Any]:
    """Return what the `:add(...)` of an expression add."""
    return [c.arguments[0] for c in chain_of(node)[1]]


def start_of(node: Any) -> Any:
    """Return what a chain of calls starts from."""
    return chain_of(node)[0]
