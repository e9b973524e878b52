"""What `inspect` finds in a model: its modules in order, their tensors, and what is odd."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from rekindle.core.checkpoint import LuaFunction, Table, TorchObject
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.containers import Container
from rekindle.legacy_nn.module import Module
from rekindle.legacy_nn.naming import Place, StateEntry, inside, own_state
from rekindle.legacy_nn.paths import entries
from rekindle.legacy_nn.ties import find_ties, view_of
from rekindle.legacy_nn.unknown_classes import looks_like_module, typename

from .texts import scalar_text

FIELDS = 8
"""Fields of an object of an unknown class that its text shows."""

HIDDEN = frozenset({"train", "_type", "output", "gradInput"})
"""Fields that every module has and that tell nothing about it."""


@dataclass(slots=True)
class ModuleRow:
    """A module, or a table of modules, in the tree.

    Attributes
    ----------
    place : Place
    depth : int
        0 for the model itself.
    parent : int
        Row of the module around it; -1 for the model itself.
    same_as : Place or None
        Where this very object stood before; then nothing below is repeated.
    tensors : list of StateEntry
        Its own parameters and buffers.
    parameters, nbytes : int
        Elements of its parameters and bytes of its state, with all modules below; each
        tensor counts once in the model.
    has_modules : bool
        Whether there is anything below it.
    """

    place: Place
    depth: int
    parent: int
    same_as: Place | None = None
    tensors: list[StateEntry] = field(default_factory=list)
    parameters: int = 0
    nbytes: int = 0
    has_modules: bool = False


@dataclass(slots=True)
class ModelSurvey:
    """A model: its rows in order, the outermost first, and its ties.

    Attributes
    ----------
    tied : dict
        Position of a tensor in `state` to the earlier tensor it shares elements with, and
        whether the two are the same view.
    kinds : dict
        "parameters", "buffers" or "gradients" for the id of each tensor that is one.
    """

    rows: list[ModuleRow]
    state: list[StateEntry]
    tied: dict[int, tuple[StateEntry, bool]]
    kinds: dict[int, str]

    @property
    def parameters(self) -> int:
        """Number of parameters, tied ones once."""
        return self.rows[0].parameters

    @property
    def dtypes(self) -> list[str]:
        """The dtypes of parameters and buffers, the most frequent first."""
        counts: dict[str, int] = defaultdict(int)
        for entry in self.state:
            counts[entry.tensor.dtype.name] += entry.tensor.size
        return sorted(counts, key=lambda name: -counts[name])


def survey_model(root: Place) -> ModelSurvey:
    """Return what there is to say about the model at `root`; no value of a tensor is read."""
    rows: list[ModuleRow] = []
    state: list[StateEntry] = []
    kinds: dict[int, str] = {}
    first: dict[int, Place] = {}
    pending = [(root, 0, -1)]
    while pending:
        place, depth, parent = pending.pop()
        row = ModuleRow(place, depth, parent, first.get(id(place.value)))
        rows.append(row)
        if row.same_as is None:
            first[id(place.value)] = place
            for entry in own_state(place):
                kinds[id(entry.tensor)] = f"{entry.kind}s"
                if entry.kind != "gradient":
                    row.tensors.append(entry)
            state += row.tensors
            here = len(rows) - 1
            pending.extend((below, depth + 1, here) for below in reversed(list(inside(place))))
    ties = {t.tensor: (state[t.first], t.whole) for t in find_ties([e.tensor for e in state])}
    _add_up(rows, ties)
    return ModelSurvey(_worth_showing(rows), state, ties, kinds)


def _add_up(rows: list[ModuleRow], ties: dict[int, tuple[StateEntry, bool]]) -> None:
    position = 0
    for row in rows:
        for entry in row.tensors:
            if position not in ties:
                row.nbytes += entry.tensor.nbytes
                row.parameters += entry.tensor.size if entry.kind == "parameter" else 0
            position += 1
    for row in reversed(rows):
        if row.parent >= 0:
            rows[row.parent].parameters += row.parameters
            rows[row.parent].nbytes += row.nbytes
            rows[row.parent].has_modules = True


def _worth_showing(rows: list[ModuleRow]) -> list[ModuleRow]:
    """Leave out tables and objects with neither tensors nor modules of their own inside.

    The nodes of an nngraph of which no class is known refer to the modules a second time.
    """
    kept = [False] * len(rows)
    kept[0] = True
    for i in range(len(rows) - 1, 0, -1):
        row = rows[i]
        module = looks_like_module(row.place.value)
        listed = row.same_as is not None and row.place.keys[0] != "modules"
        kept[i] = kept[i] or bool(row.tensors) or (module and not listed)
        kept[row.parent] = kept[row.parent] or kept[i]
    return [row for row, keep in zip(rows, kept, strict=True) if keep]


def module_text(value: Any, has_modules: bool) -> str:
    """Return a module's class and geometry in one line."""
    name = typename(value) or "table"
    if isinstance(value, Module):
        if has_modules or isinstance(value, Container):
            dimension = vars(value).get("dimension", vars(value).get("inputDimension"))
            return name if dimension is None else f"{name}, dimension {dimension}"
        try:
            text = " ".join(repr(value).split())
        except Exception as error:
            return f"{name} (its fields do not fit its class: {type(error).__name__}: {error})"
        return text if text.startswith(name) else f"{name} {text}"
    fields = []
    for key, child in entries(value):
        shown = None if key in HIDDEN else scalar_text(child)
        if shown is not None:
            fields.append(f"{key}={shown}")
    more = ", ..." if len(fields) > FIELDS else ""
    return f"{name}({', '.join(fields[:FIELDS])}{more})" if fields else name


