"""Training steps: forward, loss, backward become calls, and `loss.backward()`.

A step is found from its `model:backward(x, criterion:backward(output, target))`: the forward
passes that belong to it stand before it in the same block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import NUMBER, TENSOR
from ..syntax import blocks_of
from .calls import input_of, target_of
from .nodes import Line, Nothing, at, like
from .walk import alike, all_alike, method_call, names_in, plain, walk

if TYPE_CHECKING:
    from .rewrite import Rewriter

_SIMPLE = (ast.Local, ast.Assign, ast.CallStatement)


@dataclass(slots=True)
class Step:
    """The parts of a step."""

    backward: ast.Statement
    model: Any
    input: Any
    criterion: Any
    output: Any
    target: Any
    gradient: ast.Statement | None = None


def find_steps(r: Rewriter, statements: list[ast.Statement]) -> None:
    """Say what becomes of the steps in a block."""
    for position, statement in enumerate(statements):
        if not isinstance(statement, ast.CallStatement):
            continue
        call: Any = statement.call
        is_step = method_call(call, "backward") and r.facts.role(call.object) == "model"
        if not is_step or id(statement) in r.replaced:
            continue
        step = _step(r, statements, position)
        if step is None:
            reason = (
                "it does not go back through a loss whose forward pass stands in the same block"
            )
            r.refuse_all(call, reason)
        else:
            _plan(r, statements, position, step)


def _step(r: Rewriter, statements: list[ast.Statement], position: int) -> Step | None:
    statement = statements[position]
    assert isinstance(statement, ast.CallStatement)
    call = statement.call
    if len(call.arguments) != 2:
        return None
    assert isinstance(call, ast.MethodCall)
    given, gradient = plain(call.arguments[1]), None
    if isinstance(given, ast.Name):
        variable = given.variable
        if variable is None or variable.reads != 1 or variable.writes:
            return None
        for earlier in statements[:position]:
            if isinstance(earlier, ast.Local) and [n.variable for n in earlier.names] == [variable]:
                gradient, given = earlier, plain(earlier.values[0]) if earlier.values else None
    if not method_call(given, "backward") or r.facts.role(given.object) != "criterion":
        return None
    if len(given.arguments) != 2:
        return None
    output, target = map(plain, given.arguments)
    return Step(statement, call.object, call.arguments[0], given.object, output, target, gradient)


def _plan(r: Rewriter, statements: list[ast.Statement], position: int, step: Step) -> None:
    loss_at = _loss_of(r, statements[:position], step)
    if loss_at is None:
        r.refuse_all(step.backward, "the loss that it goes back from is not computed before it")
        r.refuse_keys(step.backward, [r.facts.key(step.model)], "its loss is not found")
        return
    at_position, call = loss_at
    output = _forward_of(r, statements, at_position, position, step, plain(call.arguments[0]))
    if output is None:
        r.refuse_keys(
            step.backward,
            [r.facts.key(step.model), r.facts.key(step.criterion)],
            "the forward pass that its backward pass belongs to is not in the same block",
        )
        return
    if _runs_again(r, statements[: position + 1], step):
        keys = [r.facts.key(step.model), r.facts.key(step.criterion)]
        r.refuse_keys(step.backward, keys, "the model runs again before it goes back")
        return
    earlier = r.last_backward.get(_name_of(step.output))
    if earlier is not None and any(s is earlier for s in statements[:position]):
        r.retained.add(id(earlier))  # its graph is gone through once more
    r.last_backward[_name_of(step.output)] = step.backward
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


def _name_of(output: Any) -> Any:
    """Return what tells one output from another."""
    return (output.variable or output.name) if isinstance(output, ast.Name) else id(output)


def _runs_again(r: Rewriter, statements: list[ast.Statement], step: Step) -> bool:
    """Whether a model runs between the forward pass of a step and its backward pass.

    In Torch its layers then hold what came of that run, and go back from there.
    """
    start = 0
    for position, statement in enumerate(statements[:-1]):
        if any(_is_forward(node, step) for node in simple_nodes(statement)):
            start = position
    key = r.facts.key(step.model)
    inside = {k for k in _keys_inside(r, key) if k is not None} | {key}
    for statement in statements[start:-1]:
        for node in walk(statement):
            if not method_call(node, "forward") or r.facts.role(node.object) != "model":
                continue
            other = r.facts.key(node.object)
            related = other in inside or key in _keys_inside(r, other)
            if related and not _is_forward(node, step):
                return True
    return False


def _keys_inside(r: Rewriter, key: Any) -> set[Any]:
    """Return the variables of models that a model has inside."""
    found: set[Any] = set()
    stack = [key]
    while stack:
        known = r.facts.layers.get(stack.pop())
        for part in known if isinstance(known, list) else []:
            if isinstance(part, list):
                found |= {p for p in part if not isinstance(p, (list, str))}
            elif part is not None and part not in found:
                found.add(part)
                stack.append(part)
    return found


def _loss_of(
    r: Rewriter, statements: list[ast.Statement], step: Step
) -> tuple[int, ast.MethodCall] | None:
    """Return the `criterion:forward` of a step, and in which statement it is."""
    for position in reversed(range(len(statements))):
        for node in simple_nodes(statements[position]):
            if (
                method_call(node, "forward")
                and alike(node.object, step.criterion)
                and len(node.arguments) == 2
                and alike(node.arguments[1], step.target)
                and _is_output(node.arguments[0], step)
            ):
                changed = _changed(statements[position + 1 :])
                names = {n.name for n in names_in(step.target)}
                return None if names & changed else (position, node)
    return None


def _is_output(node: Any, step: Step) -> bool:
    if alike(node, step.output):
        return True
    return _is_field(step.output, step.model) and (
        method_call(plain(node), "forward") and alike(plain(node).object, step.model)
    )


def _is_field(node: Any, model: Any) -> bool:
    """Whether an expression is `model.output`."""
    return (
        isinstance(node, ast.Index)
        and isinstance(node.key, ast.String)
        and node.key.value == "output"
        and alike(node.table, model)
    )


def _is_forward(node: Any, step: Step) -> bool:
    node = plain(node)
    return (
        method_call(node, "forward")
        and alike(node.object, step.model)
        and all_alike(node.arguments, [step.input])
    )


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
    if _is_forward(output, step):
        if names & _changed(statements[loss_at + 1 : backward_at]):
            return None
        return lambda: training_call(r, output)
    for position in reversed(range(loss_at)):
        statement = statements[position]
        between = _changed(statements[position + 1 : backward_at])
        if isinstance(statement, ast.CallStatement) and _is_field(output, step.model):
            if _is_forward(statement.call, step) and not names & between:
                return _plan_output(r, statement, statement.call, None)
            continue
        target = _only_target(statement)
        if target is None or not alike(target, output):
            continue
        assert isinstance(statement, (ast.Local, ast.Assign))
        call = plain(statement.values[0])
        if _is_forward(call, step) and not (names | {target.name}) & between:
            return _plan_output(r, statement, call, target)
        return None
    return None


def _plan_output(r: Rewriter, statement: ast.Statement, call: Any, target: ast.Name | None) -> Any:
    variable = None if target is None else target.variable
    if isinstance(statement, ast.Local) and variable is not None and not variable.writes:
        r.facts.roles[variable] = "output"
        r.expressions[id(call)] = lambda: training_call(r, call)
        return lambda: r.name(variable, call)
    name = r.fresh("output")
    made = ast.Name(statement.line, statement.column, name)

    def statements() -> list[ast.Statement]:
        value = training_call(r, call)
        first = ast.Local(statement.line, statement.column, [made], [value])
        if target is None:
            return [like(first, statement)]
        first.before, first.blank_before = statement.before, statement.blank_before
        kept = at(call, made, ".detach()", kind=TENSOR)
        second = ast.Assign(statement.line, statement.column, [target], [kept])
        second.after = statement.after
        return [first, second]

    r.replaced[id(statement)] = statements
    return lambda: made


def _plan_loss(
    r: Rewriter, statement: ast.Statement, call: ast.MethodCall, output: Any, step: Step
) -> ast.Name:
    """Plan a step's loss and return its variable."""

    def value() -> Any:
        return loss_call(r, call, output())

    only = _only_target(statement)
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


