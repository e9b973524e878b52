"""What each local variable is called in Python.

Lua's blocks have scopes, Python's functions have: variables of one name share it only where
the later one starts after the last use of the earlier one and no closure keeps either.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Container

from .scope import FileScope, Scope, Variable
from .text import words

EMITTED_BUILTINS = frozenset(
    words(
        """
        range len super enumerate reversed min max abs int float str isinstance staticmethod
        """
    )
)
"""Builtins that translations use, so that nothing else may have their names."""


class Names:
    """The names of a file's variables.

    Parameters
    ----------
    scopes : FileScope
    taken : set of str
        What the module itself uses at its top: imports and globals.
    imported : set of Variable
        What other files of the program give; ruff wants no loop to count with their names.
    """

    def __init__(
        self, scopes: FileScope, taken: set[str], imported: Container[Variable] = ()
    ) -> None:
        self._names: dict[Variable, str] = {}
        self._used: dict[Scope, set[str]] = {}
        self._taken = taken | EMITTED_BUILTINS
        self._imported = {v.name for v in scopes.top.variables if v in imported}
        self._scope(scopes.top)
        for scope in scopes.scopes.values():
            self._scope(scope)
        self._of_variables = set(self._names.values())
        self._anywhere = set().union(*self._used.values())

    def __getitem__(self, variable: Variable) -> str:
        return self._names[variable]

    def has(self, name: str) -> bool:
        """Whether a variable of the file has a name."""
        return name in self._of_variables

    def is_free(self, name: str) -> bool:
        """Whether nothing in the file has a name yet."""
        return name not in self._anywhere

    def _scope(self, scope: Scope) -> None:
        foreign = {self._names[v] for v in scope.captures} | self._taken
        holders: dict[str, list[Variable]] = {}
        for variable in scope.variables:
            base = python_name(variable.name)
            unused = not variable.reads and not variable.captured and variable.kind == "local"
            if unused and scope.function is not None and not base.startswith("_"):
                base = f"_{base}"
            name, number = base, 1
            if variable.kind == "for" and name in self._imported:
                name = f"{base}_"
            while name in foreign or not _may_share(holders.get(name, ()), variable):
                number += 1
                name = f"{base}_" if number == 2 and name in foreign else f"{base}_{number}"
            holders.setdefault(name, []).append(variable)
            self._names[variable] = name
        self._used[scope] = set(holders) | foreign

    def fresh(self, scope: Scope, base: str) -> str:
        """Return a name that nothing else in a function has, and take it."""
        used = self._used[scope]
        base = python_name(base)
        name, number = base, 1
        while name in used:
            number += 1
            name = f"{base}_{number}"
        used.add(name)
        self._anywhere.add(name)
        return name


def _may_share(holders: list[Variable] | tuple[()], variable: Variable) -> bool:
    return all(
        not other.captured
        and other.last_use < variable.declared
        and not (other.kind == "function" or variable.kind == "parameter")
        for other in holders
    )


def python_name(name: str) -> str:
    """Return a Lua name as it can be in Python.

    Examples
    --------
    >>> python_name("lambda"), python_name("loss"), python_name("_")
    ('lambda_', 'loss', '_')
    """
    if keyword.iskeyword(name):
        return name + "_"
    return name


def is_attribute(name: str) -> bool:
    """Whether a field's name can be written behind a dot in Python.

    Names of two leading underscores are changed inside classes, so they cannot.
    """
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("__")


def from_text(text: str, default: str) -> str:
    """Return a name made of any text."""
    found = re.sub(r"\W+", "_", text).strip("_")
    if not found or found[0].isdigit():
        return default
    return python_name(found)