def overridden(value: Any) -> list[str]:
    """Return the methods that an object carries itself, in place of its class's."""
    if typename(value) is None:
        return []
    return [str(key) for key, child in entries(value) if isinstance(child, LuaFunction)]


@dataclass(slots=True)
class Findings:
    """What the whole of a file holds, models or not.

    Attributes
    ----------
    unknown : dict
        Class to the places of its objects.
    functions : list of Place
        Functions that are no method of an object.
    overrides : list of Place
        Functions stored in an object, which may replace a method of its class.
    shared : list of list of Place
        Tensors that are no state of a model and share a storage, storage by storage.
    nbytes : dict
        Bytes of tensors by "parameters", "buffers", "gradients", "other", each view once.
    """

    unknown: dict[str, list[Place]] = field(default_factory=dict)
    functions: list[Place] = field(default_factory=list)
    overrides: list[Place] = field(default_factory=list)
    shared: list[list[Place]] = field(default_factory=list)
    nbytes: dict[str, int] = field(default_factory=dict)


def survey_all(root: Place, kinds: dict[int, str]) -> Findings:
    """Return what is odd or large anywhere below `root`, each object once.

    Parameters
    ----------
    root : Place
    kinds : dict
        The kind of each tensor that belongs to a model's state or gradients, by its id.
    """
    found = Findings()
    views: set[Any] = set()
    scratch: dict[int, list[Place]] = defaultdict(list)
    pending = [root]
    seen: set[int] = set()
    while pending:
        place = pending.pop()
        value = place.value
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Tensor):
            kind = kinds.get(id(value), "other")
            if value.size and view_of(value) not in views:
                views.add(view_of(value))
                found.nbytes[kind] = found.nbytes.get(kind, 0) + value.nbytes
            if value.size and kind == "other" and _in_module(place):
                scratch[id(value.storage())].append(place)
            continue
        if isinstance(value, TorchObject):
            found.unknown.setdefault(value.t7_typename, []).append(place)
        below = []
        for key, child in entries(value):
            if isinstance(child, LuaFunction):
                target = found.functions if typename(value) is None else found.overrides
                target.append(place.step((key,), child))
            elif isinstance(child, (Tensor, Table)) or typename(child) is not None:
                below.append(place.step((key,), child))
        pending.extend(reversed(below))
    found.shared = [places for places in scratch.values() if len(places) > 1]
    return found


def _in_module(place: Place) -> bool:
    return place.parent is not None and isinstance(place.parent.value, (Module, TorchObject))
