"""Classes made of tables: `local C = {}`, `C.__index = C`, `function C:method() ... end`.

Such a table becomes a Python class where the program uses it as one: its fields are read and
called, functions are put into it at one place, and it is the metatable of its objects. Where
objects are all made by one function, `C.new(...)`, that function becomes `__init__`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .lower.class_info import ClassInfo
from .metatable_candidates import Candidate, Known, candidates, lineage
from .metatable_facts import Facts
from .metatable_makers import initializer, settle_all
from .metatable_uses import find_factories, indexes_itself, not_a_class

if TYPE_CHECKING:
    from .module import Module


def find_metatable_classes(modules: Iterable[Module]) -> None:
    """Find such classes, and tell the files of them."""
    listed = list(modules)
    known: Known = {c.variable: c for m in listed for c in candidates(m)}
    facts = Facts(listed)
    while True:
        ordered = sorted(known.values(), key=lambda c: len(lineage(c, known)))
        reasons = {c: find_factories(c, known) for c in ordered}
        for c, reason in reasons.items():
            reasons[c] = reason or not_a_class(c, known, facts)
        bad = {c: reason for c, reason in reasons.items() if reason}
        if not bad:
            settle_all(known)
            bad = {
                c: "what its __call does is not to make an object"
                for c in known.values()
                if c.caller is not None and c.maker is None
            }
            for c in known.values():
                if bad:
                    c.maker = c.plain_maker = None
        if not bad:
            break
        for c, reason in bad.items():
            c.module.no_classes[c.variable] = reason
            del known[c.variable]
    for c in known.values():
        _register(c)


def _register(c: Candidate) -> None:
    module = c.module
    info = ClassInfo(f"{module.path}:{c.variable.name}", c.variable.name, None, c.variable, None)
    info.of_tables = True
    info.base = c.base
    info.constants = frozenset(c.fields)
    info.defaults = c.defaults
    info.shadowed = frozenset(c.shadowed)
    info.methods = dict(c.methods)
    if c.base is not None and c.base.variable is not None:
        other = module.imported.get(c.base.variable)
        source = module if other is None else other
        name = c.base.name if other is None or other.exports is None else other.exports.name
        info.parent_name = f"{source.path}:{name}"
    if c.maker is not None:
        name, statement, maker = c.maker
        info.maker = name
        made = initializer(c, name, statement, maker)
        info.methods = {"__init": made, **info.methods}
        info.methods.pop(name, None)
    if c.plain_maker is not None:
        info.plain_maker = c.plain_maker
        del info.methods[c.plain_maker]
    for factory in c.factories.keys() | c.upon_class:
        if factory in info.methods:
            _make_class_method(c, info, factory)
    module.moved |= {id(statement) for statement in c.moved}
    module.add_class(c.statement, info)
    module.collect_fields(info)


def _make_class_method(c: Candidate, info: ClassInfo, name: str) -> None:
    """Let a function that makes objects be called upon the class."""
    function = c.methods[name].function
    this = c.module.scopes.scopes[id(function)].variables[0]
    info.class_methods |= {name}
    this.name = "cls"
    for node in this.names:
        node.name = "cls"
    c.module.moved |= {id(s) for s in function.body.statements if indexes_itself(s, this)}
