"""Values that are assigned or returned, and what is assigned to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import MODULE
from ..walk import plain
from .nodes import AS_TORCH, at

if TYPE_CHECKING:
    from .rewrite import Rewriter


def target(r: Rewriter, node: Any) -> Any:
    """Rewrite what is assigned to."""
    if isinstance(node, ast.Index):
        node.table, node.key = r.expression(node.table), r.expression(node.key)
        return node
    key = r.facts.key(node)
    if key is not None and r.facts.roles.get(key) in ("params", "grads", "sums", "loss"):
        r.refuse_keys(node, [key], "it is assigned anew")
    return node


def assigned(r: Rewriter, target: Any, value: Any) -> Any:
    """Return what becomes of a value that is assigned to a target, or to nothing known."""
    key = r.facts.key(target) if isinstance(plain(target), ast.Name) else None
    if isinstance(plain(value), ast.Function) and isinstance(target, (ast.Name, ast.Index)):
        owner = r.facts.function_key(target)
        if owner is not None:
            r.owners[id(plain(value))] = owner
    role = None if key is None else r.facts.roles.get(key)
    if key is not None and role == "model" and not isinstance(plain(value), ast.Nil):
        r.targets.append(key)
        for other in r.facts.keys_in(value):
            r.join(key, other)
        found = r.models.expression(value, key)
        r.targets.pop()
        return found
    if role == "criterion" and not isinstance(plain(value), ast.Nil):
        return r.models.criterion(value, summed=False)
    return r.expression(value)


def returned(r: Rewriter, value: Any, position: int) -> Any:
    """Return what becomes of a value that a function, or the file, returns in a place."""
    function = r.functions[-1] if r.functions else None
    role = r.facts.role_of(value)
    seams = r.facts.seams
    if role == "model" and (seams.has(r.bodies[-1]) if r.bodies else seams.has_file(r.path)):
        return as_torchs(r, value)
    if role == "model" and isinstance(function, str) and function not in r.facts.builders:
        return as_torchs(r, value) if is_chain(r, value) else r.expression(value)
    if function is None and r.functions:
        return r.expression(value)
    if function is not None:
        roles = r.facts.builders.get(function, ())
        role = roles[position] if position < len(roles) else None
        for key in r.facts.keys_in(value) if role is not None else ():
            r.join(key, function)
    elif r.facts.key(value) in r.facts.builders:
        return value
    if role == "model":
        return r.models.expression(value, None)
    return r.models.criterion(value, False) if role else r.expression(value)


def as_torchs(r: Rewriter, value: Any) -> Any:
    """Return a model as what stays Torch's takes it."""
    model = r.models.expression(value, None)
    return at(value, "as_torch(", model, ")", kind=MODULE, imports=[AS_TORCH])


def is_chain(r: Rewriter, value: Any) -> bool:
    """Whether a model is more than one layer."""
    return r.facts.classes_of(value) <= {"Sequential", "Concat"}


def handed_over(r: Rewriter, node: ast.Name) -> Any:
    """Return a model that a function is done with as what stays Torch's takes it; else None."""
    variable = node.variable
    done = variable is not None and not variable.captured and variable.names[-1] is node
    if not done or variable is None or not r.bodies or r.depths.get(variable) != r.loops:
        return None
    if not is_chain(r, node):
        return None
    return at(node, "as_torch(", r.name(variable, node), ")", kind=MODULE, imports=[AS_TORCH])
