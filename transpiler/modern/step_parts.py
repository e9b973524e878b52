"""The parts of a training step, and where in a block they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import ast
from ..syntax import blocks_of
from ..walk import alike, all_alike, method_call, names_in, plain, walk

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


def step_of(r: Rewriter, statements: list[ast.Statement], position: int) -> Step | None:
    """Return the step of a backward pass in a block; None where no criterion gives its gradient."""
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


def loss_of(
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
                between = changed(statements[position + 1 :])
                names = {n.name for n in names_in(step.target)}
                return None if names & between else (position, node)
    return None


def runs_again(r: Rewriter, statements: list[ast.Statement], step: Step) -> bool:
    """Whether a model runs between the forward pass of a step and its backward pass.

    In Torch its layers then hold what came of that run, and go back from there.
    """
    start = 0
    for position, statement in enumerate(statements[:-1]):
        if any(is_forward(node, step) for node in simple_nodes(statement)):
            start = position
    key = r.facts.key(step.model)
    inside: set[Any] = {k for k in _keys_inside(r, key) if k is not None} | {key}
    for statement in statements[start:-1]:
        for node in walk(statement):
            if not method_call(node, "forward") or r.facts.role(node.object) != "model":
                continue
            other = r.facts.key(node.object)
            shared = {k for k in inside & _keys_inside(r, other) if r.facts.roles.get(k) == "model"}
            related = other in inside or key in _keys_inside(r, other) or bool(shared)
            if related and not is_forward(node, step):
                return True
    return False


def _keys_inside(r: Rewriter, key: Any) -> set[Any]:
    """Return the variables of models that a model has inside."""
    found: set[Any] = set(r.held.inside(key))
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


def _is_output(node: Any, step: Step) -> bool:
    if alike(node, step.output):
        return True
    return is_output_field(step.output, step.model) and (
        method_call(plain(node), "forward") and alike(plain(node).object, step.model)
    )


def name_of(output: Any) -> Any:
    """Return what tells one output from another."""
    return (output.variable or output.name) if isinstance(output, ast.Name) else id(output)


def is_output_field(node: Any, model: Any) -> bool:
    """Whether an expression is `model.output`."""
    return (
        isinstance(node, ast.Index)
        and isinstance(node.key, ast.String)
        and node.key.value == "output"
        and alike(node.table, model)
    )


def is_forward(node: Any, step: Step) -> bool:
    """Whether an expression is the forward pass of a step."""
    node = plain(node)
    return (
        method_call(node, "forward")
        and alike(node.object, step.model)
        and all_alike(node.arguments, [step.input])
    )


def only_target(statement: ast.Statement) -> ast.Name | None:
    """Return the variable that a statement gives one value; None for any other statement."""
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


def changed(statements: list[ast.Statement]) -> set[str]:
    """Return the names of variables that statements assign or declare."""
    found: set[str] = set()
    for statement in statements:
        if isinstance(statement, ast.Local):
            found |= {n.name for n in statement.names}
        elif isinstance(statement, ast.Assign):
            found |= {t.name for t in statement.targets if isinstance(t, ast.Name)}
        for block in blocks_of(statement):
            inner = [s for s in block.statements if not isinstance(s, ast.Local)]
            found |= changed(inner)
    return found
