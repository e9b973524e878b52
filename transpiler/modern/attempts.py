"""Tries to rewrite a program, leaving out what refuses, until the rest agrees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .. import ast
from ..diagnostics import Kept
from ..scope import FileScope, Variable
from ..walk import names_in, package_member, plain, walk
from .branches import CLASSES
from .builds import separate_builds
from .chains import is_container
from .classes import class_of
from .facts import Facts
from .field_builds import separate_fields
from .files import File
from .left import reasons_left
from .lowering import resolve_modern
from .nodes import NN, SEED, Line, Nothing, Template, like
from .optimizers import is_simple
from .prepared import default_is_double, prepared
from .programs import programs
from .rewrite import Rewriter
from .stages import separate_stages

_BOTH = {"nn": "legacy_nn", "optim": "legacy_optim"}
"""Packages that core and Torch both have, and what Torch's is called beside core's."""

_BUILT = frozenset(["nn", "as_graph"])
"""Names that only a file with something of core's imports."""


@dataclass(slots=True)
class Modern:
    """A file after the modern pass.

    Attributes
    ----------
    block : ast.Block
    scopes : FileScope
    kept : list of Kept
        What stays as it is, and why.
    renamed : dict of str to str
        Packages of Torch that go by another name, because core's are used too.
    reserved : frozenset of str
        Names that templates use.
    classes : list of str
        Definitions that stand at the top.
    """

    block: ast.Block
    scopes: FileScope
    kept: list[Kept] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    reserved: frozenset[str] = frozenset()
    classes: list[str] = field(default_factory=list)


def modern(
    sources: Sequence[tuple[str, bytes]], required: Callable[[str], str | None]
) -> dict[str, Modern]:
    """Rewrite the files of a program.

    Parameters
    ----------
    sources : sequence of (str, bytes)
        Paths and texts, which are Lua.
    required : callable
        Gives the path of the file that `require(name)` means, or None.

    Returns
    -------
    dict
        By path; files of programs without nn are left out.
    """
    found: dict[str, Modern] = {}
    for program in programs(sources, required):
        if any(b"nn" in text for _, text in program):
            found |= _program(program, required)
    return found


def _program(
    sources: Sequence[tuple[str, bytes]], required: Callable[[str], str | None]
) -> dict[str, Modern]:
    """Rewrite files that run together."""
    kept: list[tuple[str, Kept]] = []
    faithful: set[Any] = set()
    cut: set[Any] = set()
    graphs: list[tuple[str, Kept]] = []
    while True:
        files, graphs = prepared(sources)
        for file in files:
            separate_stages(file)
            separate_builds(file, partial(_stays, files, file, faithful), faithful)
            separate_fields(file, faithful)
        facts = Facts(files, required, faithful, frozenset(cut))
        double = default_is_double(files)
        chains = any(class_of(call) == "Sequential" for call in facts.calls)
        rewritten = any(isinstance(n, Template) for f in files for n in walk(f.block))
        if not (facts.roles or facts.builders or chains or rewritten):
            return {f.path: _unchanged(f, [*kept, *graphs]) for f in files}
        rewriter = Rewriter(files, facts, double)
        rewriter.run()
        if not rewriter.refused:
            return _finished(rewriter, [*kept, *graphs, *rewriter.notes])
        new, seams = _refused(facts, rewriter)
        told: set[Any] = set()
        for anchors, path, reason in rewriter.refused:  # the first reason of each group
            roots = {facts.groups.root(a) for a in anchors}
            if not roots <= told or not roots:
                kept.append((path, reason))
            told |= roots
        if new <= faithful and seams <= cut:  # nothing to leave out: all of it, then
            files, graphs = prepared(sources)
            return {f.path: _unchanged(f, [*kept, *graphs]) for f in files}
        faithful |= new
        cut |= seams


def _stays(files: list[File], file: File, faithful: set[Any], key: Variable | str) -> bool:
    """Whether a variable has been left as it is, or holds more than models that are made."""
    if isinstance(key, str):
        values = [v for f in files for v in f.scopes.global_values.get(key, [])]
        return key in faithful or len(values) > 1
    if (file.path, key.name, key.line, key.kind, key.depth) in faithful:
        return True
    made = [v for v in key.values if v is not None and not isinstance(plain(v), ast.Nil)]
    return key.unknown or not all(is_container(v) for v in made)


def _unchanged(file: File, kept: list[tuple[str, Kept]]) -> Modern:
    """Return a file of which nothing but graphs has been rewritten."""
    return _written(file, set(), kept)


def _written(file: File, classes: set[str], kept: list[tuple[str, Kept]]) -> Modern:
    """Return a file with the names that its templates need."""
    templates = [n for n in walk(file.block) if isinstance(n, Template)]
    imported = {name for t in templates for name, _ in t.imports} | classes
    imported |= {"nn"} if classes else set()
    renamed = {k: v for k, v in _BOTH.items() if k in imported}
    reserved = imported | {"core_tensor", "from_zero", "ops", *renamed.values()}
    own = [k for path, k in kept if path == file.path]
    return Modern(
        file.block,
        resolve_modern(file.block) if templates else file.scopes,
        list(dict.fromkeys(sorted(own, key=lambda k: k.line)))
        or ([] if _BUILT & imported else reasons_left(file.block)),
        renamed,
        frozenset(reserved if templates else ()),
        [CLASSES[name].strip("\n") for name in sorted(classes)],
    )


