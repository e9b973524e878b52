"""Whether a table that may be a class is used as one, in all files of a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from . import ast, library
from .lower.class_names import EVENTS, HIDDEN, member
from .metatable_candidates import (
    CALLED,
    Candidate,
    Known,
    base_class,
    base_of,
    class_in,
    family,
    is_variable,
    lineage,
)
from .metatable_facts import Facts, is_elsewhere, is_required_by_name
from .names import is_attribute
from .scope import Variable
from .syntax import dotted
from .walk import walk

if TYPE_CHECKING:
    from .module import Module

_OF_PYTHON = frozenset(["mro", "metatable"])


def not_a_class(c: Candidate, known: Known, facts: Facts) -> str:
    """Return why a candidate is no class: "" if all its uses are those of one."""
    reason = _base(c, known, facts) or _uses(c, c.module, c.variable, known, facts)
    for module in facts.modules:
        for variable, other in module.imported.items():
            if other.exports is c.variable:
                reason = reason or _uses(c, module, variable, known, facts)
    c.escapes = c.escapes or not is_required_by_name(c.module, c.variable)
    return reason or _names(c, known, facts) or _objects(c, known, facts)


def _names(c: Candidate, known: Known, facts: Facts) -> str:
    for name in c.names:
        plain = is_attribute(name) and name.isascii() and not name.startswith("_t7")
        if name in _OF_PYTHON or not (plain or name in EVENTS):
            return f"its field {name!r} cannot be one of a Python class"
        if name in HIDDEN and member(name) in c.names:
            return f"it has both {name!r} and {member(name)!r}"
        if (
            name in c.methods
            and name not in EVENTS
            and not all(is_elsewhere(write, c, known) for write in facts.assigned.get(name, ()))
        ):
            if name in c.factories:
                return f"an object may get a {name!r} of its own"
            c.shadowed.add(name)
    if any(name.startswith("__") for name in c.fields):
        return "a metamethod of it is no function that is written out"
    return ""


def _base(c: Candidate, known: Known, facts: Facts) -> str:
    if c.base is None:
        return ""
    above = base_class(c, known)
    if above is None or above is c:
        return "what it inherits from is no class"
    if c.prototype is None:
        direct = not any(base_of(call) is c.base for call in _links(c))
        events = any(name in EVENTS for name in above.names) or above.caller is not None
        linked = any(c.base is node for call in _links(c) for node in call.arguments)
        return "its metatable is a class with metamethods" if direct and linked and events else ""
    name = c.prototype.method
    maker = next((k for k in lineage(above, known) if name in k.factories), None)
    if maker is None or not _is_pure(maker, name, bool(c.prototype.arguments)):
        return "it is an object of another class"
    given = _first_fields(maker, name)
    alone = c.factories.keys() - c.from_base
    if given and (alone or any(k.factories.keys() - k.from_base for k in family(c, known))):
        return "its objects may read what it got as an object of its base"
    read = {
        node.key.value
        for module in facts.modules
        for node in walk(module.block)
        if isinstance(node, ast.Index)
        and isinstance(node.key, ast.String)
        and isinstance(node.table, ast.Name)
        and class_in(module, node.table.variable, known) is c
    }
    return "it is read as an object of its base" if given & read - c.names else ""


def _first_fields(c: Candidate, name: str) -> set[str]:
    """Return the fields that a function gives the objects that it makes."""
    found = set()
    for node in walk(c.methods[name].function.body):
        if isinstance(node, ast.Assign):
            keys = [t.key for t in node.targets if isinstance(t, ast.Index)]
            found |= {key.value for key in keys if isinstance(key, ast.String)}
        elif isinstance(node, ast.TableConstructor):
            found |= {f.key.value for f in node.fields if isinstance(f.key, ast.String)}
    return found - {"__index"}


def _links(c: Candidate) -> Iterator[ast.Call]:
    """Yield the calls that give the class its metatable."""
    for statement in [c.statement, *c.moved]:
        call = statement.call if isinstance(statement, ast.CallStatement) else None
        if isinstance(statement, ast.Local):
            call = statement.values[0] if isinstance(statement.values[0], ast.Call) else None
        if isinstance(call, ast.Call):
            yield call


def _is_pure(c: Candidate, name: str, given: bool) -> bool:
    """Whether making an object does no more than give it fields that all objects get."""
    function, this = c.methods[name].function, c.factories[name]
    parameters = {p.variable for p in function.parameters}
    takes = next(takes_its_table(c, name), None)
    for statement in function.body.statements:
        if isinstance(statement, ast.CallStatement):
            if not any(statement.call is call for call in [*c.made, *c.made_bare]):
                return False
        elif isinstance(statement, (ast.Assign, ast.Local)):
            if len(statement.values) != 1:
                return False
            its_own = takes is not None and is_variable(_left(statement.values[0]), takes)
            if given and not (its_own or indexes_itself(statement, this)):
                return False
            for node in walk(statement.values[0]):
                match node:
                    case ast.Call():
                        pure = any(node is call for call in [*c.made, *c.made_bare])
                    case ast.Function() | ast.MethodCall() | ast.Vararg():
                        pure = False
                    case ast.Index(table=ast.Name() as owner):
                        pure = owner.variable in parameters
                    case ast.Name():
                        pure = node.variable in parameters or node.variable is this
                    case ast.Binary():
                        pure = node.operator == "or"
                    case _:
                        pure = True
                if not pure:
                    return False
        elif not isinstance(statement, ast.Return):
            return False
    return takes is not None or not given


def _left(value: ast.Expression) -> ast.Expression | None:
    return value.left if isinstance(value, ast.Binary) else None


def takes_its_table(c: Candidate, name: str) -> Iterator[Variable]:
    """Yield the parameter that becomes the object: `o = o or {}`."""
    function = c.methods[name].function
    first = function.parameters[0].variable if function.parameters else None
    for statement in function.body.statements:
        if isinstance(statement, (ast.Assign, ast.Local)) and len(statement.values) == 1:
            value = statement.values[0]
            if (
                isinstance(value, ast.Binary)
                and value.operator == "or"
                and is_variable(value.left, first)
                and isinstance(value.right, ast.TableConstructor)
                and not value.right.fields
                and first is not None
            ):
                yield first


def find_factories(c: Candidate, known: Known) -> str:
    """Find the functions whose `self` is the class, and what they make; return what is wrong."""
    c.made, c.made_bare, c.factories, c.escapes, c.shadowed = [], [], {}, False, set()
    c.from_base, c.upon_class = set(), set()
    for name, statement in c.methods.items():
        if statement.method:
            scope = c.module.scopes.scopes[id(statement.function)]
            reason = _factory(c, name, statement.function, scope.variables[0], known)
            if reason:
                return reason
    if c.caller is not None:
        first = c.caller.parameters[0].variable
        assert first is not None
        return _factory(c, CALLED, c.caller, first, known)
    return ""


def _factory(c: Candidate, name: str, function: ast.Function, this: Variable, known: Known) -> str:
    inherited = {f for k in lineage(c, known)[1:] for f in k.factories}
    of_base = False
    accounted: set[int] = set()
    made: list[ast.Call] = []
    bare: list[ast.Call] = []
    for node in walk(function.body):
        if isinstance(node, ast.Call) and dotted(node.function) == "setmetatable":
            if len(node.arguments) == 2 and is_variable(node.arguments[1], this):
                made.append(node)
                accounted.add(id(node.arguments[1]))
            elif (given := base_of(node)) is not None and given.variable is this:
                bare.append(node)
                accounted.add(id(given))
        elif isinstance(node, ast.Call) and isinstance(node.function, ast.Index):
            owner = node.function.table
            above = c.base is not None and is_variable(owner, c.base.variable)
            if above and node.arguments and is_variable(node.arguments[0], this):
                accounted.add(id(node.arguments[0]))
                of_base = of_base or _text(node.function.key) in inherited
        elif isinstance(node, ast.Assign) and indexes_itself(node, this):
            target = node.targets[0]
            assert isinstance(target, ast.Index)
            accounted |= {id(target.table), id(node.values[0])}
            c.indexed = True
        elif isinstance(node, (ast.MethodCall, ast.Index)) and name == CALLED:
            owner = node.object if isinstance(node, ast.MethodCall) else node.table
            key = node.method if isinstance(node, ast.MethodCall) else _text(node.key)
            if is_variable(owner, this) and key in c.methods:
                accounted.add(id(owner))
    if name != CALLED and not (made or bare or of_base):
        return ""  # a method
    if this.writes or any(id(n) not in accounted for n in this.names):
        return f"{name!r} does more with its class than make an object of it"
    c.factories[name] = this
    if of_base:
        c.from_base.add(name)
    c.made += made
    c.made_bare += bare
    return ""


def _text(key: ast.Expression) -> str | None:
    return key.value if isinstance(key, ast.String) else None


def indexes_itself(statement: ast.Statement, this: Variable | None) -> bool:
    """Whether a statement is `self.__index = self`."""
    if not isinstance(statement, ast.Assign) or this is None or len(statement.targets) != 1:
        return False
    target, values = statement.targets[0], statement.values
    return (
        isinstance(target, ast.Index)
        and is_variable(target.table, this)
        and _text(target.key) == "__index"
        and len(values) == 1
        and is_variable(values[0], this)
    )


def _uses(c: Candidate, module: Module, variable: Variable, known: Known, facts: Facts) -> str:
    """Look at all uses of a variable that is the class; return which is not a class's."""
    bases = {id(other.base) for other in known.values()}
    wanted = {id(name): name for name in variable.names if id(name) not in bases}
    factories = {name for k in lineage(c, known) for name in k.factories}
    unbound = {
        name
        for k in lineage(c, known)
        for name, s in k.methods.items()
        if s.method and not k.module.scopes.scopes[id(s.function)].variables[0].names
    }
    links = {id(call) for call in _links(c)}
    held: list[ast.Expression] = []
    for node in walk(module.block):
        match node:
            case ast.Index(table=ast.Name() as owner, key=ast.String(value=key)):
                if id(owner) in wanted and (key not in EVENTS or key in c.names):
                    del wanted[id(owner)]
            case ast.MethodCall(object=ast.Name() as owner, method=key):
                if id(owner) in wanted and key in factories | unbound:
                    del wanted[id(owner)]
                    for k in lineage(c, known):
                        k.upon_class |= {key} & unbound & k.methods.keys()
                held += node.arguments
            case ast.Assign(targets=[ast.Index(table=ast.Name(), key=ast.String(value="__index"))]):
                if is_variable(node.values[0], variable):
                    wanted.pop(id(node.values[0]), None)
            case ast.Call(function=function, arguments=[first, given]) if (
                dotted(function) == "setmetatable"
            ):
                if id(first) in wanted and id(node) in links and module is c.module:
                    del wanted[id(first)]
                bare = base_of(node)
                if id(given) in wanted:
                    del wanted[id(given)]
                    c.made.append(node)
                elif bare is not None and id(bare) in wanted and id(node) not in links:
                    del wanted[id(bare)]
                    c.made_bare.append(node)
            case ast.Call(function=ast.Name() as called) if id(called) in wanted:
                if c.caller is not None:
                    del wanted[id(called)]
                if not facts.reworks:
                    held += node.arguments
            case ast.Binary(operator="==" | "~=", left=left, right=right):
                wanted.pop(id(left), None)
                wanted.pop(id(right), None)
            case ast.TableConstructor():
                held += [entry.value for entry in node.fields]
            case ast.Return() | ast.Local() | ast.Assign():
                held += node.values
            case ast.Call():
                if not facts.reworks and _is_own(node.function):
                    held += node.arguments
    last = module.block.statements[-1] if module.block.statements else None
    if isinstance(last, ast.Return) and len(last.values) == 1 and module is c.module:
        wanted.pop(id(last.values[0]), None)
    for value in held:
        if wanted.pop(id(value), None) is not None:
            c.escapes = True
    first_left = next(iter(wanted.values()), None)
    return "" if first_left is None else f"line {first_left.line} uses it otherwise than a class"


