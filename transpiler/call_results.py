"""The results of calls: of functions that are known, of libraries and packages, of methods."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import ast, library, natives
from .kinds import (
    ANY,
    BOOLEAN,
    COUNT,
    MODULE,
    NUMBER,
    OPTIONS,
    STORAGE,
    STRING,
    TABLE,
    TENSOR,
    Type,
    results_of,
)
from .metatable_candidates import base_of
from .syntax import captures, dotted, root_of
from .text import words

if TYPE_CHECKING:
    from .types import Types


def call_results(types: Types, node: ast.Call) -> list[Type] | None:
    """Return the types of a call's results; None for any number of them."""
    function = node.function
    known = types.known_function(function)
    if known is not None:
        count = types.function_results(known)
        if count is None:
            return None
        return types.known_results(known, count)
    if isinstance(function, ast.Name) and function.variable is not None:
        kind = "package" if dotted(function) else types.variable(function.variable).kind
        if kind not in ("class", "package", "module"):
            return None
    name = dotted(function)
    if name is not None:
        root, _, rest = name.partition(".")
        made = made_object(types, node)
        if made is not None:
            return [made]
        if not rest and name in library.GLOBALS:
            if name == "require" and len(node.arguments) == 1:
                only = node.arguments[0]
                return [types.required(only.value) if isinstance(only, ast.String) else ANY]
            return results_of(library.GLOBALS[name])
        if name == "string.match":
            return _match_results(node.arguments[1:])
        if root in library.LIBRARIES and rest in library.LIBRARIES[root]:
            return results_of(library.LIBRARIES[root][rest])
        if types.of(root_of(function)).kind == "package":
            return _package_call(types, str(types.of(root_of(function)).detail), rest, node)
    if isinstance(function, ast.Index):
        owner = types.of(function.table)
        if owner.kind == "package" and isinstance(function.key, ast.String):
            return _package_call(types, str(owner.detail), function.key.value, node)
        if maker_of(function, owner) is not None:
            return [Type("object", detail=owner.detail)]
        if is_new(types, function, owner):
            return [TENSOR]
    if types.of(function).kind == "class":
        return [Type("object", detail=types.of(function).detail)]
    if types.of(function).kind == "module":
        return [ANY]
    return None


def made_object(types: Types, node: ast.Call) -> Type | None:
    """Return the type of `setmetatable(x, C)` of a class C that is made of a table."""
    if dotted(node.function) != "setmetatable" or len(node.arguments) != 2:
        return None
    bare = base_of(node)
    kind = types.of(node.arguments[1] if bare is None else bare)
    of_tables = kind.kind == "class" and kind.detail is not None and kind.detail.of_tables
    return Type("object", detail=kind.detail) if of_tables else None


def is_new(types: Types, function: ast.Index, owner: Type) -> bool:
    """Whether `x.new` makes a tensor of the type of `x`."""
    named = isinstance(function.key, ast.String) and function.key.value == "new"
    if owner.kind == "any":
        return named and "new" not in types.defined_names
    return named and owner.kind == "tensor"


def _package_call(types: Types, package: str, name: str, node: ast.Call) -> list[Type] | None:
    made = natives.made_by(f"{package}.{name}")
    if made is not None:
        return [made]
    if (package, name) == ("lapp", ""):
        return [replace(TABLE, detail=types.options)]
    if package == "torch":
        if name == "CmdLine":
            return [OPTIONS]
        if name in library.SEVERAL_RESULTS:
            return [NUMBER] if name in library.REDUCTIONS and len(node.arguments) == 1 else None
        if name in library.REDUCTIONS:
            return [NUMBER if len(node.arguments) == 1 else TENSOR]
        letters = library.TORCH.get(name)
        return None if letters is None else results_of(letters)
    if package.startswith("autograd"):
        of_autograd = f"{package}.{name}".removeprefix("autograd").removesuffix(".")
        letters = library.AUTOGRAD.get(of_autograd)
        return None if letters is None else results_of(letters)
    if package == "nn":
        return [MODULE] if name[:1].isupper() or name == "gModule" else None
    letters = natives.OF_PACKAGES.get(f"{package}.{name}")
    if letters is not None:
        return results_of(letters)
    if package == "threads":  # a pool, and what its workers began with
        return None
    return [ANY] if package == "paths" or name[:1].isupper() else None