def _refused(facts: Facts, rewriter: Rewriter) -> tuple[set[Any], set[Any]]:
    """Return the anchors of all groups that refused, and where a group can be cut first.

    Functions and files that give models to other files are cut off from those, so that they are
    rewritten where their callers are not; a parameter is cut off from what it is given.
    """
    groups = facts.groups
    roots = {groups.root(a) for anchors, _, _ in rewriter.refused for a in anchors}
    known = {facts.anchor(k) for k in facts.roles}
    known |= set(groups.parents) | set(groups.parents.values())
    seams: dict[Any, set[Any]] = {}
    for key in facts.builders:
        if facts.seams.open(key):
            anchor = facts.anchor(key)
            seams.setdefault(groups.root(anchor), set()).add(anchor)
    for key, role in facts.roles.items():
        path = facts.seams.exporter(key) if role == "model" else None
        if path is not None:
            seams.setdefault(groups.root(facts.anchor(key)), set()).add(path)
    found: set[Any] = set().union(*(seams[r] for r in roots if r in seams))
    parameters: dict[Any, set[Any]] = {}
    for anchors, _, _ in rewriter.refused:
        for anchor in anchors:
            if isinstance(anchor, tuple) and anchor[3] == "parameter":
                parameters.setdefault(groups.root(anchor), set()).add(anchor)
    whole = {r for r in roots if r not in seams and r not in parameters}
    alone = set().union(*(parameters[r] for r in roots if r not in seams and r in parameters))
    return {a for a in known if groups.root(a) in whole} | whole | alone, found


def _finished(rewriter: Rewriter, kept: list[tuple[str, Kept]]) -> dict[str, Modern]:
    found = {}
    _rename_optimizer(rewriter)
    written = [n for f in rewriter.files for n in walk(f.block) if isinstance(n, Template)]
    draws = any(NN in t.imports for t in written)
    for file in rewriter.files:
        block = file.block
        _remove(block, rewriter.training.closures.removed)
        if not draws:
            _remove_seeds(block)
        found[file.path] = _written(file, rewriter.classes_of[file.path], kept)
    return found


def _remove(block: ast.Block, functions: set[int]) -> None:
    """Take away closures that have been written where they were called, and unused classes."""
    declared = set()
    for node in walk(block):
        if isinstance(node, ast.Local):
            declared |= {id(n) for n in node.names}
    used = {n.variable for n in names_in(block) if n.variable and id(n) not in declared}

    def is_gone(statement: ast.Statement) -> bool:
        if isinstance(statement, ast.If) and statement.otherwise is None:
            inner = [s for _, block in statement.branches for s in block.statements]
            empty = inner and all(isinstance(s, Nothing) and not s.before for s in inner)
            return bool(empty) and all(is_simple(test) for test, _ in statement.branches)
        if isinstance(statement, ast.LocalFunction):
            return id(statement.function) in functions
        if isinstance(statement, ast.Local) and len(statement.values) == len(statement.names) == 1:
            value = plain(statement.values[0])
            is_class = package_member(value, "nn", "cudnn") is not None
            unused = is_class and statement.names[0].variable not in used
            return unused or id(value) in functions
        if isinstance(statement, ast.Assign) and len(statement.values) == 1:
            return id(plain(statement.values[0])) in functions
        if isinstance(statement, ast.FunctionStatement):
            return id(statement.function) in functions
        return False

    for node in walk(block):
        if isinstance(node, ast.Block):
            node.statements = [
                like(Nothing(s.line, s.column), s) if is_gone(s) else s for s in node.statements
            ]


def _remove_seeds(block: ast.Block) -> None:
    """Take away what lets core draw from Torch's generator, where nothing of core draws."""
    for node in walk(block):
        if isinstance(node, ast.Block):
            node.statements = [
                s for s in node.statements if not (isinstance(s, Line) and SEED in s.code.imports)
            ]


def _rename_optimizer(rewriter: Rewriter) -> None:
    """Call a file's only table of options what it has become: optimizer."""
    states = {s for made in rewriter.training.made.values() for s in made}
    shared = {s for s in states if isinstance(s, str)}
    for file in rewriter.files:
        own = shared | {
            s for s in states if not isinstance(s, str) and rewriter.facts.anchor(s)[0] == file.path
        }
        names = {n.name for n in names_in(file.block)}
        if len(own) != 1 or "optimizer" in names or (shared and len(states) > 1):
            continue
        (state,) = own
        for node in names_in(file.block):
            free = node.variable is None and node.name == state
            if free if isinstance(state, str) else node.variable is state:
                node.name = "optimizer"
