"""What the weights of a model are called: as Lua says, and in a state_dict.

A tensor has a Lua path, `modules[1].modules[2].weight`, and the name that it has in files of
weights and in the state_dict of the modernised model, `0.1.weight`: containers count from 0
and their table `modules` is not mentioned.

Objects of unknown classes take part with every tensor field that is not plainly a scratch
buffer, because a file of weights that lacks one is worse than one with a tensor too many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rekindle.core.checkpoint import Table, TorchObject
from rekindle.core.tensor import Tensor
from rekindle.core.text import printable

from .module import Module
from .paths import Path, entries, format_path, parse_path
from .unknown_classes import (
    USUAL_ORDER,
    Kind,
    guessed_kinds,
    is_scratch,
    looks_like_module,
    typename,
)

WRAPPERS = frozenset({"nn.DataParallelTable", "nn.GPU"})
"""Classes that say where their module runs and compute nothing: names skip them.

All replicas of a DataParallelTable hold the same weights; the first one's count.
"""


@dataclass(frozen=True, slots=True)
class Place:
    """An object and where it is: a chain of steps from the root, so that depth costs nothing.

    Attributes
    ----------
    value : object
    parent : Place or None
    keys : tuple
        The step from the parent, as Lua keys; from the file's object where there is no parent.
    """

    value: Any
    parent: Place | None = None
    keys: Path = ()

    @property
    def path(self) -> Path:
        """The Lua keys from the root."""
        return tuple(key for place in self._chain() for key in place.keys)

    @property
    def lua_path(self) -> str:
        """The path as Lua writes it."""
        return format_path(self.path)

    @property
    def name(self) -> str:
        """The 0-based name, without a field."""
        return ".".join(part for place in self._chain()[1:] for part in place._part())

    def _chain(self) -> list[Place]:
        chain = []
        place: Place | None = self
        while place is not None:
            chain.append(place)
            place = place.parent
        chain.reverse()
        return chain

    def _part(self) -> tuple[str, ...]:
        """Return what the step from the parent adds to the name."""
        wrapped = self.parent is not None and typename(self.parent.value) in WRAPPERS
        return () if wrapped and self.keys[0] == "modules" else name_of(self.keys)

    def step(self, keys: Path, value: Any) -> Place:
        """Return the place of something directly inside."""
        return Place(value, self, keys)


def name_of(keys: Path) -> tuple[str, ...]:
    """Return what keys add to a name: `modules[3]` is "2", `weight` is "weight"."""
    kept = keys[1:] if len(keys) > 1 and keys[0] == "modules" and _is_int(keys[1]) else keys
    return tuple(str(key - 1) if _is_int(key) else printable(str(key)) for key in kept)


def _is_int(key: Any) -> bool:
    return isinstance(key, int) and not isinstance(key, bool)


@dataclass(frozen=True, slots=True)
class StateEntry:
    """A tensor that belongs to a model's state.

    Attributes
    ----------
    place : Place
        The module, or table, that holds it.
    keys : tuple
        The field there; more keys where the field is a table of tensors.
    tensor : Tensor
    kind : {"parameter", "buffer", "gradient"}
    known : bool
        Whether the class says so; False where it was judged by the names of fields.
    """

    place: Place
    keys: Path
    tensor: Tensor = field(repr=False)
    kind: Kind
    known: bool

    @property
    def path(self) -> Path:
        """The Lua keys from the root."""
        return self.place.path + self.keys

    @property
    def lua_path(self) -> str:
        """The Lua path from the root."""
        return format_path(self.path)

    @property
    def name(self) -> str:
        """The 0-based name."""
        return ".".join(filter(None, (self.place.name, *name_of(self.keys))))


def root_place(value: Any, path: Path = ()) -> Place:
    """Return the place of a model from which names count; `path` leads to it in its file."""
    return Place(value, None, path)


def state_entries(root: Place) -> Iterator[StateEntry]:
    """Yield the parameters, buffers and gradients of a model, or of a table of tensors.

    A module's own come first, then those of the modules inside it, in order; an object that
    is in several places counts in the first.
    """
    for place in walk(root):
        yield from own_state(place)


def walk(root: Place) -> Iterator[Place]:
    """Yield `root` and the places of all modules, objects and tables inside it, each once."""
    pending = [root]
    seen: set[int] = set()
    while pending:
        place = pending.pop()
        if id(place.value) in seen:
            continue
        seen.add(id(place.value))
        yield place
        pending.extend(reversed(list(inside(place))))


def inside(place: Place) -> Iterator[Place]:
    """Yield the places of the modules, objects and tables directly inside one."""
    value = place.value
    children = _children(value)
    if children is not None:
        steps = [place.step(parse_path(name), child) for name, child in children]
        yield from steps[:1] if typename(value) == "nn.DataParallelTable" else steps
        return
    for key, child in _fields(value):
        if key == "modules" and isinstance(child, Table):
            steps = [place.step((key, i), module) for i, module in child.items()]
            yield from steps[:1] if typename(value) == "nn.DataParallelTable" else steps
        elif isinstance(child, (Table, TorchObject)) or hasattr(child, "__dict__"):
            yield place.step((key,), child)


def _children(value: Any) -> list[tuple[str, Any]] | None:
    """Return what a module's class says is inside; None where its fields are too damaged."""
    try:
        return list(value.children()) if isinstance(value, Module) else None
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def _fields(value: Any) -> list[tuple[Any, Any]]:
    """Return what is inside an object of which no class tells; `modules` first, as they count."""
    found = list(entries(value))
    if not isinstance(value, Table):
        found = [(key, child) for key, child in found if not is_scratch(key)]
    return sorted(found, key=lambda entry: entry[0] != "modules")


