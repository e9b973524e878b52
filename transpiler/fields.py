"""What the names of fields and methods say of the objects that have them.

A field that some table of the program has, and that no class of nn has, is read and assigned as
an attribute: the program's tables and objects give nil for what they have not. Methods that only
modules and criterions have are called as Python calls methods.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from . import ast, library
from .lapp_options import lapp_options
from .lower.class_info import ClassInfo
from .lower.class_names import HIDDEN, MODULE_METHODS
from .names import is_attribute
from .nn_fields import NN_FIELDS
from .text import words
from .unique import KNOWN_METHODS

if TYPE_CHECKING:
    from .module import Module

NN_METHODS: dict[str, int] = {
    **dict.fromkeys(["forward", "updateOutput"], 2),
    **dict.fromkeys(["backward", "accGradParameters"], 3),
    "updateGradInput": 2,
    "updateParameters": 1,
    **dict.fromkeys(
        words("zeroGradParameters training evaluate getParameters clearState"),
        0,
    ),
}
"""Methods that only nn's classes have, and how many arguments they take."""

_TAKEN = (
    HIDDEN
    | NN_FIELDS
    | MODULE_METHODS
    | frozenset(library.TENSOR_METHODS)
    | library.TENSOR_ONLY
    | frozenset(library.STRING_METHODS)
    | library.REDUCTIONS
    | library.SEVERAL_RESULTS
    | frozenset(words("size stride resize set THNN cdata new type shape dtype device"))
    | frozenset(words("name annotations selectindex nSplitOutputs mapindex id marked"))
)
"""Names that tensors, modules and the nodes of graphs have in another sense, or may not have."""


def plain_fields(modules: Collection[Module]) -> frozenset[str]:
    """Return the fields that are attributes whatever the object is."""
    made: set[str] = set()
    others: set[str] = set()  # functions, and what may be put into a module, and looked for there
    tested = set().union(*(module.scopes.tested_fields for module in modules))
    for module in modules:
        scopes = module.scopes
        made |= scopes.made_fields
        for target, value in scopes.field_writes:
            if isinstance(target.key, ast.String):
                name = target.key.value
                made.add(name)
                if isinstance(value, ast.Function) or (name in tested and not _is_self(target)):
                    others.add(name)
        for call in scopes.calls:
            option = call.arguments[0] if call.arguments else None
            declares = isinstance(call, ast.MethodCall) and call.method == "option"
            if declares and isinstance(option, ast.String):
                made.add(option.value.lstrip("-"))
            made |= lapp_options(call).keys()
    return frozenset(k for k in made - others - _TAKEN if _is_plain(k))


def method_names(modules: Iterable[Module]) -> frozenset[str]:
    """Return the names of methods: of Torch, of tables here, and those that the program defines."""
    own = {
        target.key.value
        for module in modules
        for target, value in module.scopes.field_writes
        if isinstance(target.key, ast.String) and isinstance(value, ast.Function)
    }
    return KNOWN_METHODS | HIDDEN | own


def _is_self(target: ast.Index) -> bool:
    return isinstance(target.table, ast.Name) and target.table.name == "self"


def _is_plain(name: str) -> bool:
    return is_attribute(name) and name.isascii() and not name.startswith("_")


def nn_methods(modules: Iterable[Module], classes: Iterable[ClassInfo]) -> dict[str, int]:
    """Return the methods that only nn's classes have in a program, and their arguments."""
    of_modules = {
        id(statement.function)
        for info in classes
        if info.is_module
        for statement in info.methods.values()
    }
    others = {
        target.key.value
        for module in modules
        for target, value in module.scopes.field_writes
        if isinstance(target.key, ast.String) and id(value) not in of_modules
    }
    return {name: count for name, count in NN_METHODS.items() if name not in others}
