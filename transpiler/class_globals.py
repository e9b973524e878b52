"""Globals that one file alone uses, and that may be classes: as variables of that file.

`Account = {}`, `Account.__index = Account` is written in many a script without `local`. Where no
other file has the name, and nothing reads it before it is assigned, `local` changes nothing, and
what is known of variables holds for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from . import ast, library
from .scope import FileScope, resolve
from .sharing import DYNAMIC
from .walk import walk

_DYNAMIC = DYNAMIC | {"module"}
"""Names with which a program reaches globals that no text shows."""

Path = TypeVar("Path")


def with_local_classes(
    parsed: dict[Path, tuple[ast.Block, FileScope]],
) -> dict[Path, tuple[ast.Block, FileScope]]:
    """Return the files of a program with such globals as locals; the trees are changed."""
    users: dict[str, int] = {}
    for _, scopes in parsed.values():
        names = scopes.global_reads.keys() | scopes.global_writes.keys()
        if names & _DYNAMIC:
            return parsed
        for name in names:
            users[name] = users.get(name, 0) + 1
    found = {}
    for path, (block, scopes) in parsed.items():
        if "setmetatable" in scopes.global_reads and _localize(block, scopes, users):
            found[path] = block, resolve(block)
        else:
            found[path] = block, scopes
    return found


def _localize(block: ast.Block, scopes: FileScope, users: dict[str, int]) -> bool:
    """Make locals of the globals that may be classes; return whether there are any."""
    with_functions = set(_owners_of_functions(block))
    changed = False
    for position, statement in enumerate(block.statements):
        target = _started(statement)
        if target is None or target.name not in with_functions:
            continue
        name = target.name
        once = users.get(name) == 1 and scopes.global_writes.get(name) == 1
        known = name in library.PACKAGES or name in library.GLOBALS or name in library.LIBRARIES
        if not once or known or _is_read(block.statements[:position], name):
            continue
        assert isinstance(statement, ast.Assign)
        block.statements[position] = ast.Local(
            statement.line,
            statement.column,
            [target],
            statement.values,
            before=statement.before,
            blank_before=statement.blank_before,
            after=statement.after,
        )
        changed = True
    return changed


def _started(statement: ast.Statement) -> ast.Name | None:
    """Return C of `C = {}`, `C = setmetatable({}, ...)` and `C = B:new()`."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target, values = statement.targets[0], statement.values
    fits = len(values) == 1 and isinstance(
        values[0], (ast.TableConstructor, ast.Call, ast.MethodCall)
    )
    of_global = isinstance(target, ast.Name) and target.variable is None
    return target if fits and of_global and isinstance(target, ast.Name) else None


def _owners_of_functions(block: ast.Block) -> Iterable[str]:
    """Yield the globals whose fields are functions that the file writes."""
    for statement in block.statements:
        if isinstance(statement, ast.FunctionStatement):
            target = statement.target
            owner = target.table if isinstance(target, ast.Index) else None
            if isinstance(owner, ast.Name) and owner.variable is None:
                yield owner.name


def _is_read(statements: list[ast.Statement], name: str) -> bool:
    return any(
        isinstance(node, ast.Name) and node.name == name and node.variable is None
        for node in walk(statements)
    )
