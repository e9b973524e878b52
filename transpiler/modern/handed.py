"""Functions that build models and are handed on: kept in a list, given to another function.

`local cfg = {[18] = {{2, 2, 2, 2}, 512, basicblock}}` is how residual networks choose their blocks.
Who calls such a function is not known by name. It may build models of core if all that is called
in its file without being known is added to a model, which takes models of both kinds.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from .. import ast
from ..scope import Variable
from ..walk import method_call, plain, walk

if TYPE_CHECKING:
    from .files import File
    from .variables import Key, Variables


class Handed:
    """The functions of a program that are handed on.

    Parameters
    ----------
    variables : Variables
    """

    def __init__(self, variables: Variables) -> None:
        self.variables = variables
        self.uses: Counter[Variable] = Counter()
        self.closed: dict[str, bool] = {}
        self.unknown: dict[str, list[ast.Call]] = {}
        """By file, the calls of what may be such a function."""
        self.builders: dict[str, dict[Key, None]] = {}
        """By file, the functions that are handed on and may build models of core."""
        for path, file in variables.files.items():
            self._collect(file)
            self.closed[path] = self._is_closed(file)

    def _collect(self, file: File) -> None:
        for node in walk(file.block):
            if isinstance(node, ast.TableConstructor):
                given = [f.value for f in node.fields if not isinstance(f.key, ast.String)]
            elif isinstance(node, ast.Call) and self.variables.parameters_of(node):
                given = node.arguments
            elif isinstance(node, ast.Assign) or (isinstance(node, ast.Local) and node.values):
                given = node.values
            else:
                continue
            for value in map(plain, given):
                if isinstance(value, ast.Name) and value.variable is not None:
                    self.uses[value.variable] += 1

    def _is_closed(self, file: File) -> bool:
        """Whether all calls of what is not known stand in `model:add(...)`."""
        added = {
            id(plain(a))
            for n in walk(file.block)
            if method_call(n, "add") and len(n.arguments) == 1
            for a in n.arguments
        }
        calls = [n for n in walk(file.block) if isinstance(n, ast.Call) and self.is_unknown(n)]
        self.unknown[file.path] = calls
        return all(id(c) in added for c in calls)

    def is_unknown(self, call: Any) -> bool:
        """Whether a call is of a function that may have been handed on."""
        if not isinstance(call, ast.Call):
            return False
        function = plain(call.function)
        if isinstance(function, ast.Index):
            return not isinstance(function.key, ast.String)
        variable = function.variable if isinstance(function, ast.Name) else None
        if variable is None or self.variables.function_in(variable) is not None:
            return False
        known = not variable.unknown and not variable.several and variable.values
        return not (known and all(isinstance(plain(v), ast.Index) for v in variable.values))

    def returns_models(self, key: Key, path: str) -> bool:
        """Whether a function in a variable is called or handed on wherever it is used."""
        if not isinstance(key, Variable) or not self.uses[key] or not self.closed[path]:
            return False
        calls = len(self.variables.calls_of(key)) + self.variables.is_exported(key)
        return calls + self.uses[key] == self.variables.uses(key)
