"""Where functions go: whether they are only called, and what their parameters are given."""

from __future__ import annotations

from . import ast, library
from .scope import FileScope, Variable
from .syntax import dotted, may_be_several


def function_of(variable: Variable) -> ast.Function | None:
    """Return the function that a variable always is, if it is one that never changes."""
    if variable.writes or variable.unknown or variable.several or len(variable.values) != 1:
        return None
    value = variable.values[0]
    return value if isinstance(value, ast.Function) else None


class FunctionUses:
    """The uses of a file's functions.

    Parameters
    ----------
    file : FileScope

    Attributes
    ----------
    safe_uses : dict
        How often a variable is called, or lent to those who call it.
    safe_functions : set of int
        Functions, by their ids, of which the same is known.
    given : dict
        What the parameters are given of functions that are only called by their own variables;
        None where that cannot be told.
    """

    def __init__(self, file: FileScope) -> None:
        self.file = file
        self.safe_uses: dict[Variable, int] = {}
        self.safe_functions: set[int] = set()
        self.given: dict[Variable, list[ast.Expression | None]] = {}
        for call in self.file.calls:
            arguments = call.arguments
            if isinstance(call, ast.Call):
                self._safe(call.function)
                name = dotted(call.function)
                keeps = name not in library.KEPT_BY_NOBODY
            else:
                keeps = call.method not in library.KEPT_BY_NO_METHOD
            if not keeps:
                for argument in arguments:
                    self._safe(argument)
        for scope in [self.file.top, *self.file.scopes.values()]:
            for variable in scope.variables:
                function = function_of(variable)
                if function is not None and self.only_called(variable):
                    self._parameters(variable, function)

    def _safe(self, node: ast.Expression) -> None:
        if isinstance(node, ast.Paren):
            node = node.inner
        if isinstance(node, ast.Name) and node.variable is not None:
            self.safe_uses[node.variable] = self.safe_uses.get(node.variable, 0) + 1
        elif isinstance(node, ast.Function):
            self.safe_functions.add(id(node))

    def only_called(self, variable: Variable) -> bool:
        """Whether a variable's value is called, or lent to those who call it, and kept nowhere."""
        return self.safe_uses.get(variable, 0) == variable.reads

    def _parameters(self, variable: Variable, function: ast.Function) -> None:
        """Collect what a function that is only called directly is given."""
        if function.vararg:
            return
        names = [n.variable for n in function.parameters]
        calls = [
            c
            for c in self.file.calls
            if isinstance(c, ast.Call)
            and isinstance(c.function, ast.Name)
            and c.function.variable is variable
        ]
        if len(calls) != variable.reads:
            return
        for call in calls:
            spread = bool(call.arguments) and may_be_several(call.arguments[-1])
            for i, name in enumerate(names):
                if name is None:
                    continue
                given: ast.Expression | None
                if spread and i >= len(call.arguments) - 1:
                    given = None
                elif i < len(call.arguments):
                    given = call.arguments[i]
                else:
                    given = ast.Nil(call.line, call.column)
                self.given.setdefault(name, []).append(given)
