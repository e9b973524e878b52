"""Classes made of tables: `local C = {}`, `C.__index = C`, `function C:method() ... end`.

Such a table becomes a Python class where the program uses it as one: its fields are read and
called, functions are put into it at one place, and it is the metatable of its objects. Where
objects are all made by one function, `C.new(...)`, that function becomes `__init__`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import ast
from .lower.classes import EVENTS, ClassInfo
from .lower.tables import HIDDEN
from .modern.walk import walk
from .names import is_attribute
from .scope import Variable
from .syntax import blocks_of, dotted, returns

if TYPE_CHECKING:
    from .module import Module

_OF_PYTHON = frozenset(["mro", "metatable"])


@dataclass(eq=False)
class _Candidate:
    module: Module
    variable: Variable
    statement: ast.Local
    block: ast.Block
    base: ast.Name | None = None
    methods: dict[str, ast.FunctionStatement] = field(default_factory=dict)
    moved: list[ast.Statement] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)
    made: list[ast.Call] = field(default_factory=list)
    called: list[ast.Name] = field(default_factory=list)
    maker: tuple[str, ast.FunctionStatement, _Maker] | None = None

    @property
    def names(self) -> set[str]:
        return self.fields | self.methods.keys()


@dataclass(slots=True)
class _Maker:
    """A function that makes an object: where, of what fields, under which name."""

    this: ast.Name | None
    creation: ast.Statement
    fields: list[ast.Field]
    dropped: list[ast.Statement]


def find_metatable_classes(modules: Iterable[Module]) -> None:
    """Find such classes, and tell the files of them."""
    listed = list(modules)
    found = [c for m in listed for c in _candidates(m)]
    assigned = _assigned_names(listed)
    by_variable = {c.variable: c for c in found}
    while True:
        bad = [c for c in by_variable.values() if not _is_class(c, by_variable, assigned, listed)]
        if not bad:
            break
        for candidate in bad:
            del by_variable[candidate.variable]
    for candidate in by_variable.values():
        _settle(candidate, by_variable)
    for candidate in by_variable.values():
        if candidate.maker is not None and _has_family(candidate, by_variable):
            candidate.maker = None
        _register(candidate)


# -- finding ------------------------------------------------------------------------------------


def _candidates(module: Module) -> list[_Candidate]:
    found: list[_Candidate] = []

    def visit(block: ast.Block) -> None:
        for statement in block.statements:
            candidate = _started(module, statement, block)
            if candidate is not None and _collect(candidate):
                found.append(candidate)
            for inner in blocks_of(statement):
                visit(inner)

    visit(module.block)
    return found


def _started(module: Module, statement: ast.Statement, block: ast.Block) -> _Candidate | None:
    """Return a candidate for `local C = {}` and `local C = setmetatable({}, {__index = B})`."""
    if not isinstance(statement, ast.Local) or len(statement.names) != 1:
        return None
    variable = statement.names[0].variable
    value = statement.values[0] if len(statement.values) == 1 else None
    if variable is None or variable.writes or variable.in_loop:
        return None
    base = None
    if isinstance(value, ast.Call) and len(value.arguments) == 2:
        base = _base_of(value)
        value = value.arguments[0] if base is not None else None
    if not isinstance(value, ast.TableConstructor) or value.fields:
        return None
    return _Candidate(module, variable, statement, block, base)


def _base_of(call: ast.Call) -> ast.Name | None:
    """Return B of `setmetatable(x, {__index = B})`."""
    if dotted(call.function) != "setmetatable" or len(call.arguments) != 2:
        return None
    events = call.arguments[1]
    if not isinstance(events, ast.TableConstructor) or len(events.fields) != 1:
        return None
    key, value = events.fields[0].key, events.fields[0].value
    named = isinstance(key, ast.String) and key.value == "__index"
    return value if named and isinstance(value, ast.Name) and value.variable is not None else None


def _collect(c: _Candidate) -> bool:
    """Collect what the block gives a class; return whether `C.__index = C` is there."""
    indexed = False
    for statement in c.block.statements:
        if isinstance(statement, ast.CallStatement) and isinstance(statement.call, ast.Call):
            call = statement.call
            if call.arguments and _is(call.arguments[0], c.variable):
                c.base = c.base or _base_of(call)
                if c.base is not None:
                    c.moved.append(statement)
            continue
        key, value, method = _given(statement, c.variable)
        if key is None:
            continue
        if key == "__index":
            indexed = value is not None and _is(value, c.variable)
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
    of_class = isinstance(target, ast.Index) and _is(target.table, variable)
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


def _is(node: Any, variable: Variable) -> bool:
    return isinstance(node, ast.Name) and node.variable is variable


def _assigned_names(modules: Iterable[Module]) -> dict[str, list[_Write]]:
    """Return what is assigned to fields, by their names."""
    found: dict[str, list[_Write]] = {}
    for module in modules:
        for target, value in module.scopes.field_writes:
            if isinstance(target.key, ast.String):
                found.setdefault(target.key.value, []).append((target, value))
    return found


_Write = tuple[ast.Index, ast.Expression | None]


# -- checking -----------------------------------------------------------------------------------


def _is_class(
    c: _Candidate,
    known: dict[Variable, _Candidate],
    assigned: dict[str, list[_Write]],
    modules: list[Module],
) -> bool:
    """Whether all uses of a candidate are those of a class."""
    for name in c.names:
        plain = is_attribute(name) and name.isascii() and not name.startswith("_t7")
        if name in HIDDEN or name in _OF_PYTHON or not (plain or name in EVENTS):
            return False
        if not all(_is_elsewhere(write, c, known) for write in assigned.get(name, ())):
            return False
    if any(name.startswith("__") for name in c.fields):
        return False
    if c.base is not None:
        above = _class_of(c, c.base.variable, known)
        if above is None or above is c:
            return False
    c.made, c.called = [], []
    if not _uses(c, c.module, c.variable, known):
        return False
    for module in modules:
        for variable, other in module.imported.items():
            if other.exports is c.variable and not _uses(c, module, variable, known):
                return False
    return all(not c.names & set(_entries(call)) for call in c.made)


def _is_elsewhere(write: _Write, c: _Candidate, known: dict[Variable, _Candidate]) -> bool:
    """Whether what is assigned to a field is no field of the class's objects."""
    target, value = write
    owner = target.table
    if not isinstance(owner, ast.Name) or owner.variable is None:
        return False
    variable = owner.variable
    if variable is c.variable:
        return True
    if variable.kind == "self":  # of another class, if neither has a family
        own = any(s.function is variable.scope.function for s in c.methods.values())
        return not (own or c.base is not None or _has_family(c, known))
    of_table = [isinstance(v, ast.TableConstructor) for v in variable.values]
    return isinstance(value, ast.Function) and bool(of_table) and all(of_table)


