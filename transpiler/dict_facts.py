"""Which entries of tables are there, on the way through a file.

What was assigned before on every way, or was found to be there by a condition around, is there.
Nothing but deleting takes it away again.
"""

from __future__ import annotations

from . import ast
from .dict_candidates import Key, Keyed
from .scope import Variable

Fact = tuple[Keyed, Key]


class Facts:
    """The candidates of a file, and which of their entries are there.

    Attributes
    ----------
    candidates : dict
        Locals that may be dicts or records.
    here : set
        The entries that are there at the place that is read.
    """

    def __init__(self) -> None:
        self.candidates: dict[Variable, Keyed] = {}
        self.here: set[Fact] = set()

    def candidate(self, node: ast.Expression) -> Keyed | None:
        """Return the candidate that a name means."""
        if not isinstance(node, ast.Name) or node.variable is None:
            return None
        return self.candidates.get(node.variable)

    def drop(self, owner: Keyed) -> None:
        """Give a candidate up: somebody else may see it."""
        self.candidates.pop(owner.variable, None)

    def fact(self, node: ast.Expression) -> Fact | None:
        """Return the entry that an expression reads, if its key is sure."""
        while isinstance(node, ast.Paren):
            node = node.inner
        owner = self.candidate(node.table) if isinstance(node, ast.Index) else None
        key = sure_key(node.key) if isinstance(node, ast.Index) else None
        return None if owner is None or key is None else (owner, key)

    def know(self, owner: Keyed, key: ast.Expression) -> None:
        """Note that an entry is there from here on."""
        sure = sure_key(key)
        if sure is not None:
            self.here.add((owner, sure))

    def forget(self, owner: Keyed) -> None:
        """Note that a table is made anew."""
        self.here = {fact for fact in self.here if fact[0] is not owner}

    def told(self, node: ast.Expression, truth: bool) -> set[Fact]:
        """Return what is there if a condition is true, or false."""
        match node:
            case ast.Paren(inner=inner):
                return self.told(inner, truth)
            case ast.Unary(operator="not", operand=inner):
                return self.told(inner, not truth)
            case ast.Index() if truth:
                fact = self.fact(node)
                return set() if fact is None else {fact}
            case ast.Binary(operator="and" | "or", left=left, right=right):
                if truth == (node.operator == "and"):
                    return self.told(left, truth) | self.told(right, truth)
            case ast.Binary(operator="==" | "~=", left=left, right=right):
                same = truth == (node.operator == "==")
                for one, other in ((left, right), (right, left)):
                    something = isinstance(other, (ast.String, ast.Number))
                    fact = self.fact(one)
                    told = same if something else isinstance(other, ast.Nil) and not same
                    if fact is not None and told:
                        return {fact}
        return set()


def sure_key(key: ast.Expression) -> Key | None:
    """Return what a key is, if it is that wherever it stands."""
    if isinstance(key, (ast.String, ast.Number)):
        return key.value
    if isinstance(key, ast.Name) and key.variable is not None and not key.variable.writes:
        return key.variable
    return None
