"""Which classes are written: composites that are alike share one.

What differs between them becomes an argument.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rekindle.core import nn

from ..modernise.plan import Layer
from .members import Chain, Composite, Member, composites, graph_text
from .naming import attribute_names, class_base
from .spelling import FUNCTIONS

Slot = tuple[str, ...]
"""Where an argument is: attribute names down to the layer, and the argument's name."""

REQUIRED = inspect.Parameter.empty


@dataclass(eq=False, slots=True)
class ClassDef:
    """A class to be written.

    Attributes
    ----------
    name : str
    composite : Composite
        The first that is one of it; the others are like it.
    attributes : dict of str to str
        The attribute of each member.
    parameters : dict of str to object
        Arguments of its constructor and their defaults; REQUIRED without.
    slots : dict of Slot to str
        Which argument of a member is which of these.
    """

    name: str
    composite: Composite
    attributes: dict[str, str]
    parameters: dict[str, Any] = field(default_factory=dict)
    slots: dict[Slot, str] = field(default_factory=dict)


class Classes:
    """The classes of a model, and which composite is of which.

    Parameters
    ----------
    root : Composite
    name : str
        Of the root's class.
    """

    def __init__(self, root: Composite, name: str) -> None:
        self.defined: list[ClassDef] = []
        self.of: dict[int, ClassDef] = {}
        self._names: dict[int, str] = {}
        self._taken = {name}
        heights: dict[int, int] = {}
        unique: dict[int, Composite] = {}
        for composite in composites(root):
            unique.setdefault(id(composite), composite)
            heights[id(composite)] = 1 + max((heights[id(c)] for c in _inner(composite)), default=0)
        for height in sorted({h for i, h in heights.items() if i != id(root)}):
            level = [c for i, c in unique.items() if heights[i] == height and c is not root]
            for group in self._alike(level).values():
                self._define(group, self._free_name(class_base(group[0])))
        self._define([root], name)

    def _alike(self, level: list[Composite]) -> dict[str, list[Composite]]:
        groups: dict[str, list[Composite]] = {}
        for composite in level:
            groups.setdefault(self._signature(composite), []).append(composite)
        return groups

    def _signature(self, member: Member) -> str:
        """Return what members have alike whose classes can be one."""
        if isinstance(member, Layer):
            function = member.kind in FUNCTIONS and not member.state
            return f"{member.kind}{sorted(member.arguments.items())}" if function else member.kind
        if isinstance(member, Chain):
            return f"[{','.join(map(self._inner_signature, member.items))}]"
        own = [*member.parameters, "|", *member.buffers]
        members = [self._inner_signature(m) for m in member.members.values()]
        return f"{graph_text(member)}\n{own}\n{members}\n{member.hints}"

    def _inner_signature(self, member: Member) -> str:
        return (
            self.of[id(member)].name if isinstance(member, Composite) else self._signature(member)
        )

    def _free_name(self, base: str) -> str:
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}{number}"
        self._taken.add(name)
        return name

    def _define(self, group: list[Composite], name: str) -> None:
        first = group[0]
        made = ClassDef(name, first, attribute_names(visible(first), self._names))
        for composite in group:
            self.of[id(composite)] = made
            self._names[id(composite)] = name
        tables = [dict(self._slots(c, made)) for c in group]
        keys = list(dict.fromkeys(key for table in tables for key in table))
        arguments: dict[str, str] = {}
        optional: dict[str, Any] = {}
        meanings: dict[str, set[str]] = {}
        for key in keys:
            vector = repr([t[key][0] if key in t else None for t in tables])
            meanings.setdefault(vector, set()).add(key[-1])
        for key in keys:
            default = next(t[key][1] for t in tables if key in t)
            values = [t[key][0] if key in t else default for t in tables]
            if all(repr(v) == repr(values[0]) for v in values):
                continue
            vector = repr(values)
            if vector not in arguments:
                both = {"in_channels", "out_channels"} <= meanings.get(vector, set())
                free = "channels" not in arguments.values()
                named = (*key[:-1], "channels") if both and free else key
                arguments[vector] = self._argument_name(named, arguments)
                optional[arguments[vector]] = default
            made.slots[key] = arguments[vector]
        ordered = sorted(optional.items(), key=lambda item: item[1] is not REQUIRED)
        made.parameters = dict(ordered)
        self.defined.append(made)

    @staticmethod
    def _argument_name(key: Slot, taken: dict[str, str]) -> str:
        *where, name = key
        name = {"num_features": "channels", "num_parameters": "channels"}.get(name, name)
        if name in taken.values():
            name = "_".join([*(part for part in where if not part.isdigit()), name])
        number, free = 1, name
        while free in taken.values():
            number += 1
            free = f"{name}{number}"
        return free

    def _slots(self, composite: Composite, made: ClassDef) -> Iterator[tuple[Slot, Any]]:
        for kind in (composite.parameters, composite.buffers):
            for name, tensor in kind.items():
                yield (name, "shape"), (tuple(tensor.shape), REQUIRED)
        for key, attribute in made.attributes.items():
            yield from self._member_slots(composite.members[key], (attribute,))

    def _member_slots(self, member: Member, where: Slot) -> Iterator[tuple[Slot, Any]]:
        if isinstance(member, Chain):
            for i, item in enumerate(member.items):
                yield from self._member_slots(item, (*where, str(i)))
            return
        values, defaults = self.arguments(member)
        for name, value in values.items():
            yield (*where, name), (value, defaults.get(name, REQUIRED))

    def arguments(self, member: Layer | Composite) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the arguments of a member's constructor, and their defaults."""
        if isinstance(member, Layer):
            known = inspect.signature(getattr(nn, member.kind)).parameters
            return member.arguments, {n: p.default for n, p in known.items()}
        made = self.of[id(member)]
        own = dict(self._slots(member, made))
        values: dict[str, Any] = {}
        for key, name in made.slots.items():
            default = made.parameters[name]
            value = own[key][0] if key in own else default
            if default is REQUIRED or repr(value) != repr(default):
                values.setdefault(name, value)
        return {n: values[n] for n in made.parameters if n in values}, dict(made.parameters)


def _inner(composite: Composite) -> Iterator[Composite]:
    for member in composite.members.values():
        yield from composites(member)


def visible(composite: Composite) -> Composite:
    """Return a composite with only the members that become attributes."""
    kept = {k: m for k, m in composite.members.items() if not is_function(m)}
    return Composite(
        composite.typename,
        composite.input,
        composite.output,
        _Lookup(kept, composite.members),
        composite.parameters,
        composite.buffers,
        composite.hints,
    )


class _Lookup(dict[str, Member]):
    """The visible members; looking one up finds the others too."""

    def __init__(self, kept: dict[str, Member], every: dict[str, Member]) -> None:
        super().__init__(kept)
        self._every = every

    def __missing__(self, key: str) -> Member:
        return self._every[key]


def is_function(member: Member) -> bool:
    """Whether a member is written as a call of a function, not as an attribute."""
    return isinstance(member, Layer) and member.kind in FUNCTIONS and not member.state
