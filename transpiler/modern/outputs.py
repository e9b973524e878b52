"""The outputs of models that are trained: what becomes of the statement that computes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import TENSOR
from .calls import input_of
from .nodes import at, like

if TYPE_CHECKING:
    from .rewrite import Rewriter


def plan_output(r: Rewriter, statement: ast.Statement, call: Any, target: ast.Name | None) -> Any:
    """Plan a forward pass that is all that a statement computes; return what gives its output."""
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


def training_call(r: Rewriter, call: Any) -> Any:
    """Return `model(input)` of a `model:forward(input)`."""
    model = r.models.expression(call.object)
    return at(call, model, "(", input_of(r, call), ")", kind=TENSOR)
