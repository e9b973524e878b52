"""Locals that are lists: tables of the file that nothing but a list's own words touch.

A table becomes a Python list where nobody else can see it, nil is never put into it, nothing is
taken out of it, and every position that is read or assigned is between 1 and its length: counted
by a loop over the table, or up to what the table was filled to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from . import ast
from .kinds import ANY, Type, join
from .scope import Scope, Variable
from .syntax import dotted, is_next, leaves, may_be_several
from .types import Types


@dataclass(slots=True)
class Lists:
    """What is known of a file's lists.

    Attributes
    ----------
    variables : set of Variable
    types : dict
        Of these variables, and of those that hold their elements in loops.
    fills : set of int
        Assignments, by their ids, that put a value behind the last.
    walks : dict
        Loops over positions, by their ids, and `local x = t[i]` with which their bodies begin.
    """

    variables: set[Variable] = field(default_factory=set)
    types: dict[Variable, Type] = field(default_factory=dict)
    fills: set[int] = field(default_factory=set)
    walks: dict[int, ast.Local] = field(default_factory=dict)


Stop = Variable | float
"""What a loop counts to: a number, or a variable that never changes."""


@dataclass(slots=True)
class _Candidate:
    variable: Variable
    scope: Scope
    block: ast.Block
    length: int
    elements: list[ast.Expression]
    touched: bool = False
    filled_to: Stop | None = None
    joined: bool = False
    sorted: bool = False


@dataclass(slots=True)
class _Bound:
    """What a loop's variable counts: from `first` to `#of + beyond`, or to `stop`."""

    first: int
    of: _Candidate | None
    beyond: int
    stop: Stop | None


def find_lists(block: ast.Block, types: Types) -> Lists:
    """Return the locals of a file that are lists."""
    finder = _Finder(types)
    finder.block(block)
    return finder.found()


