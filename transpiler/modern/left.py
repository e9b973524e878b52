"""Why a file has nothing of core's, where nothing in it refused."""

from __future__ import annotations

from typing import Any

from .. import ast
from ..diagnostics import Kept
from ..scope import Variable
from ..syntax import dotted
from ..walk import plain, walk
from .chains import chain_of
from .classes import class_of
from .criterions import LOSSES
from .layers import LAYERS

_USES = ("forward", "backward", "training", "evaluate", "getParameters", "parameters")
"""Methods that only models have, or criterions."""

_TABLE = "it is put into a table, or into a variable that holds other things as well"
_OWN = "it is a class of the program's own, written for the methods that Torch calls"
_CRITERION = "what it is the criterion of is no model that is rewritten"
_LAYER = "it is no part of a model that is rewritten"
_LOADED = "it is loaded from a file, so its layers are not known"
_GIVEN = "it comes from a table or from a caller that is not known"


def reasons_left(block: ast.Block) -> list[Kept]:
    """Return what a file has of nn that stays as it is.

    Parameters
    ----------
    block : ast.Block
        A file that is none of a program's models, and in which nothing was refused.
    """
    nodes = list(walk(block))
    chains = {n.line for n in nodes if class_of(n) == "Sequential"}
    if chains:
        return [Kept(line, "nn.Sequential", _TABLE) for line in sorted(chains)]
    found: dict[str, Kept] = {}
    for node in nodes:
        for kept in _of_call(node):
            found.setdefault(kept.what, kept)
    return sorted(found.values(), key=lambda k: k.line)


def _of_call(node: Any) -> list[Kept]:
    if isinstance(node, ast.MethodCall) and node.method in _USES:
        return _of_model(node)
    if not isinstance(node, ast.Call):
        return []
    if dotted(node.function) == "torch.class" and node.arguments:
        name = plain(node.arguments[0])
        parent = plain(node.arguments[1]) if len(node.arguments) > 1 else None
        own = isinstance(parent, ast.String) and parent.value.startswith("nn.")
        if isinstance(name, ast.String) and (own or name.value.startswith("nn.")):
            return [Kept(node.line, name.value, _OWN)]
    name = class_of(node)
    if name is None or name.removeprefix("cudnn.") in ("Module", "Criterion", "Container"):
        return []
    what = name if name.startswith("cudnn.") else f"nn.{name}"
    if name in LOSSES or name.endswith("Criterion"):
        return [Kept(node.line, what, _CRITERION)]
    reason = _LAYER if name in LAYERS else "core.nn has no such layer"
    return [Kept(node.line, what, reason)]


def _of_model(node: ast.MethodCall) -> list[Kept]:
    """Return why something that is used as a model is none that is known."""
    owner, _ = chain_of(node.object)
    if isinstance(owner, ast.Index) and isinstance(owner.key, ast.String):
        return [Kept(node.line, owner.key.value, _GIVEN)]
    if not isinstance(owner, ast.Name) or owner.name == "self":
        return []
    variable = owner.variable
    if variable is None:
        return [Kept(node.line, owner.name, _GIVEN)]
    return [Kept(node.line, owner.name, _LOADED if _is_loaded(variable) else _GIVEN)]


def _is_loaded(variable: Variable) -> bool:
    """Whether a variable is given what `torch.load` reads, or a part of it."""
    for value in variable.values:
        base: Any = plain(value)
        while isinstance(base, (ast.Index, ast.MethodCall)):
            base = plain(base.table if isinstance(base, ast.Index) else base.object)
        if isinstance(base, ast.Call) and dotted(base.function) == "torch.load":
            return True
        if isinstance(base, ast.Name) and base.variable not in (None, variable):
            return any(
                isinstance(plain(v), ast.Call) and dotted(plain(v).function) == "torch.load"
                for v in base.variable.values
            )
    return False
