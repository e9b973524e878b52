"""Functions that give nothing and are called by others, who may tell nothing from nil.

`print(pcall(check, x))` prints "true", and no nil behind it, where `check` returns nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from . import ast
from .scope import FileScope
from .syntax import dotted, returns

if TYPE_CHECKING:
    from .module import Module

_PROTECTED = frozenset(["pcall", "xpcall"])
_COROUTINES = frozenset(["coroutine.wrap", "coroutine.create"])


def told_from_nil(modules: Iterable[Module]) -> None:
    """Note in each file which functions must say at their end that they give nothing.

    A function may be lent in one file and defined in another, by the name of a field or global.
    """
    files = [(m, *_calls(m.scopes)) for m in modules]
    asked = {name for _, _, names in files for name in names if isinstance(name, str)}
    named = [node for _, lent, _ in files for node in lent if _is_of_all_files(node)]
    for module, lent, own in files:
        wanted = [*named, *[node for node in lent if not _is_of_all_files(node)]]
        if wanted:
            functions = _Functions(module.scopes, asked | own)
            module.gives_nothing = {
                id(f) for node in wanted for f in functions.of(node) if not returns(f.body)
            }


def _is_of_all_files(node: ast.Expression) -> bool:
    if isinstance(node, ast.Index):
        return isinstance(node.key, ast.String)
    return isinstance(node, ast.Name) and node.variable is None


def _calls(scopes: FileScope) -> tuple[list[ast.Expression], set[Any]]:
    """Return what is lent to those who take all its results, and what is called for a value."""
    calls = [call for call in scopes.calls if isinstance(call, ast.Call) and call.arguments]
    names = {dotted(call.function) for call in calls}
    unasked = _expanded(scopes)
    lent: list[ast.Expression] = []
    for call in calls if names & (_PROTECTED | _COROUTINES) else []:
        name, first = dotted(call.function), call.arguments[0]
        in_full = id(call) in unasked or isinstance(first, ast.Function)
        if name in _COROUTINES or (name in _PROTECTED and in_full):
            lent.append(first)
    unasked |= {id(s.call) for s in scopes.statements if isinstance(s, ast.CallStatement)}
    return lent, {_callee(call) for call in scopes.calls if id(call) not in unasked}


def _expanded(scopes: FileScope) -> set[int]:
    """Return the calls of which all results are taken."""
    last = [call.arguments[-1] for call in scopes.calls if call.arguments]
    last += [s.values[-1] for s in scopes.statements if isinstance(s, ast.Return) and s.values]
    ends = [table.fields[-1] for table in scopes.tables if table.fields]
    last += [entry.value for entry in ends if entry.key is None]
    return {id(node) for node in last if isinstance(node, ast.Call)}


class _Functions:
    """The functions of a file by what they are called, but for those whose value is asked for."""

    def __init__(self, scopes: FileScope, asked: set[Any]) -> None:
        self._scopes = scopes
        self._asked = asked
        self._by_name: dict[str, list[ast.Function]] = {}
        self._in_tables: list[ast.Function] = []
        entries: list[tuple[Any, Any]] = [(t.key, value) for t, value in scopes.field_writes]
        entries += [(f.key, f.value) for table in scopes.tables for f in table.fields]
        for key, value in entries:
            name = key.value if isinstance(key, ast.String) else None
            if not isinstance(value, ast.Function) or (name and name in self._asked):
                continue
            if name is not None:
                self._by_name.setdefault(name, []).append(value)
            if id(value) not in scopes.methods:
                self._in_tables.append(value)

    def of(self, node: ast.Expression) -> Iterator[ast.Function]:
        """Yield what an expression may be; where that is unknown, what is in tables or lent."""
        if isinstance(node, ast.Function):
            yield node
        elif isinstance(node, ast.Index) and isinstance(node.key, ast.String):
            yield from self._by_name.get(node.key.value, ())
        elif isinstance(node, ast.Name) and node.variable is None:
            if node.name not in self._asked:
                values = self._scopes.global_values.get(node.name, [])
                yield from (v for v in values if isinstance(v, ast.Function))
        elif isinstance(node, ast.Name) and any(self._held(node)):
            yield from self._held(node)
        else:
            yield from self._in_tables
            for call in self._scopes.calls:
                for value in call.arguments:
                    yield from [value] if isinstance(value, ast.Function) else self._held(value)

    def _held(self, node: ast.Expression) -> list[ast.Function]:
        """Return the functions that a local is assigned."""
        if not isinstance(node, ast.Name) or node.variable is None or node.variable in self._asked:
            return []
        return [v for v in node.variable.values if isinstance(v, ast.Function)]


def _callee(call: ast.Call | ast.MethodCall) -> Any:
    """Return the variable that is called, or the name of the global, field or method."""
    if isinstance(call, ast.MethodCall):
        return call.method
    if isinstance(call.function, ast.Name):
        return call.function.variable or call.function.name
    if isinstance(call.function, ast.Index) and isinstance(call.function.key, ast.String):
        return call.function.key.value
    return None
