"""The function that makes all objects of a class: it becomes `__init__`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import ast
from .lower.class_names import EVENTS
from .metatable_candidates import Candidate, Maker, is_variable
from .modern.walk import walk
from .names import is_attribute
from .scope import Variable
from .syntax import dotted, returns

if TYPE_CHECKING:
    from .module import Module


def settle(c: Candidate, known: dict[Variable, Candidate]) -> None:
    """Find the function that makes all objects, if there is one that is called by its name."""
    if len(c.made) != 1 or c.base is not None:
        return
    for name, statement in c.methods.items():
        if statement.method or name in EVENTS or statement.function.vararg:
            continue
        maker = _maker(statement.function, c)
        if maker is not None and _is_called_plainly(c, name):
            c.maker = name, statement, maker
            return


def _maker(function: ast.Function, c: Candidate) -> Maker | None:
    statements = function.body.statements
    last = statements[-1] if statements else None
    if not isinstance(last, ast.Return) or len(last.values) != 1:
        return None
    if len(returns(function.body)) != 1 or last.before or last.after:
        return None
    (call,) = c.made
    dropped: list[ast.Statement] = [last]
    if last.values[0] is call:
        return _from_return(statements, call, last)
    this = last.values[0]
    if not isinstance(this, ast.Name) or this.variable is None or this.variable.writes:
        return None
    for statement in statements:
        if isinstance(statement, ast.Local) and statement.names[0].variable is this.variable:
            if len(statement.names) != 1 or len(statement.values) != 1:
                return None
            value = statement.values[0]
            if value is call:
                return _built(statement.names[0], statement, call.arguments[0], dropped)
            for later in statements:
                given = isinstance(later, ast.CallStatement) and later.call is call
                if given and is_variable(call.arguments[0], this.variable):
                    return _built(statement.names[0], statement, value, [*dropped, later])
    return None


def _from_return(statements: list[ast.Statement], call: ast.Call, last: ast.Return) -> Maker | None:
    """Return what `return setmetatable(x, C)` makes."""
    first = call.arguments[0]
    if isinstance(first, ast.TableConstructor):
        return _built(None, last, first, [])
    if not isinstance(first, ast.Name) or first.variable is None or first.variable.writes:
        return None
    for statement in statements:
        if isinstance(statement, ast.Local) and statement.names[0].variable is first.variable:
            single = len(statement.names) == len(statement.values) == 1
            value = statement.values[0] if single else None
            return _built(statement.names[0], statement, value, [last])
    return None


def _built(
    this: ast.Name | None,
    creation: ast.Statement,
    value: ast.Expression | None,
    dropped: list[ast.Statement],
) -> Maker | None:
    if not isinstance(value, ast.TableConstructor) or value.trailing:
        return None
    plain = all(isinstance(f.key, ast.String) and is_attribute(f.key.value) for f in value.fields)
    if this is None and _mentions_this(value):
        return None
    return Maker(this, creation, value.fields, dropped) if plain else None


def _mentions_this(value: ast.TableConstructor) -> bool:
    return any(isinstance(n, ast.Name) and n.name == "self" for n in walk(value))


def _is_called_plainly(c: Candidate, name: str) -> bool:
    """Whether the function is only ever called, as `C.new(...)`, where this can be seen."""
    module = c.module
    exported = module.exports is c.variable
    users = [
        (m, v)
        for m in module.project.modules.values()
        for v, other in m.imported.items()
        if other is module
    ]
    if exported:
        required = sum(
            isinstance(call, ast.Call)
            and dotted(call.function) in ("require", "dofile", "paths.dofile")
            and _may_load(m, call, module)
            for m in module.project.modules.values()
            for call in m.scopes.calls
        )
        if not users or required != len(users):
            return False
    reads = calls = 0
    for m, variable in [(module, c.variable), *users]:
        for node in walk(m.block):
            if isinstance(node, ast.Index) and isinstance(node.key, ast.String):
                reads += is_variable(node.table, variable) and node.key.value == name
            elif isinstance(node, ast.Call) and isinstance(node.function, ast.Index):
                at = node.function
                named = isinstance(at.key, ast.String) and at.key.value == name
                calls += named and is_variable(at.table, variable)
    return reads == calls + 1  # its definition is one of them


def _may_load(module: Module, call: ast.Call, wanted: Module) -> bool:
    only = call.arguments[0] if call.arguments else None
    if not isinstance(only, ast.String):
        return True
    return module.find(only.value) is wanted or only.value.endswith(wanted.path)


def initializer(
    module: Module, statement: ast.FunctionStatement, maker: Maker
) -> ast.FunctionStatement:
    """Return the function that makes objects as the method that fills one."""
    function = statement.function
    scope = module.scopes.scopes[id(function)]
    if maker.this is None:
        this = Variable("self", scope, "self", function.line)
        scope.variables.insert(0, this)
    else:
        assert maker.this.variable is not None
        this = maker.this.variable
        scope.variables.remove(this)
        scope.variables.insert(0, this)
        this.kind, this.values, this.declared = "self", [], 0
    this.unknown = True
    fills: list[ast.Statement] = []
    for entry in maker.fields:
        assert entry.key is not None
        owner = ast.Name(entry.line, entry.column, this.name)
        owner.variable = this
        this.names.append(owner)
        this.reads += 1
        target = ast.Index(entry.line, entry.column, owner, entry.key)
        fills.append(
            ast.Assign(
                entry.line,
                entry.column,
                [target],
                [entry.value],
                before=entry.before,
                after=entry.after,
            )
        )
        module.scopes.field_writes.append((target, entry.value))
    gone = {id(s) for s in maker.dropped}
    body: list[ast.Statement] = []
    for inner in function.body.statements:
        if inner is maker.creation:
            if fills:
                fills[0].before = [*inner.before, *fills[0].before]
                fills[0].blank_before = inner.blank_before
            body += fills
        elif id(inner) not in gone:
            body.append(inner)
    function.body.statements = body
    return ast.FunctionStatement(
        statement.line,
        statement.column,
        statement.target,
        True,
        function,
        before=statement.before,
        blank_before=statement.blank_before,
        after=statement.after,
    )
