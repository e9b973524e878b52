"""Models that a method puts together in a field, with branches and loops: variables of their own.

`self.net = nn.Sequential()` up to the last `self.net:add(...)` becomes `net = nn.Sequential(...)`,
`net.append(...)` and `self.net = as_torch(net)`. What happens in between sees nothing of `self` but
its other fields.
"""

from __future__ import annotations

from typing import Any

from .. import ast
from ..scope import Variable
from ..walk import alike, names_in, plain, walk
from .builds import BUILT
from .chains import added, chain_of, is_container, start_of
from .classes import class_of
from .files import File
from .nodes import Handed, like

_LEAVING = (ast.Function, ast.Return, ast.Break, ast.Goto, ast.Label)
"""What may see the model, or leave it, before it is complete."""


def separate_fields(file: File, faithful: set[Any]) -> None:
    """Give the building of models in fields variables of their own.

    Parameters
    ----------
    file : File
    faithful : set
        Anchors of stages that have been tried.
    """
    taken = {n.name for n in names_in(file.block)}
    if taken & {"pcall", "xpcall"}:  # an error leaves a part of the model
        return
    for block in [n for n in walk(file.block) if isinstance(n, ast.Block)]:
        position = 0
        while position < len(block.statements):
            statement = block.statements[position]
            target = _target(statement)
            end = None if target is None else _end(block.statements, position, target)
            if target is not None and end is not None:
                name = _name(target, taken)
                if (file.path, name, statement.line, BUILT, 0) not in faithful:
                    _separate(file, block, position, end, name)
                    position = end + 1
                taken.add(name)
            position += 1


def _target(statement: ast.Statement) -> ast.Index | None:
    """Return the field that a statement puts a new `nn.Sequential()` into."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target, values = plain(statement.targets[0]), statement.values
    if not isinstance(target, ast.Index) or not isinstance(target.key, ast.String):
        return None
    owner = plain(target.table)
    known = isinstance(owner, ast.Name) and owner.variable is not None
    if not known or owner.variable.captured or len(values) != 1:
        return None
    chain = is_container(values[0]) and class_of(start_of(values[0])) == "Sequential"
    return target if chain and target.key.value.isidentifier() else None


def _end(statements: list[ast.Statement], position: int, target: ast.Index) -> int | None:
    """Return the last statement that adds to the model, if others stand between."""
    end = position
    for place in range(position + 1, len(statements)):
        if any(_adds(n, target) for n in walk(statements[place])):
            end = place
    between = statements[position + 1 : end + 1]
    if all(_adds(s, target) for s in between) or not _is_alone(between, target):
        return None
    return end


def _adds(node: Any, target: ast.Index) -> bool:
    more = added(node) if isinstance(node, ast.CallStatement) else None
    return more is not None and alike(more[0], target)


def _is_alone(statements: list[ast.Statement], target: ast.Index) -> bool:
    """Whether statements only add to the model, and do not give its owner away."""
    owner: Any = plain(target.table)
    nodes = list(walk(statements))
    if any(isinstance(n, _LEAVING) for n in nodes):
        return False
    places = [n for n in nodes if isinstance(n, ast.Index) and alike(n, target)]
    bases = [added(n) for n in nodes if _adds(n, target)]
    if len(places) != len(bases):
        return False
    fields = {
        id(plain(n.table))
        for n in nodes
        if isinstance(n, ast.Index) and isinstance(n.key, ast.String)
    }
    return all(
        id(n) in fields for n in nodes if isinstance(n, ast.Name) and n.variable is owner.variable
    )


def _name(target: ast.Index, taken: set[str]) -> str:
    """Return a name for the model that the file does not have."""
    assert isinstance(target.key, ast.String)
    name = target.key.value
    while name in taken:
        name += "_model"
    return name


def _separate(file: File, block: ast.Block, position: int, end: int, name: str) -> None:
    """Make a stage's model that of a variable, and put it into the field at the end."""
    first = block.statements[position]
    assert isinstance(first, ast.Assign)
    target: Any = plain(first.targets[0])
    scope = plain(target.table).variable.scope
    stage = Variable(name, scope, BUILT, first.line, 0, False)
    value = first.values[0]
    stage.values = [value]

    def named(node: ast.Node) -> ast.Name:
        found = ast.Name(node.line, node.column, name, stage)
        stage.names.append(found)
        return found

    made = ast.Local(first.line, first.column, [named(first)], [value])
    block.statements[position] = like(made, first)
    for node in walk(block.statements[position + 1 : end + 1]):
        if _adds(node, target):
            _, calls = chain_of(node.call)
            calls[0].object = named(calls[0])
    last = block.statements[end]
    handed: Any = Handed(last.line, last.column, named(last))
    block.statements.insert(end + 1, ast.Assign(last.line, last.column, [target], [handed]))
    stage.reads = len(stage.names) - 1
    scope.variables.append(stage)
    writes = file.scopes.field_writes
    writes[:] = [(t, handed if v is value else v) for t, v in writes]
