"""Training steps: forward, loss, backward become calls, and `loss.backward()`.

A step is found from its `model:backward(x, criterion:backward(output, target))`: the forward
passes that belong to it stand before it in the same block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import NUMBER
from ..walk import alike, method_call, names_in, plain
from .calls import target_of
from .gradient_steps import plan_with_gradient
from .nodes import Line, Nothing, at, like
from .outputs import plan_output, training_call
from .step_parts import (
    Step,
    changed,
    is_forward,
    is_output_field,
    loss_of,
    name_of,
    only_target,
    runs_again,
    step_of,
)

if TYPE_CHECKING:
    from .rewrite import Rewriter


def find_steps(r: Rewriter, statements: list[ast.Statement]) -> None:
    """Say what becomes of the steps in a block."""
    for position, statement in enumerate(statements):
        if not isinstance(statement, ast.CallStatement):
            continue
        call: Any = statement.call
        is_step = method_call(call, "backward") and r.facts.role(call.object) == "model"
        if not is_step or id(statement) in r.replaced:
            continue
        step = step_of(r, statements, position)
        if step is None or not _plan(r, statements, position, step):
            plan_with_gradient(r, statements, position)


def _plan(r: Rewriter, statements: list[ast.Statement], position: int, step: Step) -> bool:
    """Plan a step; return whether its loss and its forward pass stand before it."""
    loss_at = loss_of(r, statements[:position], step)
    if loss_at is None:
        return False
    at_position, call = loss_at
    output = _forward_of(r, statements, at_position, position, step, plain(call.arguments[0]))
    if output is None:
        return False
    if runs_again(r, statements[: position + 1], step):
        keys = [r.facts.key(step.model), r.facts.key(step.criterion)]
        r.refuse_keys(step.backward, keys, "the model runs again before it goes back")
        return True
    earlier = r.last_backward.get(name_of(step.output))
    if earlier is not None and any(s is earlier for s in statements[:position]):
        r.retained.add(id(earlier))  # its graph is gone through once more
    r.last_backward[name_of(step.output)] = step.backward
    r.join(r.facts.key(step.model), r.facts.key(step.criterion))
    loss = _plan_loss(r, statements[at_position], call, output, step)
    if step.gradient is not None:
        gone = step.gradient
        r.replaced[id(gone)] = lambda: [like(Nothing(gone.line, gone.column), gone)]
    backward = step.backward

    def line() -> list[ast.Statement]:
        given = "retain_graph=True" if id(backward) in r.retained else ""
        code = at(backward, loss, f".backward({given})")
        return [like(Line(backward.line, backward.column, code), backward)]

    r.replaced[id(backward)] = line
    return True


def _forward_of(
    r: Rewriter,
    statements: list[ast.Statement],
    loss_at: int,
    backward_at: int,
    step: Step,
    output: Any,
) -> Any:
    """Plan a step's forward pass and return a function that gives its output, None if unseen."""
    names = {n.name for n in names_in(step.input)}
    if is_forward(output, step):
        if names & changed(statements[loss_at + 1 : backward_at]):
            return None
        return lambda: training_call(r, output)
    for position in reversed(range(loss_at)):
        statement = statements[position]
        between = changed(statements[position + 1 : backward_at])
        if isinstance(statement, ast.CallStatement) and is_output_field(output, step.model):
            if is_forward(statement.call, step) and not names & between:
                return plan_output(r, statement, statement.call, None)
            continue
        target = only_target(statement)
        if target is None or not alike(target, output):
            continue
        assert isinstance(statement, (ast.Local, ast.Assign))
        call = plain(statement.values[0])
        if is_forward(call, step) and not (names | {target.name}) & between:
            return plan_output(r, statement, call, target)
        return None
    return None


def _plan_loss(
    r: Rewriter, statement: ast.Statement, call: ast.MethodCall, output: Any, step: Step
) -> ast.Name:
    """Plan a step's loss and return its variable."""

    def value() -> Any:
        return loss_call(r, call, output())

    only = only_target(statement)
    variable = None if only is None else only.variable
    if (
        isinstance(statement, ast.Local)
        and variable is not None
        and not variable.writes
        and plain(statement.values[0]) is call
    ):
        r.facts.roles[variable] = "loss"
        r.expressions[id(call)] = value
        return r.name(variable, call)
    made = ast.Name(statement.line, statement.column, r.fresh("loss"))
    alone = isinstance(statement, ast.CallStatement) and plain(statement.call) is call

    def statements() -> list[ast.Statement]:
        first = ast.Local(statement.line, statement.column, [made], [value()])
        if alone:
            return [like(first, statement)]
        first.before, first.blank_before = statement.before, statement.blank_before
        statement.before, statement.blank_before = [], False
        r.expressions[id(call)] = lambda: at(call, made, ".item()", kind=NUMBER)
        return [first, *r.unplanned(statement)]

    r.replaced[id(statement)] = statements
    return made


def loss_call(r: Rewriter, call: Any, output: Any) -> Any:
    """Return `criterion(output, target)` of a `criterion:forward(output, target)`."""
    target = target_of(r, call)
    return at(call, r.models.criterion(call.object, False), "(", output, ", ", target, ")")