class _Finder:
    def __init__(self, types: Types) -> None:
        self.types = types
        self.scope: Scope = types.file.top
        self.candidates: dict[Variable, _Candidate] = {}
        self.bounds: dict[Variable, _Bound] = {}
        self.active: list[tuple[ast.Statement, _Candidate]] = []
        self.changed: set[int] = set()
        self.fills: dict[int, _Candidate] = {}
        self.walks: dict[int, tuple[_Candidate, ast.Local]] = {}
        self.elements: list[tuple[_Candidate, ast.Name]] = []

    # -- candidates -------------------------------------------------------------------------

    def candidate(self, node: ast.Expression) -> _Candidate | None:
        """Return the candidate that a name means here."""
        if not isinstance(node, ast.Name) or node.variable is None:
            return None
        found = self.candidates.get(node.variable)
        return found if found is not None and found.scope is self.scope else None

    def drop(self, node: ast.Name) -> None:
        if node.variable is not None:
            self.candidates.pop(node.variable, None)

    def local(self, node: ast.Local, block: ast.Block) -> None:
        variable = node.names[0].variable
        value = node.values[0] if len(node.values) == 1 else None
        if (
            len(node.names) == 1
            and isinstance(value, ast.TableConstructor)
            and variable is not None
            and not (variable.writes or variable.captured or variable.unknown or variable.several)
            and all(f.key is None for f in value.fields)
            and not (value.fields and may_be_several(value.fields[-1].value))
        ):
            values = [f.value for f in value.fields]
            self.each(values)
            made = _Candidate(variable, self.scope, block, len(values), values)
            self.candidates[variable] = made
            return
        self.each(node.values)

    def put(self, owner: _Candidate, value: ast.Expression) -> None:
        """Note that a value is put into a list behind the last."""
        owner.elements.append(value)
        owner.touched = True
        self.changed |= {id(loop) for loop, of in self.active if of is owner}
        self.expression(value)

    def within(self, owner: _Candidate, key: ast.Expression) -> bool:
        """Whether a position is between 1 and the list's length."""
        if isinstance(key, ast.Number):
            known = owner.filled_to if isinstance(owner.filled_to, (int, float)) else 0
            return isinstance(key.value, int) and 1 <= key.value <= max(owner.length, known)
        by = 0
        if isinstance(key, ast.Binary) and isinstance(key.right, ast.Number):
            if key.operator not in ("+", "-") or not isinstance(key.right.value, int):
                return False
            by = key.right.value if key.operator == "+" else -key.right.value
            key = key.left
        if not isinstance(key, ast.Name) or key.variable is None:
            return False
        bound = self.bounds.get(key.variable)
        if bound is None or bound.first + by < 1:
            return False
        if bound.of is owner:
            return bound.beyond + by <= 0
        return owner.filled_to is not None and bound.stop == owner.filled_to and by <= 0

    # -- statements -------------------------------------------------------------------------

    def block(self, block: ast.Block) -> None:
        for statement in block.statements:
            self.statement(statement, block)

    def statement(self, node: ast.Statement, block: ast.Block) -> None:
        match node:
            case ast.Local():
                self.local(node, block)
            case ast.Assign():
                self.assign(node)
            case ast.CallStatement(call=call):
                self.call_statement(call)
            case ast.NumericFor():
                self.numeric(node, block)
            case ast.GenericFor():
                self.generic(node)
            case ast.While(condition=condition, body=body):
                self.expression(condition)
                self.block(body)
            case ast.Repeat(condition=condition, body=body):
                self.block(body)
                self.expression(condition)
            case ast.If(branches=branches, otherwise=otherwise):
                for test, body in branches:
                    self.expression(test)
                    self.block(body)
                if otherwise is not None:
                    self.block(otherwise)
            case ast.Do(body=body):
                self.block(body)
            case ast.FunctionStatement(target=target, function=function):
                self.expression(target)
                self.function(function)
            case ast.LocalFunction(function=function):
                self.function(function)
            case ast.Return(values=values):
                self.each(values)
            case ast.Goto():
                self.candidates = {
                    v: c for v, c in self.candidates.items() if c.scope is not self.scope
                }

    def assign(self, node: ast.Assign) -> None:
        single = len(node.targets) == len(node.values) == 1
        for target in node.targets:
            owner = self.candidate(target.table) if isinstance(target, ast.Index) else None
            if owner is None or not isinstance(target, ast.Index):
                self.expression(target)
                continue
            if single and (id(node) in self.fills or is_next(target)):
                self.put(owner, node.values[0])
                return
            if single and self.within(owner, target.key):
                owner.elements.append(node.values[0])
                owner.touched = True
                self.expression(target.key)
            else:
                self.expression(target)
        self.each(node.values)

    def call_statement(self, call: ast.Call | ast.MethodCall) -> None:
        name = dotted(call.function) if isinstance(call, ast.Call) else None
        owner = self.candidate(call.arguments[0]) if call.arguments else None
        if owner is None or name not in ("table.insert", "table.sort"):
            self.expression(call)
        elif name == "table.sort" and len(call.arguments) == 1:
            owner.sorted = owner.touched = True
        elif len(call.arguments) == 2 and not may_be_several(call.arguments[1]):
            self.put(owner, call.arguments[1])
        else:
            self.expression(call)

    def numeric(self, node: ast.NumericFor, block: ast.Block) -> None:
        variable = node.name.variable
        self.each([node.start, node.stop, *([node.step] if node.step is not None else [])])
        bound = None
        if variable is not None and not variable.writes and node.step is None:
            bound = self.bound_of(node)
        if variable is None or bound is None:
            self.block(node.body)
            return
        if bound.of is None and bound.first == 1:
            self.fill(node, variable, bound, block)
        self.bounds[variable] = bound
        if bound.of is not None:
            self.walk(node, variable, bound)
            self.active.append((node, bound.of))
        self.block(node.body)
        if bound.of is not None:
            self.active.pop()
        del self.bounds[variable]

    def bound_of(self, node: ast.NumericFor) -> _Bound | None:
        if not isinstance(node.start, ast.Number) or not isinstance(node.start.value, int):
            return None
        first, stop, beyond = node.start.value, node.stop, 0
        if isinstance(stop, ast.Binary) and stop.operator == "-":
            if not isinstance(stop.right, ast.Number) or not isinstance(stop.right.value, int):
                return None
            beyond, stop = -stop.right.value, stop.left
        if isinstance(stop, ast.Unary) and stop.operator == "#":
            owner = self.candidate(stop.operand)
            return None if owner is None or beyond > 0 else _Bound(first, owner, beyond, None)
        if beyond:
            return None
        if isinstance(stop, ast.Number):
            return _Bound(first, None, 0, stop.value)
        if isinstance(stop, ast.Name) and stop.variable is not None and not stop.variable.writes:
            return _Bound(first, None, 0, stop.variable)
        return None

    def fill(
        self, node: ast.NumericFor, counter: Variable, bound: _Bound, block: ast.Block
    ) -> None:
        """Find `for i = 1, n do ... t[i] = x ... end` behind `local t = {}`."""
        for statement in node.body.statements:
            if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
                continue
            target = statement.targets[0]
            if not isinstance(target, ast.Index) or len(statement.values) != 1:
                continue
            owner = self.candidate(target.table)
            key = target.key
            if owner is None or not isinstance(key, ast.Name) or key.variable is not counter:
                continue
            fresh = owner.block is block and not owner.touched and not owner.length
            if fresh and not leaves(node.body):
                self.fills[id(statement)] = owner
                owner.touched = True
                owner.filled_to = bound.stop

    def walk(self, node: ast.NumericFor, counter: Variable, bound: _Bound) -> None:
        """Find `for i = 1, #t do local x = t[i]`."""
        first = node.body.statements[0] if node.body.statements else None
        if bound.first != 1 or bound.beyond or not isinstance(first, ast.Local):
            return
        value = first.values[0] if len(first.values) == len(first.names) == 1 else None
        if not isinstance(value, ast.Index) or first.before or first.after:
            return
        same = self.candidate(value.table) is bound.of
        if same and isinstance(value.key, ast.Name) and value.key.variable is counter:
            assert bound.of is not None
            self.walks[id(node)] = bound.of, first
            self.elements.append((bound.of, first.names[0]))

    def generic(self, node: ast.GenericFor) -> None:
        source = node.values[0]
        call = source if isinstance(source, ast.Call) and len(node.values) == 1 else None
        owner = None
        if call is not None and dotted(call.function) == "ipairs" and len(call.arguments) == 1:
            owner = self.candidate(call.arguments[0])
        counter = node.names[0].variable
        if owner is None or counter is None or len(node.names) != 2:
            self.each(node.values)
            self.block(node.body)
            return
        self.elements.append((owner, node.names[1]))
        if not counter.writes:
            self.bounds[counter] = _Bound(1, owner, 0, None)
        self.block(node.body)
        self.bounds.pop(counter, None)

    # -- expressions --------------------------------------------------------------------------

    def each(self, nodes: Iterable[ast.Expression]) -> None:
        for node in nodes:
            self.expression(node)

    def expression(self, node: ast.Expression) -> None:
        match node:
            case ast.Name():
                self.drop(node)
            case ast.Unary(operator="#", operand=operand) if self.candidate(operand):
                pass
            case ast.Index(table=table, key=key):
                owner = self.candidate(table)
                if owner is None or not self.within(owner, key):
                    self.expression(table)
                self.expression(key)
            case ast.Call(function=function, arguments=arguments):
                owner = self.candidate(arguments[0]) if arguments else None
                if owner is not None and dotted(function) == "table.concat" and len(arguments) < 3:
                    owner.joined = True
                    arguments = arguments[1:]
                    if arguments and self.types.of(arguments[0]).kind != "string":
                        self.candidates.pop(owner.variable, None)
                self.expression(function)
                self.each(arguments)
            case ast.MethodCall(object=owner_node, arguments=arguments):
                self.expression(owner_node)
                self.each(arguments)
            case ast.Binary(left=left, right=right):
                self.expression(left)
                self.expression(right)
            case ast.Unary(operand=inner) | ast.Paren(inner=inner):
                self.expression(inner)
            case ast.TableConstructor(fields=fields):
                for entry in fields:
                    if entry.key is not None:
                        self.expression(entry.key)
                    self.expression(entry.value)
            case ast.Function():
                self.function(node)

    def function(self, node: ast.Function) -> None:
        outer, self.scope = self.scope, self.types.file.scopes[id(node)]
        self.block(node.body)
        self.scope = outer

    # -- in the end ---------------------------------------------------------------------------

    def found(self) -> Lists:
        """Return what stays, once it is known what all of them hold."""
        types = self.types
        kept: dict[Variable, Type] = {}
        for variable, owner in self.candidates.items():
            kind: Type | None = None
            for element in owner.elements:
                kind = join(kind, types.of(element))
            kind = kind or ANY
            text = kind.is_number or kind.kind == "string"
            if all(map(self.is_something, owner.elements)) and (
                text or not (owner.joined or owner.sorted)
            ):
                kept[variable] = kind
        known = {variable: Type("list", detail=kind) for variable, kind in kept.items()}
        for owner, name in self.elements:
            if owner.variable in kept and name.variable is not None and not name.variable.writes:
                known[name.variable] = kept[owner.variable]
        return Lists(
            set(kept),
            known,
            {node for node, owner in self.fills.items() if owner.variable in kept},
            {
                node: first
                for node, (owner, first) in self.walks.items()
                if owner.variable in kept and node not in self.changed
            },
        )

    def is_something(self, node: ast.Expression) -> bool:
        """Whether a value cannot be nil."""
        match node:
            case ast.Paren(inner=inner):
                return self.is_something(inner)
            case ast.Binary(operator="and" | "or"):
                pass
            case ast.Binary() | ast.Unary() | ast.Function() | ast.TableConstructor():
                return True
        kind = self.types.of(node)
        return not kind.optional and kind.kind not in ("any", "nil")
