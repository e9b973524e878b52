"""Whether a table that may be a class is used as one, in all files of a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from . import ast
from .lower.class_names import EVENTS
from .lower.tables import HIDDEN
from .metatable_candidates import Candidate, base_of, class_of, has_family, is_variable
from .modern.walk import walk
from .names import is_attribute
from .scope import Variable
from .syntax import dotted

if TYPE_CHECKING:
    from .module import Module

_OF_PYTHON = frozenset(["mro", "metatable"])


def assigned_names(modules: Iterable[Module]) -> dict[str, list[Write]]:
    """Return what is assigned to fields, by their names."""
    found: dict[str, list[Write]] = {}
    for module in modules:
        for target, value in module.scopes.field_writes:
            if isinstance(target.key, ast.String):
                found.setdefault(target.key.value, []).append((target, value))
    return found


Write = tuple[ast.Index, ast.Expression | None]


def is_class(
    c: Candidate,
    known: dict[Variable, Candidate],
    assigned: dict[str, list[Write]],
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
        above = class_of(c, c.base.variable, known)
        if above is None or above is c:
            return False
    c.made = []
    if not _uses(c, c.module, c.variable, known):
        return False
    for module in modules:
        for variable, other in module.imported.items():
            if other.exports is c.variable and not _uses(c, module, variable, known):
                return False
    return all(not c.names & set(_entries(call)) for call in c.made)


def _is_elsewhere(write: Write, c: Candidate, known: dict[Variable, Candidate]) -> bool:
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
        return not (own or c.base is not None or has_family(c, known))
    of_table = [isinstance(v, ast.TableConstructor) for v in variable.values]
    return isinstance(value, ast.Function) and bool(of_table) and all(of_table)


def _entries(call: ast.Call) -> Iterator[str]:
    """Return the names of the fields that an object is made with."""
    first = call.arguments[0]
    if isinstance(first, ast.TableConstructor):
        for entry in first.fields:
            if isinstance(entry.key, ast.String):
                yield entry.key.value


def _uses(
    c: Candidate, module: Module, variable: Variable, known: dict[Variable, Candidate]
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
                if is_variable(node.values[0], variable):
                    wanted.discard(id(node.values[0]))
            case ast.Call(function=function, arguments=[ast.Name() as first, _]) if (
                dotted(function) == "setmetatable" and id(first) in wanted
            ):
                if base_of(node) is not None and module is c.module:
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
