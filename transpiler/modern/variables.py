"""What the variables, fields and functions of a program are given, and how often they are used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from .. import ast, library
from ..scope import Scope, Variable
from ..syntax import dotted
from ..walk import plain, walk
from .classes import class_of
from .files import File

Key = Variable | str
"""A local variable, the name of a global, or "." and the name of a field that is a function."""

_LIBRARIES = library.PACKAGES | library.LIBRARIES.keys()


class Variables:
    """The variables of a program.

    Parameters
    ----------
    files : list of File
    required : callable
        Gives the path of the file that `require(name)` means, or None.
    """

    def __init__(self, files: list[File], required: Callable[[str], str | None]) -> None:
        self.files = {f.path: f for f in files}
        self.names = {n.name for f in files for n in walk(f.block) if isinstance(n, ast.Name)}
        self._required = required
        self._paths = {f.scopes.top: f.path for f in files}
        self._scopes: list[Scope] = [
            s for f in files for s in (f.scopes.top, *f.scopes.scopes.values())
        ]
        self.inner = {k: s for f in files for k, s in f.scopes.scopes.items()}
        self.calls = [c for f in files for c in f.scopes.calls]
        self._collect(files)
        self._given = self._arguments()

    def _collect(self, files: list[File]) -> None:
        self._globals: dict[str, list[Any]] = {}
        dynamic = False
        for f in files:
            for name, values in f.scopes.global_values.items():
                self._globals.setdefault(name, []).extend(values)
            for scope in (f.scopes.top, *f.scopes.scopes.values()):
                dynamic = dynamic or bool({"_G", "getfenv", "setfenv"} & scope.globals_read)
        if dynamic:
            self._globals = {name: [None] for name in self._globals}
        self.field_targets = [t for f in files for t, _ in f.scopes.field_writes]
        """What is assigned to that is a field."""
        self._fields: dict[str, list[Any]] = {}
        self._field_uses: Counter[str] = Counter()
        self._global_uses: Counter[str] = Counter()
        self._calls_of: dict[Key, list[ast.Call]] = {}
        for f in files:
            for node in walk(f.block):
                self._collect_node(node)
            for target, value in f.scopes.field_writes:
                if isinstance(target.key, ast.String):
                    self._fields.setdefault(target.key.value, []).append(value)
                    self._field_uses[target.key.value] -= 1
        for call in self.calls:
            key = self.function_key(call.function) if isinstance(call, ast.Call) else None
            if key is not None and isinstance(call, ast.Call):
                self._calls_of.setdefault(key, []).append(call)

    def _collect_node(self, node: Any) -> None:
        if isinstance(node, ast.Index) and isinstance(node.key, ast.String):
            of_library = (dotted(node.table) or "") in _LIBRARIES
            self._field_uses[node.key.value] += not of_library
        elif isinstance(node, ast.MethodCall):
            self._field_uses[node.method] += 1
        elif isinstance(node, ast.Name) and node.variable is None:
            self._global_uses[node.name] += 1
        elif isinstance(node, (ast.Assign, ast.FunctionStatement)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and target.variable is None:
                    self._global_uses[target.name] -= 1
        elif isinstance(node, ast.Field) and isinstance(node.key, ast.String):
            self._fields.setdefault(node.key.value, []).append(node.value)

    # -- keys -------------------------------------------------------------------------------

    def key(self, node: Any) -> Key | None:
        """Return the variable that an expression is."""
        node = plain(node)
        if not isinstance(node, ast.Name):
            return None
        return node.variable if node.variable is not None else node.name

    def function_key(self, node: Any) -> Key | None:
        """Return the key of a function that an expression names."""
        node = plain(node)
        if isinstance(node, ast.Index) and isinstance(node.key, ast.String):
            owner = node.table
            if (dotted(owner) or "") in _LIBRARIES:  # image.load is no M.load
                return None
            return f".{node.key.value}"
        return self.key(node)

    def anchor(self, key: Key) -> Any:
        """Return what names a variable in every parse of the program."""
        if isinstance(key, str):
            return key
        scope = key.scope
        while scope.parent is not None:
            scope = scope.parent
        return self._paths[scope], key.name, key.line, key.kind, key.depth

    def is_own(self, name: str) -> bool:
        """Whether a global is assigned once in the program, to something that is known."""
        return len(self._globals.get(name, [])) == 1

    def class_in(self, key: Key) -> str | None:
        """Return the class of the plain layer that a variable holds."""
        values = self.values(key) or []
        bases = [v for v in values if class_of(v) is not None]
        return class_of(bases[0]) if len(bases) == len(values) == 1 else None

    # -- what the program has of each kind --------------------------------------------------

    def global_values(self) -> Iterable[list[Any]]:
        """Return what each global is given."""
        return self._globals.values()

    def function_keys(self) -> list[Key]:
        """Return all that functions may be in."""
        found: list[Key] = [v for s in self._scopes for v in s.variables]
        return [*found, *self._globals, *(f".{name}" for name in self._fields)]

    def calls_of(self, key: Key) -> list[ast.Call]:
        """Return the calls of the function in a variable or field."""
        return self._calls_of.get(key, [])

    def path_of(self, name: str) -> str | None:
        """Return the path of the file that `require(name)` means."""
        return self._required(name)

    # -- what variables are given ---------------------------------------------------------

    def _arguments(self) -> dict[Variable, list[Any]]:
        """Return what the parameters of functions are given that are only ever called."""
        found: dict[Variable, list[Any]] = {}
        for key, all_calls in self._calls_of.items():
            function = self.function_in(key)
            if function is None or not self._is_only_called(key) or self.is_exported(key):
                continue
            for call in all_calls:
                for name, value in zip(function.parameters, call.arguments, strict=False):
                    if name.variable is not None:
                        found.setdefault(name.variable, []).append(value)
        return found

    def function_in(self, key: Key) -> ast.Function | None:
        """Return the function that a key always is."""
        if isinstance(key, str):
            name = key.removeprefix(".")
            values = (self._fields if key[:1] == "." else self._globals).get(name, [])
        elif key.writes or key.unknown or key.several:
            return None
        else:
            values = key.values
        only = plain(values[0]) if len(values) == 1 and values[0] is not None else None
        if isinstance(only, ast.Function):
            return only
        path = self._file_of(only)
        if path is not None:  # local create = require 'models.create'
            exported = self.key(self.files[path].exported)
            return None if exported is None or exported == key else self.function_in(exported)
        return None

    def _file_of(self, node: Any) -> str | None:
        """Return the path of the file that `require 'x'` or `dofile 'x.lua'` runs."""
        node = plain(node)
        if not isinstance(node, ast.Call) or len(node.arguments) != 1:
            return None
        name = plain(node.arguments[0])
        if dotted(node.function) not in ("require", "dofile") or not isinstance(name, ast.String):
            return None
        path = self._required(name.value)
        return path if path in self.files else None

    def parameters_of(self, node: ast.Call) -> list[Variable]:
        """Return the parameters of the function of the program that a call calls."""
        key = self.function_key(node.function)
        function = None if key is None else self.function_in(key)
        found = [] if function is None else [n.variable for n in function.parameters]
        return [v for v in found if v is not None]

    def uses(self, key: Key) -> int:
        """Return how often a variable or field is read."""
        if isinstance(key, Variable):
            return key.reads
        return self._field_uses[key[1:]] if key[:1] == "." else self._global_uses[key]

    def is_exported(self, key: Key) -> bool:
        """Whether a file returns a variable, which nobody of the program asks for."""
        return any(self.key(f.exported) == key for f in self.files.values() if f.exported)

    def _is_only_called(self, key: Key) -> bool:
        """Whether a function is called wherever it is used, or returned by its file."""
        return len(self._calls_of.get(key, ())) + self.is_exported(key) == self.uses(key)

    def values(self, key: Key) -> list[Any] | None:
        """Return all that a variable is given, None where that is not known."""
        if isinstance(key, str):
            found: list[Any] | None = list(self._globals.get(key, [None]))
        elif key in self._given and not key.writes:
            found = list(self._given[key])
        else:
            found = None if key.unknown or key.several else list(key.values)
        if found is None or any(v is None for v in found):
            return None
        return [v for v in map(plain, found) if not isinstance(v, ast.Nil)]
