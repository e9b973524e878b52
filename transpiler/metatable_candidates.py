"""Tables that may be classes: `local C = {}` and what its block gives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import ast
from .scope import Variable
from .syntax import blocks_of, dotted

if TYPE_CHECKING:
    from .module import Module


@dataclass(eq=False)
class Candidate:
    """A table that may be a class.

    Attributes
    ----------
    base : Name or None
        The class that it inherits from.
    methods : dict
        The statements that define them, by their names.
    moved : list of Statement
        Statements that the class takes in.
    fields : set of str
        What it is given beside methods.
    made : list of Call
        `setmetatable(x, C)` of it, once its uses were looked at.
    maker : tuple or None
        The function that makes all objects: its name, its statement, what it does.
    """

    module: Module
    variable: Variable
    statement: ast.Local
    block: ast.Block
    base: ast.Name | None = None
    methods: dict[str, ast.FunctionStatement] = field(default_factory=dict)
    moved: list[ast.Statement] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)
    made: list[ast.Call] = field(default_factory=list)
    maker: tuple[str, ast.FunctionStatement, Maker] | None = None

    @property
    def names(self) -> set[str]:
        """What the class has: its methods and other fields."""
        return self.fields | self.methods.keys()


@dataclass(slots=True)
class Maker:
    """A function that makes an object: where, of what fields, under which name."""

    this: ast.Name | None
    creation: ast.Statement
    fields: list[ast.Field]
    dropped: list[ast.Statement]


def candidates(module: Module) -> list[Candidate]:
    """Return the tables of a file that may be classes."""
    found: list[Candidate] = []

    def visit(block: ast.Block) -> None:
        for statement in block.statements:
            candidate = _started(module, statement, block)
            if candidate is not None and _collect(candidate):
                found.append(candidate)
            for inner in blocks_of(statement):
                visit(inner)

    visit(module.block)
    return found


def _started(module: Module, statement: ast.Statement, block: ast.Block) -> Candidate | None:
    """Return a candidate for `local C = {}` and `local C = setmetatable({}, {__index = B})`."""
    if not isinstance(statement, ast.Local) or len(statement.names) != 1:
        return None
    variable = statement.names[0].variable
    value = statement.values[0] if len(statement.values) == 1 else None
    if variable is None or variable.writes or variable.in_loop:
        return None
    base = None
    if isinstance(value, ast.Call) and len(value.arguments) == 2:
        base = base_of(value)
        value = value.arguments[0] if base is not None else None
    if not isinstance(value, ast.TableConstructor) or value.fields:
        return None
    return Candidate(module, variable, statement, block, base)


def base_of(call: ast.Call) -> ast.Name | None:
    """Return B of `setmetatable(x, {__index = B})`."""
    if dotted(call.function) != "setmetatable" or len(call.arguments) != 2:
        return None
    events = call.arguments[1]
    if not isinstance(events, ast.TableConstructor) or len(events.fields) != 1:
        return None
    key, value = events.fields[0].key, events.fields[0].value
    named = isinstance(key, ast.String) and key.value == "__index"
    return value if named and isinstance(value, ast.Name) and value.variable is not None else None


def _collect(c: Candidate) -> bool:
    """Collect what the block gives a class; return whether `C.__index = C` is there."""
    indexed = False
    for statement in c.block.statements:
        if isinstance(statement, ast.CallStatement) and isinstance(statement.call, ast.Call):
            call = statement.call
            if call.arguments and is_variable(call.arguments[0], c.variable):
                c.base = c.base or base_of(call)
                if c.base is not None:
                    c.moved.append(statement)
            continue
        key, value, method = _given(statement, c.variable)
        if key is None:
            continue
        if key == "__index":
            indexed = value is not None and is_variable(value, c.variable)
            if not indexed:
                return False
            c.moved.append(statement)
        elif isinstance(value, ast.Function):
            if key in c.names:
                return False
            assert isinstance(statement, (ast.Assign, ast.FunctionStatement))
            c.methods[key] = _as_function_statement(statement, value, method)
            c.moved.append(statement)
        else:
            c.fields.add(key)
    return indexed


def _given(
    statement: ast.Statement, variable: Variable
) -> tuple[str | None, ast.Expression | None, bool]:
    """Return the field of a class that a statement assigns, what, and whether it is a method."""
    value: ast.Expression
    if isinstance(statement, ast.FunctionStatement):
        target, value, method = statement.target, statement.function, statement.method
    elif isinstance(statement, ast.Assign) and len(statement.targets) == len(statement.values) == 1:
        target, value, method = statement.targets[0], statement.values[0], False
    else:
        return None, None, False
    of_class = isinstance(target, ast.Index) and is_variable(target.table, variable)
    if of_class and isinstance(target, ast.Index) and isinstance(target.key, ast.String):
        return target.key.value, value, method
    return None, None, False


def _as_function_statement(
    statement: ast.Assign | ast.FunctionStatement, function: ast.Function, method: bool
) -> ast.FunctionStatement:
    if isinstance(statement, ast.FunctionStatement):
        return statement
    return ast.FunctionStatement(
        statement.line,
        statement.column,
        statement.targets[0],
        method,
        function,
        before=statement.before,
        blank_before=statement.blank_before,
        after=statement.after,
    )


def is_variable(node: Any, variable: Variable) -> bool:
    """Whether an expression is a variable."""
    return isinstance(node, ast.Name) and node.variable is variable


def class_of(
    c: Candidate, variable: Variable | None, known: dict[Variable, Candidate]
) -> Candidate | None:
    """Return the candidate that a variable is, in this file or the one it is imported from."""
    if variable is None:
        return None
    other = c.module.imported.get(variable)
    return known.get(variable) or (known.get(other.exports) if other and other.exports else None)


def has_family(c: Candidate, known: dict[Variable, Candidate]) -> bool:
    """Whether another class inherits from it."""
    return any(
        other.base is not None and class_of(other, other.base.variable, known) is c
        for other in known.values()
    )
