"""How many dimensions tensors have, as far as the text tells: the detail of a tensor's type.

A tensor that is resized, or that a function of torch fills, keeps none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import ast
from .kinds import ANY, NUMBER, TENSOR, Type
from .scope import FileScope, Variable
from .syntax import dotted
from .text import words

if TYPE_CHECKING:
    from .types import Types

_MAKERS = frozenset(
    words(
        """
        zeros ones rand randn Tensor DoubleTensor FloatTensor LongTensor IntTensor ShortTensor
        CharTensor ByteTensor
        """
    )
)
_FIXED = {**dict.fromkeys(words("range linspace logspace randperm mv"), 1)}
_FIXED |= dict.fromkeys(words("eye mm ger diag"), 2)
_ALIKE = frozenset(
    words("exp log sqrt abs tanh sigmoid floor ceil round neg sign cmul cdiv pow clamp")
)
_SAME = _ALIKE | frozenset(
    words(
        """
        clone contiguous double float long int short byte char cuda fill zero copy add mul div csub
        uniform normal random bernoulli geometric exponential cauchy logNormal narrow typeAs type
        cumsum cumprod apply addcmul addcdiv transpose index le lt ge gt eq ne sum mean
        """
    )
)
_RESIZING = frozenset(words("resize resizeAs set cat"))


def resized(file: FileScope) -> set[Variable]:
    """Return the variables whose tensors may get other sizes where they are."""
    found = set()
    for call in file.calls:
        owner: ast.Expression | None = None
        if isinstance(call, ast.MethodCall):
            owner = call.object if call.method in _RESIZING else None
        elif len(call.arguments) > 1 and (dotted(call.function) or "").startswith("torch."):
            owner = call.arguments[0]
        if isinstance(owner, ast.Name) and owner.variable is not None:
            found.add(owner.variable)
    return found


def with_rank(types: Types, node: ast.Expression, kind: Type) -> Type:
    """Return the type of a call's tensor with the number of its dimensions, where it is known."""
    if kind.kind != "tensor" or kind.detail is not None:
        return kind
    rank: int | None = None
    if isinstance(node, ast.MethodCall):
        owner = types.of(node.object)
        rank = _of_method(types, node, owner.detail if owner.kind == "tensor" else None)
    elif isinstance(node, ast.Call):
        package, _, name = (dotted(node.function) or "").partition(".")
        if package == "torch":
            rank = _of_function(types, node, name)
    return kind if rank is None else replace(kind, detail=rank)


def _of_function(types: Types, node: ast.Call, name: str) -> int | None:
    if name in _MAKERS:
        return _count(types, node.arguments)
    if name in _ALIKE and node.arguments:
        first = types.of(node.arguments[0])
        return first.detail if first.kind == "tensor" else None
    return _FIXED.get(name)


def _of_method(types: Types, node: ast.MethodCall, rank: int | None) -> int | None:
    if node.method in ("view", "reshape"):
        return _count(types, node.arguments)
    if rank is None:
        return None
    if node.method == "select":
        return rank - 1 if rank > 1 else None
    return rank if node.method in _SAME else None


def _count(types: Types, arguments: list[ast.Expression]) -> int | None:
    sizes = arguments and all(types.of(a).is_number for a in arguments)
    return len(arguments) if sizes else None


def element(types: Types, owner: Type, key: ast.Expression) -> Type:
    """Return the type of `x[key]` of a tensor."""
    if isinstance(key, ast.TableConstructor):
        ranges = [isinstance(f.value, ast.TableConstructor) for f in key.fields]
        places = len(ranges) - sum(ranges)
        if any(ranges):
            return replace(TENSOR, detail=None if owner.detail is None else owner.detail - places)
        return _below(owner, places)
    return _below(owner, 1) if types.of(key).is_number else ANY


def _below(owner: Type, places: int) -> Type:
    if owner.detail is None or owner.detail < places:
        return ANY
    return NUMBER if owner.detail == places else replace(TENSOR, detail=owner.detail - places)
