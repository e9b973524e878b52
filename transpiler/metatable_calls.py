"""Whether a function of a class is only ever called by the class's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import ast
from .metatable_candidates import Candidate, Known, class_in, family, is_variable, lineage
from .names import is_attribute
from .scope import Variable
from .walk import walk

if TYPE_CHECKING:
    from .module import Module


def is_called_plainly(c: Candidate, name: str, known: Known, of_tables: bool = False) -> bool:
    """Whether a function is only ever called by the class's name, where this can be seen."""
    module = c.module
    if module.exports is c.variable and module not in _imported(module):
        return False
    heirs = family(c, known)
    if any(k.escapes for k in heirs):
        return False
    method = c.methods[name].method
    reads = calls = 0
    for m in module.project.modules.values():
        for node in walk(m.block) if _mentions(m, name) else ():
            if isinstance(node, ast.Index) and isinstance(node.key, ast.String):
                if node.key.value == name and _owner(m, node.table, name, known) is c:
                    heir = class_in(m, _variable(node.table), known)
                    if heir is not c and not method:
                        return False  # it makes objects of the base
                    reads += 1
            elif isinstance(node, ast.MethodCall) and node.method == name:
                if _is_object(node.object, [c, *heirs]):
                    return False
                known_here = _owner(m, node.object, name, known) is c
                if known_here and (not method or (of_tables and not _is_table_given(node))):
                    return False
            elif isinstance(node, ast.Call) and isinstance(node.function, ast.Index):
                at = node.function
                named = isinstance(at.key, ast.String) and at.key.value == name
                if named and _owner(m, at.table, name, known) is c:
                    calls += not method or _is_of_heir(node, heirs)
    own = name not in _constructed(c)
    return reads == calls + own  # its definition is one of them


def _mentions(module: Module, name: str) -> bool:
    """Whether a file reads, calls or assigns a field of that name."""
    return name in module.scopes.field_reads or any(
        isinstance(target.key, ast.String) and target.key.value == name
        for target, _ in module.scopes.field_writes
    )


def _imported(module: Module) -> list[Module]:
    """Return the files that the files of a program hold by variables."""
    return [other for m in module.project.modules.values() for other in m.imported.values()]


def _constructed(c: Candidate) -> set[str]:
    """Return the methods that stand in the table that the class starts as."""
    inside = {id(n) for n in walk(c.statement)}
    return {k for k, s in c.methods.items() if id(s.function) in inside}


def _variable(node: ast.Expression) -> Variable | None:
    return node.variable if isinstance(node, ast.Name) else None


def _owner(module: Module, node: ast.Expression, name: str, known: Known) -> Candidate | None:
    """Return the class whose function a class's field is."""
    found = class_in(module, _variable(node), known)
    if found is None:
        return None
    return next((k for k in lineage(found, known) if name in k.methods), None)


def _is_of_heir(node: ast.Call, heirs: list[Candidate]) -> bool:
    """Whether it is `Base.new(self, ...)` in a function of a class that inherits."""
    first = node.arguments[0] if node.arguments else None
    return any(is_variable(first, this) for k in heirs for this in k.factories.values())


def _is_object(node: ast.Expression, classes: list[Candidate]) -> bool:
    """Whether a function is called upon an object of a class: `self:new()`."""
    variable = _variable(node)
    if variable is None or variable.kind != "self":
        return False
    return any(
        s.function is variable.scope.function and variable is not k.factories.get(name)
        for k in classes
        for name, s in k.methods.items()
    )


def _is_table_given(node: ast.MethodCall) -> bool:
    given = node.arguments
    if len(given) != 1:
        return not given
    fields = given[0].fields if isinstance(given[0], ast.TableConstructor) else None
    if isinstance(given[0], ast.Nil):
        return True
    return fields is not None and all(
        f.key is None or (isinstance(f.key, ast.String) and is_attribute(f.key.value))
        for f in fields
    )
