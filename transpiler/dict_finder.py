"""Looking through a file for tables that only a dict's own words touch.

On the way it is noted which entries are there: what was assigned before on every way, or was
found to be there by a condition around. Nothing but deleting takes them away again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

from . import ast
from .dict_candidates import Key, Keyed
from .evidence import OF_TABLES
from .scope import FileScope, Scope, Variable
from .syntax import always_returns, calls_something, dotted, may_be_several

Fact = tuple[Keyed, Key]


class DictFinder:
    """Reads a file and keeps the candidates that nothing speaks against.

    Parameters
    ----------
    file : FileScope
    taken : collection of Variable
        Locals that are lists.
    catches : bool
        Whether the program goes on after errors.
    hears : bool
        Whether it may read what they say.
    """

    def __init__(
        self, file: FileScope, taken: Iterable[Variable], catches: bool, hears: bool
    ) -> None:
        self.file = file
        self.scope: Scope = file.top
        self.candidates: dict[Variable, Keyed] = {}
        self.holders: dict[Variable, tuple[Keyed, bool]] = {}
        self._catches, self._hears = catches, hears
        self._taken = set(taken)
        self._facts: set[Fact] = set()
        self._walks: list[tuple[Keyed, Variable | None, ast.GenericFor]] = []

    # -- candidates -------------------------------------------------------------------------

    def candidate(self, node: ast.Expression) -> Keyed | None:
        """Return the candidate that a name means."""
        if not isinstance(node, ast.Name) or node.variable is None:
            return None
        return self.candidates.get(node.variable)

    def _drop(self, owner: Keyed) -> None:
        self.candidates.pop(owner.variable, None)

    def _declared(self, variable: Variable) -> bool:
        """Whether a local that is declared here may be a dict; note it if so."""
        values = variable.values
        keyed = all(
            isinstance(value, ast.TableConstructor) and all(f.key is not None for f in value.fields)
            for value in values
        )
        if variable.unknown or variable.several or variable in self._taken or not keyed:
            return False
        made = [value for value in values if isinstance(value, ast.TableConstructor)]
        self.candidates[variable] = Keyed(variable, self.scope, made)
        return bool(made)

    def _made(self, owner: Keyed, node: ast.TableConstructor) -> None:
        """Note what a table is made with."""
        if owner.variable.writes:
            self._forget(owner)
        for entry in node.fields:
            assert entry.key is not None
            if not isinstance(entry.key, (ast.String, ast.Number)):
                self._expression(entry.key)
            self._expression(entry.value)
            owner.put(entry.key, entry.value)
            self._know(owner, entry.key)

    # -- what is there ----------------------------------------------------------------------

    def _fact(self, node: ast.Expression) -> Fact | None:
        while isinstance(node, ast.Paren):
            node = node.inner
        owner = self.candidate(node.table) if isinstance(node, ast.Index) else None
        key = _sure(node.key) if isinstance(node, ast.Index) else None
        return None if owner is None or key is None else (owner, key)

    def _know(self, owner: Keyed, key: ast.Expression) -> None:
        sure = _sure(key)
        if sure is not None:
            self._facts.add((owner, sure))

    def _forget(self, owner: Keyed) -> None:
        self._facts = {fact for fact in self._facts if fact[0] is not owner}

    def _told(self, node: ast.Expression, truth: bool) -> set[Fact]:
        """Return what is there if a condition is true, or false."""
        match node:
            case ast.Paren(inner=inner):
                return self._told(inner, truth)
            case ast.Unary(operator="not", operand=inner):
                return self._told(inner, not truth)
            case ast.Index() if truth:
                fact = self._fact(node)
                return set() if fact is None else {fact}
            case ast.Binary(operator="and" | "or", left=left, right=right):
                if truth == (node.operator == "and"):
                    return self._told(left, truth) | self._told(right, truth)
            case ast.Binary(operator="==" | "~=", left=left, right=right):
                same = truth == (node.operator == "==")
                for one, other in ((left, right), (right, left)):
                    something = isinstance(other, (ast.String, ast.Number))
                    fact = self._fact(one)
                    told = same if something else isinstance(other, ast.Nil) and not same
                    if fact is not None and told:
                        return {fact}
        return set()

    # -- statements -------------------------------------------------------------------------

    def block(self, block: ast.Block) -> set[Fact]:
        """Read the statements of a block; return what is there at its end."""
        before = set(self._facts)
        for statement in block.statements:
            if isinstance(statement, ast.Label):
                self._facts &= before  # jumps come here from anywhere in the block
            self._statement(statement)
        after, self._facts = self._facts, before
        return after

    def _inside(self, block: ast.Block, facts: set[Fact]) -> set[Fact]:
        outer = self._facts
        self._facts = outer | facts
        found = self.block(block)
        self._facts = outer
        return found

    def _statement(self, node: ast.Statement) -> None:
        match node:
            case ast.Local(names=names, values=values):
                self._local(names, values)
            case ast.Assign():
                self._assign(node)
            case ast.CallStatement(call=call):
                self._expression(call)
            case ast.NumericFor(start=start, stop=stop, step=step, body=body):
                self._each([start, stop, *([step] if step is not None else [])])
                self.block(body)
            case ast.GenericFor():
                self._generic(node)
            case ast.While(condition=condition, body=body):
                self._tested(condition)
                self._inside(body, self._told(condition, True))
            case ast.Repeat(condition=condition, body=body):
                self._repeat(condition, body)
            case ast.If():
                self._if(node)
            case ast.Do(body=body):
                self._facts |= self.block(body)
            case ast.FunctionStatement(target=target, function=function):
                self._expression(target.table if isinstance(target, ast.Index) else target)
                self._function(function)
            case ast.LocalFunction(function=function):
                self._function(function)
            case ast.Return(values=values):
                self._each(values)
            case ast.Break() | ast.Goto() | ast.Label():
                pass
            case _:
                self._other(node)

    def _other(self, node: object) -> None:
        """Read what the modern style puts between: whatever it mentions is seen by others."""
        for name in getattr(node, "__slots__", ()):
            listed = getattr(node, name)
            for part in listed if isinstance(listed, (list, tuple)) else [listed]:
                if isinstance(part, ast.Block):
                    self.block(part)
                elif isinstance(part, ast.Statement):
                    self._statement(part)
                elif isinstance(part, ast.Node) and not isinstance(part, ast.Comment):
                    self._expression(cast("ast.Expression", part))

    def _local(self, names: list[ast.Name], values: list[ast.Expression]) -> None:
        for i, value in enumerate(values):
            variable = names[i].variable if i < len(names) else None
            made = isinstance(value, ast.TableConstructor) and variable is not None
            if made and variable is not None and self._declared(variable):
                assert isinstance(value, ast.TableConstructor)
                self._made(self.candidates[variable], value)
            else:
                self._expression(value)

    def _repeat(self, condition: ast.Expression, body: ast.Block) -> None:
        before = set(self._facts)
        for statement in body.statements:
            if isinstance(statement, ast.Label):
                self._facts &= before
            self._statement(statement)
        self._tested(condition)
        self._facts = before

    def _if(self, node: ast.If) -> None:
        ends: list[set[Fact]] = []
        before = set(self._facts)
        for test, body in node.branches:
            self._tested(test)
            after = self._inside(body, self._told(test, True))
            if not _leaves(body):
                ends.append(after)
            self._facts |= self._told(test, False)
        if node.otherwise is None:
            ends.append(set(self._facts))
        else:
            after = self.block(node.otherwise)
            if not _leaves(node.otherwise):
                ends.append(after)
        self._facts = set.intersection(*ends) if ends else before

    def _assign(self, node: ast.Assign) -> None:
        single = len(node.targets) == len(node.values) == 1
        for value, target in zip(node.values, node.targets, strict=False):
            made = self.candidate(target) if isinstance(target, ast.Name) else None
            if made is not None and isinstance(value, ast.TableConstructor):
                self._made(made, value)
            else:
                self._expression(value)
        self._each(node.values[len(node.targets) :])
        for i, target in enumerate(node.targets):
            if isinstance(target, ast.Name):
                self._assigned(target, node, i)
                continue
            owner = self.candidate(target.table)
            if owner is None:
                self._raising(target.table, target.key)
                self._expression(target.key)
                continue
            literal = i < len(node.values) and not (
                i == len(node.values) - 1 and may_be_several(node.values[i])
            )
            self._change(owner, target, node.values[i] if literal else None, single)

    def _assigned(self, target: ast.Name, node: ast.Assign, position: int) -> None:
        """Look at an assignment to a variable: a candidate's is a table that is made."""
        owner = self.candidate(target)
        value = node.values[position] if position < len(node.values) else None
        if owner is not None and not isinstance(value, ast.TableConstructor):
            self._drop(owner)

    def _change(
        self, owner: Keyed, target: ast.Index, value: ast.Expression | None, single: bool
    ) -> None:
        if not isinstance(target.key, (ast.String, ast.Number)):
            self._expression(target.key)
        owner.changed.append(self.scope)
        delete = single and isinstance(value, ast.Nil)
        for walked, key, loop in self._walks:
            if walked is not owner:
                continue
            own = isinstance(target.key, ast.Name) and target.key.variable is key
            if not own or key is None or key.writes:
                self._drop(owner)
            owner.walkers[id(loop)] = owner.walkers[id(loop)] or delete
        if delete:
            owner.deleted.append(target)
            owner.note(target.key)
            return
        owner.put(target.key, value)
        self._know(owner, target.key)

    def _generic(self, node: ast.GenericFor) -> None:
        source = node.values[0]
        call = source if isinstance(source, ast.Call) and len(node.values) == 1 else None
        owner = None
        if call is not None and dotted(call.function) == "pairs" and len(call.arguments) == 1:
            owner = self.candidate(call.arguments[0])
        if owner is None or len(node.names) > 2:
            self._each(node.values)
            self.block(node.body)
            return
        key = node.names[0].variable
        owner.walkers[id(node)] = False
        for position, name in enumerate(node.names):
            if name.variable is not None:
                self.holders[name.variable] = owner, position == 0
        self._walks.append((owner, key, node))
        self._inside(node.body, set() if key is None or key.writes else {(owner, key)})
        self._walks.pop()

    # -- expressions --------------------------------------------------------------------------

    def _each(self, nodes: Iterable[ast.Expression]) -> None:
        for node in nodes:
            self._expression(node)

    def _read(self, owner: Keyed, node: ast.Index, bare: bool) -> None:
        owner.reads.append(node)
        owner.note(node.key, asked=True)
        if not isinstance(node.key, (ast.String, ast.Number)):
            self._expression(node.key)
        key = _sure(node.key)
        if key is not None and (owner, key) in self._facts:
            owner.present[id(node)] = key
        elif bare:
            owner.bare.add(id(node))

    def _raising(self, node: ast.Expression, *later: ast.Expression) -> None:
        """Read an expression where nil would be an error, before `later` is computed."""
        inner = node
        if self._catches and any(map(calls_something, later)):
            self._expression(node)  # the error comes after those calls
            return
        while isinstance(inner, ast.Paren):
            inner = inner.inner
        owner = self.candidate(inner.table) if isinstance(inner, ast.Index) else None
        if owner is not None and isinstance(inner, ast.Index) and not self._hears:
            self._read(owner, inner, False)
            owner.raising.add(id(inner))
        else:
            self._expression(node)

    def _tested(self, node: ast.Expression) -> None:
        """Read an expression that is looked at for being true."""
        match node:
            case ast.Paren(inner=inner) | ast.Unary(operator="not", operand=inner):
                self._tested(inner)
            case ast.Index(table=table) if (owner := self.candidate(table)) is not None:
                self._read(owner, node, False)
            case ast.Call() if (owner := self._next_of(node)) is not None:
                owner.emptiness = True
            case ast.Binary(operator="and" | "or", left=left):
                self._tested(left)
                self._behind(node, self._tested)
            case _:
                self._expression(node)

    def _next_of(self, node: ast.Expression) -> Keyed | None:
        """Return the candidate of `next(t)`."""
        if not isinstance(node, ast.Call) or dotted(node.function) != "next":
            return None
        return self.candidate(node.arguments[0]) if len(node.arguments) == 1 else None

    def _behind(self, node: ast.Binary, read: Callable[[ast.Expression], None]) -> None:
        """Read the right side of `and` and `or`, which is reached under a condition."""
        outer = set(self._facts)
        self._facts |= self._told(node.left, node.operator == "and")
        read(node.right)
        self._facts = outer

    def _expression(self, node: ast.Expression) -> None:
        match node:
            case ast.Name():
                owner = self.candidate(node)
                if owner is not None:
                    self._drop(owner)
            case ast.Index(table=table, key=key):
                owner = self.candidate(table)
                if owner is not None:
                    self._read(owner, node, True)
                else:
                    self._raising(table, key)
                    self._expression(key)
            case ast.Call(function=function, arguments=arguments):
                self._raising(function, *arguments)
                if arguments and dotted(function) in OF_TABLES | {"pairs"}:
                    self._raising(arguments[0], *arguments[1:])
                    arguments = arguments[1:]
                self._each(arguments)
            case ast.MethodCall(object=owner_node, arguments=arguments):
                self._raising(owner_node)
                self._each(arguments)
            case ast.Binary():
                self._binary(node)
            case ast.Unary(operator="not", operand=inner):
                self._tested(inner)
            case ast.Unary(operand=inner):
                self._raising(inner)
            case ast.Paren(inner=inner):
                self._expression(inner)
            case ast.TableConstructor(fields=fields):
                for entry in fields:
                    if entry.key is not None:
                        self._expression(entry.key)
                    self._expression(entry.value)
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
                self._tested(left)
            else:
                self._expression(left)
            self._behind(node, self._expression)
            return
        if node.operator in ("==", "~="):
            for one, other in ((left, right), (right, left)):
                owner = self._next_of(one)
                if owner is not None and isinstance(other, ast.Nil):
                    owner.emptiness = True
                    return
            told = isinstance(left, ast.Nil) or isinstance(right, ast.Nil)
            for side in (left, right):
                (self._tested if told and isinstance(side, ast.Index) else self._expression)(side)
            return
        self._raising(left, right)
        self._raising(right)

    def _function(self, node: ast.Function) -> None:
        outer, self.scope = self.scope, self.file.scopes[id(node)]
        walks, self._walks = self._walks, []
        self.block(node.body)
        self.scope, self._walks = outer, walks


def _sure(key: ast.Expression) -> Key | None:
    """Return what a key is, if it is that wherever it stands."""
    if isinstance(key, (ast.String, ast.Number)):
        return key.value
    if isinstance(key, ast.Name) and key.variable is not None and not key.variable.writes:
        return key.variable
    return None


def _leaves(block: ast.Block) -> bool:
    """Whether what follows a block is never reached from its end."""
    last = block.statements[-1] if block.statements else None
    return isinstance(last, (ast.Break, ast.Goto)) or always_returns(block)
