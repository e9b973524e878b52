"""What a program calls a value that an operation refuses, as Lua's errors say: local 'x'.

LuaJIT finds the name in its bytecode; here it is found in the source, at the place where Python
says that the operation stands. Where the source cannot be read there is no name.
Source: LuaJIT lj_debug.c (lj_debug_slotname).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from types import FrameType
from typing import Any

from .errors import LuaError, caller, place_in
from .kinds import type_of
from .source_places import source_of

_KINDS = {
    "NoneType": "nil", "bool": "boolean", "int": "number", "float": "number", "str": "string",
    "Table": "table", "function": "function", "method": "function",
}  # fmt: skip
"""Types, as Python's errors name them."""

_ARITHMETIC = re.compile(r"unsupported operand type\(s\) for [^:]+: '(\w+)' and '(\w+)'")
_COMPARISON = re.compile(r"'[<>]=?' not supported between instances of '(\w+)' and '(\w+)'")
_OPERATIONS = [
    (re.compile(r"'(\w+)' object is not callable"), "call"),
    (re.compile(r"bad operand type for unary .*: '(\w+)'"), "perform arithmetic on"),
    (re.compile(r"object of type '(\w+)' has no len\(\)"), "get length of"),
]
_INDEXED = re.compile(
    r"'NoneType' object (has no attribute|is not subscriptable|does not support item assignment)"
)


def refusal(verb: str, value: Any, operand: int = 0) -> LuaError:
    """Return the error of an operation of the library on a value that does not have it.

    Parameters
    ----------
    verb : str
        "index", "call", "perform arithmetic on", "concatenate" or "get length of".
    value : Any
    operand : int
        Which argument of the library's function the value is.
    """
    frame = caller()
    if frame is None:
        return LuaError(_said(verb, None, type_of(value)))
    found = _expression(frame, frame.f_lasti)
    name = None
    if isinstance(found, ast.Call) and _is_of_lua(found.func):
        name = _name(frame, _argument(frame, found, value, operand))
    return LuaError(place_in(frame, frame.f_lineno) + _said(verb, name, type_of(value)))


def no_method(name: str) -> LuaError:
    """Return the error of a call of a method that there is not."""
    frame = caller()
    where = "" if frame is None else place_in(frame, frame.f_lineno)
    return LuaError(f"{where}attempt to call method '{name}' (a nil value)")


def in_lua(text: str, frame: FrameType, instruction: int) -> str | None:
    """Return what Lua says where Python's own operators said `text`, None where it is no such."""
    found = _expression(frame, instruction)
    if match := _COMPARISON.match(text):
        a, b = (_KINDS.get(k, "table") for k in match.groups())
        return f"attempt to compare {f'two {a} values' if a == b else f'{a} with {b}'}"
    if match := _ARITHMETIC.match(text):
        left, right = (_KINDS.get(k, "table") for k in match.groups())
        first = left not in ("number", "string")
        pair = (found.left, found.right) if isinstance(found, ast.BinOp) else (None, None)
        kind, node = (left, pair[0]) if first else (right, pair[1])
        return _said("perform arithmetic on", _name(frame, node), kind)
    if _INDEXED.match(text):
        node = found.func if isinstance(found, ast.Call) else found
        held = node.value if isinstance(node, (ast.Attribute, ast.Subscript)) else None
        return _said("index", _name(frame, held), "nil")
    for pattern, verb in _OPERATIONS:
        if match := pattern.match(text):
            name = _name(frame, _operand(found), called=verb == "call")
            return _said(verb, name, _KINDS.get(match[1], "table"))
    return None


def _said(verb: str, name: str | None, kind: str) -> str:
    if name is None:
        return f"attempt to {verb} a {kind} value"
    return f"attempt to {verb} {name} (a {kind} value)"


def _operand(found: ast.expr | None) -> ast.expr | None:
    if isinstance(found, ast.UnaryOp):
        return found.operand
    if isinstance(found, ast.Call):
        of_len = isinstance(found.func, ast.Name) and found.func.id == "len"
        return found.args[0] if of_len and found.args else found.func
    return None


def _expression(frame: FrameType, instruction: int) -> ast.expr | None:
    """Return the expression that an instruction computes."""
    found = source_of(frame, instruction)
    if found is None:
        return None
    text = found[0].decode(errors="replace")
    try:
        body = ast.parse(f"({text}\n)", mode="eval").body
    except (SyntaxError, ValueError):
        return _target(text)
    return body


def _target(text: str) -> ast.expr | None:
    """Return what a statement assigns to: `x.y = 1`."""
    try:
        (statement,) = ast.parse(text).body
    except (SyntaxError, ValueError):
        return None
    return statement.targets[0] if isinstance(statement, ast.Assign) else None


def _is_of_lua(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "lua"
    )


def _argument(frame: FrameType, call: ast.Call, value: Any, operand: int) -> ast.expr | None:
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    if isinstance(call.func, ast.Attribute) and call.func.attr == "concat":
        return _joined(frame, call.args, value)
    return call.args[operand] if operand < len(call.args) else None


def _joined(frame: FrameType, parts: Sequence[ast.expr], value: Any) -> ast.expr | None:
    """Return which of the parts of `a .. b .. c` the value is, None where that is not known."""
    possible = [p for p in parts if not isinstance(p, (ast.Constant, ast.JoinedStr))]
    if len(possible) == 1:
        return possible[0]
    for part in reversed(possible):
        if not isinstance(part, ast.Name):
            return None
        if frame.f_locals.get(part.id, frame.f_globals.get(part.id)) is value:
            return part
    return None


def _name(frame: FrameType, node: ast.expr | None, called: bool = False) -> str | None:
    """Return what Lua calls a value: by the kind of variable, or by its field."""
    if isinstance(node, ast.Name):
        return f"{_kind(frame, node.id)} '{node.id.rstrip('_')}'"
    if isinstance(node, ast.Attribute):
        of = node.value
        if isinstance(of, ast.Name) and of.id == "G":
            return f"global '{node.attr}'"
        return f"{'method' if called and _is_object(frame, of) else 'field'} '{node.attr}'"
    key: ast.expr | None = None
    if isinstance(node, ast.Subscript):
        key, of = node.slice, node.value
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (node.func.attr == "get" and node.args)
    ):
        key, of = node.args[0], node.func.value
    elif isinstance(node, ast.Call) and _is_of_lua(node.func) and len(node.args) == 2:
        key, of = node.args[1], node.args[0]
        if isinstance(node.func, ast.Attribute) and node.func.attr != "index":
            return None
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        held = "global" if isinstance(of, ast.Name) and of.id == "G" else "field"
        return f"{held} '{key.value}'"
    return None


def _kind(frame: FrameType, name: str) -> str:
    code = frame.f_code
    if code.co_name == "<module>" or name in code.co_varnames or name in code.co_cellvars:
        return "local"
    return "upvalue"


def _is_object(frame: FrameType, node: ast.expr) -> bool:
    """Whether a variable holds what is no plain table: its functions are called as methods."""
    if not isinstance(node, ast.Name):
        return False
    value = frame.f_locals.get(node.id, frame.f_globals.get(node.id))
    return type(value).__name__ != "Table" and not isinstance(value, type)
