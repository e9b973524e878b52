"""Looking through a file for tables that only a list's own words touch."""

from __future__ import annotations

from collections.abc import Iterable

from . import ast
from .list_candidates import Bound, Candidate, bound_of
from .scope import Scope, Variable
from .syntax import dotted, is_next, leaves, may_be_several
from .types import Types


class ListFinder:
    """Reads a file and keeps the candidates that nothing speaks against.

    Parameters
    ----------
    types : Types
    """

    def __init__(self, types: Types) -> None:
        self.types = types
        self.scope: Scope = types.file.top
        self.candidates: dict[Variable, Candidate] = {}
        self.bounds: dict[Variable, Bound] = {}
        self.active: list[tuple[ast.Statement, Candidate]] = []
        self.changed: set[int] = set()
        self.fills: dict[int, Candidate] = {}
        self.walks: dict[int, tuple[Candidate, ast.Local]] = {}
        self.elements: list[tuple[Candidate, ast.Name]] = []

    # -- candidates -------------------------------------------------------------------------

    def candidate(self, node: ast.Expression) -> Candidate | None:
        """Return the candidate that a name means here."""
        if not isinstance(node, ast.Name) or node.variable is None:
            return None
        found = self.candidates.get(node.variable)
        return found if found is not None and found.scope is self.scope else None

    def _drop(self, node: ast.Name) -> None:
        if node.variable is not None:
            self.candidates.pop(node.variable, None)

    def _local(self, node: ast.Local, block: ast.Block) -> None:
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
            self._each(values)
            made = Candidate(variable, self.scope, block, len(values), values)
            self.candidates[variable] = made
            return
        self._each(node.values)

    def _put(self, owner: Candidate, value: ast.Expression) -> None:
        """Note that a value is put into a list behind the last."""
        owner.elements.append(value)
        owner.touched = True
        self.changed |= {id(loop) for loop, of in self.active if of is owner}
        self._expression(value)

    def _within(self, owner: Candidate, key: ast.Expression) -> bool:
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
        """Read the statements of a block."""
        for statement in block.statements:
            self._statement(statement, block)

    def _statement(self, node: ast.Statement, block: ast.Block) -> None:
        match node:
            case ast.Local():
                self._local(node, block)
            case ast.Assign():
                self._assign(node)
            case ast.CallStatement(call=call):
                self._call_statement(call)
            case ast.NumericFor():
                self._numeric(node, block)
            case ast.GenericFor():
                self._generic(node)
            case ast.While(condition=condition, body=body):
                self._expression(condition)
                self.block(body)
            case ast.Repeat(condition=condition, body=body):
                self.block(body)
                self._expression(condition)
            case ast.If(branches=branches, otherwise=otherwise):
                for test, body in branches:
                    self._expression(test)
                    self.block(body)
                if otherwise is not None:
                    self.block(otherwise)
            case ast.Do(body=body):
                self.block(body)
            case ast.FunctionStatement(target=target, function=function):
                self._expression(target)
                self._function(function)
            case ast.LocalFunction(function=function):
                self._function(function)
            case ast.Return(values=values):
                self._each(values)
            case ast.Goto():
                self.candidates = {
                    v: c for v, c in self.candidates.items() if c.scope is not self.scope
                }

    def _assign(self, node: ast.Assign) -> None:
        single = len(node.targets) == len(node.values) == 1
        for target in node.targets:
            owner = self.candidate(target.table) if isinstance(target, ast.Index) else None
            if owner is None or not isinstance(target, ast.Index):
                self._expression(target)
                continue
            if single and (id(node) in self.fills or is_next(target)):
                self._put(owner, node.values[0])
                return
            if single and self._within(owner, target.key):
                owner.elements.append(node.values[0])
                owner.touched = True
                self._expression(target.key)
            else:
                self._expression(target)
        self._each(node.values)

    def _call_statement(self, call: ast.Call | ast.MethodCall) -> None:
        name = dotted(call.function) if isinstance(call, ast.Call) else None
        owner = self.candidate(call.arguments[0]) if call.arguments else None
        if owner is None or name not in ("table.insert", "table.sort"):
            self._expression(call)
        elif name == "table.sort" and len(call.arguments) == 1:
            owner.sorted = owner.touched = True
        elif len(call.arguments) == 2 and not may_be_several(call.arguments[1]):
            self._put(owner, call.arguments[1])
        else:
            self._expression(call)

    def _numeric(self, node: ast.NumericFor, block: ast.Block) -> None:
        variable = node.name.variable
        self._each([node.start, node.stop, *([node.step] if node.step is not None else [])])
        bound = None
        if variable is not None and not variable.writes and node.step is None:
            bound = bound_of(node, self.candidate)
        if variable is None or bound is None:
            self.block(node.body)
            return
        if bound.of is None and bound.first == 1:
            self._fill(node, variable, bound, block)
        self.bounds[variable] = bound
        if bound.of is not None:
            self._walk(node, variable, bound)
            self.active.append((node, bound.of))
        self.block(node.body)
        if bound.of is not None:
            self.active.pop()
        del self.bounds[variable]

    def _fill(
        self, node: ast.NumericFor, counter: Variable, bound: Bound, block: ast.Block
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

    def _walk(self, node: ast.NumericFor, counter: Variable, bound: Bound) -> None:
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

    def _generic(self, node: ast.GenericFor) -> None:
        source = node.values[0]
        call = source if isinstance(source, ast.Call) and len(node.values) == 1 else None
        owner = None
        if call is not None and dotted(call.function) == "ipairs" and len(call.arguments) == 1:
            owner = self.candidate(call.arguments[0])
        counter = node.names[0].variable
        if owner is None or counter is None or len(node.names) != 2:
            self._each(node.values)
            self.block(node.body)
            return
        self.elements.append((owner, node.names[1]))
        if not counter.writes:
            self.bounds[counter] = Bound(1, owner, 0, None)
        self.block(node.body)
        self.bounds.pop(counter, None)

    # -- expressions --------------------------------------------------------------------------

    def _each(self, nodes: Iterable[ast.Expression]) -> None:
        for node in nodes:
            self._expression(node)

    def _expression(self, node: ast.Expression) -> None:
        match node:
            case ast.Name():
                self._drop(node)
            case ast.Unary(operator="#", operand=operand) if self.candidate(operand):
                pass
            case ast.Index(table=table, key=key):
                owner = self.candidate(table)
                if owner is None or not self._within(owner, key):
                    self._expression(table)
                self._expression(key)
            case ast.Call(function=function, arguments=arguments):
                owner = self.candidate(arguments[0]) if arguments else None
                if owner is not None and dotted(function) == "table.concat" and len(arguments) < 3:
                    owner.joined = True
                    arguments = arguments[1:]
                    if arguments and self.types.of(arguments[0]).kind != "string":
                        self.candidates.pop(owner.variable, None)
                self._expression(function)
                self._each(arguments)
            case ast.MethodCall(object=owner_node, arguments=arguments):
                self._expression(owner_node)
                self._each(arguments)
            case ast.Binary(left=left, right=right):
                self._expression(left)
                self._expression(right)
            case ast.Unary(operand=inner) | ast.Paren(inner=inner):
                self._expression(inner)
            case ast.TableConstructor(fields=fields):
                for entry in fields:
                    if entry.key is not None:
                        self._expression(entry.key)
                    self._expression(entry.value)
            case ast.Function():
                self._function(node)

    def _function(self, node: ast.Function) -> None:
        outer, self.scope = self.scope, self.types.file.scopes[id(node)]
        self.block(node.body)
        self.scope = outer