def _is_own(function: ast.Expression) -> bool:
    """Whether a function is one of the program's, or only prints or tells types."""
    name = dotted(function)
    root = (name or "").partition(".")[0]
    known = root in library.LIBRARIES or root in library.PACKAGES or root in library.GLOBALS
    return not known or name in ("print", "tostring", "type", "assert", "rawequal")


def _objects(c: Candidate, known: Known, facts: Facts) -> str:
    """Whether the objects of a class are those of a Python class."""
    inherited = any(k.factories for k in lineage(c, known)[1:])
    if c.made and not (c.indexed or c.made_bare or inherited):
        return "its objects do not see it: it has no __index"
    if not (c.indexed or c.made_bare or inherited):
        return "it makes no objects"
    if c.made_bare:
        if facts.asks:
            return "the program asks for metatables, and its objects have their own"
        if any(name in EVENTS for name in c.names):
            return "its objects have metatables without its metamethods"
    for call in [*c.made, *c.made_bare]:
        for k in lineage(c, known):
            k.shadowed |= k.methods.keys() & set(_entries(call))
    for name in c.factories:
        for module, upon in facts.upon.get(name, ()):
            if _is_object(upon.object, module, c, known):
                return f"{name!r} makes objects of objects"
    if c.caller is not None and c.escapes:
        return "it is called, and handed on"
    return ""


def _is_object(node: ast.Expression, module: Module, c: Candidate, known: Known) -> bool:
    """Whether an expression may be an object of a class, not one of the classes."""
    variable = node.variable if isinstance(node, ast.Name) else None
    if variable is None or class_in(module, variable, known) is not None:
        return False
    if variable.kind == "self":
        of_class = [(k, n, s) for k in [c, *family(c, known)] for n, s in k.methods.items()]
        return any(
            s.function is variable.scope.function and n not in k.factories for k, n, s in of_class
        )
    for value in variable.values:
        of = value.object if isinstance(value, ast.MethodCall) else None
        if isinstance(value, ast.Call):
            of = value.function.table if isinstance(value.function, ast.Index) else value.function
        made = of.variable if isinstance(of, ast.Name) else None
        if class_in(module, made, known) is not None:
            return True
    return False


def _entries(call: ast.Call) -> Iterable[str]:
    """Return the names of the fields that an object is made with."""
    first = call.arguments[0]
    if isinstance(first, ast.TableConstructor):
        for entry in first.fields:
            if isinstance(entry.key, ast.String):
                yield entry.key.value
