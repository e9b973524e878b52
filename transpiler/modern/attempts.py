"""Tries to rewrite a file, leaving out what refuses, until the rest agrees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .. import ast
from ..diagnostics import Kept
from ..parse import parse
from ..scope import FileScope, resolve
from ..syntax import dotted
from .facts import Facts, anchor
from .lowering import resolve_modern
from .nodes import NN, SEED, Line, Nothing, Template, like
from .rewrite import Rewriter
from .walk import plain, walk

_BOTH = {"nn": "legacy_nn", "optim": "legacy_optim"}
"""Packages that core and Torch both have, and what Torch's is called beside core's."""


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
    reserved : set of str
        Names that templates use.
    """

    block: ast.Block
    scopes: FileScope
    kept: list[Kept] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    reserved: frozenset[str] = frozenset()


def modern(source: bytes, path: str, foreign: frozenset[str]) -> Modern:
    """Rewrite a file.

    Parameters
    ----------
    source : bytes
        The Lua text.
    path : str
    foreign : frozenset of str
        Globals that other files use: they stay as they are.

    Raises
    ------
    LuaSyntaxError
        If the text is not Lua.
    """
    kept: list[Kept] = []
    faithful: set[Any] = set()
    while True:
        block = parse(source, path)
        scopes = resolve(block)
        facts = Facts(block, scopes, foreign, faithful)
        double = default_is_double(scopes)
        if not facts.roles or double is None:
            if facts.roles:
                kept = [Kept(1, "models", "the default type of tensors depends on the program")]
            return Modern(block, scopes, kept)
        rewriter = Rewriter(block, facts, double)
        rewriter.run()
        if not rewriter.refused:
            return _finished(block, rewriter, [*kept, *rewriter.notes])
        new = _refused(facts, rewriter)
        told: set[Any] = set()
        for anchors, reason in rewriter.refused:  # the first reason of each group
            roots = {facts.groups.root(a) for a in anchors}
            if not roots <= told or not roots:
                kept.append(reason)
            told |= roots
        if new <= faithful:  # nothing to leave out: all of it, then
            block = parse(source, path)
            return Modern(block, resolve(block), kept)
        faithful |= new


def _refused(facts: Facts, rewriter: Rewriter) -> set[Any]:
    """Return the anchors of all groups that refused."""
    groups = facts.groups
    roots = {groups.root(a) for anchors, _ in rewriter.refused for a in anchors}
    known = {anchor(k) for k in facts.roles} | set(groups.parents) | set(groups.parents.values())
    return {a for a in known if groups.root(a) in roots} | roots


def default_is_double(scopes: FileScope) -> bool | None:
    """Return whether tensors are doubles by default, None where the program decides."""
    found = set()
    for call in scopes.calls:
        if isinstance(call, ast.Call) and dotted(call.function) == "torch.setdefaulttensortype":
            given = plain(call.arguments[0]) if call.arguments else None
            found.add(given.value if isinstance(given, ast.String) else None)
    if found <= {"torch.DoubleTensor"}:
        return True
    return False if found == {"torch.FloatTensor"} else None


def _finished(block: ast.Block, rewriter: Rewriter, kept: list[Kept]) -> Modern:
    _remove(block, rewriter.training.removed)
    _remove_seeds(block)
    _rename_optimizer(block, rewriter)
    templates = [n for n in walk(block) if isinstance(n, Template)]
    imported = {name for t in templates for name, _ in t.imports}
    kept = list(dict.fromkeys(sorted(kept, key=lambda k: k.line)))
    renamed = {k: v for k, v in _BOTH.items() if k in imported}
    reserved = {name.partition(" as ")[2] or name for name in imported}
    reserved |= {"core_tensor", "from_zero", *renamed.values()} if templates else set()
    return Modern(block, resolve_modern(block), kept, renamed, frozenset(reserved))


def _remove(block: ast.Block, functions: set[int]) -> None:
    """Take away the definitions of closures that have been written where they were called."""

    def is_gone(statement: ast.Statement) -> bool:
        if isinstance(statement, ast.LocalFunction):
            return id(statement.function) in functions
        if isinstance(statement, ast.Local) and len(statement.values) == 1:
            return id(plain(statement.values[0])) in functions
        return False

    for node in walk(block):
        if isinstance(node, ast.Block):
            node.statements = [
                like(Nothing(s.line, s.column), s) if is_gone(s) else s for s in node.statements
            ]


def _remove_seeds(block: ast.Block) -> None:
    """Take away what seeds core's generator where nothing of core draws."""
    templates = [n for n in walk(block) if isinstance(n, Template)]
    if any(NN in t.imports for t in templates):
        return
    for node in walk(block):
        if isinstance(node, ast.Block):
            node.statements = [
                s for s in node.statements if not (isinstance(s, Line) and SEED in s.code.imports)
            ]


def _rename_optimizer(block: ast.Block, rewriter: Rewriter) -> None:
    """Call a program's only table of options what it has become: optimizer."""
    states = [s for made in rewriter.training.made.values() for s in made]
    name = "optimizer"
    if len(set(states)) != 1 or name in rewriter.facts.names or name in rewriter.used:
        return
    (state,) = set(states)
    for node in walk(block):
        if isinstance(node, ast.Name):
            same = node.name == state if isinstance(state, str) else node.variable is state
            if same and (node.variable is None or not isinstance(state, str)):
                node.name = name
