"""Locals that are dicts and records: tables of the file that nothing but their own words touch.

A table becomes a dict where nobody else can see it and its keys are all text, or all numbers; one
whose fields are all named and there whenever they are read becomes a `SimpleNamespace`. `pairs`
goes over a dict in the order in which its entries were put, as it goes over a table's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import cast

from . import ast
from .dict_candidates import Keyed, LoopPart
from .dict_finder import DictFinder
from .kinds import Type
from .lists import is_something
from .scope import Variable
from .types import Types


@dataclass(slots=True)
class Dicts:
    """What is known of a file's dicts and records.

    Attributes
    ----------
    variables : dict
    holders : dict
        Variables of loops over them, and what they hold: a key, or a value.
    made : dict
        The constructors, by their ids, that make them.
    """

    variables: dict[Variable, Keyed] = field(default_factory=dict)
    holders: dict[Variable, LoopPart] = field(default_factory=dict)
    made: dict[int, Keyed] = field(default_factory=dict)

    def given(self) -> dict[Variable, list[ast.Expression | None]]:
        """Return what the variables of loops are given."""
        return {v: [cast("ast.Expression", part)] for v, part in self.holders.items()}

    def types(self) -> dict[Variable, Type]:
        """Return the types of the variables."""
        return {
            variable: Type("record" if owner.record else "dict", detail=owner)
            for variable, owner in self.variables.items()
        }


def find_dicts(
    block: ast.Block,
    types: Types,
    lists: Iterable[Variable],
    catches: bool,
    hears: bool,
    again: Callable[[Dicts], Types],
) -> tuple[Dicts, Types]:
    """Return the locals of a file that are dicts or records, and the types that follow.

    Parameters
    ----------
    block : ast.Block
    types : Types
        Those without dicts.
    lists : iterable of Variable
        Locals that are lists.
    catches : bool
        Whether the program goes on after errors.
    hears : bool
        Whether it may read what they say.
    again : callable
        Gives the types with these dicts.
    """
    finder = DictFinder(types.file, lists, catches, hears)
    finder.block(block)
    kept = finder.candidates
    for owner in kept.values():
        owner.settle()
    while kept:
        found = Dicts(
            kept,
            {
                variable: LoopPart(0, 0, owner, key)
                for variable, (owner, key) in finder.holders.items()
                if owner.variable in kept
            },
            {id(node): owner for owner in kept.values() for node in owner.constructors},
        )
        with_dicts = again(found)
        kept = {v: owner for v, owner in kept.items() if _is_right(owner, with_dicts)}
        if len(kept) == len(found.variables):
            return found, with_dicts
    return Dicts(), types


def _is_right(owner: Keyed, types: Types) -> bool:
    """Whether a dict or record does what the table does, with the types that follow."""
    owner.solid = all(v is not None and is_something(types, v) for v in owner.all.values)
    if owner.record:
        return True
    if (owner.walkers or owner.emptiness) and not owner.solid:
        return False
    if owner.walkers and any(scope is not owner.scope for scope in owner.changed):
        return False  # a function that the loop calls may change it
    kinds = [types.of(key) for key in owner.keys]
    if any(kind.optional for kind in kinds):
        return False
    if all(isinstance(k, str) for k in owner.names) and all(k.kind == "string" for k in kinds):
        return True
    if any(isinstance(k, str) for k in owner.names) or not all(k.is_number for k in kinds):
        return False
    counted = all(types.of(key).is_number for key in owner.asked) and bool(owner.keys)
    return counted and not owner.walkers and not owner.bare
