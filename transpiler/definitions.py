"""What a file defines: functions of tables, fields of objects, what it returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import ast, library
from .scope import FileScope, Variable
from .syntax import blocks_of, dotted, returns

TableFunctions = dict[tuple[Variable, str], ast.Function]


def defined_names(scopes: FileScope) -> dict[str, int | None]:
    """Return the fields that are functions, and how many arguments they take; None for any."""
    found: dict[str, int | None] = {}
    for target, value in scopes.field_writes:
        if isinstance(target.key, ast.String) and _may_be_function(value):
            name, most = target.key.value, None
            if isinstance(value, ast.Function) and not value.vararg:
                most = len(value.parameters)
            known = found.get(name, 0)
            found[name] = None if most is None or known is None else max(most, known)
    return found


def _may_be_function(value: ast.Expression | None) -> bool:
    """Whether what is assigned to a field may be a function; what a method gives is none."""
    match value:
        case ast.Number() | ast.String() | ast.Boolean() | ast.Nil() | ast.TableConstructor():
            return False
        case ast.MethodCall() | ast.Unary():
            return False
        case ast.Binary(operator="or", left=left, right=right):
            return _may_be_function(left) or _may_be_function(right)
        case ast.Binary(operator="and", right=right):
            return _may_be_function(right)
        case ast.Binary():
            return False
        case ast.Paren(inner=inner):
            return _may_be_function(inner)
        case ast.Name(variable=variable) if variable is not None:
            if variable.kind == "parameter":
                return False
            known = not variable.unknown and not variable.several
            return not known or any(map(_may_be_function, variable.values))
        case ast.Call(function=function):
            return (dotted(function) or "").partition(".")[0] not in library.PACKAGES
    return True


def tables_of_functions(statements: Iterable[ast.Statement]) -> TableFunctions:
    """Find `local M = {}` with `function M.f() ... end`, where nothing else is ever M.f."""
    counts: dict[tuple[Variable, str], int] = {}
    found: dict[tuple[Variable, str], ast.Function] = {}
    for statement in statements:
        targets: list[ast.Name | ast.Index] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.FunctionStatement):
            targets = [statement.target]
        for target in targets:
            place = own_field(target)
            if place is None:
                continue
            counts[place] = counts.get(place, 0) + 1
            if isinstance(statement, ast.FunctionStatement) and not statement.method:
                found[place] = statement.function
    return {p: f for p, f in found.items() if counts[p] == 1}


def is_table(variable: Variable) -> bool:
    """Whether a variable is one table made in the file, from its start to its end."""
    values = variable.values
    return not variable.writes and len(values) == 1 and isinstance(values[0], ast.TableConstructor)


def own_field(target: ast.Name | ast.Index) -> tuple[Variable, str] | None:
    """Return the table of the file and the field of it that is assigned: `M.f`."""
    if not isinstance(target, ast.Index) or not isinstance(target.key, ast.String):
        return None
    owner = target.table
    if not isinstance(owner, ast.Name) or owner.variable is None or not is_table(owner.variable):
        return None
    return owner.variable, target.key.value


def all_statements(block: ast.Block) -> Iterator[ast.Statement]:
    """Yield the statements of a block and of the blocks inside, not of functions."""
    for statement in block.statements:
        yield statement
        for inner in blocks_of(statement):
            yield from all_statements(inner)


def returns_early(block: ast.Block) -> bool:
    """Whether a file returns in the middle."""
    found = returns(block)
    return bool(found) and not (len(found) == 1 and found[0] is block.statements[-1])


def assigned_fields(
    function: ast.Function,
) -> list[tuple[str, ast.Expression | None, bool]]:
    """Return the fields of `self` that a method assigns, what, and whether it always does."""
    found: list[tuple[str, ast.Expression | None, bool]] = []

    def visit(block: ast.Block, certain: bool) -> None:
        for statement in block.statements:
            if isinstance(statement, ast.Assign):
                values: list[ast.Expression | None] = list(statement.values)
                if len(values) != len(statement.targets):
                    values = [None] * len(statement.targets)
                found.extend(
                    (target.key.value, value, certain)
                    for target, value in zip(statement.targets, values, strict=True)
                    if isinstance(target, ast.Index)
                    and isinstance(target.table, ast.Name)
                    and target.table.name == "self"
                    and isinstance(target.key, ast.String)
                )
            for inner in blocks_of(statement):
                visit(inner, certain and isinstance(statement, ast.Do))
            if returns(ast.Block([statement])):
                certain = False

    visit(function.body, True)
    return found