def training_call(r: Rewriter, call: Any) -> Any:
    """Return `model(input)` of a `model:forward(input)`."""
    model = r.models.expression(call.object)
    return at(call, model, "(", input_of(r, call), ")", kind=TENSOR)


def loss_call(r: Rewriter, call: Any, output: Any) -> Any:
    """Return `criterion(output, target)` of a `criterion:forward(output, target)`."""
    target = target_of(r, call)
    return at(call, r.models.criterion(call.object, False), "(", output, ", ", target, ")")


def _only_target(statement: ast.Statement) -> ast.Name | None:
    if isinstance(statement, ast.Local) and len(statement.names) == len(statement.values) == 1:
        return statement.names[0]
    if isinstance(statement, ast.Assign) and len(statement.targets) == len(statement.values) == 1:
        target = statement.targets[0]
        return target if isinstance(target, ast.Name) else None
    return None


def simple_nodes(statement: ast.Statement) -> Iterator[Any]:
    """Yield the nodes of a statement without blocks, not those of functions in it."""
    if not isinstance(statement, _SIMPLE):
        return
    stack: list[Any] = (
        [statement.call] if isinstance(statement, ast.CallStatement) else [*statement.values]
    )
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Function) or not isinstance(node, (ast.Node, ast.Field)):
            continue
        yield node
        for name in getattr(node, "__slots__", ()):
            value = getattr(node, name)
            stack += value if isinstance(value, list) else [value]


def _changed(statements: list[ast.Statement]) -> set[str]:
    """Return the names of variables that statements assign or declare."""
    found: set[str] = set()
    for statement in statements:
        if isinstance(statement, ast.Local):
            found |= {n.name for n in statement.names}
        elif isinstance(statement, ast.Assign):
            found |= {t.name for t in statement.targets if isinstance(t, ast.Name)}
        for block in blocks_of(statement):
            inner = [s for s in block.statements if not isinstance(s, ast.Local)]
            found |= _changed(inner)
    return found
