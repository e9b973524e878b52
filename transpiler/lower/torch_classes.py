"""Finding `torch.class`, and the methods that a file gives the classes."""

from __future__ import annotations

from typing import Any

from .. import ast
from ..names import is_attribute
from ..syntax import blocks_of, dotted, may_be_several, returns
from .class_info import ClassInfo
from .class_names import SPECIAL


def find_classes(block: ast.Block, found: Any) -> None:
    """Find the classes of a file, in all its blocks.

    Parameters
    ----------
    block : ast.Block
    found : Module
        Gets `classes`, `class_parents`, `moved`.
    """
    for position, statement in enumerate(block.statements):
        for inner in blocks_of(statement):
            find_classes(inner, found)
        info = _class_of(statement)
        if info is None:
            continue
        variable = info.variable
        if variable is not None and (variable.writes or variable.unknown is None):
            continue
        for later in block.statements[position + 1 :]:
            if not isinstance(later, ast.FunctionStatement) or not isinstance(
                later.target, ast.Index
            ):
                continue
            target = later.target
            if not isinstance(target.key, ast.String) or not _names(target.table, info):
                continue
            key = target.key.value
            if key in info.methods or not (is_attribute(key) or _is_special(key)):
                continue
            info.methods[key] = later
            found.moved.add(id(later))
            if SPECIAL.get(key) == "__repr__":
                _give_one_value(later.function)
        found.add_class(statement, info)


def _give_one_value(function: ast.Function) -> None:
    """Let a function's `return text:gsub(...)` give the text alone, which is what is printed."""
    for found in returns(function.body):
        if len(found.values) == 1 and may_be_several(found.values[0]):
            inner = found.values[0]
            found.values[0] = ast.Paren(inner.line, inner.column, inner)


def _is_special(key: str) -> bool:
    """Whether Python does not change a name of two underscores inside a class."""
    return key in SPECIAL or (key.startswith("__") and key.endswith("__"))


def _names(node: ast.Expression, info: ClassInfo) -> bool:
    if isinstance(node, ast.Name):
        return node.variable is info.variable and info.variable is not None
    return (
        info.variable is None
        and isinstance(node, ast.Index)
        and isinstance(node.table, ast.Name)
        and isinstance(node.key, ast.String)
        and f"{node.table.name}.{node.key.value}" == info.typename
    )


def _class_of(statement: ast.Statement) -> ClassInfo | None:
    variable = parent_variable = None
    name = None
    if isinstance(statement, ast.Local) and len(statement.values) == 1:
        call = statement.values[0]
        variable = statement.names[0].variable
        name = statement.names[0].name
        if len(statement.names) > 2:
            return None
        if len(statement.names) == 2:
            parent_variable = statement.names[1].variable
    elif isinstance(statement, ast.CallStatement):
        call = statement.call
    else:
        return None
    if not isinstance(call, ast.Call) or not 0 < len(call.arguments) < 4:
        return None
    given = list(call.arguments)
    place = given.pop() if not isinstance(given[-1], ast.String) else None
    texts = [a.value for a in given if isinstance(a, ast.String)]
    if dotted(call.function) != "torch.class" or len(texts) != len(given) or not texts:
        return None
    if place is not None and not isinstance(place, (ast.Name, ast.Index)):
        return None
    last = texts[0].rpartition(".")[2]
    if name is None:
        name = last
    if not last.isidentifier():
        return None
    parent = texts[1] if len(texts) > 1 else None
    return ClassInfo(texts[0], name, parent, variable, parent_variable, place)
