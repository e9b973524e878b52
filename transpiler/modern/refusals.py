"""What does not fit: variables that stay as they are with all of their group, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import ast
from ..diagnostics import Kept
from .facts import Facts
from .variables import Key

_CALLED = {
    "model": "model",
    "criterion": "criterion",
    "params": "vector of parameters",
    "grads": "vector of gradients",
    "state": "table of options",
    "sums": "losses that the optimiser returns",
}

MISFITS = {
    "model": "the model is kept in a table, or given away",
    "criterion": "the criterion is kept in a table, or given away",
    "params": "the vector of parameters is used as one tensor",
    "grads": "the vector of gradients is used as one tensor",
    "state": "the table of options is used beside the optimiser",
    "sums": "of the losses that the optimiser returns more is used than the first",
}
"""Why a variable with a role cannot stand where a value is asked for."""


class Refusals:
    """What one attempt at a program leaves as it is.

    Parameters
    ----------
    facts : Facts

    Attributes
    ----------
    path : str
        The file that is being rewritten.
    refused : list of (list of anchors, path, Kept)
    notes : list of (path, Kept)
        What stays as it is without more.
    targets : list of Key
        The variables whose definitions are being rewritten, the outermost first.
    functions : list of Key
        The functions around the present place, the outermost first; None for one without a name.
    """

    def __init__(self, facts: Facts) -> None:
        self.path = ""
        self.facts = facts
        self.refused: list[tuple[list[Any], str, Kept]] = []
        self.notes: list[tuple[str, Kept]] = []
        self.targets: list[Key] = []
        self.functions: list[Key] = []

    def refuse_keys(self, node: ast.Node, keys: Iterable[Key | None], reason: str) -> None:
        """Leave the groups of variables as they are."""
        found = [k for k in keys if k is not None]
        plain_names = (
            k.lstrip(".").partition("@")[0] if isinstance(k, str) else k.name for k in found
        )
        kept = Kept(node.line, ", ".join(dict.fromkeys(plain_names)), reason)
        self.refused.append(([self.facts.anchor(k) for k in found], self.path, kept))

    def refuse_all(self, node: Any, reason: str) -> None:
        """Leave all variables of an expression as they are."""
        self.refuse_keys(
            node, [*self.facts.keys_in(node), *self.targets, *self.functions[-1:]], reason
        )

    def note(self, node: ast.Node, what: str, reason: str) -> None:
        """Say that a part stays as it is, inside of what is core's."""
        self.notes.append((self.path, Kept(node.line, what, reason)))

    def join(self, *keys: Key | None) -> None:
        """Let variables share a fate."""
        self.facts.groups.join(self.facts.anchor(k) for k in keys if k is not None)

    def explain(self, node: ast.Node) -> None:
        """Say what about something with a role has no counterpart in core."""
        if isinstance(node, ast.MethodCall):
            owner, what = node.object, f"the method {node.method}"
        elif isinstance(node, ast.Index) and isinstance(node.key, ast.String):
            owner, what = node.table, f"the field {node.key.value}"
        else:
            return
        if self.facts.role(owner) not in (None, "loss", "output"):
            self.refuse_all(owner, f"{what} of the {_CALLED[str(self.facts.role(owner))]}")