def _match_results(arguments: list[ast.Expression]) -> list[Type] | None:
    """Return what `match` gives: one text, or nil, for a pattern that has one capture at most."""
    pattern = arguments[0] if arguments else None
    if not isinstance(pattern, ast.String) or captures(pattern.value) > 1:
        return None
    return [ANY] if "()" in pattern.value else [replace(STRING, optional=True)]


def method_results(types: Types, node: ast.MethodCall) -> list[Type] | None:
    """Return the types of a method call's results; None for any number of them."""
    owner = types.of(node.object)
    name = node.method
    if owner.kind == "string" or types.is_string_method(node):
        if name == "match":
            return _match_results(node.arguments)
        letters = library.STRING_METHODS.get(name)
        return None if letters is None else results_of(letters)
    if owner.kind == "tensor" or types.is_tensor_method(owner, node):
        if name in library.SEVERAL_RESULTS or name in library.REDUCTIONS:
            if name in library.REDUCTIONS and not node.arguments:
                return [NUMBER if name not in ("all", "any") else BOOLEAN]
            if name in library.SEVERAL_RESULTS:
                return None
            return [TENSOR if name != "norm" or len(node.arguments) > 1 else NUMBER]
        if name == "size":
            return [COUNT if node.arguments else STORAGE]
        if name == "stride":
            return [COUNT if node.arguments else STORAGE]
        if name == "type":
            return [TENSOR if node.arguments else STRING]
        letters = library.TENSOR_METHODS.get(name)
        return None if letters is None else results_of(letters)
    if owner.kind == "options":
        if name == "parse":
            return [replace(TABLE, detail=types.options)]
        return [STRING if name == "string" else ANY]
    if owner.kind == "storage" and name in ("size", "totable"):
        return [COUNT if name == "size" else ANY]
    if owner.kind == "native":
        return natives.method_results(owner, name)
    if owner.kind == "module":
        if name == "type":
            return [MODULE if node.arguments else STRING]
        letters = _MODULE_METHODS.get(name)
        return None if letters is None else results_of(letters)
    if owner.kind == "class" and owner.detail is not None and owner.detail.makes(name):
        return [Type("object", detail=owner.detail)]
    if owner.kind == "object" and owner.detail is not None:
        found: list[Type] | None = owner.detail.method_results(name, types)
        return found
    unique = types.unique_method(owner, name)
    if unique is not None:
        count = types.function_results(unique.node)
        return None if count is None else [ANY] * count
    if name in types.defined_names or name == "split":  # nodes of graphs split into several
        return None
    if name == "getParameters":
        return [TENSOR, TENSOR]
    letters = library.TENSOR_METHODS.get(name) or _MODULE_METHODS.get(name)
    single = letters is not None and len(letters) == 1
    return [ANY] if single or name in ("size", "stride", "type", "norm", "sum", "mean") else None


def maker_of(function: ast.Index, owner: Type) -> Any:
    """Return the class whose objects `C.new` makes, where it is their `__init__`."""
    if owner.kind != "class" or owner.detail is None or not isinstance(function.key, ast.String):
        return None
    return owner.detail if owner.detail.maker == function.key.value else None


_MODULE_METHODS: dict[str, str] = {
    **dict.fromkeys(
        words(
            """
            add clone get share cuda double float training evaluate clearState noBias
            setNumInputDims replace insert remove annotate ceil floor reset
            """
        ),
        "M",
    ),
    "getParameters": "TT",
    **dict.fromkeys(words("forward backward updateOutput updateGradInput listModules"), "a"),
    **dict.fromkeys(words("zeroGradParameters updateParameters accGradParameters apply"), ""),
    "size": "i",
    **dict.fromkeys(
        words("setMode fastest resetMode remember forget sharedClone clipWeights"), "M"
    ),
}
"""Methods of nn's classes whose results are known."""
