"""The functions that make the objects of a class: one of them becomes `__init__`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import ast
from .lower.class_names import EVENTS
from .metatable_calls import is_called_plainly
from .metatable_candidates import (
    CALLED,
    Candidate,
    Known,
    Maker,
    base_class,
    family,
    is_variable,
)
from .metatable_uses import indexes_itself, takes_its_table
from .names import is_attribute
from .scope import Variable
from .syntax import returns
from .walk import walk

if TYPE_CHECKING:
    from .module import Module


_USUAL = ("new", "create")
"""What functions that make objects are called."""


def settle_all(known: Known) -> None:
    """Find the functions that make all objects of classes, which are called by their names."""
    blocked: set[Candidate] = set()
    while True:
        done: set[Candidate] = set()
        for c in known.values():
            _settle(c, known, done, blocked)
        found = {c for c in known.values() if _is_above_another(c, known)}
        if not found:
            return
        blocked |= found


def _is_above_another(c: Candidate, known: Known) -> bool:
    """Whether what makes objects is called by what stays a function: `Base.new(self, o)`."""
    name = c.plain_maker or (c.maker[0] if c.maker is not None else None)
    if name is None or not (name in c.methods and c.methods[name].method):
        return False
    for heir in family(c, known):
        for made, statement in heir.methods.items():
            if made in heir.factories and not (heir.maker and heir.maker[0] == made):
                for node in walk(statement.function.body):
                    if isinstance(node, ast.Index) and isinstance(node.key, ast.String):
                        of_base = heir.base is not None and is_variable(
                            node.table, heir.base.variable
                        )
                        if of_base and node.key.value == name:
                            return True
    return False


def _settle(c: Candidate, known: Known, done: set[Candidate], blocked: set[Candidate]) -> None:
    if c in done:
        return
    done.add(c)
    c.maker = c.plain_maker = None
    above = base_class(c, known)
    if above is not None:
        _settle(above, known, done, blocked)
    if c.escapes or c in blocked:
        return
    if c.caller is not None:
        _settle_called(c, known)
        return
    single = len(c.made) + len(c.made_bare) == 1
    for name in sorted(c.methods, key=lambda n: n not in _USUAL):
        if not (single or name in _USUAL):  # one of several ways to make an object
            continue
        statement = c.methods[name]
        if name in EVENTS or name in c.shadowed:
            continue
        maker = _maker(statement.function, c, name, known)
        if maker is not None and is_called_plainly(c, name, known):
            c.maker = name, statement, maker
            return
        plain = name in c.factories and _takes_any_table(c, name)
        if plain and is_called_plainly(c, name, known, of_tables=True):
            c.plain_maker = name
            return


def _settle_called(c: Candidate, known: Known) -> None:
    """Make of `__call` what makes objects, or of the function that it calls."""
    caller = c.caller
    assert caller is not None
    only = caller.body.statements[0] if len(caller.body.statements) == 1 else None
    if isinstance(only, ast.Return) and len(only.values) == 1:
        name = _forwards_to(c, caller, only.values[0])
        if name is not None:
            maker = _maker(c.methods[name].function, c, name, known)
            if maker is not None and is_called_plainly(c, name, known):
                c.maker = name, c.methods[name], maker
            return
    maker = _maker(caller, c, CALLED, known)
    if maker is not None:
        owner = ast.Name(caller.line, caller.column, c.variable.name)
        owner.variable = c.variable
        key = ast.String(caller.line, caller.column, "__call")
        target = ast.Index(caller.line, caller.column, owner, key)
        statement = ast.FunctionStatement(caller.line, caller.column, target, False, caller)
        c.maker = CALLED, statement, maker


def _forwards_to(c: Candidate, caller: ast.Function, value: ast.Expression) -> str | None:
    """Return "new" for `function(cls, ...) return C.new(...) end`."""
    this = caller.parameters[0].variable
    match value:
        case ast.Call(function=ast.Index(table=owner, key=ast.String(value=name)), arguments=given):
            method = False
        case ast.MethodCall(object=owner, method=name, arguments=given):
            method = True
        case _:
            return None
    of_class = is_variable(owner, this) or is_variable(owner, c.variable)
    wanted = c.methods.get(name)
    if not of_class or wanted is None or wanted.method != method:
        return None
    taken, passed = wanted.function.parameters, caller.parameters[1:]
    rest = given[-1:] if given and isinstance(given[-1], ast.Vararg) else []
    named = given[: len(given) - len(rest)]
    same = len(named) == len(passed) and all(
        is_variable(g, p.variable) for g, p in zip(named, passed, strict=True)
    )
    if not same or bool(rest) != caller.vararg:
        return None
    return name if rest or (len(passed) == len(taken) and not wanted.function.vararg) else None


# -- what a function makes --------------------------------------------------------------------


def _maker(function: ast.Function, c: Candidate, name: str, known: Known) -> Maker | None:
    statements = function.body.statements
    last = statements[-1] if statements else None
    if not isinstance(last, ast.Return) or len(last.values) != 1:
        return None
    if len(returns(function.body)) != 1 or last.before or last.after or function.body.trailing:
        return None
    calls = {id(call) for call in [*c.made, *c.made_bare]}
    own = [n for n in walk(function.body) if isinstance(n, ast.Call) and id(n) in calls]
    if function.vararg and name != CALLED:
        return None
    if not own and name in c.factories:
        return _of_base(statements, last, c, name, known)
    if len(own) != 1:
        return None
    (call,) = own
    dropped: list[ast.Statement] = [last]
    dropped += [s for s in statements if indexes_itself(s, c.factories.get(name))]
    value = last.values[0]
    made = call.arguments[0] if value is call else value
    if value is call and not isinstance(made, ast.Name):
        return _built(None, last, made, dropped[1:], c, known)
    if not isinstance(made, ast.Name) or made.variable is None or made.variable.writes:
        return None
    this = made.variable
    for statement in statements:
        if isinstance(statement, ast.Local) and statement.names[0].variable is this:
            if len(statement.names) != 1 or len(statement.values) != 1:
                return None
            start = statement.values[0]
            if start is call:
                start = call.arguments[0]
            elif value is not call:
                given = next((s for s in statements if _is_call(s, call)), None)
                if given is None or not is_variable(call.arguments[0], this):
                    return None
                dropped.append(given)
            return _built(statement.names[0], statement, start, dropped, c, known)
    return None


def _of_base(
    statements: list[ast.Statement], last: ast.Return, c: Candidate, name: str, known: Known
) -> Maker | None:
    """Return what `local o = Base.new(self, ...)` makes, which `return o` gives."""
    value = last.values[0]
    if not isinstance(value, ast.Name) or value.variable is None or value.variable.writes:
        return None
    dropped: list[ast.Statement] = [last]
    dropped += [s for s in statements if indexes_itself(s, c.factories[name])]
    for statement in statements:
        if isinstance(statement, ast.Local) and statement.names[0].variable is value.variable:
            start = statement.values[0] if len(statement.values) == 1 else None
            if isinstance(start, ast.Call) and len(statement.names) == 1:
                return _built(statement.names[0], statement, start, dropped, c, known)
    return None


def _is_call(statement: ast.Statement, call: ast.Call) -> bool:
    return isinstance(statement, ast.CallStatement) and statement.call is call


def _built(
    this: ast.Name | None,
    creation: ast.Statement,
    value: ast.Expression,
    dropped: list[ast.Statement],
    c: Candidate,
    known: Known,
) -> Maker | None:
    if isinstance(value, (ast.Call, ast.MethodCall)):
        if not _makes_base(value, c, known) or this is None:
            return None
        return Maker(this, creation, [], value, dropped)
    if not isinstance(value, ast.TableConstructor) or value.trailing:
        return None
    plain = all(isinstance(f.key, ast.String) and is_attribute(f.key.value) for f in value.fields)
    if this is None and _mentions_this(value):
        return None
    return Maker(this, creation, value.fields, None, dropped) if plain else None


def _mentions_this(value: ast.TableConstructor) -> bool:
    return any(isinstance(n, ast.Name) and n.name == "self" for n in walk(value))


def _makes_base(call: ast.Call | ast.MethodCall, c: Candidate, known: Known) -> bool:
    """Whether a call makes an object of the base that does not ask what class it is of."""
    above = base_class(c, known)
    if above is None or above.maker is None or c.base is None:
        return False
    name, statement, maker = above.maker
    if isinstance(call, ast.MethodCall):
        if not is_variable(call.object, c.base.variable) or call.method != name:
            return False
    else:
        function = call.function
        if not isinstance(function, ast.Index) or not is_variable(function.table, c.base.variable):
            return False
        if not isinstance(function.key, ast.String) or function.key.value != name:
            return False
    if maker.this is None:
        return True
    own = {k for f in family(above, known) for k in f.methods}
    this = maker.this.variable
    accounted = {id(s.call.arguments[0]) for s in maker.dropped if isinstance(s, ast.CallStatement)}
    accounted |= {id(v) for s in maker.dropped if isinstance(s, ast.Return) for v in s.values}
    for node in walk(statement.function.body):
        if isinstance(node, ast.Index) and isinstance(node.key, ast.String):
            if node.key.value not in own:
                accounted.add(id(node.table))
        elif isinstance(node, ast.MethodCall) and node.method not in own:
            accounted.add(id(node.object))
        elif isinstance(node, ast.Return) and node in maker.dropped:
            accounted |= {
                id(a) for v in node.values if isinstance(v, ast.Call) for a in v.arguments
            }
    return this is not None and all(id(n) in accounted for n in this.names)


def _takes_any_table(c: Candidate, name: str) -> bool:
    """Whether a function does no more than give a table its class."""
    function = c.methods[name].function
    statements = function.body.statements
    last = statements[-1] if statements else None
    if (
        len(function.parameters) != 1
        or function.vararg
        or next(takes_its_table(c, name), None) is None
    ):
        return False
    if not isinstance(last, ast.Return) or len(last.values) != 1:
        return False
    made = {id(call) for call in [*c.made, *c.made_bare]}
    first = 0
    for statement in statements:
        value = statement.values[0] if isinstance(statement, (ast.Assign, ast.Local)) else None
        if isinstance(statement, ast.CallStatement):
            if id(statement.call) not in made:
                return False
        elif isinstance(value, ast.Binary):
            first += 1
        elif not (statement is last or indexes_itself(statement, c.factories[name])):
            return False
    value = last.values[0]
    return first == 1 and (isinstance(value, ast.Name) or id(value) in made)


# -- the method that it becomes ---------------------------------------------------------------


def initializer(
    c: Candidate, name: str, statement: ast.FunctionStatement, maker: Maker
) -> ast.FunctionStatement:
    """Return the function that makes objects as the method that fills one."""
    module, function = c.module, statement.function
    scope = module.scopes.scopes[id(function)]
    if statement.method or name == CALLED:  # what is called upon the class
        scope.variables.pop(0)
        if name == CALLED:
            function.parameters.pop(0)
    if maker.this is None:
        this = Variable("self", scope, "self", function.line)
    else:
        assert maker.this.variable is not None
        this = maker.this.variable
        scope.variables.remove(this)
        this.kind, this.values, this.declared = "self", [], 0
        this.name = "self"
        for node in this.names:
            node.name = "self"
    scope.variables.insert(0, this)
    this.unknown = True
    fills: list[ast.Statement] = list(_fills(module, maker, this))
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


def _fills(module: Module, maker: Maker, this: Variable) -> Iterator[ast.Statement]:
    """Yield the statements that give an object its first fields."""
    if maker.above is not None:
        yield _above(maker.above, this)
    for entry in maker.fields:
        assert entry.key is not None
        target = ast.Index(entry.line, entry.column, _named(entry, this), entry.key)
        module.scopes.field_writes.append((target, entry.value))
        yield ast.Assign(
            entry.line,
            entry.column,
            [target],
            [entry.value],
            before=entry.before,
            after=entry.after,
        )


def _above(call: ast.Call | ast.MethodCall, this: Variable) -> ast.Statement:
    """Return `Base.__init(self, ...)`."""
    given = call.arguments
    if isinstance(call, ast.MethodCall):
        owner: ast.Expression = call.object
    else:
        assert isinstance(call.function, ast.Index)
        owner = call.function.table
        first = given[0] if given else None
        if isinstance(first, ast.Name) and first.variable is not None:
            given = given[1:] if first.variable.kind == "self" else given
    key = ast.String(call.line, call.column, "__init")
    function = ast.Index(call.line, call.column, owner, key)
    made = ast.Call(call.line, call.column, function, [_named(call, this), *given])
    return ast.CallStatement(call.line, call.column, made)


def _named(node: ast.Field | ast.Call | ast.MethodCall, this: Variable) -> ast.Name:
    name = ast.Name(node.line, node.column, this.name)
    name.variable = this
    this.names.append(name)
    this.reads += 1
    return name
