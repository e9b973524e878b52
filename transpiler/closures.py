"""Variables of loops that closures keep: each turn of a Lua loop has variables of its own.

A closure that is only called while its turn lasts needs nothing. One that is kept takes the
variable's value with it as a keyword argument, or, where somebody assigns the variable later,
a cell.
"""

from __future__ import annotations

from . import ast
from .function_uses import function_of
from .scope import FileScope, Scope, Variable
from .types import Types


def kept_variables(
    scopes: FileScope, types: Types
) -> tuple[set[Variable], dict[int, list[Variable]]]:
    """Return the variables that need cells, and for functions those that they take along."""
    cells: set[Variable] = set()
    bound: dict[int, list[Variable]] = {}
    holders: dict[int, Variable] = {}
    for scope in (scopes.top, *scopes.scopes.values()):
        for variable in scope.variables:
            function = function_of(variable)
            if function is not None:
                holders[id(function)] = variable
    for scope in (scopes.top, *scopes.scopes.values()):
        for variable in scope.variables:
            if not variable.needs_cell:
                continue
            keepers = [
                inner
                for inner in scopes.scopes.values()
                if inner.parent is scope and variable in inner.captures
            ]
            if all(_is_lent(inner, types, holders) for inner in keepers):
                continue
            declared = bool(variable.values) or variable.kind == "for"
            empty = len(variable.values) == 1 and isinstance(variable.values[0], ast.Nil)
            if variable.writes or variable.kind == "function" or not declared or empty:
                cells.add(variable)
            for inner in keepers:
                bound.setdefault(id(inner.function), []).append(variable)
    return cells, bound


def _is_lent(scope: Scope, types: Types, holders: dict[int, Variable]) -> bool:
    """Whether a function is called while the turn lasts, and kept by nobody."""
    key = id(scope.function)
    if key in types.uses.safe_functions:
        return True
    holder = holders.get(key)
    return holder is not None and types.uses.only_called(holder) and not holder.captured
