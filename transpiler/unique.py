"""Functions that are known by the only name they have in a program.

A global, or a field that one function of the program ever is, means that function wherever it
stands: "f" a global, ".f" a field.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import ast, library
from .lower.class_names import MODULE_METHODS
from .text import words

if TYPE_CHECKING:
    from .module import Module

_CALLED_BY_TORCH = MODULE_METHODS | frozenset(
    words(
        """
        updateOutput updateGradInput accGradParameters parameters type reset read write
        __init __tostring__ __call__ __tostring __index __newindex __call __len __eq __add
        accUpdateGradParameters sharedAccUpdateGradParameters clearState evaluate training
        """
    )
)

KNOWN_METHODS = (
    _CALLED_BY_TORCH
    | library.TENSOR_METHODS.keys()
    | library.STRING_METHODS.keys()
    | library.REDUCTIONS
    | library.TENSOR_ONLY
    | library.SEVERAL_RESULTS
)
"""Names under which methods of Torch or Lua may be meant as well."""

OF_LIBRARIES = frozenset(
    words("new size type get set append update keys values items array count equals of copy")
    + [name for names in library.LIBRARIES.values() for name in names]
    + list(library.TORCH)
)
"""Names of functions that libraries and objects have too."""


@dataclass(slots=True)
class UniqueFunction:
    """A function, the file it is in, and the calls of it that were found."""

    module: Module
    node: ast.Function
    method: bool
    calls: list[tuple[Module, ast.Call | ast.MethodCall]] = field(default_factory=list)

    @property
    def in_class(self) -> bool:
        """Whether it is a method of a Python class."""
        return any(
            self.node is statement.function
            for info in self.module.classes.values()
            for statement in info.methods.values()
        )


def unique_functions(modules: Iterable[Module]) -> dict[str, UniqueFunction]:
    """Return the functions of a program by the name that only they have."""
    values: dict[str, list[tuple[Module, ast.Expression | None]]] = {}
    for m in modules:
        for target, value in m.scopes.field_writes:
            name = target.key.value if isinstance(target.key, ast.String) else None
            if name is not None:
                values.setdefault(f".{name}", []).append((m, value))
        for name in m.scopes.made_fields:
            values.setdefault(f".{name}", []).append((m, None))
        for name, assigned in m.scopes.global_values.items():
            for value in assigned:
                values.setdefault(global_key(m, name), []).append((m, value))
    found: dict[str, UniqueFunction] = {}
    for key, places in values.items():
        m, value = places[0]
        if len(places) == 1 and isinstance(value, ast.Function):
            own = m.scopes.scopes[id(value)].variables
            method = bool(own) and own[0].kind == "self"
            if not (method and key[1:] in KNOWN_METHODS):
                found[key] = UniqueFunction(m, value, method)
    return found


def global_key(module: Module, name: str) -> str:
    """Return the key of a global: files that do not run together have globals of their own."""
    return name if module.is_shared_global(name) else f"{module.path}:{name}"
