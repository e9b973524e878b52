"""Looking through a file for tables that only a dict's own words touch: its statements in turn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from . import ast
from .dict_candidates import Keyed
from .dict_facts import Fact, Facts
from .dict_reads import Reads
from .scope import FileScope, Scope, Variable
from .syntax import always_returns, dotted, may_be_several


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
        self.holders: dict[Variable, tuple[Keyed, bool]] = {}
        self._taken = set(taken)
        self._facts = Facts()
        self._reads = Reads(self._facts, catches, hears, self._function, self._other)
        self._walks: list[tuple[Keyed, Variable | None, ast.GenericFor]] = []

    @property
    def candidates(self) -> dict[Variable, Keyed]:
        """The locals that nothing spoke against."""
        return self._facts.candidates

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
            self._facts.forget(owner)
        for entry in node.fields:
            assert entry.key is not None
            if not isinstance(entry.key, (ast.String, ast.Number)):
                self._reads.expression(entry.key)
            self._reads.expression(entry.value)
            owner.put(entry.key, entry.value)
            self._facts.know(owner, entry.key)

    # -- statements -------------------------------------------------------------------------

    def block(self, block: ast.Block) -> set[Fact]:
        """Read the statements of a block; return what is there at its end."""
        before = set(self._facts.here)
        for statement in block.statements:
            if isinstance(statement, ast.Label):
                self._facts.here &= before  # jumps come here from anywhere in the block
            self._statement(statement)
        after, self._facts.here = self._facts.here, before
        return after

    def _inside(self, block: ast.Block, facts: set[Fact]) -> set[Fact]:
        outer = self._facts.here
        self._facts.here = outer | facts
        found = self.block(block)
        self._facts.here = outer
        return found

    def _statement(self, node: ast.Statement) -> None:
        match node:
            case ast.Local(names=names, values=values):
                self._local(names, values)
            case ast.Assign():
                self._assign(node)
            case ast.CallStatement(call=call):
                self._reads.expression(call)
            case ast.NumericFor(start=start, stop=stop, step=step, body=body):
                self._reads.each([start, stop, *([step] if step is not None else [])])
                self.block(body)
            case ast.GenericFor():
                self._generic(node)
            case ast.While(condition=condition, body=body):
                self._reads.tested(condition)
                self._inside(body, self._facts.told(condition, True))
            case ast.Repeat(condition=condition, body=body):
                self._repeat(condition, body)
            case ast.If():
                self._if(node)
            case ast.Do(body=body):
                self._facts.here |= self.block(body)
            case ast.FunctionStatement(target=target, function=function):
                self._reads.expression(target.table if isinstance(target, ast.Index) else target)
                self._function(function)
            case ast.LocalFunction(function=function):
                self._function(function)
            case ast.Return(values=values):
                self._reads.each(values)
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
                    self._reads.expression(cast("ast.Expression", part))

    def _local(self, names: list[ast.Name], values: list[ast.Expression]) -> None:
        for i, value in enumerate(values):
            variable = names[i].variable if i < len(names) else None
            made = isinstance(value, ast.TableConstructor) and variable is not None
            if made and variable is not None and self._declared(variable):
                assert isinstance(value, ast.TableConstructor)
                self._made(self.candidates[variable], value)
            else:
                self._reads.expression(value)

    def _repeat(self, condition: ast.Expression, body: ast.Block) -> None:
        before = set(self._facts.here)
        for statement in body.statements:
            if isinstance(statement, ast.Label):
                self._facts.here &= before
            self._statement(statement)
        self._reads.tested(condition)
        self._facts.here = before

    def _if(self, node: ast.If) -> None:
        ends: list[set[Fact]] = []
        before = set(self._facts.here)
        for test, body in node.branches:
            self._reads.tested(test)
            after = self._inside(body, self._facts.told(test, True))
            if not _leaves(body):
                ends.append(after)
            self._facts.here |= self._facts.told(test, False)
        if node.otherwise is None:
            ends.append(set(self._facts.here))
        else:
            after = self.block(node.otherwise)
            if not _leaves(node.otherwise):
                ends.append(after)
        self._facts.here = set.intersection(*ends) if ends else before

    def _assign(self, node: ast.Assign) -> None:
        single = len(node.targets) == len(node.values) == 1
        for value, target in zip(node.values, node.targets, strict=False):
            made = self._facts.candidate(target) if isinstance(target, ast.Name) else None
            if made is not None and isinstance(value, ast.TableConstructor):
                self._made(made, value)
            else:
                self._reads.expression(value)
        self._reads.each(node.values[len(node.targets) :])
        for i, target in enumerate(node.targets):
            if isinstance(target, ast.Name):
                self._assigned(target, node, i)
                continue
            owner = self._facts.candidate(target.table)
            if owner is None:
                self._reads.raising(target.table, target.key)
                self._reads.expression(target.key)
                continue
            literal = i < len(node.values) and not (
                i == len(node.values) - 1 and may_be_several(node.values[i])
            )
            self._change(owner, target, node.values[i] if literal else None, single)

    def _assigned(self, target: ast.Name, node: ast.Assign, position: int) -> None:
        """Look at an assignment to a variable: a candidate's is a table that is made."""
        owner = self._facts.candidate(target)
        value = node.values[position] if position < len(node.values) else None
        if owner is not None and not isinstance(value, ast.TableConstructor):
            self._facts.drop(owner)

    def _change(
        self, owner: Keyed, target: ast.Index, value: ast.Expression | None, single: bool
    ) -> None:
        if not isinstance(target.key, (ast.String, ast.Number)):
            self._reads.expression(target.key)
        owner.changed.append(self.scope)
        delete = single and isinstance(value, ast.Nil)
        for walked, key, loop in self._walks:
            if walked is not owner:
                continue
            own = isinstance(target.key, ast.Name) and target.key.variable is key
            if not own or key is None or key.writes:
                self._facts.drop(owner)
            owner.walkers[id(loop)] = owner.walkers[id(loop)] or delete
        if delete:
            owner.deleted.append(target)
            owner.note(target.key)
            return
        owner.put(target.key, value)
        self._facts.know(owner, target.key)

    def _generic(self, node: ast.GenericFor) -> None:
        source = node.values[0]
        call = source if isinstance(source, ast.Call) and len(node.values) == 1 else None
        owner = None
        if call is not None and dotted(call.function) == "pairs" and len(call.arguments) == 1:
            owner = self._facts.candidate(call.arguments[0])
        if owner is None or len(node.names) > 2:
            self._reads.each(node.values)
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

    def _function(self, node: ast.Function) -> None:
        """Read the body of a function."""
        outer, self.scope = self.scope, self.file.scopes[id(node)]
        walks, self._walks = self._walks, []
        self.block(node.body)
        self.scope, self._walks = outer, walks


def _leaves(block: ast.Block) -> bool:
    """Whether what follows a block is never reached from its end."""
    last = block.statements[-1] if block.statements else None
    return isinstance(last, (ast.Break, ast.Goto)) or always_returns(block)
