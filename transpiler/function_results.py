"""What functions give: how many results, and of which types."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from . import ast
from .kinds import ANY, NIL, Type, join
from .syntax import always_returns, may_be_several, plain_count, returns

if TYPE_CHECKING:
    from .types import Types


class FunctionResults:
    """The results of a file's functions, as far as types are known.

    Parameters
    ----------
    types : Types
    """

    def __init__(self, types: Types) -> None:
        self._types = types
        self._known: dict[int, tuple[int | None, list[Type | None]]] = {}

    def clear(self) -> None:
        """Forget what was found: more is known of the types."""
        self._known.clear()

    def count(self, function: ast.Function) -> int | None:
        """Return how many results a function always gives; None where that varies or is unknown.

        0 is a function that returns nothing ever.
        """
        return self._of(function)[0]

    def first(self, function: ast.Function) -> Type | None:
        """Return the type of the first result, None where it rests on what is not known yet."""
        return self._of(function)[1][0]

    def kinds(self, function: ast.Function) -> list[Type | None]:
        """Return the types of as many results as are known, of the first at least."""
        return self._of(function)[1]

    def _of(self, function: ast.Function) -> tuple[int | None, list[Type | None]]:
        key = id(function)
        if key not in self._known:
            self._known[key] = (
                None,
                [ANY if self._types.is_settled else None],
            )  # while it is looked at
            if key in self._types.file.scopes:
                self._known[key] = self._count_results(function)
            else:
                kinds = self._types.elsewhere(function)
                self._known[key] = plain_count(function), [*kinds] if kinds else [ANY]
        return self._known[key]

    def _count_results(self, function: ast.Function) -> tuple[int | None, list[Type | None]]:
        types = self._types
        counts: set[int | None] = set()
        kinds: list[Type | None] = [None]
        for found in returns(function.body):
            if found.values and may_be_several(found.values[-1]):
                several = types.results(found.values[-1])
                counts.add(None if several is None else len(found.values) - 1 + len(several))
            else:
                counts.add(len(found.values))
            given = [types.of_maybe(value) for value in found.values] or [NIL]
            if found.values and may_be_several(found.values[-1]) and len(given) > 1:
                given[-1] = ANY
            kinds += [None] * (len(given) - len(kinds))
            kinds = [join(kind, own) for kind, own in zip_longest(kinds, given, fillvalue=ANY)]
        if not counts:
            return 0, [NIL]
        if counts == {0}:
            return 0, [NIL]
        if not always_returns(function.body):
            kinds = [join(kind, NIL) for kind in kinds]
            counts.add(0)
        if counts == {0, 1} and id(function) in types.methods:
            return 1, kinds  # Python calls them too, and takes None for nothing
        return (counts.pop() if len(counts) == 1 else None), kinds
