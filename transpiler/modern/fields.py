"""Fields of what has a role: read, asked for, assigned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import BOOLEAN, COUNT, NUMBER, TENSOR, integer
from ..scope import Variable
from ..walk import method_call, number, plain
from .layers import SAME_WEIGHTS
from .nodes import SET_FIELD, Line, Nothing, Template, at, like

if TYPE_CHECKING:
    from .rewrite import Rewriter
    from .variables import Key

_FIELDS = {
    "weight": ".weight.detach()",
    "bias": ".bias.detach()",
    "gradWeight": ".weight.grad",
    "gradBias": ".bias.grad",
    "running_mean": ".running_mean",
    "running_var": ".running_var",
}

_KERNEL, _PLANES = integer(12), integer(20)

_SIZES = {
    "kW": (".kernel_size[1]", _KERNEL),
    "kH": (".kernel_size[0]", _KERNEL),
    "nInputPlane": (".in_channels", _PLANES),
    "nOutputPlane": (".out_channels", _PLANES),
}
"""Sizes of convolutions; their product is no larger than their weight, so it is exact."""


def field(r: Rewriter, node: ast.Index) -> Any:
    """Return what a field becomes that is read from something with a role; else None."""
    role = r.facts.role(node.table)
    name = node.key.value if isinstance(node.key, ast.String) else None
    if role == "sums" and number(node.key) == 1:
        return r.training.closures.first_loss(node)
    if role == "state" and name == "learningRate":
        return r.training.rate(node)
    if role == "model" or (method_call(plain(node.table), "get") and r.facts.is_model(node.table)):
        kind = _class_of_model(r, node.table)
        if name in _FIELDS and kind in SAME_WEIGHTS:
            return at(node, r.models.expression(node.table), _FIELDS[name], kind=TENSOR)
        if name in _SIZES and kind in ("SpatialConvolution", "SpatialFullConvolution"):
            code, size = _SIZES[name]
            return at(node, r.models.expression(node.table), code, kind=size)
        if role == "model" and name in r.facts.attributes and not name.startswith("__"):
            return at(node, r.models.expression(node.table), f".{name}")
    return None


def root(r: Rewriter, node: ast.Call) -> None:
    """Let `math.sqrt(2 / n)` be plain where `n` is a product of a convolution's sizes."""
    inner = plain(node.arguments[0]) if len(node.arguments) == 1 else None
    if not isinstance(inner, ast.Binary) or inner.operator != "/":
        return
    if number(inner.left) is not None and _is_size(inner.right):
        right = r.expression(inner.right)
        node.arguments = [at(inner, inner.left, " / ", right, kind=NUMBER)]


def _is_size(node: Any) -> bool:
    """Whether an expression, which has been rewritten, is a product of sizes."""
    node = plain(node)
    if isinstance(node, ast.Name) and node.variable is not None:
        known = node.variable.values
        only = len(known) == 1 and not node.variable.writes and not node.variable.unknown
        return only and known[0] is not None and _is_size(known[0])
    if isinstance(node, ast.Binary):
        return node.operator == "*" and _is_size(node.left) and _is_size(node.right)
    return isinstance(node, Template) and node.kind in (_KERNEL, _PLANES)


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


def length(r: Rewriter, node: ast.Unary) -> Any:
    """Return the number of modules for `#model.modules`; None for anything else."""
    inner = plain(node.operand)
    if (
        isinstance(inner, ast.Index)
        and isinstance(inner.key, ast.String)
        and inner.key.value == "modules"
        and r.facts.role(inner.table) == "model"
    ):
        return at(node, "len(", r.models.expression(inner.table), ")", kind=COUNT)
    return None


def assignment(r: Rewriter, node: ast.Assign) -> ast.Statement | None:
    """Return what an assignment to a field becomes: a rate, no bias, a field of the program's."""
    target = node.targets[0]
    if len(node.targets) != 1 or len(node.values) != 1 or not isinstance(target, ast.Index):
        return None
    if not isinstance(target.key, ast.String):
        return None
    role, name = r.facts.role(target.table), target.key.value
    if name == "learningRate" and role == "state":
        new = r.expression(node.values[0])
        place = r.training.rate(target, written=True)
        return like(Line(node.line, node.column, at(node, place, " = ", new)), node)
    if role != "model" and not (
        method_call(plain(target.table), "get") and r.facts.is_model(target.table)
    ):
        return None
    nothing = isinstance(plain(node.values[0]), ast.Nil)
    if name in ("gradBias", "gradWeight", "gradInput", "output") and nothing:
        return like(Nothing(node.line, node.column), node)
    if name == "bias" and nothing:
        model = r.models.expression(target.table)
        return like(Line(node.line, node.column, at(node, model, ".bias = None")), node)
    if name in r.facts.attributes and role == "model":
        new = r.expression(node.values[0])
        model = r.models.expression(target.table)
        if r.facts.classes_of(target.table) <= {"Sequential"} and not name.startswith("__"):
            code = at(node, model, f".{name} = ", new)
        else:
            code = at(node, "set_field(", model, f', "{name}", ', new, ")", imports=[SET_FIELD])
        return like(Line(node.line, node.column, code), node)
    return None


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
