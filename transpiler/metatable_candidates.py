"""Tables that may be classes: `local C = {}` and what its block gives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import ast
from .names import is_attribute
from .scope import Variable
from .syntax import blocks_of, dotted
from .walk import walk

if TYPE_CHECKING:
    from .module import Module


CALLED = "()"
"""The name under which a class knows the function that a call of it runs."""


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
    defaults : list of Field
        Of these what stands in the class: it is written out and there from the start.
    caller : Function or None
        What a call of the class does: `setmetatable(C, {__call = function(cls, ...) ... end})`.
    prototype : MethodCall or None
        `Account:new()`, where the class is made as the objects of its base are.
    indexed : bool
        `C.__index = C` is there.
    factories : dict
        What makes objects of the class that it is called upon: `self` in them is the class.
    from_base : set of str
        Those of them that let the base make it.
    made, made_bare : list of Call
        `setmetatable(x, C)` and `setmetatable(x, {__index = C})`, once its uses were looked at.
    escapes : bool
        Others hold the class too.
    shadowed : set of str
        Methods of whose names an object may have something of its own.
    upon_class : set of str
        Methods without a use for `self` that are called upon the class.
    maker : tuple or None
        The function that makes all objects: its name, its statement, what it does.
    plain_maker : str or None
        The name of the one that makes an object of the table that it is given.
    """

    module: Module
    variable: Variable
    statement: ast.Local
    block: ast.Block
    base: ast.Name | None = None
    methods: dict[str, ast.FunctionStatement] = field(default_factory=dict)
    moved: list[ast.Statement] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)
    defaults: list[ast.Field] = field(default_factory=list)
    caller: ast.Function | None = None
    prototype: ast.MethodCall | None = None
    indexed: bool = False
    factories: dict[str, Variable] = field(default_factory=dict)
    from_base: set[str] = field(default_factory=set)
    made: list[ast.Call] = field(default_factory=list)
    made_bare: list[ast.Call] = field(default_factory=list)
    escapes: bool = False
    shadowed: set[str] = field(default_factory=set)
    upon_class: set[str] = field(default_factory=set)
    maker: tuple[str, ast.FunctionStatement, Maker] | None = None
    plain_maker: str | None = None

    @property
    def names(self) -> set[str]:
        """What the class has: its methods and other fields."""
        return self.fields | self.methods.keys()


@dataclass(slots=True)
class Maker:
    """A function that makes an object: where, of what fields, under which name.

    Attributes
    ----------
    above : Call, MethodCall or None
        The call that makes it as an object of the base.
    dropped : list of Statement
        What a class needs no more.
    """

    this: ast.Name | None
    creation: ast.Statement
    fields: list[ast.Field]
    above: ast.Call | ast.MethodCall | None
    dropped: list[ast.Statement]


def candidates(module: Module) -> list[Candidate]:
    """Return the tables of a file that may be classes."""
    found: list[Candidate] = []
    links = "setmetatable" in module.scopes.global_reads
    called = {
        (call.object.variable, call.method)
        for call in module.scopes.calls
        if isinstance(call, ast.MethodCall) and isinstance(call.object, ast.Name)
    }

    def visit(block: ast.Block) -> None:
        for position, statement in enumerate(block.statements):
            candidate = _started(module, statement, block)
            if candidate is not None and _collect(candidate, position):
                start = candidate.prototype
                makes = start is not None and (candidate.variable, start.method) in called
                own = bool(candidate.methods)
                if makes or own if start is not None else links and (own or candidate.indexed):
                    found.append(candidate)
            for inner in blocks_of(statement):
                visit(inner)

    visit(module.block)
    return found


def _started(module: Module, statement: ast.Statement, block: ast.Block) -> Candidate | None:
    """Return a candidate for `local C = {}`, of a metatable perhaps, and `local C = B:new()`."""
    if not isinstance(statement, ast.Local) or len(statement.names) != 1:
        return None
    variable = statement.names[0].variable
    value = statement.values[0] if len(statement.values) == 1 else None
    if variable is None or variable.writes or variable.in_loop:
        return None
    found = Candidate(module, variable, statement, block)
    if isinstance(value, ast.Call):
        if not _take_events(found, value):
            return None
        value = value.arguments[0]
    elif isinstance(value, ast.MethodCall) and isinstance(value.object, ast.Name):
        given = value.arguments
        if value.object.variable is None or len(given) > 1:
            return None
        found.prototype, found.base = value, value.object
        value = given[0] if given else ast.TableConstructor(0, 0, [])
    if not isinstance(value, ast.TableConstructor) or value.trailing:
        return None
    return found if all(_take_field(found, entry) for entry in value.fields) else None