def own_state(place: Place) -> Iterator[StateEntry]:
    """Yield the parameters, buffers and gradients that an object holds itself."""
    value = place.value
    if isinstance(value, Module):
        kinds: dict[Any, Kind | None] = {name: "parameter" for name, _ in value.parameter_fields}
        kinds |= dict.fromkeys(value.buffer_fields, "buffer")
        kinds |= {gradient: "gradient" for _, gradient in value.parameter_fields}
        found = [found for name in kinds for found in _tensors_at(name, getattr(value, name, None))]
    else:
        found = [((k,), v) for k, v in entries(value) if isinstance(v, Tensor)]
        found.sort(key=_usual_position)
        kinds = _kinds_in(place, [keys[0] for keys, _ in found])
    for keys, tensor in found:
        kind = kinds[keys[0]]
        if kind is not None and (tensor.size or kind == "parameter"):
            yield StateEntry(place, keys, tensor, kind, known=isinstance(value, Module))


def _usual_position(item: tuple[Path, Tensor]) -> int:
    field = item[0][0]
    return USUAL_ORDER.index(field) if field in USUAL_ORDER else len(USUAL_ORDER)


def _tensors_at(name: str, value: Any) -> Iterator[tuple[Path, Tensor]]:
    if isinstance(value, Tensor):
        yield (name,), value
    elif isinstance(value, Table):
        yield from (((name, k), v) for k, v in value.items() if isinstance(v, Tensor))


def _kinds_in(place: Place, names: list[Any]) -> dict[Any, Kind | None]:
    """Return what the tensors of a table, or of an object of an unknown class, are."""
    if not isinstance(place.value, Table):
        return guessed_kinds(names)
    if place.parent is not None and typename(place.parent.value) and place.keys[0] != "modules":
        siblings = [key for key, _ in entries(place.parent.value)]
        return dict.fromkeys(names, guessed_kinds(siblings)[place.keys[0]])
    return {name: kind or "buffer" for name, kind in guessed_kinds(names).items()}


def modules_in(root: Place) -> list[Place]:
    """Return the outermost modules at a place: itself, or those inside its tables.

    Each once: a module that stands in two entries counts in the first. Names count from each.
    """
    found = []
    pending = [root]
    seen: set[int] = set()
    for place in pending:
        if id(place.value) in seen:
            continue
        seen.add(id(place.value))
        if looks_like_module(place.value):
            found.append(root_place(place.value, place.path))
        elif isinstance(place.value, Table):
            pending.extend(
                place.step((key,), child)
                for key, child in place.value.items()
                if isinstance(child, Table) or typename(child)
            )
    return found