def _class_of(
    c: _Candidate, variable: Variable | None, known: dict[Variable, _Candidate]
) -> _Candidate | None:
    if variable is None:
        return None
    other = c.module.imported.get(variable)
    return known.get(variable) or (known.get(other.exports) if other and other.exports else None)


def _entries(call: ast.Call) -> Iterator[str]:
    """Return the names of the fields that an object is made with."""
    first = call.arguments[0]
    if isinstance(first, ast.TableConstructor):
        for entry in first.fields:
            if isinstance(entry.key, ast.String):
                yield entry.key.value


def _uses(
    c: _Candidate, module: Module, variable: Variable, known: dict[Variable, _Candidate]
) -> bool:
    """Look at all uses of a variable that is the class; return whether they are a class's."""
    bases = {id(other.base) for other in known.values()}
    wanted = {id(name) for name in variable.names} - bases
    for node in walk(module.block):
        match node:
            case ast.Index(table=ast.Name() as owner, key=ast.String(value=key)):
                if id(owner) in wanted and (key not in EVENTS or key in c.names):
                    wanted.discard(id(owner))
            case ast.Assign(targets=[ast.Index(table=ast.Name(), key=ast.String(value="__index"))]):
                if _is(node.values[0], variable):
                    wanted.discard(id(node.values[0]))
            case ast.Call(function=function, arguments=[ast.Name() as first, _]) if (
                dotted(function) == "setmetatable" and id(first) in wanted
            ):
                if _base_of(node) is not None and module is c.module:
                    wanted.discard(id(first))
            case ast.Binary(operator="==" | "~=", left=left, right=right):
                wanted -= {id(left), id(right)}
            case ast.Call(function=function, arguments=[_, ast.Name() as given]) if (
                dotted(function) == "setmetatable" and id(given) in wanted
            ):
                wanted.discard(id(given))
                c.made.append(node)
    last = module.block.statements[-1] if module.block.statements else None
    if isinstance(last, ast.Return) and len(last.values) == 1 and module is c.module:
        wanted.discard(id(last.values[0]))
    return not wanted


