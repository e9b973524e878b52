"""Questions about the shape of a program that need no types."""

from __future__ import annotations

import re

from . import ast, library
from .variables import Variable


def may_be_several(node: ast.Expression) -> bool:
    """Whether an expression at the end of a list may give several values."""
    return isinstance(node, (ast.Call, ast.MethodCall, ast.Vararg))


def dotted(node: ast.Expression) -> str | None:
    """Return "a.b.c" for a global, fields of it, and locals that are library functions."""
    if isinstance(node, ast.Name):
        return node.name if node.variable is None else _alias(node.variable)
    if isinstance(node, ast.Index) and isinstance(node.key, ast.String):
        owner = dotted(node.table)
        return None if owner is None else f"{owner}.{node.key.value}"
    return None


def alias_of(variable: Variable) -> ast.Index | None:
    """Return the field that a variable always is: `local split = utils.split`."""
    if variable.writes or variable.unknown or variable.several or len(variable.values) != 1:
        return None
    value = variable.values[0]
    return value if isinstance(value, ast.Index) and isinstance(value.key, ast.String) else None


def _alias(variable: Variable) -> str | None:
    """Return what a local of a library's function stands for: `local floor = math.floor`."""
    value = alias_of(variable)
    if value is None or not isinstance(value.key, ast.String):
        return None
    root = value.table
    if not isinstance(root, ast.Name) or root.variable is not None:
        return None
    known = value.key.value in library.LIBRARIES.get(root.name, ())
    return f"{root.name}.{value.key.value}" if known else None


def root_of(node: ast.Expression) -> ast.Expression:
    """Return what the fields of `a.b.c` are fields of."""
    while isinstance(node, ast.Index):
        node = node.table
    return node


def returns(block: ast.Block) -> list[ast.Return]:
    """Return the return statements of a function's body, not those of functions inside."""
    found: list[ast.Return] = []
    for statement in block.statements:
        if isinstance(statement, ast.Return):
            found.append(statement)
        for inner in blocks_of(statement):
            found += returns(inner)
    return found


def blocks_of(statement: ast.Statement) -> list[ast.Block]:
    """Return the blocks directly inside a statement."""
    match statement:
        case ast.If(branches=branches, otherwise=otherwise):
            found = [body for _, body in branches]
            return [*found, otherwise] if otherwise is not None else found
        case (
            ast.Do(body=body)
            | ast.While(body=body)
            | ast.Repeat(body=body)
            | ast.NumericFor(body=body)
            | ast.GenericFor(body=body)
        ):
            return [body]
    return []


def plain_count(function: ast.Function) -> int | None:
    """Return the number of results of a function of another file, where its text tells."""
    counts = {
        None if r.values and may_be_several(r.values[-1]) else len(r.values)
        for r in returns(function.body)
    }
    if not counts:
        return 0
    if not always_returns(function.body) and counts != {0}:
        return None
    return counts.pop() if len(counts) == 1 else None


def always_returns(block: ast.Block) -> bool:
    """Whether a block never ends without return or error."""
    if not block.statements:
        return False
    match block.statements[-1]:
        case ast.Return():
            return True
        case ast.Do(body=body):
            return always_returns(body)
        case ast.If(branches=branches, otherwise=otherwise):
            if otherwise is None or not always_returns(otherwise):
                return False
            return all(always_returns(body) for _, body in branches)
        case ast.CallStatement(call=ast.Call(function=ast.Name(name="error", variable=None))):
            return True
    return False


def required_name(node: ast.Expression) -> str | None:
    """Return "x" for `require 'x'`."""
    if not isinstance(node, ast.Call) or dotted(node.function) != "require":
        return None
    only = node.arguments[0] if len(node.arguments) == 1 else None
    return only.value if isinstance(only, ast.String) else None


def tried_package(call: ast.Expression) -> str | None:
    """Return "x" for `pcall(require, 'x')`."""
    if not isinstance(call, ast.Call) or len(call.arguments) != 2:
        return None
    function, name = call.arguments
    return name.value if dotted(function) == "require" and isinstance(name, ast.String) else None


def captures(pattern: str) -> int:
    """Return how many values each match of a pattern gives."""
    return max(re.sub(r"%.|\[[^\]]*\]", "", pattern).count("("), 1)


def is_next(target: ast.Index) -> bool:
    """Whether it is `t[#t + 1]` of a variable."""
    key = target.key
    return (
        isinstance(key, ast.Binary)
        and key.operator == "+"
        and isinstance(key.right, ast.Number)
        and key.right.value == 1
        and isinstance(key.left, ast.Unary)
        and key.left.operator == "#"
        and isinstance(key.left.operand, ast.Name)
        and isinstance(target.table, ast.Name)
        and key.left.operand.variable is target.table.variable
    )


def leaves(block: ast.Block) -> bool:
    """Whether a loop's body may end before its end."""
    return any(
        isinstance(s, (ast.Break, ast.Return, ast.Goto)) or any(map(leaves, blocks_of(s)))
        for s in block.statements
    )


LOOPS = (ast.While, ast.Repeat, ast.NumericFor, ast.GenericFor)


def jumps_to(statements: list[ast.Statement], label: str, loops: int | None = None) -> bool:
    """Whether there is a jump to a label that `continue` does not make.

    `loops` counts the loops around a statement where a jump from none of them is `continue`.
    """
    for statement in statements:
        if isinstance(statement, ast.Goto) and statement.label == label and loops != 0:
            return True
        for inner in blocks_of(statement):
            deeper = None if loops is None else loops + isinstance(statement, LOOPS)
            if any(isinstance(s, ast.Label) and s.label == label for s in inner.statements):
                continue
            if jumps_to(inner.statements, label, deeper):
                return True
    return False
