"""Classes made of tables: `local C = {}`, `C.__index = C`, `function C:method() ... end`.

Such a table becomes a Python class where the program uses it as one: its fields are read and
called, functions are put into it at one place, and it is the metatable of its objects. Where
objects are all made by one function, `C.new(...)`, that function becomes `__init__`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .lower.class_info import ClassInfo
from .metatable_candidates import Candidate, candidates, has_family
from .metatable_makers import initializer, settle
from .metatable_uses import assigned_names, is_class

if TYPE_CHECKING:
    from .module import Module


def find_metatable_classes(modules: Iterable[Module]) -> None:
    """Find such classes, and tell the files of them."""
    listed = list(modules)
    found = [c for m in listed for c in candidates(m)]
    assigned = assigned_names(listed)
    by_variable = {c.variable: c for c in found}
    while True:
        bad = [c for c in by_variable.values() if not is_class(c, by_variable, assigned, listed)]
        if not bad:
            break
        for candidate in bad:
            del by_variable[candidate.variable]
    for candidate in by_variable.values():
        settle(candidate, by_variable)
    for candidate in by_variable.values():
        if candidate.maker is not None and has_family(candidate, by_variable):
            candidate.maker = None
        _register(candidate)


def _register(c: Candidate) -> None:
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
        made = initializer(module, statement, maker)
        info.methods = {"__init": made, **info.methods}
    module.moved |= {id(statement) for statement in c.moved}
    module.add_class(c.statement, info)
    module.collect_fields(info)