# -- what makes the objects ---------------------------------------------------------------------


def _settle(c: _Candidate, known: dict[Variable, _Candidate]) -> None:
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


def _maker(function: ast.Function, c: _Candidate) -> _Maker | None:
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
                if given and _is(call.arguments[0], this.variable):
                    return _built(statement.names[0], statement, value, [*dropped, later])
    return None


def _from_return(
    statements: list[ast.Statement], call: ast.Call, last: ast.Return
) -> _Maker | None:
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
) -> _Maker | None:
    if not isinstance(value, ast.TableConstructor) or value.trailing:
        return None
    plain = all(isinstance(f.key, ast.String) and is_attribute(f.key.value) for f in value.fields)
    if this is None and _mentions_this(value):
        return None
    return _Maker(this, creation, value.fields, dropped) if plain else None


def _mentions_this(value: ast.TableConstructor) -> bool:
    return any(isinstance(n, ast.Name) and n.name == "self" for n in walk(value))


def _is_called_plainly(c: _Candidate, name: str) -> bool:
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
                reads += _is(node.table, variable) and node.key.value == name
            elif isinstance(node, ast.Call) and isinstance(node.function, ast.Index):
                at = node.function
                named = isinstance(at.key, ast.String) and at.key.value == name
                calls += named and _is(at.table, variable)
    return reads == calls + 1  # its definition is one of them


def _may_load(module: Module, call: ast.Call, wanted: Module) -> bool:
    only = call.arguments[0] if call.arguments else None
    if not isinstance(only, ast.String):
        return True
    return module.find(only.value) is wanted or only.value.endswith(wanted.path)


def _has_family(c: _Candidate, known: dict[Variable, _Candidate]) -> bool:
    return any(
        other.base is not None and _class_of(other, other.base.variable, known) is c
        for other in known.values()
    )


# -- telling the files --------------------------------------------------------------------------


def _register(c: _Candidate) -> None:
    module = c.module
    info = ClassInfo(f"{module.path}:{c.variable.name}", c.variable.name, None, c.variable, None)
    info.of_tables = True
    info.base = c.base
    info.constants = frozenset(c.fields)
    info.methods = dict(c.methods)
    if c.base is not None and c.base.variable is not None:
        other = module.imported.get(c.base.variable)
        source = module if other is None else other
        name = c.base.name if other is None or other.exports is None else other.exports.name
        info.parent_name = f"{source.path}:{name}"
    if c.maker is not None:
        name, statement, maker = c.maker
        info.maker = name
        del info.methods[name]
        made = _initializer(module, statement, maker)
        info.methods = {"__init": made, **info.methods}
    module.moved |= {id(statement) for statement in c.moved}
    module.add_class(c.statement, info)
    module.collect_fields(info)


def _initializer(
    module: Module, statement: ast.FunctionStatement, maker: _Maker
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
