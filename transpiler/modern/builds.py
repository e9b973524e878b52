"""Models that are put together with branches and loops, and of which more is done afterwards.

`model = nn.Sequential()` up to the last `model:add(...)` is a stage of its own, at whose end the
model becomes one of Torch: `model = as_torch(model)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import ast
from ..scope import Variable
from ..walk import names_in, plain, walk
from .chains import added, chain_of, is_container, start_of
from .classes import class_of
from .files import File
from .nodes import Handed
from .step_parts import only_target

BUILT = "built"
"""The kind of the variables of such stages."""


def separate_builds(
    file: File, stays: Callable[[Variable | str], bool], faithful: set[Any]
) -> None:
    """Give the building of models a variable of its own, where what is built stays Torch's.

    Parameters
    ----------
    file : File
    stays : callable
        Whether a variable, or a global by its name, stays as it is.
    faithful : set
        Anchors of stages that have been tried.
    """
    for block in [n for n in walk(file.block) if isinstance(n, ast.Block)]:
        position = 0
        while position < len(block.statements):
            end = _end(block.statements, position)
            target = only_target(block.statements[position])
            if end is not None and target is not None:
                key = target.variable if target.variable is not None else target.name
                anchor = file.path, target.name, block.statements[position].line, BUILT, 0
                if stays(key) and anchor not in faithful:
                    _separate(file, block, position, end, target)
                    position = end + 1
            position += 1


def _end(statements: list[ast.Statement], position: int) -> int | None:
    """Return the last statement that adds to the model that one defines, if some do in blocks."""
    target = only_target(statements[position])
    value = getattr(statements[position], "values", [None])[:1]
    if target is None or not value or not is_container(value[0]):
        return None
    if class_of(start_of(value[0])) != "Sequential":
        return None
    end = None
    for place in range(position + 1, len(statements)):
        again = only_target(statements[place])
        if again is not None and _is_same(again, target):
            break
        if any(_adds(n, target) for n in _calls(statements[place])):
            end = place
    behind = statements[position + 1 : (end or 0) + 1]
    return None if all(_adds(s, target) for s in behind) else end


def _calls(statement: ast.Statement) -> list[Any]:
    """Return the calls for their effect in a statement, but not those of functions inside."""
    found: list[Any] = []
    for node in walk(statement):
        if isinstance(node, ast.Function):
            break
        found += [node] if isinstance(node, ast.CallStatement) else []
    return found


def _adds(node: Any, target: ast.Name) -> bool:
    """Whether a statement is `model:add(...)`."""
    return added(node) is not None and _is_same(chain_of(node.call)[0], target)


def _is_same(node: Any, target: ast.Name) -> bool:
    node = plain(node)
    if not isinstance(node, ast.Name) or node.variable is not target.variable:
        return False
    return node.name == target.name


def _separate(file: File, block: ast.Block, position: int, end: int, target: ast.Name) -> None:
    """Make the names of a stage those of a variable of its own."""
    statements = block.statements[position : end + 1]
    own = target.variable
    scope = own.scope if own is not None else file.scopes.top
    line = statements[0].line
    stage = Variable(target.name, scope, BUILT, line, 0, False)
    names = [n for n in names_in(statements) if _is_same(n, target)]
    value = plain(statements[0].values[0])  # type: ignore[attr-defined]  # it defines something
    stage.values = [statements[0].values[0]]  # type: ignore[attr-defined]
    last = statements[-1]
    given = ast.Name(last.line, last.column, target.name, stage)
    result = ast.Name(last.line, last.column, target.name, own)
    handed: Any = Handed(last.line, last.column, given)
    block.statements.insert(end + 1, ast.Assign(last.line, last.column, [result], [handed]))
    for name in names:
        name.variable = stage
    stage.names = [*names, given]
    stage.reads = len(names)  # one of them is written, and one is given away at the end
    scope.variables.append(stage)
    if own is None:
        known = file.scopes.global_values.get(target.name, [])
        known[:] = [handed if v is not None and plain(v) is value else v for v in known]
        return
    own.values = [handed if v is not None and plain(v) is value else v for v in own.values]
    own.names = [result, *(n for n in own.names if n.variable is own)]
    own.reads -= len(names) - 1
