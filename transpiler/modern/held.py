"""What models hold, and where that makes core's numbers others than Torch's.

A module that stands in a model twice has one output and one gradient of its input in Torch, those
of its last pass, and goes back with them (nn/Linear.lua: updateGradInput, accGradParameters). A
vector of getParameters is no longer the model's once the model changes its type, grows, or is part
of a larger one that is flattened (nn/Module.lua: flatten, type).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from .. import ast
from ..scope import Variable
from ..walk import walk
from .chains import chain_of
from .variables import Key

if TYPE_CHECKING:
    from .rewrite import Rewriter

_CASTS = ("cuda", "float", "double", "type")
_KEPT = ("add", "getParameters")
_CHANGES = (*_CASTS, *_KEPT)
_TWICE = "it stands in the model twice: Torch goes back with its last output"
_STALE = "the vector is no longer the model's: it was flattened before it changed"


class Held:
    """What the models of a program hold.

    Parameters
    ----------
    rewriter : Rewriter
    """

    def __init__(self, rewriter: Rewriter) -> None:
        self.r = rewriter
        self.parts: dict[Key, Counter[Key]] = {}
        """By model, or function that makes one: the variables of what is added to it."""
        self.places: dict[Key, tuple[int, int]] = {}
        """Where a variable's definition was rewritten: the function, and its loops around it."""
        self.nodes: dict[Key, tuple[str, ast.Node]] = {}
        self.changes: list[tuple[str, int, str, Key]] = []
        self.uses: dict[Key, list[tuple[str, ast.Name]]] = {}
        self._collect()

    def define(self, key: Key) -> None:
        """Say that a variable is given a model here."""
        self.places[key] = self._function(), self.r.loops

    def add(self, owners: list[Any], node: Any) -> None:
        """Say that a model is added to others."""
        base, calls = chain_of(node)
        inner = self.r.facts.key(base)
        if inner is None or not all(c.method in _CASTS for c in calls):
            return
        values = self.r.facts.values(inner)
        if values is None or len(values) != 1 or (isinstance(inner, Variable) and inner.writes):
            return  # another module each time
        function, loops = self.places.get(inner, (self._function(), self.r.loops))
        again = loops < self.r.loops or function != self._function()
        if isinstance(inner, Variable) and inner.kind == "parameter":
            again = False
        for owner in owners:
            if owner is not None:
                self.parts.setdefault(owner, Counter())[inner] += 1 + again
        self.nodes[inner] = self.r.path, node

    def check(self) -> None:
        """Refuse what would give other numbers."""
        for owner in self.parts:
            for inner, count in self.inside(owner).items():
                if count > 1:
                    self.r.path, node = self.nodes[inner]
                    self.r.refuse_keys(node, [inner, owner], _TWICE)
        self._check_vectors()

    def _function(self) -> int:
        return id(self.r.bodies[-1]) if self.r.bodies else 0

    def inside(self, owner: Key, depth: int = 8) -> Counter[Key]:
        """Return how often each variable's module is in a model, at any depth."""
        found: Counter[Key] = Counter()
        for inner, count in self.parts.get(owner, Counter()).items():
            found[inner] += count
            if depth:
                for part, times in self.inside(inner, depth - 1).items():
                    found[part] += count * times
        return found

    def _collect(self) -> None:
        """Find where models change, and where vectors of their parameters are used."""
        facts = self.r.facts
        for file in self.r.files:
            for node in walk(file.block):
                if isinstance(node, ast.MethodCall) and node.method in _CHANGES:
                    key = facts.key(chain_of(node)[0])
                    if key is not None and facts.roles.get(key) == "model":
                        known = node.method != "type" or node.arguments
                        kind = node.method if node.method in _KEPT else "cast"
                        self.changes += [(file.path, node.line, kind, key)] if known else []
                elif isinstance(node, ast.Name):
                    key = facts.key(node)
                    if key in self.r.training.flat:
                        self.uses.setdefault(key, []).append((file.path, node))

    def _check_vectors(self) -> None:
        facts = self.r.facts
        for key, uses in self.uses.items():
            model = facts.key(self.r.training.flat[key])
            path, made = uses[0]
            last = max(n.line for p, n in uses if p == path)
            for where, line, kind, changed in self.changes:
                if model is None or where != path or not made.line < line < last:
                    continue
                around, inside = model in self.inside(changed), changed in self.inside(model)
                own = changed == model and kind != "getParameters"
                stale = {"cast": around or inside, "add": inside, "getParameters": around}[kind]
                if own or stale:
                    self.r.path = path
                    self.r.refuse_keys(uses[-1][1], [key, model], _STALE)
                    break
