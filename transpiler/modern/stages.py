"""Variables that hold one thing, then another: `features = makeDataParallel(features, nGPU)`.

What stands before such a statement and what stands behind it may have different fates, so each
stage becomes a variable of its own. The text keeps one name.
"""

from __future__ import annotations

from .. import ast
from ..scope import Variable
from ..walk import names_in, plain, walk
from .chains import is_container, start_of
from .classes import class_of
from .files import File
from .step_parts import only_target


def separate_stages(file: File) -> None:
    """Give each stage of the variables of models in a file a variable of its own."""
    for node in walk(file.block):
        if isinstance(node, ast.Block):
            _separate(file, node.statements)


def _separate(file: File, statements: list[ast.Statement]) -> None:
    present: dict[str, Variable] = {}
    for position, statement in enumerate(statements):
        target = only_target(statement)
        if target is None or target.variable is None:
            continue
        assert isinstance(statement, (ast.Local, ast.Assign))
        value = plain(statement.values[0])
        if isinstance(statement, ast.Local):
            if not target.variable.captured and (is_container(value) or _is_made(value)):
                present[target.name] = target.variable
            continue
        variable = present.get(target.name)
        if variable is not target.variable or not isinstance(value, ast.Call):
            continue
        if class_of(start_of(value)) is None and any(
            n.variable is variable for n in names_in(value)
        ):
            behind = [target, *names_in(statements[position + 1 :])]
            present[target.name] = _split(file, variable, statement, behind)


def _is_made(value: ast.Expression) -> bool:
    """Whether a function gives a value, which may be a model."""
    return isinstance(value, ast.Call) and isinstance(plain(value.function), ast.Name)


def _split(
    file: File, variable: Variable, statement: ast.Assign, behind: list[ast.Name]
) -> Variable:
    value = statement.values[0]
    new = Variable(
        variable.name, variable.scope, variable.kind, statement.line, variable.depth,
        variable.in_loop,
    )  # fmt: skip
    moved = {id(n) for n in behind if n.variable is variable}
    targets = {
        id(t)
        for s in walk(file.block)
        if isinstance(s, ast.Assign)
        for t in s.targets
        if id(t) in moved
    }
    for name in [n for n in variable.names if id(n) in moved]:
        name.variable = new
    new.names = [n for n in variable.names if id(n) in moved]
    variable.names = [n for n in variable.names if id(n) not in moved]
    values = {
        id(s.values[0])
        for s in walk(file.block)
        if isinstance(s, ast.Assign) and len(s.targets) == len(s.values) == 1
        if id(s.targets[0]) in moved
    }
    new.values = [v for v in variable.values if id(v) in values]
    variable.values = [v for v in variable.values if id(v) not in values]
    new.writes = len(targets) - 1
    variable.writes -= len(targets)
    new.reads = len(moved) - len(targets)
    variable.reads -= new.reads
    variable.scope.variables.append(new)
    assert any(v is value for v in new.values)
    return new
