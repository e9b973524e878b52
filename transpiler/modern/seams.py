"""Where models leave what is rewritten: files and functions whose callers stay as they are.

A file of models is rewritten even where the program that uses it is not: what it returns becomes
a model of Torch again, by `as_torch`, on the same parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .. import ast
from ..scope import Variable
from ..sharing import LOADERS
from ..syntax import dotted
from ..walk import plain, walk

if TYPE_CHECKING:
    from .facts import Facts
    from .variables import Key


class Seams:
    """The files and functions of a program whose models go to what stays as it is.

    Parameters
    ----------
    facts : Facts
    cut : set
        Anchors of functions and paths of files that have been found to be such.
    """

    def __init__(self, facts: Facts, cut: Iterable[Any]) -> None:
        self.facts = facts
        self.cut = frozenset(cut)
        self.homes = {
            id(n): f.path
            for f in facts.files.values()
            for n in walk(f.block)
            if isinstance(n, (ast.Function, ast.Call))
        }
        """The file of each function and call."""
        loose = self._loaded_by_computed_names()
        self.paths = loose | {c for c in self.cut if isinstance(c, str) and c in facts.files}
        self.functions: set[int] = set()
        for path in loose:
            found = self._exported(path)
            self.functions |= set() if found is None else {id(found)}
        for values in facts.global_values():
            if len(values) > 1:  # a function of that name in each of several files
                self.functions |= {id(v) for v in values if isinstance(v, ast.Function)}
        for key in self._keys():
            if facts.anchor(key) in self.cut:
                self.functions |= {id(f) for f in [facts.function_in(key)] if f is not None}

    def has(self, function: ast.Function) -> bool:
        """Whether a function's models go to what stays as it is."""
        return id(function) in self.functions

    def has_file(self, path: str) -> bool:
        """Whether the model that a file returns goes to what stays as it is."""
        return path in self.paths

    def open(self, key: Key) -> bool:
        """Whether a function may be cut off from those who call it: none do so in its own file."""
        function = self.facts.function_in(key)
        if function is None or self.has(function):
            return False
        same = [k for k in self._keys() if self.facts.function_in(k) is function]
        public = any(isinstance(k, str) or self.facts.is_exported(k) for k in same)
        home = self.homes[id(function)]
        calls = [c for k in same for c in self.facts.calls_of(k)]
        return public and not any(self.homes.get(id(c)) == home for c in calls)

    def exporter(self, key: Key) -> str | None:
        """Return the file that gives a model to others, if it does and was not cut off."""
        for path, file in self.facts.files.items():
            if file.exported is not None and self.facts.key(file.exported) == key:
                return None if path in self.paths or len(self.facts.files) == 1 else path
        return None

    def _keys(self) -> Iterator[Key]:
        yield from self.facts.function_keys()

    def _exported(self, path: str) -> ast.Function | None:
        exported = plain(self.facts.files[path].exported)
        if isinstance(exported, ast.Function):
            return exported
        key = self.facts.key(exported)
        return self.facts.function_in(key) if isinstance(key, Variable) else None

    def _loaded_by_computed_names(self) -> set[str]:
        """Return the files that are loaded by no name that is written out, if any may be."""
        named: set[str] = set()
        computed = False
        for call in self.facts.calls:
            if not isinstance(call, ast.Call):
                continue
            names = [dotted(call.function), *map(dotted, call.arguments[:1])]
            for position, name in enumerate(names):
                if name not in LOADERS or len(call.arguments) <= position:
                    continue
                given = plain(call.arguments[position])
                path = self.facts.path_of(given.value) if isinstance(given, ast.String) else None
                computed = computed or not isinstance(given, ast.String)
                named |= {path} if path is not None else set()
        return set(self.facts.files) - named if computed else set()
