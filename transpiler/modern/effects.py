"""Calls for their effect, as statements, on what has a role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..syntax import dotted
from ..walk import alike, method_call, names_in, negated, plain, walk
from .chains import added
from .definitions import next_children
from .fields import field
from .nodes import AS_TORCH, NN, RESET, SEED, Line, Nothing, Suite, Template, at, like
from .values import as_torchs

if TYPE_CHECKING:
    from .rewrite import Rewriter

_NAMES_OF_TYPES = ("torch.type", "torch.typename", "tostring")

_IN_PLACE = {
    "uniform": "nn.init.uniform_",
    "normal": "nn.init.normal_",
    "fill": "nn.init.constant_",
    "zero": "nn.init.zeros_",
}

_EACH = object()
"""The variable of a loop over parameters, in what stands in it."""


def effect(r: Rewriter, node: ast.CallStatement) -> list[ast.Statement] | None:
    """Return what a call for its effect becomes that is about something with a role."""
    call = node.call
    if isinstance(call, ast.Call):
        if r.facts.builder(call) is not None and r.facts.is_model(call):
            code = at(node, r.models.expression(call))
            return [like(Line(node.line, node.column, code), node)]
        if dotted(call.function) == "torch.manualSeed" and len(call.arguments) == 1:
            seed = at(node, "share_generator()", imports=[SEED])
            return [node, Line(node.line, node.column, seed)]
        if dotted(call.function) == "torch.save" and len(call.arguments) > 1:
            _saved(r, call.arguments[1])
        return None
    drawn = _of_layer(r, node, call)
    if drawn is not None:
        return [drawn]
    role = r.facts.role(call.object)
    if role in ("params", "grads"):
        return _of_vector(r, node, call, role, r.training.model_of(call.object))
    vector = plain(call.object)
    if method_call(vector, "getParameters") and r.facts.role(vector.object) == "model":
        return _of_vector(r, node, call, "params", plain(vector.object))
    if role == "criterion" and call.method in ("cuda", "float", "double"):
        return [like(Nothing(node.line, node.column), node)]
    if not r.facts.is_model(call.object):
        return None
    more = added(node)
    if more is not None and r.facts.role(more[0]) == "model":
        base, children = more
        key = r.facts.key(base)
        r.targets.append(key)  # type: ignore[arg-type]  # it has a role
        listed = [(child, None) for child in children]
        more_of_it = [] if key is None else next_children(r, key)
        code = r.models.containers.appended(node, base, [*listed, *more_of_it], key)
        r.targets.pop()
        return [like(Line(node.line, node.column, code), node)]
    if more is not None and r.facts.builder(more[0]) is not None:
        children = [(child, None) for child in more[1]]
        code = r.models.containers.appended(node, r.models.expression(more[0]), children, None)
        return [like(Line(node.line, node.column, code), node)]
    model = r.models.expression(call.object)
    simple = {
        "training": ".train()",
        "evaluate": ".eval()",
        "cuda": ".float()",
        "float": ".float()",
        "double": ".double()",
    }
    if call.method in simple and not call.arguments:
        return [like(Line(node.line, node.column, at(node, model, simple[call.method])), node)]
    if call.method == "zeroGradParameters":
        return [
            like(Line(node.line, node.column, r.training.descent.zero(node, call.object)), node)
        ]
    if call.method == "updateParameters" and len(call.arguments) == 1:
        rate = call.arguments[0]
        return [like(r.training.descent.update(node, call.object, rate), node)]
    if call.method == "clearState" or (call.method == "apply" and _only_tunes(call.arguments)):
        return [like(Nothing(node.line, node.column), node)]
    if call.method == "apply" and len(call.arguments) == 1 and _only_reads(r, call.arguments[0]):
        given = r.expression(call.arguments[0])
        code = at(node, "as_torch(", model, ").apply(", given, ")", imports=[AS_TORCH])
        return [like(Line(node.line, node.column, code), node)]
    if call.method == "reset" and not call.arguments:
        code = at(node, "reset(", model, ")", imports=[RESET])
        return [like(Line(node.line, node.column, code), node)]
    if call.method == "type" and len(call.arguments) == 1:
        code = r.models.typed(node, model, call.arguments[0])
        return [like(Line(node.line, node.column, code), node)]
    return None


def _saved(r: Rewriter, given: Any) -> None:
    """Let `torch.save` write models, or a table of them, as Torch's."""
    given = plain(given)
    if isinstance(given, ast.TableConstructor):
        for entry in given.fields:
            _saved(r, entry.value)
    elif r.facts.is_model(given):
        for key in r.facts.keys_in(given):
            r.join(key)
        r.planned_values[id(given)] = as_torchs(r, given)


def _of_layer(r: Rewriter, node: ast.CallStatement, call: ast.MethodCall) -> ast.Statement | None:
    """Return what `layer.weight:normal(0, 0.1)` and the like become."""
    place = plain(call.object)
    if not isinstance(place, ast.Index) or call.method not in _IN_PLACE:
        return None
    name = place.key.value if isinstance(place.key, ast.String) else None
    found = field(r, place) if name in ("weight", "bias") else None
    if not isinstance(found, Template):
        return None
    found.parts[-1] = str(found.parts[-1]).removesuffix(".detach()")
    parts = [part for a in call.arguments for part in (", ", r.expression(a))]
    code = at(node, f"{_IN_PLACE[call.method]}(", found, *parts, ")", imports=[NN])
    return like(Line(node.line, node.column, code), node)


