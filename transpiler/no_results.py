"""Functions that give nothing and are called by others, who may tell nothing from nil.

`print(pcall(check, x))` prints "true", and no nil behind it, where `check` returns nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import ast
from .scope import FileScope
from .syntax import dotted, returns
from .walk import walk

_PROTECTED = frozenset(["pcall", "xpcall"])
_COROUTINES = frozenset(["coroutine.wrap", "coroutine.create"])


def told_from_nil(block: ast.Block, scopes: FileScope) -> set[int]:
    """Return the functions, by their ids, whose end must say that they give nothing."""
    calls = [call for call in scopes.calls if isinstance(call, ast.Call) and call.arguments]
    lent = [c.arguments[0] for c in calls if dotted(c.function) in _COROUTINES]
    if not any(dotted(c.function) in _PROTECTED | _COROUTINES for c in calls):
        return set()
    all_seen = _expanded(block)
    for call in calls:
        name, first = dotted(call.function), call.arguments[0]
        if name in _PROTECTED and (id(call) in all_seen or isinstance(first, ast.Function)):
            lent.append(first)
    if not lent:
        return set()
    functions = _Functions(block, scopes, all_seen)
    return {id(f) for node in lent for f in functions.of(node) if not returns(f.body)}


def _expanded(block: ast.Block) -> set[int]:
    """Return the calls of which all results are taken."""
    found: set[int] = set()
    for node in walk(block):
        last: Any = None
        match node:
            case ast.Call(arguments=[*_, last]) | ast.MethodCall(arguments=[*_, last]):
                pass
            case ast.Return(values=[*_, last]):
                pass
            case ast.TableConstructor(fields=[*_, ast.Field(key=None, value=last)]):
                pass
        if isinstance(last, ast.Call):
            found.add(id(last))
    return found


class _Functions:
    """The functions of a file by what they are called, but for those whose value is asked for."""

    def __init__(self, block: ast.Block, scopes: FileScope, all_seen: set[int]) -> None:
        self._scopes = scopes
        self._by_name: dict[str, list[ast.Function]] = {}
        self._in_tables: list[ast.Function] = []
        entries: list[tuple[Any, Any]] = [(t.key, value) for t, value in scopes.field_writes]
        unasked, methods = set(all_seen), set()
        for node in walk(block):
            if isinstance(node, ast.TableConstructor):
                entries += [(f.key, f.value) for f in node.fields]
            elif isinstance(node, ast.CallStatement):
                unasked.add(id(node.call))
            elif isinstance(node, ast.FunctionStatement) and node.method:
                methods.add(id(node.function))
        self._asked = {_callee(call) for call in scopes.calls if id(call) not in unasked}
        for key, value in entries:
            name = key.value if isinstance(key, ast.String) else None
            if not isinstance(value, ast.Function) or (name and name in self._asked):
                continue
            if name is not None:
                self._by_name.setdefault(name, []).append(value)
            if id(value) not in methods:
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
