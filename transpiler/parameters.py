"""What functions are given, across the files of a program.

A function that nobody but its calls uses is known by its name: a global, or a field that only
one function of the program ever is. Its parameters have the types of what all calls give. Types
from other files come from a first look at each file, in which such parameters are unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import ast, library
from .kinds import ANY, FUNCTION, Type
from .modern.nodes import Template
from .syntax import dotted, may_be_several
from .text import words
from .unique import UniqueFunction, global_key, unique_functions

if TYPE_CHECKING:
    from .module import Module
    from .types import Types

_CROSSING = frozenset(
    words("boolean integer number string tensor storage function table nil options native")
)
"""Kinds that mean the same in every file."""


class Parameters:
    """The calls between the functions of a program.

    Parameters
    ----------
    modules : iterable of Module
    """

    def __init__(self, modules: Iterable[Module]) -> None:
        self.modules = list(modules)
        self._functions = self._find_functions()
        self._find_calls()

    @property
    def crosses(self) -> bool:
        """Whether functions are called from other files than their own."""
        return any(m is not f.module for f in self._functions.values() for m, _ in f.calls)

    # -- finding ------------------------------------------------------------------------------

    def _find_functions(self) -> dict[str, UniqueFunction]:
        """Return the functions of which every call may be known."""
        found = unique_functions(self.modules)
        return {key: function for key, function in found.items() if not function.node.vararg}

    def _find_calls(self) -> None:
        reads: Counter[str] = Counter()
        for m in self.modules:
            for name, count in m.scopes.field_reads.items():
                reads[f".{name}"] += count
            for name, count in m.scopes.global_reads.items():
                reads[global_key(m, name)] += count
        wrong: set[str] = set()
        for m in self.modules:
            for call in m.scopes.calls:
                key, method = _called(m, call)
                function = self._functions.get(key or "")
                if function is None or key is None:
                    continue
                reads[key] -= 1
                root = (dotted(call.function) or "") if isinstance(call, ast.Call) else ""
                if root.partition(".")[0] in library.PACKAGES | library.LIBRARIES.keys():
                    continue  # torch.load is no M.load
                if method != function.method:
                    wrong.add(key)
                function.calls.append((m, call))
        by_any_name = any(_is_by_any_name(c) for m in self.modules for c in m.scopes.calls)
        for key, function in list(self._functions.items()):
            open_to_all = by_any_name and key[:1] == "."
            if reads[key] or key in wrong or not function.calls or open_to_all:
                del self._functions[key]

    # -- telling ------------------------------------------------------------------------------

    def first_look(self) -> None:
        """Tell the files what is known without other files' types."""
        for function in self._functions.values():
            self._give(function, lambda m, node: None)

    def second_look(self, types_of: Callable[[Module], Types]) -> None:
        """Tell the files what is known with the types that a first look at each gives."""
        callers = {
            m.path: m for f in self._functions.values() for m, _ in f.calls if m is not f.module
        }
        types: dict[str, Types] = {}
        for path, m in callers.items():
            with suppress(RecursionError):  # it cannot be translated, and says so in its turn
                types[path] = types_of(m)

        def typed(m: Module, node: ast.Expression) -> ast.Expression | None:
            kind = crossing(types[m.path].of(node)) if m.path in types else ANY
            made: Any = Template(node.line, node.column, [], kind)
            return None if kind == ANY else made

        told = {
            id(node): typed(m, node)
            for function in self._functions.values()
            for m, call in function.calls
            if m is not function.module
            for node in call.arguments
        }
        for m in self.modules:
            m.given.clear()
        for function in self._functions.values():
            self._give(function, lambda m, node: told.get(id(node)))

    def _give(
        self,
        function: UniqueFunction,
        foreign: Callable[[Module, ast.Expression], ast.Expression | None],
    ) -> None:
        """Collect what the calls of a function give to its parameters."""
        given = function.module.given
        for m, call in function.calls:
            spread = bool(call.arguments) and may_be_several(call.arguments[-1])
            for i, name in enumerate(function.node.parameters):
                if name.variable is None:
                    continue
                value: ast.Expression | None
                if i < len(call.arguments) - spread:
                    value = call.arguments[i]
                    if m is not function.module:
                        value = foreign(m, value)
                elif spread:
                    value = None
                else:
                    value = ast.Nil(call.line, call.column)
                given.setdefault(name.variable, []).append(value)


def _called(module: Module, call: ast.Call | ast.MethodCall) -> tuple[str | None, bool]:
    """Return the name of what is called, and whether it is called as a method."""
    if isinstance(call, ast.MethodCall):
        return f".{call.method}", True
    function = call.function
    if isinstance(function, ast.Name):
        own = function.variable is None
        return (global_key(module, function.name) if own else None), False
    if isinstance(function, ast.Index) and isinstance(function.key, ast.String):
        return f".{function.key.value}", False
    return None, False


def _is_by_any_name(call: ast.Call | ast.MethodCall) -> bool:
    """Whether a call is one of a field whose name the program puts together: `t[name](x)`."""
    function = call.function if isinstance(call, ast.Call) else None
    if not isinstance(function, ast.Index) or isinstance(function.key, (ast.String, ast.Number)):
        return False
    key, owner = function.key, function.table
    counts = isinstance(key, ast.Name) and key.variable is not None and key.variable.kind == "for"
    package = isinstance(owner, ast.Name) and owner.variable is None
    return not counts and not (package and dotted(owner) in library.PACKAGES)


def crossing(kind: Type) -> Type:
    """Return a type without what only its own file knows."""
    if kind.kind not in _CROSSING:
        return ANY
    return FUNCTION if kind.kind == "function" else replace(kind, detail=None)
