"""Backward passes that are given a gradient: `net:backward(x, gradient)`.

The gradient comes from anywhere: a criterion of the program's own, several losses, a reward.
The output of the forward pass before it goes back: `output.backward(gradient)`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import TENSOR
from ..walk import names_in, plain, walk
from .nodes import Line, at, like
from .outputs import plan_output, training_call
from .step_parts import (
    Step,
    changed,
    is_forward,
    is_output_field,
    name_of,
    only_target,
    runs_again,
    simple_nodes,
)

if TYPE_CHECKING:
    from .rewrite import Rewriter


def plan_with_gradient(r: Rewriter, statements: list[ast.Statement], position: int) -> None:
    """Say what becomes of a backward pass, and of the forward pass that it belongs to."""
    backward: Any = statements[position]
    call = backward.call
    if len(call.arguments) != 2:
        r.refuse_all(call, "its gradients are scaled")
        return
    step = Step(backward, call.object, call.arguments[0], None, None, None)
    found = _forward(r, statements, position, step)
    if found is None:
        r.refuse_all(
            call, "the forward pass that its backward pass belongs to is not in the same block"
        )
        return
    if runs_again(r, statements[: position + 1], step):
        r.refuse_all(call, "the model runs again before it goes back")
        return
    start, output = found
    for node in walk([*_expressions(statements[start:position]), call.arguments[1]]):
        if is_output_field(node, step.model):
            r.expressions[id(node)] = partial(_detached, node, output)
    earlier = r.last_backward.get(step.output)
    if earlier is not None and any(s is earlier for s in statements[:position]):
        r.retained.add(id(earlier))
    r.last_backward[step.output] = backward

    def line() -> list[ast.Statement]:
        kept = ", retain_graph=True" if id(backward) in r.retained else ""
        gradient = r.expression(call.arguments[1])
        code = at(backward, output(), ".backward(", gradient, f"{kept})")
        return [like(Line(backward.line, backward.column, code), backward)]

    r.replaced[id(backward)] = line


def _detached(node: ast.Node, output: Callable[[], Any]) -> Any:
    return at(node, output(), ".detach()", kind=TENSOR)


def _expressions(statements: list[ast.Statement]) -> list[Any]:
    """Return the statements, without targets that are fields."""
    return [s.values if isinstance(s, (ast.Local, ast.Assign)) else s for s in statements]


def _forward(
    r: Rewriter, statements: list[ast.Statement], position: int, step: Step
) -> tuple[int, Any] | None:
    """Plan the forward pass of a step; return where it is, and what gives its output."""
    names = {n.name for n in names_in(step.input)}
    for start in reversed(range(position)):
        statement = statements[start]
        node = next((n for n in simple_nodes(statement) if is_forward(n, step)), None)
        if node is None:
            continue
        target = only_target(statement)
        between = changed(statements[start + 1 : position])
        if names & between or (target is not None and names & {target.name}):
            return None
        alone = isinstance(statement, ast.CallStatement) and statement.call is node
        direct = target is not None and plain(_value(statement)) is node
        if alone or (direct and target is not None and target.name not in between):
            step.output = name_of(node if target is None else target)
            return start, plan_output(r, statement, node, target)
        return start, _inner(r, statement, node, step)
    return None


def _value(statement: Any) -> Any:
    return statement.values[0]


def _inner(r: Rewriter, statement: ast.Statement, call: Any, step: Step) -> Any:
    """Plan a forward pass inside of another expression: it comes first, in a variable."""
    made = ast.Name(statement.line, statement.column, r.fresh("output"))
    step.output = made.name

    def statements() -> list[ast.Statement]:
        value = training_call(r, call)
        first = ast.Local(statement.line, statement.column, [made], [value])
        first.before, first.blank_before = statement.before, statement.blank_before
        statement.before, statement.blank_before = [], False
        r.expressions[id(call)] = lambda: at(call, made, ".detach()", kind=TENSOR)
        return [first, *r.unplanned(statement)]

    r.replaced[id(statement)] = statements
    return lambda: made
