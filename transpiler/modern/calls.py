"""Calls and fields of what has a role, where no training step is about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import BOOLEAN, COUNT, NUMBER, STRING, TENSOR
from ..scope import Variable
from ..syntax import dotted
from ..text import words
from .branches import REDUCERS
from .criterions import LOSSES
from .facts import CONTAINERS, class_of
from .layers import SAME_WEIGHTS
from .models import added, chain_of
from .nodes import NN, SEED, ClassNumbers, Line, Nothing, Suite, at, like
from .walk import alike, method_call, number, plain

if TYPE_CHECKING:
    from .facts import Key
    from .rewrite import Rewriter

_READING = frozenset(
    words(
        """
        norm dot mean sum max min std var nElement numel nDimension dim size clone dist prod
        totable
        """
    )
)
"""Methods that only read a tensor."""

_FIELDS = {
    "weight": ".weight.detach()",
    "bias": ".bias.detach()",
    "gradWeight": ".weight.grad",
    "gradBias": ".bias.grad",
    "running_mean": ".running_mean",
    "running_var": ".running_var",
}

_SIZES = {
    "kW": ".kernel_size[1]",
    "kH": ".kernel_size[0]",
    "nInputPlane": ".in_channels",
    "nOutputPlane": ".out_channels",
}

_IN_PLACE = {
    "uniform": "nn.init.uniform_",
    "normal": "nn.init.normal_",
    "fill": "nn.init.constant_",
    "zero": "nn.init.zeros_",
}


# -- values ---------------------------------------------------------------------------------


def value(r: Rewriter, node: Any) -> Any:
    """Return what an expression becomes that is about something with a role; else None."""
    match node:
        case ast.MethodCall():
            return _method(r, node)
        case ast.Call():
            return _call(r, node)
        case ast.Index():
            return _field(r, node)
        case ast.Unary(operator="#"):
            return _length(r, node)
        case ast.Binary(operator="==" | "~=", right=ast.Nil()):
            return node if r.facts.role_of(node.left) and r.facts.key(node.left) else None
    return None


def _method(r: Rewriter, node: ast.MethodCall) -> Any:
    facts = r.facts
    role = facts.role(node.object)
    if role in ("params", "grads") and node.method in _READING:
        model = r.training.model_of(node.object)
        if role == "params" and _is_count(node) and "sum" not in facts.names:
            return at(node, "sum(p.size for p in ", model, ".parameters())", kind=COUNT)
        vector: Any = r.models.vector(node, model, role == "grads")
        node.object = vector
        node.arguments = [r.expression(a) for a in node.arguments]
        return node
    if role == "criterion" and node.method == "forward" and len(node.arguments) == 2:
        output = r.expression(node.arguments[0])
        criterion = r.models.criterion(node.object, False)
        parts = [criterion, "(", output, ", ", target_of(r, node), ").item()"]
        return at(node, *parts, kind=NUMBER)
    if not facts.is_model(node.object) or not facts.keys_in(node.object):
        return None
    if node.method == "forward" and len(node.arguments) == 1:
        if r.models.kind_of(node.object) in ("ConcatTable", *REDUCERS):
            r.refuse_all(node, "it gives or takes a table")
        model = r.models.expression(node.object)
        guard = r.may_guard
        given = input_of(r, node)
        r.guarded = r.guarded or guard
        return at(node, model, "(", given, ")" if guard else ").detach()", kind=TENSOR)
    if node.method == "size" and not node.arguments:
        return at(node, "len(", r.models.expression(node.object), ")", kind=COUNT)
    return None


def _is_count(node: ast.MethodCall) -> bool:
    """Whether a method of a vector gives its length."""
    if node.method in ("nElement", "numel"):
        return not node.arguments
    return node.method == "size" and [number(a) for a in node.arguments] == [1]


def input_of(r: Rewriter, call: Any) -> Any:
    """Return what a model is given: numbers of words count from 0."""
    given = call.arguments[0]
    if isinstance(plain(given), ast.TableConstructor):
        r.refuse_all(call, "it is given a table")
    found = r.expression(given)
    if r.facts.key(call.object) in r.models.indexed:
        return ClassNumbers(call.line, call.column, found)
    return found


def target_of(r: Rewriter, call: Any) -> Any:
    """Return the target of a loss: numbers of classes count from 0."""
    found = r.expression(call.arguments[1])
    name = criterion_class(r, call.object)
    if name is not None and LOSSES[name].classes:
        return ClassNumbers(call.line, call.column, found)
    return found


def criterion_class(r: Rewriter, node: Any) -> str | None:
    """Return the class of a criterion in a variable."""
    names = r.facts.classes_of(node)
    name = names.pop() if len(names) == 1 else None
    if name not in LOSSES:
        r.refuse_all(node, "which criterion it is, is not known")
        return None
    return name


def _call(r: Rewriter, node: ast.Call) -> Any:
    name = dotted(node.function)
    if name in ("print", "tostring"):
        for position, argument in enumerate(node.arguments):
            role = r.facts.role_of(argument)
            if role == "model" and not isinstance(plain(argument), ast.Call):
                model = r.models.expression(argument)
                node.arguments[position] = at(argument, "str(", model, ")", kind=STRING)
            elif role == "criterion" and isinstance(plain(argument), ast.Name):
                text = at(argument, "str(", plain(argument), ")", kind=STRING)
                node.arguments[position] = text
        return None
    if name is not None and name.startswith("torch.") and name[6:] in _READING:
        for position, argument in enumerate(node.arguments):
            role = r.facts.role(argument)
            if role in ("params", "grads"):
                model = r.training.model_of(argument)
                vector: Any = r.models.vector(argument, model, role == "grads")
                node.arguments[position] = vector
        return None
    _give_models(r, node)
    function = r.facts.builder(node)
    if function is not None or (class_of(node) is None and r.facts.role_of(node) is not None):
        r.refuse_keys(
            node, r.facts.keys_in(node), "what it builds is kept in a table, or given away"
        )
    return None


def _give_models(r: Rewriter, node: ast.Call) -> None:
    """Let a function have models and criterions whose parameters are known to hold them."""
    for parameter, argument in zip(r.facts.parameters_of(node), node.arguments, strict=False):
        role = r.facts.role_of(argument)
        if role is None or r.facts.roles.get(parameter) != role:
            continue
        for key in r.facts.keys_in(argument):
            r.join(parameter, key)
        found = r.models.given(argument) if role == "model" else None
        criterion = r.models.criterion(argument, False) if found is None else found
        r.planned_values[id(argument)] = criterion


def _field(r: Rewriter, node: ast.Index) -> Any:
    role = r.facts.role(node.table)
    name = node.key.value if isinstance(node.key, ast.String) else None
    if role == "sums" and number(node.key) == 1:
        return r.training.first_loss(node)
    if role == "state" and name == "learningRate":
        return r.training.rate(node)
    if role == "model" or (method_call(plain(node.table), "get") and r.facts.is_model(node.table)):
        kind = _class_of_model(r, node.table)
        if name in _FIELDS and kind in SAME_WEIGHTS:
            return at(node, r.models.expression(node.table), _FIELDS[name], kind=TENSOR)
        if name in _SIZES and kind in ("SpatialConvolution", "SpatialFullConvolution"):
            return at(node, r.models.expression(node.table), _SIZES[name], kind=COUNT)
    return None


def presence(r: Rewriter, node: Any) -> Any:
    """Return whether a layer has a bias, for `if layer.bias then`."""
    node = plain(node)
    if not isinstance(node, ast.Index) or r.facts.role(node.table) != "model":
        return None
    if not isinstance(node.key, ast.String) or node.key.value not in ("bias", "weight"):
        return None
    owner = r.models.expression(node.table)
    return at(node, owner, f".{node.key.value} is not None", kind=BOOLEAN)


def _class_of_model(r: Rewriter, node: Any) -> str | None:
    """Return the class of a plain layer in a variable or a numbered place of a chain."""
    found = _structure(r, node)
    while isinstance(found, Variable):
        found = r.facts.layers.get(found) or r.facts.class_in(found)
    return found if isinstance(found, str) else None


def _structure(r: Rewriter, node: Any) -> Any:
    """Return what is known of a model: a list of what it holds, its variable, or its class."""
    node = plain(node)
    if isinstance(node, ast.Name):
        key = r.facts.key(node)
        assert key is not None
        return r.facts.layers.get(key) or r.facts.class_in(key)
    if method_call(node, "get") and len(node.arguments) == 1:
        owner, place = _structure(r, node.object), number(node.arguments[0])
        if isinstance(owner, Variable):
            owner = r.facts.layers.get(owner)
        if isinstance(owner, list) and place is not None and 0 < place <= len(owner):
            return owner[int(place) - 1]
    return None


def _length(r: Rewriter, node: ast.Unary) -> Any:
    inner = plain(node.operand)
    if (
        isinstance(inner, ast.Index)
        and isinstance(inner.key, ast.String)
        and inner.key.value == "modules"
        and r.facts.role(inner.table) == "model"
    ):
        return at(node, "len(", r.models.expression(inner.table), ")", kind=COUNT)
    return None


# -- statements -----------------------------------------------------------------------------


def effect(r: Rewriter, node: ast.CallStatement) -> list[ast.Statement] | None:
    """Return what a call for its effect becomes that is about something with a role."""
    call = node.call
    if isinstance(call, ast.Call):
        if r.facts.builder(call) is not None and r.facts.is_model(call):
            code = at(node, r.models.expression(call))
            return [like(Line(node.line, node.column, code), node)]
        if dotted(call.function) == "torch.manualSeed" and len(call.arguments) == 1:
            seed = at(node, "manual_seed(", call.arguments[0], ")", imports=[SEED])
            return [node, Line(node.line, node.column, seed)]
        return None
    role = r.facts.role(call.object)
    if role in ("params", "grads"):
        return _of_vector(r, node, call, role)
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
        more_of_it = [] if key is None else r.next_children(key)
        code = r.models.appended(node, base, [*listed, *more_of_it], key)
        r.targets.pop()
        return [like(Line(node.line, node.column, code), node)]
    if more is not None and r.facts.builder(more[0]) is not None:
        children = [(child, None) for child in more[1]]
        code = r.models.appended(node, r.models.expression(more[0]), children, None)
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
        return [like(Line(node.line, node.column, r.training.zero(node, call.object)), node)]
    if call.method == "updateParameters" and len(call.arguments) == 1:
        rate = call.arguments[0]
        return [like(r.training.update(node, call.object, rate), node)]
    if call.method == "clearState":
        return [like(Nothing(node.line, node.column), node)]
    return None


def _of_vector(
    r: Rewriter, node: ast.CallStatement, call: ast.MethodCall, role: str
) -> list[ast.Statement] | None:
    model, given = r.training.model_of(call.object), call.arguments
    line: Any = None
    if role == "grads" and call.method == "zero":
        line = r.training.zero(node, model)
    elif role == "grads" and call.method == "clamp" and len(given) == 2:
        if not (_is_minus(given[0], given[1])):
            return None
        limit = r.expression(given[1])
        parts = ["nn.utils.clip_grad_value_(", model, ".parameters(), ", limit, ")"]
        line = at(node, *parts, imports=[NN])
    elif role == "grads" and call.method in ("mul", "div") and len(given) == 1:
        factor = r.expression(given[0])
        return [_for_each(r, node, model, f".grad.{call.method}_(", factor, ")")]
    elif role == "params" and call.method == "add" and len(given) == 2:
        rate = negated(given[0])
        if rate is None or r.facts.role(given[1]) != "grads":
            return None
        return [like(r.training.update(node, model, rate), node)]
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
    name = ast.Name(node.line, node.column, r.fresh("p") if "p" in r.facts.names else "p")
    header = at(node, "for ", name, " in ", model, ".parameters()")
    if method is None:
        code = at(node, parts[0], name, *parts[1:], imports=[NN])
    else:
        code = at(node, name, method, *parts)
    body = ast.Block([Line(node.line, node.column, code)])
    return like(Suite(node.line, node.column, header, body, [name]), node)


def negated(node: Any) -> Any:
    """Return x for `-x`."""
    node = plain(node)
    if isinstance(node, ast.Unary) and node.operator == "-":
        return node.operand
    if isinstance(node, ast.Number) and node.value < 0:
        return ast.Number(node.line, node.column, -node.value, node.text.lstrip("-"))
    return None


def _is_minus(low: Any, high: Any) -> bool:
    inner = negated(low)
    return inner is not None and alike(inner, high)


def assignment(r: Rewriter, node: ast.Assign) -> ast.Statement | None:
    """Return what an assignment to a field becomes: of a state's learning rate."""
    target = node.targets[0]
    if len(node.targets) != 1 or len(node.values) != 1 or not isinstance(target, ast.Index):
        return None
    is_rate = isinstance(target.key, ast.String) and target.key.value == "learningRate"
    if not is_rate or r.facts.role(target.table) != "state":
        return None
    new = r.expression(node.values[0])
    place = r.training.rate(target, written=True)
    return like(Line(node.line, node.column, at(node, place, " = ", new)), node)


def sums_up(r: Rewriter, node: ast.Statement, key: Key) -> bool:
    """Whether a statement is `criterion.sizeAverage = false`."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or len(node.values) != 1:
        return False
    target, given = node.targets[0], plain(node.values[0])
    return (
        isinstance(target, ast.Index)
        and r.facts.key(target.table) == key
        and isinstance(target.key, ast.String)
        and target.key.value == "sizeAverage"
        and isinstance(given, ast.Boolean)
        and not given.value
    )


def is_container(node: Any) -> bool:
    """Whether an expression is `nn.Sequential()` with any number of `:add(...)` behind."""
    base, calls = chain_of(node)
    return class_of(base) in CONTAINERS and all(
        c.method == "add" and len(c.arguments) == 1 for c in calls
    )


def added_at_once(node: Any) -> list[Any]:
    """Return what the `:add(...)` of an expression add."""
    return [c.arguments[0] for c in chain_of(node)[1]]


def start_of(node: Any) -> Any:
    """Return what a chain of calls starts from."""
    return chain_of(node)[0]
