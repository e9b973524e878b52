"""From a loaded model to named arrays: which tensors, under which names, and what to report."""

from __future__ import annotations

import importlib.metadata
import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rekindle.core.dtypes import Dtype, is_floating
from rekindle.core.export import Weights
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.naming import Place, StateEntry, root_place, state_entries
from rekindle.legacy_nn.ties import find_ties
from rekindle.legacy_nn.unknown_classes import typename

from .group import Problem
from .reading import Checkpoint, find_model


@dataclass(slots=True)
class State:
    """The tensors that will be written, by name and in order.

    Attributes
    ----------
    model : Place
        What they belong to.
    entries : dict
        Name to tensor, each memory once.
    aliases : dict
        Further names to names in `entries`.
    all_entries : dict
        Names and aliases to tensors, in the order of the model.
    notes : list of str
        What the user should know.
    """

    model: Place
    entries: dict[str, StateEntry]
    aliases: dict[str, str]
    all_entries: dict[str, StateEntry]
    notes: list[str] = field(default_factory=list)

    @property
    def parameters(self) -> int:
        """Number of trained elements."""
        return sum(e.tensor.size for e in self.entries.values() if e.kind == "parameter")


def find_state(checkpoint: Checkpoint, *, gradients: bool) -> State:
    """Return what belongs to the state of the only model, or of a table without a model.

    Raises
    ------
    Unusable
        If there are several models.
    Problem
        If there is nothing, or two tensors would have one name.
    """
    model = find_model(checkpoint) or root_place(checkpoint.value, checkpoint.path)
    if isinstance(model.value, Tensor):
        entry = StateEntry(
            root_place(None, checkpoint.path[:-1]),
            checkpoint.path[-1:] or ("tensor",),
            model.value,
            "parameter",
            known=True,
        )
        return State(model, {entry.name: entry}, {}, {entry.name: entry})
    found = [e for e in state_entries(model) if gradients or e.kind != "gradient"]
    if not found:
        raise Problem(f"{checkpoint.name}: {_named(model)} has no parameters or buffers")
    by_name: dict[str, StateEntry] = {}
    for entry in found:
        other = by_name.setdefault(entry.name, entry)
        if other is not entry:
            raise Problem(
                f"{other.lua_path} and {entry.lua_path} would both be called {entry.name}; "
                "choose a part with --select"
            )
    state = State(model, {}, {}, by_name)
    tied = {tie.tensor: tie for tie in find_ties([e.tensor for e in found])}
    for i, entry in enumerate(found):
        tie = tied.get(i)
        if tie is not None and tie.whole:
            state.aliases[entry.name] = found[tie.first].name
        else:
            state.entries[entry.name] = entry
        if tie is not None and not tie.whole:
            state.notes.append(
                f"{entry.name} shares elements with {found[tie.first].name} as another view; "
                "both are written in full"
            )
    if state.aliases:
        pairs = ", ".join(f"{alias} = {name}" for alias, name in state.aliases.items())
        state.notes.append(f"tied, written once: {pairs}")
    state.notes += _unknown_notes(found)
    return state


def _unknown_notes(entries: Sequence[StateEntry]) -> list[str]:
    judged = defaultdict(list)
    for entry in entries:
        name = typename(entry.place.value)
        if not entry.known and name is not None:
            judged[name].append(f"{entry.name} ({entry.kind})")
    return [
        f"unknown class {name}, fields judged by their names: {', '.join(fields)}"
        for name, fields in judged.items()
    ]


def _named(place: Place) -> str:
    where = place.lua_path
    what = typename(place.value) or type(place.value).__name__.lower()
    return f"{where} ({what})" if where else f"the {what}"


def make_weights(
    checkpoint: Checkpoint,
    state: State,
    dtype: Dtype | None,
    renamed: Mapping[str, str],
    shapes: Mapping[str, tuple[int, ...]],
) -> Weights:
    """Return the arrays of a state, with where they come from as metadata.

    Parameters
    ----------
    dtype : dtype or None
        Convert floating tensors to this type.
    renamed : dict
        New names for names; names that are not in it stay.
    shapes : dict
        New shapes, of as many elements, for names.
    """
    arrays = {}
    for name, entry in state.entries.items():
        array = entry.tensor.numpy()
        array = array.reshape(shapes.get(name, array.shape))
        if dtype is not None and is_floating(entry.tensor.dtype):
            converted = _converted(array, dtype)
            if np.isinf(converted).sum() > np.isinf(array).sum():
                state.notes.append(f"{name}: values too large for {dtype} became infinite")
            array = converted
        arrays[renamed.get(name, name)] = array
    aliases = {
        renamed.get(alias, alias): renamed.get(name, name) for alias, name in state.aliases.items()
    }
    return Weights(arrays, aliases, metadata_of(checkpoint, state, renamed))


def _converted(array: np.ndarray[Any, Any], dtype: Dtype) -> np.ndarray[Any, Any]:
    with np.errstate(over="ignore"):
        return array.astype(dtype)


def metadata_of(checkpoint: Checkpoint, state: State, renamed: Mapping[str, str]) -> dict[str, str]:
    """Return where weights come from, as text by name.

    `format` is what PyTorch's readers look for: the arrays lie as PyTorch's would.
    """
    metadata = {
        "format": "pt",
        "rekindle": importlib.metadata.version("rekindle"),
        "source": os.path.basename(checkpoint.name),
        "sha256": checkpoint.sha256(),
        "class": typename(state.model.value) or type(state.model.value).__name__,
        "path": state.model.lua_path,
    }
    if renamed:
        metadata["renamed"] = json.dumps({new: old for old, new in renamed.items()})
    return metadata
