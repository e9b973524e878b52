"""Locals that may be dicts or records, as far as the text of a file was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from . import ast
from .kinds import ANY, NIL, UNBOUNDED, Type, join
from .names import is_attribute
from .scope import Scope, Variable

Key = str | int | float | Variable
"""What a key is sure to be: text, a number, or what a variable that never changes holds."""


@dataclass(eq=False, slots=True)
class Slot:
    """Values of a table that have one type: all of them, or those of one field."""

    values: list[ast.Expression | None] = field(default_factory=list)
    kind: Type | None = None

    def rejoin(self, of_maybe: Callable[[ast.Expression], Type | None], turn: int) -> bool:
        """Join what the values are; return whether that is news."""
        found = self.kind
        for value in self.values:
            found = join(found, ANY if value is None else of_maybe(value))
        if found == self.kind:
            return False
        if turn > 3 and found is not None and found.is_number:
            found = replace(found, bits=UNBOUNDED)
        if turn > 5:
            found = ANY
        changed = found != self.kind
        self.kind = found
        return changed


@dataclass(eq=False, slots=True)
class Keyed:
    """A local that may be a dict or a record.

    Attributes
    ----------
    variable : Variable
    scope : Scope
        The function that declares it.
    constructors : list of TableConstructor
        All that it is ever made by.
    all : Slot
        All values that are put into it.
    fields : dict
        The same by names, for those that are put under names.
    keys, asked : list of Expression
        Keys that are no literals: of values that are put or deleted, of values that are read.
    names : set of str or number
        Keys that are literals.
    deleted : list of Index
        What is assigned nil.
    reads : list of Index
    bare : set of int
        Reads, by their ids, that nothing says of what nil there means.
    present : dict
        Reads of entries that were assigned before on every way, by their ids, and their keys.
    raising : set of int
        Reads, by their ids, where nil would be an error.
    emptiness : bool
        Whether it is asked for being empty.
    changed : list of Scope
        The functions that assign or delete entries.
    walkers : dict
        Loops over it, by their ids, and whether they delete entries.
    solid : bool
        Whether nil is never put into it as a value.
    record : bool
        Whether it is an object with fields.
    """

    variable: Variable
    scope: Scope
    constructors: list[ast.TableConstructor]
    all: Slot = field(default_factory=Slot)
    fields: dict[str, Slot] = field(default_factory=dict)
    keys: list[ast.Expression] = field(default_factory=list)
    asked: list[ast.Expression] = field(default_factory=list)
    names: set[str | int | float] = field(default_factory=set)
    deleted: list[ast.Index] = field(default_factory=list)
    reads: list[ast.Index] = field(default_factory=list)
    bare: set[int] = field(default_factory=set)
    present: dict[int, Key] = field(default_factory=dict)
    raising: set[int] = field(default_factory=set)
    emptiness: bool = False
    changed: list[Scope] = field(default_factory=list)
    walkers: dict[int, bool] = field(default_factory=dict)
    solid: bool = False
    record: bool = False

    @property
    def is_true(self) -> bool:
        """Whether all that is in it counts as true."""
        kind = self.all.kind
        marks = all(isinstance(v, ast.Boolean) and v.value for v in self.all.values)
        return marks or (self.solid and kind is not None and kind.kind not in ("any", "boolean"))

    def put(self, key: ast.Expression, value: ast.Expression | None) -> None:
        """Note that a value is put under a key."""
        self.all.values.append(value)
        self.note(key)
        if isinstance(key, ast.String):
            self.fields.setdefault(key.value, Slot()).values.append(value)

    def note(self, key: ast.Expression, asked: bool = False) -> None:
        """Note what a key is."""
        if isinstance(key, (ast.String, ast.Number)):
            self.names.add(key.value)
        elif asked:
            self.asked.append(key)
        else:
            self.keys.append(key)

    def settle(self) -> None:
        """Decide what it is, and which entries are there when they are read."""
        dynamic = bool(self.keys or self.asked or self.walkers or self.emptiness)
        named = all(isinstance(k, str) and is_attribute(k) and k.isascii() for k in self.names)
        of_constructors = [
            [f.key.value for f in made.fields if isinstance(f.key, ast.String)]
            for made in self.constructors
        ]
        once = all(len(set(keys)) == len(keys) for keys in of_constructors)
        if self.variable.writes:
            self.present.clear()
        self.record = (
            not dynamic
            and named
            and once
            and bool(self.names)
            and "self" not in self.names
            and all(id(read) in self.present for read in self.reads)
        )
        if self.record:
            for target in self.deleted:
                assert isinstance(target.key, ast.String)
                self.put(target.key, ast.Nil(target.line, target.column))
        elif self.deleted:
            gone = {t.key.value for t in self.deleted if isinstance(t.key, ast.String)}
            fixed = all(isinstance(t.key, ast.String) for t in self.deleted)
            self.present = {
                read: key
                for read, key in self.present.items()
                if fixed and not isinstance(key, Variable) and key not in gone
            }

    # -- types ----------------------------------------------------------------------------

    def slots(self) -> list[Slot]:
        """Return the slots whose types are asked for."""
        return [self.all, *self.fields.values()]

    def is_sure(self, node: ast.Index) -> bool:
        """Whether an entry is there when it is read, or its absence an error."""
        return id(node) in self.present or id(node) in self.raising

    def type_of(self, node: ast.Index) -> Type | None:
        """Return the type of a read."""
        if not self.keys and isinstance(node.key, ast.String):
            slot = self.fields.get(node.key.value)
            if slot is None:
                return NIL
        else:
            slot = self.all
        kind = slot.kind
        if kind is None and not slot.values:
            return NIL
        if kind is None or self.record or self.is_sure(node):
            return kind
        return join(kind, NIL)


@dataclass(slots=True)
class LoopPart(ast.Node):
    """A stand-in for the key or value that a loop over a table gives."""

    owner: Keyed
    key: bool
