"""Calls of `pcall` and its like: whether a program goes on after errors, and reads what they say.

Where a program catches errors but never looks at them, it does not matter whether their text is
Lua's or Python's.
"""

from __future__ import annotations

from collections.abc import Callable

from . import ast
from .scope import FileScope
from .syntax import dotted, required_name, tried_package
from .walk import walk

_CATCHING = frozenset(["pcall", "xpcall", "coroutine.resume"])

_COMPARING = frozenset(["assertErrorMsg", "assertErrorPattern", "assertErrorObj"])
"""Methods of torch.Tester that are given what an error has to say."""

_NAMES = frozenset(["pcall", "xpcall", "coroutine"])

_FIELDS = frozenset(["pcall", "xpcall"]) | _COMPARING


def caught_errors(
    block: ast.Block, scopes: FileScope, is_own: Callable[[str], bool]
) -> tuple[bool, bool]:
    """Return whether a file catches errors of the program, and whether it may read their text.

    Parameters
    ----------
    block : ast.Block
        The file.
    scopes : FileScope
    is_own : callable
        Tells whether `require` of a name loads a file of the program.
    """
    if not (_NAMES & scopes.global_reads.keys() or _FIELDS & scopes.field_reads.keys()):
        return False, False
    calls: list[ast.Call] = []
    known: set[int] = set()  # the function of a call, or a local's that is called by its name
    deaf: set[int] = set()
    mentions: list[ast.Expression] = []
    for node in walk(block):
        deaf |= {id(call) for call in _first_of(node)}
        if isinstance(node, ast.Call) and dotted(node.function) in _CATCHING:
            calls.append(node)
            known.add(id(node.function))
        elif isinstance(node, ast.MethodCall) and node.method in _COMPARING:
            return True, True
        elif isinstance(node, (ast.Name, ast.Index)) and _means_catching(node):
            mentions.append(node)
    if any(id(node) not in known for node in mentions):
        return True, True
    catching = [call for call in calls if not _only_loads(call, is_own)]
    heard = any(dotted(c.function) == "xpcall" or id(c) not in deaf for c in catching)
    return bool(catching), heard


def _means_catching(node: ast.Name | ast.Index) -> bool:
    """Whether a name or field is a function that catches errors, of this name or another."""
    if isinstance(node, ast.Index) and isinstance(node.key, ast.String):
        return node.key.value in ("pcall", "xpcall") or dotted(node) in _CATCHING
    return dotted(node) in _CATCHING


def _first_of(node: object) -> list[ast.Expression]:
    """Return the expressions in a node of which it takes the first result only, or none."""
    match node:
        case ast.CallStatement(call=call):
            return [call]
        case ast.Unary(operand=inner) | ast.Paren(inner=inner):
            return [inner]
        case ast.Binary(left=left, right=right):
            return [left, right]
        case ast.If(branches=branches):
            return [test for test, _ in branches]
        case ast.While(condition=condition) | ast.Repeat(condition=condition):
            return [condition]
        case ast.Local(names=names, values=[*before, last]):
            others = names[len(before) + 1 :]
            return [] if any(n.variable is None or n.variable.reads for n in others) else [last]
        case ast.Assign(targets=targets, values=[*before, last]):
            return [] if len(targets) > len(before) + 1 else [last]
    return []


def _only_loads(call: ast.Call, is_own: Callable[[str], bool]) -> bool:
    """Whether it is `pcall(require, 'x')` of a package, or of a function that does only that."""
    name, given = tried_package(call), call.arguments
    if len(given) == 1 and isinstance(given[0], ast.Function):
        body = given[0].body.statements
        only: ast.Expression | None = None
        if len(body) == 1 and isinstance(body[0], ast.CallStatement):
            only = body[0].call
        elif len(body) == 1 and isinstance(body[0], ast.Return) and len(body[0].values) == 1:
            only = body[0].values[0]
        name = None if only is None else required_name(only)
    return name is not None and not is_own(name)
