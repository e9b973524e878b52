"""save_training and load_training: a training run in one file, resumed bit for bit.

Everything that has a state is saved through it: modules, optimisers, schedules, data loaders
(`state_dict`), generators (`get_state`). Their tensors become the file's arrays, the rest JSON
in its metadata; nothing is pickled. packing.py turns the one into the other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import RekindleError
from ..export.formats import read_weights, write_weights
from ..generators import default_generator
from ..tensor import Tensor
from .packing import pack, unpack
from .save import replacing
from .state import Name, as_weights, format_named

ENTRY = "rekindle.training"
"""The metadata entry that holds the JSON."""

RANDOM = "random"
"""The name of the default generator's state."""


class TrainingError(RekindleError, ValueError):
    """Parts of a training run that do not fit its file."""


def save_training(path: Name, **parts: Any) -> None:
    """Write all that a training run needs to go on.

    Parameters
    ----------
    path : path
        .safetensors (also without an extension) or .npz; it appears when it is complete.
    **parts
        Objects with `state_dict` (modules, optimisers, schedules, data loaders) or `get_state`
        (generators), and plain values: numbers, texts, tensors, and lists and dicts of them.
        The state of the default generator on the CPU is saved without being named.

    Raises
    ------
    TrainingError
        For a part called `random`, which is the default generator, or a format without
        metadata.
    PackingError
        For a value that has no place in such a file.

    Notes
    -----
    Tensors in the file are called after their part, `model.0.weight`; `load_state` reads them
    alone. GPUs' generators keep their state to themselves: give those of a run a seed again.

    Examples
    --------
    >>> import rekindle, tempfile, pathlib
    >>> from rekindle import nn, optim
    >>> model = nn.Linear(2, 1)
    >>> optimizer = optim.Adam(model.parameters())
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "run.safetensors"
    >>> rekindle.save_training(path, model=model, optimizer=optimizer, epoch=3)
    >>> rekindle.load_training(path, model=model, optimizer=optimizer)
    {'epoch': 3}
    """
    extension = format_named(path)
    if extension.startswith(".pt"):
        raise TrainingError(f"{os.fspath(path)}: a run is written to .safetensors or .npz")
    if RANDOM in parts:
        raise TrainingError(f"{RANDOM!r} is the default generator; call the part otherwise")
    states = {name: _state_of(part) for name, part in parts.items()}
    states[RANDOM] = default_generator().get_state()
    write_states(path, states, [name for name, part in parts.items() if _is_stateful(part)])


def write_states(path: Name, states: Mapping[str, Any], stateful: Sequence[str]) -> None:
    """Write states that are there already, as `save_training` writes those it asks for.

    Parameters
    ----------
    path : path
    states : mapping
        States and plain values by name. Without one of the default generator,
        `load_training` leaves that as it is.
    stateful : sequence of str
        The names whose values are states, which objects have to be given for.

    Raises
    ------
    PackingError
        For a value that has no place in such a file.
    """
    tensors: dict[str, Tensor] = {}
    tree = pack(states, tensors)
    weights = as_weights(tensors.items())
    weights.metadata[ENTRY] = json.dumps({"stateful": list(stateful), "tree": tree})
    with replacing(os.fspath(path)) as temporary:
        write_weights(temporary, weights, format_named(path))


def load_training(path: Name, **parts: Any) -> dict[str, Any]:
    """Give the parts of a training run the states that `save_training` wrote.

    Parameters
    ----------
    path : path
    **parts
        The objects, under the names that they were saved with.

    Returns
    -------
    dict
        The plain values that were saved, by name.

    Raises
    ------
    UnreadableError
        If the file is damaged.
    TrainingError
        If it is no training run, or the names differ; then nothing was changed.

    Notes
    -----
    A run goes on bit for bit where everything that changes is among the parts: the model with
    its persistent buffers, optimiser, schedule, loader. Gradients are not saved: save after a
    step, not between `backward` and `step`.
    """
    weights = read_weights(path)
    if ENTRY not in weights.metadata:
        raise TrainingError(
            f"{os.fspath(path)}: a file of tensors, not a training run: load_state reads it"
        )
    saved = json.loads(weights.metadata[ENTRY])
    missing = [name for name in saved["stateful"] if name not in parts]
    unexpected = [name for name in parts if name not in saved["stateful"]]
    if missing or unexpected:
        lines = [f"{os.fspath(path)}: these are not the parts of this run; nothing was loaded"]
        lines += [f"  in the file, not given: {name}" for name in missing]
        lines += [f"  given, not in the file: {name}" for name in unexpected]
        raise TrainingError("\n".join(lines))
    tensors = {name: Tensor(array) for name, array in weights.arrays.items()}
    tensors |= {alias: tensors[name] for alias, name in weights.aliases.items()}
    states = unpack(saved["tree"], tensors)
    for name, part in parts.items():
        load = part.load_state_dict if hasattr(part, "load_state_dict") else part.set_state
        load(states[name])
    if RANDOM in states:
        default_generator().set_state(states[RANDOM])
    return {n: v for n, v in states.items() if n not in parts and n != RANDOM}


def _is_stateful(part: Any) -> bool:
    return hasattr(part, "state_dict") or hasattr(part, "get_state")


def _state_of(part: Any) -> Any:
    if hasattr(part, "state_dict"):
        return part.state_dict()
    return part.get_state() if hasattr(part, "get_state") else part