def _take_events(c: Candidate, call: ast.Call) -> bool:
    """Take in `setmetatable(C, {__index = B, __call = f})` or `setmetatable(C, B)`."""
    if dotted(call.function) != "setmetatable" or len(call.arguments) != 2:
        return False
    events = call.arguments[1]
    if isinstance(events, ast.Name) and events.variable is not None:
        if c.base is not None:
            return False
        c.base = events
        return True
    if not isinstance(events, ast.TableConstructor) or events.trailing:
        return False
    found: dict[str, ast.Expression] = {}
    for entry in events.fields:
        if not isinstance(entry.key, ast.String) or entry.before or entry.after:
            return False
        found[entry.key.value] = entry.value
    base, caller = found.pop("__index", None), found.pop("__call", None)
    if found or (base is None and caller is None):
        return False
    if base is not None:
        if c.base is not None or not isinstance(base, ast.Name) or base.variable is None:
            return False
        c.base = base
    if caller is not None:
        if c.caller is not None or not isinstance(caller, ast.Function) or not caller.parameters:
            return False
        c.caller = caller
    return True


def _take_field(c: Candidate, entry: ast.Field) -> bool:
    """Take in an entry of the table that the class starts as."""
    if not isinstance(entry.key, ast.String) or entry.key.value in c.names:
        return False
    name = entry.key.value
    if isinstance(entry.value, ast.Function):
        owner = ast.Name(entry.line, entry.column, c.variable.name)
        owner.variable = c.variable
        target = ast.Index(entry.line, entry.column, owner, entry.key)
        c.methods[name] = ast.FunctionStatement(
            entry.line,
            entry.column,
            target,
            False,
            entry.value,
            before=entry.before,
            after=entry.after,
        )
        return True
    if not _is_written_out(entry.value) or not is_attribute(name):
        return False
    c.fields.add(name)
    c.defaults.append(entry)
    return True


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


def _collect(c: Candidate, position: int) -> bool:
    """Collect what the block gives a class; return whether it still may be one."""
    quiet = True  # nothing has run yet that may read a field
    for statement in c.block.statements[position + 1 :]:
        if isinstance(statement, ast.CallStatement) and isinstance(statement.call, ast.Call):
            call = statement.call
            of_class = bool(call.arguments) and is_variable(call.arguments[0], c.variable)
            if of_class and dotted(call.function) == "setmetatable":
                if not _take_events(c, call):
                    return False
                c.moved.append(statement)
            else:
                quiet = False
            continue
        key, value, method = _given(statement, c.variable)
        if key is None:
            quiet = quiet and isinstance(statement, (ast.FunctionStatement, ast.LocalFunction))
        elif key == "__index":
            c.indexed = value is not None and is_variable(value, c.variable)
            if not c.indexed:
                return False
            c.moved.append(statement)
        elif isinstance(value, ast.Function):
            if key in c.names:
                return False
            assert isinstance(statement, (ast.Assign, ast.FunctionStatement))
            c.methods[key] = _as_function_statement(statement, value, method)
            c.moved.append(statement)
        elif key not in c.methods:
            assert value is not None
            if quiet and key not in c.fields and is_attribute(key) and _is_written_out(value):
                entry = ast.Field(statement.line, statement.column, _key_of(statement), value)
                entry.before, entry.after = statement.before, statement.after
                c.defaults.append(entry)
                c.moved.append(statement)
            else:
                quiet = quiet and _is_written_out(value)
            c.fields.add(key)
        else:
            return False
    return True


def _key_of(statement: ast.Statement) -> ast.String:
    assert isinstance(statement, ast.Assign)
    target = statement.targets[0]
    assert isinstance(target, ast.Index)
    assert isinstance(target.key, ast.String)
    return target.key


def _is_written_out(value: ast.Expression) -> bool:
    """Whether a value is the same wherever it stands, and not nil."""
    of_names = (ast.Name, ast.Call, ast.MethodCall, ast.Function, ast.Index, ast.Vararg, ast.Nil)
    return not any(isinstance(node, of_names) for node in walk(value))


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


def is_variable(node: Any, variable: Variable | None) -> bool:
    """Whether an expression is a variable."""
    return variable is not None and isinstance(node, ast.Name) and node.variable is variable


Known = dict[Variable, Candidate]
"""The classes of a program, by the variables that hold them in their own files."""


def class_of(c: Candidate, variable: Variable | None, known: Known) -> Candidate | None:
    """Return the candidate that a variable is, in this file or the one it is imported from."""
    return class_in(c.module, variable, known)


def class_in(module: Module, variable: Variable | None, known: Known) -> Candidate | None:
    """Return the candidate that a variable of a file is."""
    if variable is None:
        return None
    other = module.imported.get(variable)
    return known.get(variable) or (known.get(other.exports) if other and other.exports else None)


def base_class(c: Candidate, known: Known) -> Candidate | None:
    """Return the class that a class inherits from."""
    return None if c.base is None else class_of(c, c.base.variable, known)


def lineage(c: Candidate, known: Known) -> list[Candidate]:
    """Return a class and those that it inherits from."""
    found: list[Candidate] = []
    here: Candidate | None = c
    while here is not None and here not in found:
        found.append(here)
        here = base_class(here, known)
    return found


def family(c: Candidate, known: Known) -> list[Candidate]:
    """Return the classes that inherit from a class, and those from them."""
    return [other for other in known.values() if other is not c and c in lineage(other, known)]
