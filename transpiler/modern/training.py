"""Optimisers: getParameters, tables of options, closures, and the calls of torch/optim."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import NUMBER
from ..scope import Variable
from ..syntax import returns
from .classes import method_of
from .nodes import NO_GRAD, OPTIM, Line, Nothing, Suite, at, like
from .optimizers import METHODS, is_simple, optimizer_code, options_of, schedule_code
from .variables import Key
from .walk import alike, method_call, names_in, negated, number, plain, walk

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
        self.closures: dict[Key, list[ast.Call]] = {}
        self.made: dict[Key, list[Any]] = {}
        """For models the expressions of their optimisers' variables that have been made."""
        self.deferred: dict[Key, tuple[Key, ast.TableConstructor, int]] = {}
        self.schedules: dict[Key, str] = {}
        self.sums: dict[Key, Any] = {}
        self.written: set[int] = set()
        self.removed: set[int] = set()
        self.written_loss = False
        self.plain: dict[Key, tuple[str, Any]] = {}
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
                self.closures.setdefault(function, []).append(call)
            if is_state and state is not None:
                model = facts.key(self.model_of(call.arguments[1]))
                assert model is not None
                models.setdefault(state, set()).add(model)
                params = facts.key(call.arguments[1])
                self.r.join(state, model, params)
        for state, found in models.items():
            self.state_model[state] = found.pop()
        for key in [k for k, role in facts.roles.items() if role == "state"]:
            if key not in self.state_model:
                del facts.roles[key]

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
            if keys and keys[0] in self.flat and len(node.values) == 1:
                return self._flat_statement(node)
            if len(keys) == 1 and self.r.facts.role(targets[0]) == "state" and node.values:
                return self._state_statement(node, keys[0])
            if len(node.values) == 1 and method_of(plain(node.values[0])) is not None:
                return self._optimise(node, plain(node.values[0]), targets)
            if self._is_closure(keys, node.values):
                return [node]
        if isinstance(node, ast.CallStatement) and method_of(node.call) is not None:
            return self._optimise(node, node.call, [])
        if isinstance(node, ast.LocalFunction) and self._is_closure(
            [node.name.variable], [node.function]
        ):
            return [node]
        if isinstance(node, ast.FunctionStatement) and not node.method:
            key = self.r.facts.key(node.target)
            return [node] if self._is_closure([key], [node.function]) else None
        if isinstance(node, ast.If) and self._is_copy_guard(node):
            return [like(Nothing(node.line, node.column), node)]
        return None

    def _is_closure(self, keys: list[Any], values: list[Any]) -> bool:
        """Whether a statement defines a function that is written where it is called."""
        return (
            len(keys) == len(values) == 1
            and keys[0] in self.closures
            and isinstance(plain(values[0]), ast.Function)
            and self.r.facts.function_in(keys[0]) is not None
            and self.r.facts.uses(keys[0]) == len(self.closures[keys[0]])
        )

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

    # -- closures -----------------------------------------------------------------------------

    def _optimise(
        self, node: ast.Statement, call: Any, targets: list[Any]
    ) -> list[ast.Statement] | None:
        r, facts = self.r, self.r.facts
        if len(call.arguments) < 2 or facts.role(call.arguments[1]) != "params":
            return None
        state = facts.key(call.arguments[2]) if len(call.arguments) > 2 else None
        if state is None or facts.roles.get(state) != "state" or len(call.arguments) != 3:
            method = method_of(call)
            reason = f"core has no optim.{method}" if method not in METHODS else _NEW_TABLE
            r.refuse_keys(node, [facts.key(call.arguments[1])], reason)
            return None
        given = plain(call.arguments[0])
        variable = facts.key(given)
        function = given if isinstance(given, ast.Function) else None
        if variable is not None and self._is_closure([variable], [facts.function_in(variable)]):
            function = facts.function_in(variable)
        if function is None:
            r.refuse_keys(node, [state], "the function of the loss is not known")
            return None
        self._take(function, state, call)
        trouble = "" if id(function) in self.written else self._trouble(function)
        if trouble:
            r.refuse_keys(node, [state], trouble)
            return [node]
        times = 1 if variable is None else len(self.closures.get(variable, []))
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
                self.flat[name.variable] = self.model_of(call.arguments[1])
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
        if state in self.schedules:
            name = ast.Name(node.line, node.column, self.schedules[state])
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

    # -- without torch/optim ------------------------------------------------------------------

    def before_loop(self, loop: ast.Statement) -> list[ast.Statement]:
        """Return optimisers for the plain descent in a loop, which stand before it."""
        r = self.r
        rates: dict[Key, list[Any]] = {}
        for node in walk(loop):
            found = self._descent(node)
            if found is not None:
                rates.setdefault(found[0], []).append(found[1])
        made: list[ast.Statement] = []
        self.plain.clear()
        for model, values in rates.items():
            rate = values[0]
            same = all(alike(rate, v) for v in values[1:])
            if not (same and r.sees(model) and self._is_constant(rate)):
                continue
            name = r.fresh("optimizer")
            self.plain[model] = name, rate
            parts = ["optim.SGD(", r.name(model, loop), ".parameters(), lr=", rate, ")"]
            code = at(loop, *parts, imports=[OPTIM])
            target = ast.Name(loop.line, loop.column, name)
            made.append(ast.Local(loop.line, loop.column, [target], [code]))
        if made:
            made[0].blank_before, made[0].before = loop.blank_before, loop.before
            loop.blank_before, loop.before = False, []
        return made

    def _descent(self, node: Any) -> tuple[Key, Any] | None:
        """Return the model and rate of `model:updateParameters(rate)` or `params:add(-rate, g)`."""
        facts = self.r.facts
        if method_call(node, "updateParameters") and len(node.arguments) == 1:
            if facts.role(node.object) == "model":
                return facts.key(node.object), node.arguments[0]  # type: ignore[return-value]
        elif method_call(node, "add") and len(node.arguments) == 2:
            rate = negated(node.arguments[0])
            both = facts.role(node.object) == "params", facts.role(node.arguments[1]) == "grads"
            if rate is not None and all(both):
                return facts.key(self.model_of(node.object)), rate  # type: ignore[return-value]
        return None

    def _is_constant(self, node: Any) -> bool:
        node = plain(node)
        if number(node) is not None:
            return True
        variable = node.variable if isinstance(node, ast.Name) else None
        return variable is not None and not variable.writes and self.r.sees(variable)

    def update(self, node: ast.Statement, model: Any, rate: Any) -> ast.Statement:
        """Return a step of plain descent."""
        r = self.r
        key = r.facts.key(model)
        if key in self.plain:
            name, _ = self.plain[key]
            step = at(node, ast.Name(node.line, node.column, name), ".step()")
            return Line(node.line, node.column, step)
        name = r.fresh("p") if "p" in r.facts.names else "p"
        each = ast.Name(node.line, node.column, name)
        owner = r.models.expression(model)
        header = at(node, "for ", each, " in ", owner, ".parameters()")
        if is_simple(rate):
            code = at(node, each, ".sub_(", r.expression(rate), " * ", each, ".grad)")
        else:
            code = at(node, each, ".sub_((", r.expression(rate), ") * ", each, ".grad)")
        loop = Suite(
            node.line, node.column, header, ast.Block([Line(node.line, node.column, code)]), [each]
        )
        guard = at(node, "with no_grad()", imports=[NO_GRAD])
        return Suite(node.line, node.column, guard, ast.Block([loop]))

    def zero(self, node: ast.Statement, model: Any) -> Any:
        """Return what forgets a model's gradients."""
        r = self.r
        key = r.facts.key(model)
        if key in self.plain:
            owner: Any = ast.Name(node.line, node.column, self.plain[key][0])
        else:
            states = [s for s in self.made.get(key, []) if r.sees(s)]  # type: ignore[arg-type]
            owner = r.name(states[0], node) if len(states) == 1 else r.models.expression(model)
        return at(node, owner, ".zero_grad()")


_NEW_TABLE = "its table of options is not a variable of its own"


def _assigned(kind: Any, node: ast.Statement, name: ast.Name, value: Any) -> ast.Statement:
    if kind is ast.Local:
        return ast.Local(node.line, node.column, [name], [value])
    return ast.Assign(node.line, node.column, [name], [value])
