"""Calls whose values are used, of what has a role and of functions that are given it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import COUNT, NUMBER, STRING, TENSOR
from ..syntax import dotted
from ..text import words
from ..walk import number, plain
from .branches import REDUCERS
from .classes import class_of
from .containers import TABLE
from .criterions import LOSSES
from .fields import field, length, root
from .nodes import ClassNumbers, at
from .values import handed_over

if TYPE_CHECKING:
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


def value(r: Rewriter, node: Any) -> Any:
    """Return what an expression becomes that is about something with a role; else None."""
    match node:
        case ast.MethodCall():
            return _method(r, node)
        case ast.Call():
            return _call(r, node)
        case ast.Index():
            return field(r, node)
        case ast.Unary(operator="#"):
            return length(r, node)
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
    if role is None and node.method == "copy" and len(node.arguments) == 1:
        given = node.arguments[0]
        kept = facts.role(given)
        if kept in ("params", "grads"):
            model = r.training.model_of(given)
            node.object = r.expression(node.object)
            copied: Any = r.models.vector(given, model, kept == "grads")
            node.arguments = [copied]
            return node
    if role == "criterion" and node.method == "forward" and len(node.arguments) == 2:
        output = r.expression(node.arguments[0])
        criterion = r.models.criterion(node.object, False)
        parts = [criterion, "(", output, ", ", target_of(r, node), ").item()"]
        return at(node, *parts, kind=NUMBER)
    if not facts.is_model(node.object) or not facts.keys_in(node.object):
        return None
    if node.method == "forward" and len(node.arguments) == 1:
        reads = r.models.containers.kind_of(node.object) in ("ConcatTable", *REDUCERS)
        if reads or r.models.ranks.get(facts.key(node.object)) == TABLE:
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
    if name == "math.sqrt":
        root(r, node)
    _give_models(r, node)
    _hand_over(r, node)
    function = r.facts.builder(node)
    if function is not None or (class_of(node) is None and r.facts.role_of(node) is not None):
        r.refuse_keys(
            node, r.facts.keys_in(node), "what it builds is kept in a table, or given away"
        )
    return None


def _hand_over(r: Rewriter, node: ast.Call) -> None:
    """Let a function that stays as it is have a model that its maker is done with."""
    if class_of(node) is not None or not isinstance(plain(node.function), ast.Name):
        return
    for argument in map(plain, node.arguments):
        if isinstance(argument, ast.Name) and r.facts.role(argument) == "model":
            found = None if id(argument) in r.planned_values else handed_over(r, argument)
            if found is not None:
                r.planned_values[id(argument)] = found


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