def _only_reads(r: Rewriter, given: Any) -> bool:
    """Whether a function, which a model applies to its modules, gives no module a new field.

    What it does to the tensors of Torch's modules it does to those of core's.
    """
    given = plain(given)
    key = r.facts.key(given)
    function = given if key is None else r.facts.function_in(key)
    if not isinstance(function, ast.Function) or len(function.parameters) != 1:
        return False
    module = function.parameters[0].variable
    reading = set()
    for node in walk(function.body):
        if isinstance(node, (ast.Assign, ast.Local)):
            targets = node.targets if isinstance(node, ast.Assign) else []
            if any(isinstance(t, ast.Index) and _is(t.table, module) for t in targets):
                return False
        elif isinstance(node, ast.Index) and isinstance(node.key, ast.String):
            reading.add(id(node.table))
        elif isinstance(node, ast.Call) and dotted(node.function) in _NAMES_OF_TYPES:
            reading |= {id(a) for a in node.arguments}
    uses = [n for n in names_in(function.body) if _is(n, module)]
    return all(id(n) in reading for n in uses)


def _is(node: Any, variable: Any) -> bool:
    return isinstance(node, ast.Name) and node.variable is variable


def _only_tunes(arguments: list[Any]) -> bool:
    """Whether `:apply(function(m) if m.setMode then m:setMode(...) end end)` is called.

    It chooses among the algorithms of cuDNN.
    """
    function = plain(arguments[0]) if len(arguments) == 1 else None
    body = function.body.statements if isinstance(function, ast.Function) else []
    if len(body) != 1 or not isinstance(body[0], ast.If) or body[0].otherwise is not None:
        return False
    inner = [s for _, block in body[0].branches for s in block.statements]
    calls = [s.call for s in inner if isinstance(s, ast.CallStatement)]
    return len(inner) == len(calls) == 1 and method_call(calls[0], "setMode")


def _of_vector(
    r: Rewriter, node: ast.CallStatement, call: ast.MethodCall, role: str, model: ast.Name
) -> list[ast.Statement] | None:
    given = call.arguments
    line: Any = None
    if role == "grads" and call.method == "zero":
        line = r.training.descent.zero(node, model)
    elif role == "grads" and call.method == "clamp" and len(given) == 2:
        if not (_is_minus(given[0], given[1])):
            return None
        limit = r.expression(given[1])
        parts = ["nn.utils.clip_grad_value_(", model, ".parameters(), ", limit, ")"]
        line = at(node, *parts, imports=[NN])
    elif role == "grads" and call.method in ("mul", "div") and len(given) == 1:
        factor = r.expression(given[0])
        return [_for_each(r, node, model, f".grad.{call.method}_(", factor, ")")]
    elif role == "grads" and call.method == "add" and _is_decay(r, given, model):
        factor = r.expression(given[0])
        simple = isinstance(plain(given[0]), (ast.Number, ast.Name, ast.Index))
        shown = [factor] if simple else ["(", factor, ")"]
        return [_for_each(r, node, model, ".grad.add_(", *shown, " * ", _EACH, ".detach())")]
    elif role == "params" and call.method == "add" and len(given) == 2:
        rate = negated(given[0])
        if rate is None or r.facts.role(given[1]) != "grads":
            return None
        return [like(r.training.descent.update(node, model, rate), node)]
    elif role == "params" and call.method in _IN_PLACE:
        found = [r.expression(a) for a in given]
        parts = [part for a in found for part in (", ", a)]
        suite = _for_each(r, node, model, None, f"{_IN_PLACE[call.method]}(", *parts, ")")
        return [suite]
    elif role == "params" and call.method == "copy" and len(given) == 1:
        vector = r.expression(given[0])
        parts = ["nn.utils.vector_to_parameters(", vector, ", ", model, ".parameters())"]
        line = at(node, *parts, imports=[NN])
    return None if line is None else [like(Line(node.line, node.column, line), node)]


def _for_each(
    r: Rewriter, node: ast.Statement, model: Any, method: str | None, *parts: Any
) -> ast.Statement:
    """Return a loop over a model's parameters; without a method the function takes each."""
    free = [n for n in ("p", "param", "parameter") if n not in r.facts.names]
    name = ast.Name(node.line, node.column, free[0] if free else r.fresh("p"))
    header = at(node, "for ", name, " in ", model, ".parameters()")
    if method is None:
        code = at(node, parts[0], name, *parts[1:], imports=[NN])
    else:
        code = at(node, name, method, *(name if p is _EACH else p for p in parts))
    body = ast.Block([Line(node.line, node.column, code)])
    return like(Suite(node.line, node.column, header, body, [name]), node)


def _is_decay(r: Rewriter, given: list[Any], model: ast.Name) -> bool:
    """Whether arguments are a number and the parameters of a model: `grads:add(0.01, params)`."""
    if len(given) != 2 or r.facts.role(given[1]) != "params":
        return False
    return r.facts.key(r.training.model_of(given[1])) == r.facts.key(model)


def _is_minus(low: Any, high: Any) -> bool:
    inner = negated(low)
    return inner is not None and alike(inner, high)
