"""Which globals the files of a run share, and which only have the same name.

The scripts of a repository mostly are programs of their own: `opt` of one is not `opt` of the
other. Files share a global where one run can load both: by `require` and `dofile` of names that
stand in the text, or of any file where a name is put together while the program runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from . import ast, library
from .kinds import ANY, Type, join
from .syntax import dotted, required_name

if TYPE_CHECKING:
    from .module import Module
    from .types import Types

LOADERS = frozenset(["require", "dofile", "loadfile", "paths.dofile", "include"])
DYNAMIC = frozenset(["_G", "getfenv", "setfenv", "load", "loadstring"])
"""Names with which a program reaches any global; loaded source knows of it nothing else."""


def shared_globals(
    modules: dict[str, Module], together: dict[str, set[str]]
) -> tuple[set[str], bool]:
    """Return the globals that several files of one run use, one of which assigns them.

    Where there are workers, which have globals of their own, it is all that the program assigns.

    Parameters
    ----------
    modules : dict
        The files, by their paths.
    together : dict
        What `files_together` gives.

    Returns
    -------
    names : set of str
    dynamic : bool
        Whether the program may assign any of them by a name that no text shows.
    """
    writers: dict[str, set[str]] = {}
    users: dict[str, set[str]] = {}
    dynamic = False
    for path, module in modules.items():
        scopes = module.scopes
        for name in scopes.global_writes:
            writers.setdefault(name, set()).add(path)
        for scope in (scopes.top, *scopes.scopes.values()):
            for name in scope.globals_read:
                users.setdefault(name, set()).add(path)
            dynamic = dynamic or bool(DYNAMIC & scope.globals_read)
    if not users.get("_"):
        writers.pop("_", None)
    found = {name for name in _packages_of_classes(modules.values()) if name in writers}
    if _has_workers(modules.values()):
        found |= writers.keys()
    for name, assigned in writers.items():
        known = name in library.PACKAGES or name in library.LIBRARIES or name in library.GLOBALS
        everywhere = assigned | users.get(name, set())
        if dynamic or known or any(len(everywhere & together[path]) > 1 for path in assigned):
            found.add(name)
    return found, dynamic


def _has_workers(modules: Iterable[Module]) -> bool:
    calls = (call for module in modules for call in module.scopes.calls)
    return any(required_name(call) == "threads" for call in calls)


def _packages_of_classes(modules: Iterable[Module]) -> set[str]:
    """Return the tables of which `torch.class("geo.Circle")` makes an entry, found by name."""
    names = set()
    for module in modules:
        for call in module.scopes.calls:
            if isinstance(call, ast.Call) and dotted(call.function) == "torch.class":
                given = [a.value for a in call.arguments[:1] if isinstance(a, ast.String)]
                names |= {text.partition(".")[0] for text in given if "." in text}
    return names


def shared_functions(modules: Iterable[Module], shared: set[str]) -> dict[str, ast.Function]:
    """Return those shared globals that are one function always, from a file's top."""
    counts: dict[str, int] = {}
    found: dict[str, ast.Function] = {}
    for module in modules:
        for name, count in module.scopes.global_writes.items():
            if name in shared:
                counts[name] = counts.get(name, 0) + count
        for statement in module.block.statements:
            if isinstance(statement, ast.FunctionStatement):
                target = statement.target
                if isinstance(target, ast.Name) and target.variable is None:
                    found[target.name] = statement.function
    return {name: f for name, f in found.items() if counts.get(name) == 1}


def shared_types(
    modules: Iterable[Module], shared: set[str], types_of: Callable[[Module], Types]
) -> dict[str, Type]:
    """Return the types of shared globals: of all that the files assign to them.

    Parameters
    ----------
    modules : iterable of Module
    shared : set of str
    types_of : callable
        Gives the types of a file for which shared globals may be anything.
    """
    found: dict[str, Type | None] = {}
    for module in modules:
        written = shared & module.scopes.global_values.keys()
        if not written:
            continue
        try:
            types = types_of(module)
        except RecursionError:  # the file cannot be translated, and says so when it is its turn
            found |= dict.fromkeys(written, ANY)
            continue
        for name in written:
            for value in module.scopes.global_values[name]:
                kind = ANY if value is None else types.of(value)
                found[name] = join(found.get(name), replace(kind, detail=_everywhere(kind)))
    return {name: kind for name, kind in found.items() if kind is not None}


def _everywhere(kind: Type) -> object:
    """Return what of a type's details holds in other files too: not the fields of a table."""
    return None if kind.kind in ("table", "function") else kind.detail


def files_together(modules: dict[str, Module]) -> dict[str, set[str]]:
    """Return for each file the files that a run with it may have."""
    loads = {path: _loaded(module, modules) for path, module in modules.items()}
    found: dict[str, set[str]] = {path: {path} for path in modules}
    for start in modules:
        reached, waiting = {start}, [start]
        while waiting:
            for path in loads[waiting.pop()] - reached:
                reached.add(path)
                waiting.append(path)
        if len(reached) == len(modules):
            return dict.fromkeys(modules, reached)
        for path in reached:
            found[path] |= reached
    return found


def _loaded(module: Module, modules: Iterable[str]) -> set[str]:
    """Return the files that a file loads itself; all of them where that cannot be told."""
    found: set[str] = set()
    for call in module.scopes.calls:
        if not isinstance(call, ast.Call):
            continue
        names = [dotted(call.function), *map(dotted, call.arguments[:1])]
        if names[0] == "torch.include":  # of a package, a file
            found |= _named(call.arguments[-1], module, modules)
        for position, name in enumerate(names):
            if name in LOADERS and len(call.arguments) > position:
                found |= _named(call.arguments[position], module, modules)
    return found


def _named(node: ast.Expression, module: Module, modules: Iterable[str]) -> set[str]:
    if isinstance(node, ast.String):
        other = module.find(node.value)
        if other is not None:
            return {other.path}
        plain = node.value.removesuffix(".lua")
        names = {f"/{text.lstrip('./')}" for text in (plain, plain.replace(".", "/"))}
        return {
            path
            for path in modules
            if any(f"/{path.removesuffix('.lua').removesuffix('/init')}".endswith(n) for n in names)
        }
    if isinstance(node, ast.Binary) and node.operator == ".." and isinstance(node.left, ast.String):
        start = node.left.value.removeprefix("./").replace(".", "/")
        if start:
            return {path for path in modules if f"/{path}".find(f"/{start}") >= 0}
    return set(modules)
