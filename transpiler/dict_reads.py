"""Reads of tables that may be dicts: what of them expressions ask, and what nil means there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from . import ast
from .demanded import calls_something
from .dict_candidates import Keyed
from .dict_facts import Facts, sure_key
from .evidence import OF_TABLES
from .syntax import dotted


class Reads:
    """Reads the expressions of a file.

    Parameters
    ----------
    facts : Facts
    catches : bool
        Whether the program goes on after errors.
    hears : bool
        Whether it may read what they say.
    function : callable
        Reads the body of a function.
    other : callable
        Reads what is no Lua.
    """

    def __init__(
        self,
        facts: Facts,
        catches: bool,
        hears: bool,
        function: Callable[[ast.Function], None],
        other: Callable[[object], None],
    ) -> None:
        self._facts = facts
        self._catches, self._hears = catches, hears
        self._function, self._other = function, other

    def each(self, nodes: Iterable[ast.Expression]) -> None:
        """Read expressions."""
        for node in nodes:
            self.expression(node)

    def _read(self, owner: Keyed, node: ast.Index, bare: bool) -> None:
        owner.reads.append(node)
        owner.note(node.key, asked=True)
        if not isinstance(node.key, (ast.String, ast.Number)):
            self.expression(node.key)
        key = sure_key(node.key)
        if key is not None and (owner, key) in self._facts.here:
            owner.present[id(node)] = key
        elif bare:
            owner.bare.add(id(node))

    def raising(self, node: ast.Expression, *later: ast.Expression) -> None:
        """Read an expression where nil would be an error, before `later` is computed."""
        inner = node
        if self._catches and any(map(calls_something, later)):
            self.expression(node)  # the error comes after those calls
            return
        while isinstance(inner, ast.Paren):
            inner = inner.inner
        owner = self._facts.candidate(inner.table) if isinstance(inner, ast.Index) else None
        if owner is not None and isinstance(inner, ast.Index) and not self._hears:
            self._read(owner, inner, False)
            owner.raising.add(id(inner))
        else:
            self.expression(node)

    def tested(self, node: ast.Expression) -> None:
        """Read an expression that is looked at for being true."""
        match node:
            case ast.Paren(inner=inner) | ast.Unary(operator="not", operand=inner):
                self.tested(inner)
            case ast.Index(table=table) if (owner := self._facts.candidate(table)) is not None:
                self._read(owner, node, False)
            case ast.Call() if (owner := self._next_of(node)) is not None:
                owner.emptiness = True
            case ast.Binary(operator="and" | "or", left=left):
                self.tested(left)
                self._behind(node, self.tested)
            case _:
                self.expression(node)

    def _next_of(self, node: ast.Expression) -> Keyed | None:
        """Return the candidate of `next(t)`."""
        if not isinstance(node, ast.Call) or dotted(node.function) != "next":
            return None
        return self._facts.candidate(node.arguments[0]) if len(node.arguments) == 1 else None

    def _behind(self, node: ast.Binary, read: Callable[[ast.Expression], None]) -> None:
        """Read the right side of `and` and `or`, which is reached under a condition."""
        outer = set(self._facts.here)
        self._facts.here |= self._facts.told(node.left, node.operator == "and")
        read(node.right)
        self._facts.here = outer

    def expression(self, node: ast.Expression) -> None:
        """Read an expression: a candidate that stands by itself is none."""
        match node:
            case ast.Name():
                owner = self._facts.candidate(node)
                if owner is not None:
                    self._facts.drop(owner)
            case ast.Index(table=table, key=key):
                owner = self._facts.candidate(table)
                if owner is not None:
                    self._read(owner, node, True)
                else:
                    self.raising(table, key)
                    self.expression(key)
            case ast.Call(function=function, arguments=arguments):
                self.raising(function, *arguments)
                if arguments and dotted(function) in OF_TABLES | {"pairs"}:
                    self.raising(arguments[0], *arguments[1:])
                    arguments = arguments[1:]
                self.each(arguments)
            case ast.MethodCall(object=owner_node, arguments=arguments):
                self.raising(owner_node)
                self.each(arguments)
            case ast.Binary():
                self._binary(node)
            case ast.Unary(operator="not", operand=inner):
                self.tested(inner)
            case ast.Unary(operand=inner):
                self.raising(inner)
            case ast.Paren(inner=inner):
                self.expression(inner)
            case ast.TableConstructor(fields=fields):
                for entry in fields:
                    if entry.key is not None:
                        self.expression(entry.key)
                    self.expression(entry.value)
            case ast.Function():
                self._function(node)
            case ast.Nil() | ast.Boolean() | ast.Number() | ast.String() | ast.Vararg():
                pass
            case _:
                self._other(node)

    def _binary(self, node: ast.Binary) -> None:
        left, right = node.left, node.right
        if node.operator in ("and", "or"):
            if isinstance(left, ast.Index):
                self.tested(left)
            else:
                self.expression(left)
            self._behind(node, self.expression)
            return
        if node.operator in ("==", "~="):
            for one, other in ((left, right), (right, left)):
                owner = self._next_of(one)
                if owner is not None and isinstance(other, ast.Nil):
                    owner.emptiness = True
                    return
            told = isinstance(left, ast.Nil) or isinstance(right, ast.Nil)
            for side in (left, right):
                (self.tested if told and isinstance(side, ast.Index) else self.expression)(side)
            return
        self.raising(left, right)
        self.raising(right)
