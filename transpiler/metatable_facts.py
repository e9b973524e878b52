"""What the files of a program say of all tables: what is assigned to fields, and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import ast, library
from .metatable_candidates import Candidate, Known, class_in, family, is_variable, lineage
from .scope import Variable
from .syntax import dotted

if TYPE_CHECKING:
    from .module import Module

Write = tuple["Module", ast.Index, ast.Expression | None]
"""An assignment to a field: the file, the field, what it is given."""


class Facts:
    """What the files of a program say of all tables.

    Attributes
    ----------
    assigned : dict
        What is assigned to fields, by their names.
    asks : bool
        The program asks for metatables.
    upon : dict
        Calls of methods, by their names.
    reworks : bool
        A function changes the metatable, or the raw entries, of what it is given.
    """

    def __init__(self, modules: list[Module]) -> None:
        self.modules = modules
        self.assigned: dict[str, list[Write]] = {}
        self.asks = self.reworks = False
        self.upon: dict[str, list[tuple[Module, ast.MethodCall]]] = {}
        for module in modules:
            for target, value in module.scopes.field_writes:
                if isinstance(target.key, ast.String):
                    self.assigned.setdefault(target.key.value, []).append((module, target, value))
            for call in module.scopes.calls:
                if isinstance(call, ast.MethodCall):
                    self.upon.setdefault(call.method, []).append((module, call))
                name = dotted(call.function) if isinstance(call, ast.Call) else None
                self.asks = self.asks or name in ("getmetatable", "debug.getmetatable")
                if name in ("setmetatable", "rawset", "rawget", "next", "table.insert"):
                    first = call.arguments[0] if call.arguments else None
                    of_parameter = isinstance(first, ast.Name) and first.variable is not None
                    if of_parameter and isinstance(first, ast.Name):
                        assert first.variable is not None
                        given = first.variable
                        bare = given.kind == "parameter" and not given.writes
                        self.reworks = self.reworks or bare


def is_elsewhere(write: Write, c: Candidate, known: Known) -> bool:
    """Whether what is assigned to a field is no field of the class's objects."""
    module, target, value = write
    owner = target.table
    function = isinstance(value, ast.Function)
    if not isinstance(owner, ast.Name):
        package = (dotted(owner) or "").partition(".")[0]
        return package in library.PACKAGES and function
    variable = owner.variable
    if variable is None:  # a table of the program, or a library
        assigned = module.scopes.global_values.get(owner.name, [])
        return function and all(isinstance(v, ast.TableConstructor) for v in assigned)
    if class_in(module, variable, known) is not None or variable in module.class_variables:
        return True
    if variable.kind == "self":
        return _is_self_of_another(module, variable, c, known)
    imported = module.imported.get(variable)
    if imported is not None and imported.exports is not None:
        variable = imported.exports
    firsts = [call.arguments[0] for call in [*c.made, *c.made_bare]]
    if any(is_variable(first, variable) for first in firsts):
        return False
    of_table = [isinstance(v, ast.TableConstructor) for v in variable.values]
    if variable.unknown or variable.several or not of_table or not all(of_table):
        return False
    return function or all(_is_new(first) for first in firsts)


def is_required_by_name(module: Module, variable: Variable) -> bool:
    """Whether a table that a file returns is only got by variables that always hold it."""
    if module.exports is not variable:
        return True
    project = module.project
    users = [m for m in project.modules.values() for o in m.imported.values() if o is module]
    required = sum(
        isinstance(call, ast.Call)
        and dotted(call.function) in ("require", "dofile", "paths.dofile")
        and _may_load(m, call, module)
        for m in project.modules.values()
        for call in m.scopes.calls
    )
    return required == len(users)


def _may_load(module: Module, call: ast.Call, wanted: Module) -> bool:
    only = call.arguments[0] if call.arguments else None
    if not isinstance(only, ast.String):
        return True
    return module.find(only.value) is wanted or only.value.endswith(wanted.path)


def _is_new(node: ast.Expression) -> bool:
    """Whether a table is one that nobody else has seen: `{}`, or a local that is one."""
    if isinstance(node, ast.Name) and node.variable is not None:
        values = node.variable.values
        made = node.variable.kind == "local" and bool(values) and not node.variable.unknown
        return made and all(isinstance(v, ast.TableConstructor) for v in values)
    return isinstance(node, ast.TableConstructor)


def _is_self_of_another(module: Module, this: Variable, c: Candidate, known: Known) -> bool:
    """Whether `self` is an object of another class, which has no family with this one."""
    function = this.scope.function
    for info in module.classes.values():  # of Torch
        if any(s.function is function for s in info.methods.values()):
            return True
    for k in known.values():
        if any(s.function is function for s in k.methods.values()):
            return c not in lineage(k, known) and k not in lineage(c, known)
    return c.base is None and not family(c, known)
