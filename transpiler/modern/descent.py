"""Plain gradient descent, without torch/optim, and forgetting gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..walk import alike, method_call, negated, number, plain, walk
from .nodes import NO_GRAD, OPTIM, Line, Suite, at
from .optimizers import is_simple
from .variables import Key

if TYPE_CHECKING:
    from .rewrite import Rewriter
    from .training import Training


class Descent:
    """Optimisers for `model:updateParameters(rate)` and `params:add(-rate, gradients)`.

    Parameters
    ----------
    rewriter : Rewriter
    training : Training
        Knows the models of vectors of parameters, and the optimisers that are made.
    """

    def __init__(self, rewriter: Rewriter, training: Training) -> None:
        self.r = rewriter
        self.training = training
        self.plain: dict[Key, tuple[str, Any]] = {}
        """By model: the optimiser of the present loop, and its rate."""

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
                return facts.key(self.training.model_of(node.object)), rate  # type: ignore[return-value]
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
            states = [s for s in self.training.made.get(key, []) if r.sees(s)]  # type: ignore[arg-type]
            owner = r.name(states[0], node) if len(states) == 1 else r.models.expression(model)
        return at(node, owner, ".zero_grad()")
