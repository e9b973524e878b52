"""save_state and load_state: a state_dict in a file, as safetensors or npz.

`save` and `load` are for Torch7's objects; these are for named tensors. A state_dict has no
classes and no code, so any library reads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..creation import from_dlpack
from ..errors import RekindleError
from ..export.formats import WRITERS, read_weights, write_weights
from ..export.weights import Weights
from ..tensor import Tensor
from .save import replacing

Name = str | os.PathLike[str]

DEFAULT = ".safetensors"
"""The format of a file whose name has no extension."""


class StateError(RekindleError, ValueError):
    """A state that no file takes, or a file name that means no format."""


def save_state(
    state: Mapping[str, Any], path: Name, *, metadata: Mapping[str, str] | None = None
) -> None:
    """Write a state_dict to a file of named arrays.

    Parameters
    ----------
    state : mapping of str to Tensor
        What `Module.state_dict` returns; NumPy arrays and tensors of other libraries are
        taken too. Tensors that are the same view of the same memory are written once.
    path : path
        Its extension is the format: .safetensors (also without an extension), .npz, or, where
        PyTorch is installed, .pt or .pth. The file appears when it is complete.
    metadata : mapping of str to str, optional
        Text about the whole; .pt and .pth keep none.

    Raises
    ------
    StateError
        For a value that is no tensor, or another extension.
    """
    if not isinstance(state, Mapping):
        raise StateError(
            f"a state_dict is expected; given a {type(state).__name__}"
            + (": give its state_dict()" if hasattr(state, "state_dict") else "")
        )
    extension = format_named(path)
    weights = as_weights(state.items())
    weights.metadata.update(metadata or {})
    with replacing(os.fspath(path)) as temporary:
        write_weights(temporary, weights, extension)


def load_state(path: Name) -> dict[str, Tensor]:
    """Return the tensors in a file, by name: what `Module.load_state_dict` takes.

    Parameters
    ----------
    path : path
        A .safetensors, .npz, .pt or .pth file, told apart by its content.

    Returns
    -------
    dict of str to Tensor
        On the CPU. Names that were written once, because they were the same tensor, are the
        same tensor again.

    Raises
    ------
    UnreadableError
        If the file is of none of these formats, or damaged.
    """
    weights = read_weights(path)
    tensors = {name: Tensor(array) for name, array in weights.arrays.items()}
    return tensors | {alias: tensors[name] for alias, name in weights.aliases.items()}


def format_named(path: Name) -> str:
    """Return the extension that says which format a file gets.

    Raises
    ------
    StateError
        If there is no such format.
    """
    extension = Path(path).suffix.lower() or DEFAULT
    if extension not in WRITERS:
        hint = "; rekindle.save writes .t7 files" if extension == ".t7" else ""
        raise StateError(
            f"{os.fspath(path)}: a state is written to {', '.join(WRITERS)}; "
            f"given {extension}{hint}"
        )
    return extension


def as_weights(named: Iterable[tuple[str, Any]]) -> Weights:
    """Return named tensors as arrays, those that are the same view of the same memory once."""
    weights = Weights({})
    first: dict[Any, str] = {}
    kept = []
    for name, value in named:
        if not isinstance(name, str):
            raise StateError(f"names in a state are text; given {name!r}")
        tensor = _tensor(name, value)
        storage = tensor.storage()
        kept.append(storage)  # an id is only worth something while its object lives
        view = id(storage), tensor.storage_offset(), tensor.shape, tensor.stride()
        if view in first and tensor.size:
            weights.aliases[name] = first[view]
        else:
            first[view] = name
            weights.arrays[name] = tensor.numpy()
    return weights


def _tensor(name: str, value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach()
    if hasattr(value, "__array_interface__"):
        return Tensor(value)
    if hasattr(value, "__dlpack__"):
        return from_dlpack(value.detach() if hasattr(value, "detach") else value)
    raise StateError(
        f"{name!r} is a {type(value).__name__}; a state holds tensors: save_training takes "
        "numbers and optimisers too"
    )
