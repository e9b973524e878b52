"""Calls of torch/optim, and the functions of the loss that they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import NUMBER
from ..scope import Variable
from ..syntax import returns
from ..walk import names_in, plain
from .classes import method_of
from .nodes import Line, at, like
from .optimizers import METHODS
from .variables import Key

if TYPE_CHECKING:
    from .rewrite import Rewriter
    from .training import Training

_NEW_TABLE = "its table of options is not a variable of its own"


class Closures:
    """The functions of the loss, and how the calls that are given them are written.

    Parameters
    ----------
    rewriter : Rewriter
    training : Training
        Knows the models of vectors of parameters, and the schedules of optimisers.
    """

    def __init__(self, rewriter: Rewriter, training: Training) -> None:
        self.r = rewriter
        self.training = training
        self.calls: dict[Key, list[ast.Call]] = {}
        """The calls of torch/optim that a function of the loss is given to."""
        self.sums: dict[Key, Any] = {}
        """What holds the loss, by the variable of the losses that an optimiser returned."""
        self.written: set[int] = set()
        self.removed: set[int] = set()
        """Functions whose statements stand at the place of their only call."""
        self.written_loss = False

    def is_closure(self, keys: list[Any], values: list[Any]) -> bool:
        """Whether a statement defines a function that is written where it is called."""
        return (
            len(keys) == len(values) == 1
            and keys[0] in self.calls
            and isinstance(plain(values[0]), ast.Function)
            and self.r.facts.function_in(keys[0]) is not None
            and self.r.facts.uses(keys[0]) == len(self.calls[keys[0]])
        )

    def optimise(
        self, node: ast.Statement, call: Any, targets: list[Any]
    ) -> list[ast.Statement] | None:
        """Return what a call of a method of optim becomes; None where nothing is planned for it."""
        r, facts = self.r, self.r.facts
        if len(call.arguments) < 2 or facts.role(call.arguments[1]) != "params":
            return None
        state = facts.key(call.arguments[2]) if len(call.arguments) > 2 else None
        more = [facts.key(a) in self.training.memories for a in call.arguments[3:]]
        if state is None or facts.roles.get(state) != "state" or more not in ([], [True]):
            method = method_of(call)
            reason = f"core has no optim.{method}" if method not in METHODS else _NEW_TABLE
            r.refuse_keys(node, [facts.key(call.arguments[1])], reason)
            return None
        given = plain(call.arguments[0])
        variable = facts.key(given)
        function = given if isinstance(given, ast.Function) else None
        if variable is not None and self.is_closure([variable], [facts.function_in(variable)]):
            function = facts.function_in(variable)
        if function is None:
            r.refuse_keys(node, [state], "the function of the loss is not known")
            return None
        self._take(function, state, call)
        trouble = "" if id(function) in self.written else self._trouble(function)
        if trouble:
            r.refuse_keys(node, [state], trouble)
            return [node]
        times = 1 if variable is None else len(self.calls.get(variable, []))
        losses = facts.key(targets[1]) if len(targets) > 1 else None
        unused = not targets or self._is_unused(targets[0])
        if not unused or len(targets) > 2:
            r.refuse_keys(node, [state], "what the optimiser returns is kept")
        if losses is not None:
            facts.roles[losses] = "sums"
            r.join(state, losses)
        if times == 1 and self._fits_here(function):
            if variable is not None:
                self.removed.add(id(function))
            return self._inlined(node, function, state, losses)
        if variable is None:
            r.refuse_keys(node, [state], "names in its closure would mean something else")
            return [node]
        return self._with_closure(node, function, variable, state, losses)

    def _take(self, function: ast.Function, state: Key, call: Any) -> None:
        """Say that a closure's parameter is the vector of parameters itself."""
        for name in function.parameters[:1]:
            if name.variable is not None:
                self.r.facts.roles[name.variable] = "params"
                self.training.flat[name.variable] = self.training.model_of(call.arguments[1])
                self.r.join(name.variable, state)

    def _trouble(self, function: ast.Function) -> str:
        found = returns(function.body)
        last = function.body.statements[-1] if function.body.statements else None
        if len(found) != 1 or found[0] is not last:
            return "the function of the loss returns in its middle"
        if len(found[0].values) != 2 or self.r.facts.role(found[0].values[1]) != "grads":
            return "the function of the loss does not return the loss and the gradients"
        return ""

    def _is_unused(self, target: Any) -> bool:
        key = self.r.facts.key(target)
        if isinstance(key, Variable):
            return not key.reads or self.r.facts.roles.get(key) == "params"
        return key == "_" or self.r.facts.role(target) == "params"

    def _fits_here(self, function: ast.Function) -> bool:
        """Whether a closure's statements mean the same at the place of its call."""
        r = self.r
        inner = r.facts.inner[id(function)]
        declared = set()
        for statement in function.body.statements:
            if isinstance(statement, ast.Local):
                declared |= {n.name for n in statement.names}
            elif isinstance(statement, ast.LocalFunction):
                declared.add(statement.name.name)
        if any(n.name in declared for n in names_in(r.following)):
            return False
        for name in names_in(function.body):
            variable = name.variable
            if variable is None:
                if not r.sees(name.name):
                    return False
                continue
            scope = variable.scope
            while scope is not inner and scope.parent is not None:
                scope = scope.parent
            if scope is not inner and not r.sees(variable):
                return False
        return True

    def _inlined(
        self, node: ast.Statement, function: ast.Function, state: Key, losses: Key | None
    ) -> list[ast.Statement]:
        """Return a closure's statements and the optimiser's step."""
        r = self.r
        last = function.body.statements[-1]
        assert isinstance(last, ast.Return)
        found = r.statements(function.body.statements[:-1])
        value = plain(last.values[0])
        if losses is not None:
            key = r.facts.key(value)
            kept = isinstance(value, ast.Name) and (
                r.facts.role(value) == "loss" or isinstance(key, Variable)
            )
            if kept and key is not None:
                self.sums[losses] = key
            else:
                name = ast.Name(node.line, node.column, r.fresh("loss"))
                found.append(ast.Local(node.line, node.column, [name], [r.expression(value)]))
                self.sums[losses] = name.name
        found += self._steps(node, state)
        if found[0].before or node.before:
            found[0].before = [*node.before, *found[0].before]
        found[0].blank_before = node.blank_before
        return found

    def _steps(self, node: ast.Statement, state: Key) -> list[ast.Statement]:
        r = self.r
        step = at(node, r.name(state, node), ".step()")
        found: list[ast.Statement] = [Line(node.line, node.column, step)]
        if state in self.training.schedules:
            name = ast.Name(node.line, node.column, self.training.schedules[state])
            found.append(Line(node.line, node.column, at(node, name, ".step()")))
        return found

    def _with_closure(
        self,
        node: ast.Statement,
        function: ast.Function,
        variable: Key,
        state: Key,
        losses: Key | None,
    ) -> list[ast.Statement]:
        """Return `loss = optimizer.step(closure)`."""
        r = self.r
        last = function.body.statements[-1]
        assert isinstance(last, ast.Return)
        if id(function) not in self.written:
            self.written.add(id(function))
            value = plain(last.values[0])

            def result() -> list[ast.Statement]:
                is_loss, key = r.facts.role(value) == "loss", r.facts.key(value)
                same = r.name(key, value) if is_loss and key is not None else None
                last.values = [r.expression(value) if same is None else same]
                self.written_loss = is_loss
                return [last]

            r.replaced[id(last)] = result
            r.function(function, variable)
            function.parameters = []
        step = at(node, r.name(state, node), ".step(", r.name(variable, node), ")", kind=NUMBER)
        if losses is None:
            found: list[ast.Statement] = [like(Line(node.line, node.column, step), node)]
        else:
            if self.written_loss:
                step.parts.append(".item()")
            own = losses if isinstance(losses, str) else losses.name
            name = ast.Name(node.line, node.column, r.fresh("loss", own))
            self.sums[losses] = name.name
            found = [like(ast.Local(node.line, node.column, [name], [step]), node)]
        return found + self._steps(node, state)[1:]

    def first_loss(self, node: ast.Index) -> Any:
        """Return `losses[1]` of what an optimiser returned."""
        key = self.r.facts.key(node.table)
        assert key is not None
        found = self.sums[key]
        if isinstance(found, Variable) and self.r.facts.roles.get(found) == "loss":
            return at(node, self.r.name(found, node), ".item()", kind=NUMBER)
        return self.r.name(found, node)
