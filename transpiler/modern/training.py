"""Optimisers: getParameters, tables of options, and what becomes of the statements about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import NUMBER
from ..walk import method_call, names_in, plain, walk
from .classes import method_of
from .closures import Closures
from .descent import Descent
from .nodes import Nothing, at, like
from .optimizers import METHODS, optimizer_code, options_of, schedule_code
from .variables import Key

if TYPE_CHECKING:
    from .rewrite import Rewriter


class Training:
    """What is known of a file's training, and how it is written.

    Parameters
    ----------
    rewriter : Rewriter
    """

    def __init__(self, rewriter: Rewriter) -> None:
        self.r = rewriter
        self.flat: dict[Key, ast.Name] = {}
        """The model of each vector of parameters or gradients."""
        self.state_model: dict[Key, Key] = {}
        self.closures = Closures(rewriter, self)
        self.made: dict[Key, list[Any]] = {}
        """For models the expressions of their optimisers' variables that have been made."""
        self.deferred: dict[Key, tuple[Key, ast.TableConstructor, int]] = {}
        self.schedules: dict[Key, str] = {}
        self.memories: set[Key] = set()
        """Empty tables that methods of optim are given beside the options, to remember in."""
        self.descent = Descent(rewriter, self)
        self._find_flat()
        self._find_states()

    def _find_flat(self) -> None:
        facts = self.r.facts
        for node in walk([f.block for f in self.r.files]):
            if not isinstance(node, (ast.Local, ast.Assign)) or len(node.values) != 1:
                continue
            call = plain(node.values[0])
            if not method_call(call, "getParameters") or facts.role(call.object) != "model":
                continue
            model = facts.key(call.object)
            targets = node.names if isinstance(node, ast.Local) else node.targets
            keys = [facts.key(t) for t in targets]
            assert model is not None
            if len(keys) > 2 or not all(k is not None and self._only_here(k) for k in keys):
                continue
            for key, role in zip(keys, ("params", "grads"), strict=False):
                assert key is not None
                facts.roles[key] = role
                self.flat[key] = plain(call.object)
                facts.groups.join([facts.anchor(model), facts.anchor(key)])

    def _only_here(self, key: Key) -> bool:
        """Whether a variable is assigned once, and nothing keeps it from being core's."""
        facts = self.r.facts
        if facts.anchor(key) in facts.faithful:
            return False
        if isinstance(key, str):
            return facts.is_own(key)
        if key.values and all(isinstance(v, ast.Nil) for v in key.values):
            return key.writes == 1
        alone = len(key.values) == 1 and method_call(plain(key.values[0]), "getParameters")
        return not key.writes and (alone or not key.values)

    def _find_states(self) -> None:
        facts = self.r.facts
        models: dict[Key, set[Key]] = {}
        for call in facts.calls:
            if method_of(call) not in METHODS or len(call.arguments) < 2:
                continue
            state = facts.key(call.arguments[2]) if len(call.arguments) > 2 else None
            is_state = state is not None and facts.roles.get(state) == "state"
            if facts.role(call.arguments[1]) != "params":
                if is_state:
                    del facts.roles[state]  # type: ignore[arg-type]  # it is a key
                continue
            function = facts.key(call.arguments[0])
            if function is not None:
                assert isinstance(call, ast.Call)
                self.closures.calls.setdefault(function, []).append(call)
            if is_state and state is not None:
                model = facts.key(self.model_of(call.arguments[1]))
                assert model is not None
                models.setdefault(state, set()).add(model)
                params = facts.key(call.arguments[1])
                self.r.join(state, model, params)
                if len(call.arguments) == 4 and self._is_memory(call.arguments[3]):
                    self.memories |= {k for k in [facts.key(call.arguments[3])] if k is not None}
        for state, found in models.items():
            self.state_model[state] = found.pop()
        for key in [k for k, role in facts.roles.items() if role == "state"]:
            if key not in self.state_model:
                del facts.roles[key]

    def _is_memory(self, node: Any) -> bool:
        """Whether a table starts empty, and nothing but a method of optim is given it."""
        facts = self.r.facts
        key = facts.key(node)
        values = None if key is None else facts.values(key)
        table = plain(values[0]) if values is not None and len(values) == 1 else None
        if key is None or not isinstance(table, ast.TableConstructor) or table.fields:
            return False
        calls = [c for c in facts.calls if method_of(c) is not None and len(c.arguments) == 4]
        return sum(facts.key(c.arguments[3]) == key for c in calls) == facts.uses(key) == 1

    def model_of(self, node: Any) -> ast.Name:
        """Return the model whose parameters or gradients a variable holds, as a new name."""
        key = self.r.facts.key(node)
        assert key is not None
        model = self.r.facts.key(self.flat[key])
        assert model is not None
        return self.r.name(model, node)

    # -- statements ---------------------------------------------------------------------------

    def statement(self, node: ast.Statement) -> list[ast.Statement] | None:
        """Return what a statement about optimisers becomes; None for any other."""
        if isinstance(node, (ast.Local, ast.Assign)):
            targets = node.names if isinstance(node, ast.Local) else node.targets
            keys = [self.r.facts.key(t) for t in targets]
            if len(keys) > 1 and any(self.r.facts.role(t) == "state" for t in targets):
                return self._with_others(node, targets, keys)
            if len(keys) == 1 and keys[0] in self.memories:
                return [like(Nothing(node.line, node.column), node)]
            if keys and keys[0] in self.flat and len(node.values) == 1:
                return self._flat_statement(node)
            if len(keys) == 1 and self.r.facts.role(targets[0]) == "state" and node.values:
                return self._state_statement(node, keys[0])
            if len(node.values) == 1 and method_of(plain(node.values[0])) is not None:
                return self.closures.optimise(node, plain(node.values[0]), targets)
            if self.closures.is_closure(keys, node.values):
                return [node]
        if isinstance(node, ast.CallStatement) and method_of(node.call) is not None:
            return self.closures.optimise(node, node.call, [])
        if isinstance(node, ast.LocalFunction) and self.closures.is_closure(
            [node.name.variable], [node.function]
        ):
            return [node]
        if isinstance(node, ast.FunctionStatement) and not node.method:
            key = self.r.facts.key(node.target)
            return [node] if self.closures.is_closure([key], [node.function]) else None
        if isinstance(node, ast.If) and self._is_copy_guard(node):
            return [like(Nothing(node.line, node.column), node)]
        return None

    def _with_others(
        self, node: ast.Local | ast.Assign, targets: list[Any], keys: list[Key | None]
    ) -> list[ast.Statement]:
        """Return `local sum, state = 0, {...}` as statements of one variable each."""
        names = {n.name for n in names_in(node.values)}
        alone = all(isinstance(t, ast.Name) and t.name not in names for t in targets)
        if len(node.values) != len(targets) or not alone:
            self.r.refuse_keys(node, keys, "its table of options is made with other variables")
            return [node]
        found: list[ast.Statement] = []
        for target, value in zip(targets, node.values, strict=True):
            one: ast.Local | ast.Assign = (
                ast.Local(node.line, node.column, [target], [value])
                if isinstance(node, ast.Local)
                else ast.Assign(node.line, node.column, [target], [value])
            )
            found += self.r.statement(one)
        found[0].before, found[0].blank_before = node.before, node.blank_before
        found[-1].after = node.after
        return found

    def _is_copy_guard(self, node: ast.If) -> bool:
        """Whether a statement is `if x ~= params then params:copy(x) end`."""
        if len(node.branches) != 1 or node.otherwise is not None:
            return False
        test, block = plain(node.branches[0][0]), node.branches[0][1]
        role = self.r.facts.role
        only = block.statements[0] if len(block.statements) == 1 else None
        return (
            isinstance(test, ast.Binary)
            and test.operator == "~="
            and role(test.left) == role(test.right) == "params"
            and isinstance(only, ast.CallStatement)
            and method_call(only.call, "copy")
            and role(only.call.object) == "params"  # type: ignore[union-attr]
            and role(only.call.arguments[0]) == "params"
        )

    def _flat_statement(self, node: Any) -> list[ast.Statement]:
        facts = self.r.facts
        targets = node.names if isinstance(node, ast.Local) else node.targets
        key = facts.key(targets[0])
        assert key is not None
        model = facts.key(self.flat[key])
        assert model is not None
        self.made.setdefault(model, [])
        waiting = self.deferred.pop(model, None)
        if waiting is None:
            return [like(Nothing(node.line, node.column), node)]
        state, table, block = waiting
        if block != id(self.r.visible[-1]):
            self.r.refuse_keys(node, [state], "its table of options is made in another block")
        found = self._made(node, state, table, ast.Local if isinstance(node, ast.Local) else None)
        like(found[0], node)
        return found

    def _state_statement(self, node: Any, state: Any) -> list[ast.Statement] | None:
        value = plain(node.values[0])
        if isinstance(value, ast.Nil):
            return None
        table = self.r.facts.table_in(state, value)
        model = self.state_model[state]
        if table is None:
            return None
        if model not in self.made:
            if value is not table:
                self.r.refuse_keys(node, [state], "its optimiser is made before its model")
            self.deferred[model] = state, table, id(self.r.visible[-1])
            return [like(Nothing(node.line, node.column), node)]
        kind = ast.Local if isinstance(node, ast.Local) else None
        found = self._made(node, state, table, kind)
        if value is not table:
            name = self.r.name(state, node)
            nil = ast.Nil(node.line, node.column)
            test = ast.Binary(node.line, node.column, "==", name, nil)
            found = [ast.If(node.line, node.column, [(test, ast.Block(found))], None)]
        like(found[0], node)
        return found

    def _made(
        self, node: ast.Statement, state: Key, table: ast.TableConstructor, kind: Any
    ) -> list[ast.Statement]:
        """Return the statements that make an optimiser, and its schedule."""
        r = self.r
        model, method = self.state_model[state], r.facts.states[state]
        options = options_of(table, method)
        if options.trouble or not r.sees(model):
            r.refuse_keys(node, [state], options.trouble or "its model is out of sight")
        if METHODS[method].note:
            r.note(node, f"optim.{method}", METHODS[method].note)
        options.values = {k: r.expression(v) for k, v in options.values.items()}
        code = optimizer_code(node, [r.name(model, node)], method, options)
        self.made[model].append(state)
        found = [_assigned(kind, node, r.name(state, node), code)]
        decay = options.decay(method)
        if decay is not None:
            name = r.fresh("scheduler")
            self.schedules[state] = name
            schedule = schedule_code(node, r.name(state, node), decay)
            made = ast.Name(node.line, node.column, name)
            found.append(_assigned(kind, node, made, schedule))
        return found

    def rate(self, node: ast.Index, written: bool = False) -> Any:
        """Return an optimiser's learning rate."""
        state = self.r.facts.key(node.table)
        assert state is not None
        model = self.state_model[state]
        if state not in self.made.get(model, []) and model in self.deferred:
            self.r.refuse_keys(node, [state], "it is used before its model has parameters")
        if state in self.schedules:
            self.r.refuse_keys(node, [state], "its learning rate follows a schedule")
        return at(node, self.r.name(state, node), '.param_groups[0]["lr"]', kind=NUMBER)


def _assigned(kind: Any, node: ast.Statement, name: ast.Name, value: Any) -> ast.Statement:
    if kind is ast.Local:
        return ast.Local(node.line, node.column, [name], [value])
    return ast.Assign(node.line, node.column, [name], [value])
