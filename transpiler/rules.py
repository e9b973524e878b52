"""The types of expressions, one rule for each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import ast, library, natives, ranks
from .dict_candidates import LoopPart
from .kinds import (
    ANY,
    BOOLEAN,
    COUNT,
    FUNCTION,
    NIL,
    NUMBER,
    STORAGE,
    STRING,
    TABLE,
    TENSOR,
    Type,
    arithmetic,
    integer,
    join,
)
from .modern.nodes import ClassNumbers, Template
from .syntax import dotted

if TYPE_CHECKING:
    from .types import Types


MODULE_FIELDS = {
    **dict.fromkeys(["weight", "bias", "gradWeight", "gradBias"], TENSOR),
    "modules": TABLE,
    "train": BOOLEAN,
}
"""Fields of nn's modules that are what they are in all of them."""


def unknown(types: Types, node: Any) -> Type:
    """Return the type of what there is no rule for."""
    return ANY


def _name(types: Types, node: Any) -> Type | None:
    if node.variable is None:
        if node.name in types._globals:
            return types._globals[node.name]
        return types._global(node.name)
    return types._variables.get(node.variable)


def _index(types: Types, node: Any) -> Type | None:
    name = dotted(node)
    if name in library.CONSTANTS:
        return NUMBER
    if name in natives.TEXTS:
        return STRING
    info = types.class_named(name) if name is not None else None
    if info is not None:
        return Type("class", detail=info)
    owner = types.of_maybe(node.table)
    if owner is None:
        return None
    if owner.kind == "package" and owner.detail == "nn" and isinstance(node.key, ast.String):
        return Type("class", detail=types.class_named(f"nn.{node.key.value}"))
    if owner.kind == "package" and isinstance(node.key, ast.String):
        part = f"{owner.detail}.{node.key.value}"
        return Type("package", detail=part) if part in library.SUBPACKAGES else ANY
    if owner.kind == "storage":
        return NUMBER
    if owner.kind == "tensor":
        return ranks.element(types, owner, node.key)
    if owner.kind == "module" and isinstance(node.key, ast.String):
        return MODULE_FIELDS.get(node.key.value, ANY)
    if owner.kind in ("dict", "record"):
        found_entry: Type | None = owner.detail.type_of(node)
        return found_entry
    if owner.kind == "list":
        element: Type = owner.detail
        return element
    if owner.kind == "table" and owner.detail is not None and isinstance(node.key, ast.String):
        return types.shape_field(owner.detail, node.key.value)
    if owner.kind == "object" and owner.detail is not None and isinstance(node.key, ast.String):
        found: Type | None = owner.detail.field_type(node.key.value, types)
        return found
    return ANY


def _first_result(types: Types, node: Any) -> Type | None:
    known = types.known_function(node.function) if isinstance(node, ast.Call) else None
    if known is not None:
        return types.of_functions.first(known)
    if not types._settled and types.rests_on_unknown(node):
        return None
    found = types.results(node)
    if found is None:
        told = _first_of_several(types, node)
        if told is not None:
            return told
        if isinstance(node, ast.MethodCall) and node.method in library.SEVERAL_RESULTS:
            owner = types.of(node.object)
            if owner.kind == "tensor" or types.is_tensor_method(owner, node):
                return TENSOR
        if isinstance(node, ast.Call) and dotted(node.function) in ("pcall", "xpcall"):
            return BOOLEAN
        return ANY
    return ranks.with_rank(types, node, found[0]) if found else NIL


def _first_of_several(types: Types, node: Any) -> Type | None:
    """Return what is known of the first result of what may give several."""
    if isinstance(node, ast.MethodCall):
        owner = types.of(node.object)
        return natives.first_result(owner, node) if owner.kind == "native" else None
    name = dotted(node.function) if isinstance(node, ast.Call) else None
    if name == "assert" and node.arguments:
        kind = types.of_maybe(node.arguments[0])
        return None if kind is None else replace(kind, optional=False)
    return natives.FIRST_OF.get(name or "")


def _binary(types: Types, node: Any) -> Type | None:
    operator = node.operator
    if operator in ("==", "~=", "<", ">", "<=", ">="):
        return BOOLEAN
    left, right = types.of_maybe(node.left), types.of_maybe(node.right)
    if operator == "and":
        if left is None or right is None:
            return right
        if left.kind in ("boolean", "any"):
            return right if left.kind == "boolean" and right.kind == "boolean" else ANY
        return join(NIL, right) if left.optional else right
    if operator == "or":
        chosen = _chosen(node.left)
        if chosen is not None:  # of `a and b or c` what `b` is if it is true
            left = types.of_maybe(chosen)
        if left is None or right is None:
            return right if left is None else left
        if left.kind in ("boolean", "any"):
            return left if right.kind == left.kind else ANY
        return join(replace(left, optional=False) if left.kind != "nil" else None, right)
    if operator == "..":
        named = "__concat" in types.defined_names or "__concat" in types.file.made_fields
        return ANY if named and not (_is_text(left) and _is_text(right)) else STRING
    return arithmetic(operator, left, right, node)


def _chosen(node: Any) -> Any:
    """Return `b` of `a and b`, None for anything else."""
    while isinstance(node, ast.Paren):
        node = node.inner
    return node.right if isinstance(node, ast.Binary) and node.operator == "and" else None


def _is_text(kind: Type | None) -> bool:
    return kind is None or ((kind.is_number or kind.kind == "string") and not kind.optional)


def _unary(types: Types, node: Any) -> Type | None:
    if node.operator == "not":
        return BOOLEAN
    operand = types.of_maybe(node.operand)
    if node.operator == "#":
        return STORAGE if operand is not None and operand.kind == "tensor" else COUNT
    if operand is None or operand.kind == "tensor" or operand.is_number:
        return operand
    return ANY


def _number(types: Types, node: Any) -> Type:
    if isinstance(node.value, int):
        return integer(node.value.bit_length())
    return NUMBER


RULES: dict[type, Callable[[Types, Any], Type | None]] = {
    ast.Nil: lambda types, node: NIL,
    ast.Boolean: lambda types, node: BOOLEAN,
    ast.Number: _number,
    ast.String: lambda types, node: STRING,
    ast.Vararg: lambda types, node: ANY,
    ast.Name: _name,
    ast.Index: _index,
    ast.Call: _first_result,
    ast.MethodCall: _first_result,
    ast.Binary: _binary,
    ast.Unary: _unary,
    ast.Paren: lambda types, node: types.of_maybe(node.inner),
    ast.TableConstructor: lambda types, node: replace(TABLE, detail=types.shape(node)),
    ast.Function: lambda types, node: FUNCTION,
    Template: lambda types, node: node.kind,
    LoopPart: lambda types, node: STRING if node.key else node.owner.all.kind,
    ClassNumbers: lambda types, node: TENSOR,
}
