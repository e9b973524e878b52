"""The files of a program as the modern pass starts from them: graphs are classes already."""

from __future__ import annotations

from collections.abc import Sequence

from .. import ast, library
from ..diagnostics import Kept
from ..reading import read
from ..scope import FileScope, resolve
from ..syntax import dotted
from ..walk import names_in, plain
from .files import File
from .graphs import graphs_as_classes
from .lowering import resolve_modern
from .models import suffix_of

_GRAPH = b"gModule"
_ANNOTATIONS = b".annotations"


def prepared(sources: Sequence[tuple[str, bytes]]) -> tuple[list[File], list[tuple[str, Kept]]]:
    """Return the parsed files of a program, and the graphs that stay as they are.

    Parameters
    ----------
    sources : sequence of (str, bytes)
    """
    files = []
    for path, text in sources:
        block = read(text, path)
        scopes = resolve(block)
        unalias(scopes)
        files.append(File(path, block, scopes))
    kept: list[tuple[str, Kept]] = []
    with_graphs = {path for path, text in sources if _GRAPH in text}
    if not with_graphs:
        return files, kept
    reads_names = any(_ANNOTATIONS in text for _, text in sources)
    suffix, imports = suffix_of(default_is_double(files))
    taken = {n.name for f in files for n in names_in(f.block)}
    for position, file in enumerate(files):
        if file.path in with_graphs:
            found = graphs_as_classes(file, taken, reads_names, suffix, imports)
            kept += [(file.path, k) for k in found]
            scopes = resolve_modern(file.block)
            unalias(scopes)
            files[position] = File(file.path, file.block, scopes)
    return files, kept


def unalias(scopes: FileScope) -> None:
    """Make locals that are `require 'nn'` and the like the packages themselves."""
    for scope in (scopes.top, *scopes.scopes.values()):
        for variable in scope.variables:
            values = variable.values
            if variable.writes or variable.unknown or variable.several or len(values) != 1:
                continue
            call = plain(values[0])
            if not isinstance(call, ast.Call) or dotted(call.function) != "require":
                continue
            package = plain(call.arguments[0]) if len(call.arguments) == 1 else None
            if isinstance(package, ast.String) and package.value in library.PACKAGES:
                for name in variable.names:
                    name.name, name.variable = package.value, None


def default_is_double(files: Sequence[File]) -> bool | None:
    """Return whether tensors are doubles by default, None where the program decides."""
    calls = [c for f in files for c in f.scopes.calls if isinstance(c, ast.Call)]
    always = {
        id(s.call) for f in files for s in f.block.statements if isinstance(s, ast.CallStatement)
    }
    found = set()
    for call in calls:
        if dotted(call.function) == "torch.setdefaulttensortype":
            given = plain(call.arguments[0]) if call.arguments else None
            known = isinstance(given, ast.String) and id(call) in always
            found.add(given.value if known and isinstance(given, ast.String) else None)
    if found <= {"torch.DoubleTensor"}:
        return True
    return False if found == {"torch.FloatTensor"} else None
