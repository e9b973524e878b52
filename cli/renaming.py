"""New names for tensors: those of an existing architecture, by order and shape, or a list's."""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from rekindle.core.export import format_of, read_shapes
from rekindle.legacy_nn.module import Module
from rekindle.legacy_nn.naming import StateEntry

from .group import Problem, Unusable

Shape = tuple[int, ...]

FIELDS = frozenset({"weight", "bias", "running_mean", "running_var"})
"""Last parts of names that mean the same in LuaTorch and in PyTorch."""

COUNTER = "num_batches_tracked"
"""A buffer of PyTorch's batch normalisation that Torch7 has not."""

LISTED = 8
"""Tensors that a message names."""


def names_like(
    entries: Mapping[str, StateEntry], aliases: Mapping[str, str], file: str
) -> tuple[dict[str, str], dict[str, Shape]]:
    """Return a name in `file` for each of our names, and the shapes that the tensors have there.

    The two lists correspond if their shapes agree one by one in order. A safetensors file
    keeps no order; there, and where orders differ, a tensor is found by its shape and field
    if only one has these, or by the numbers in names that differ in nothing else. Tied
    tensors count once, or under all their names if the file lists as many.

    Parameters
    ----------
    entries : mapping
        Name to tensor, and alias to tensor, in the order of the model.
    aliases : mapping
        The names in `entries` that are further names of another.
    file : str
        A .safetensors, .npz, .pt or .pth file of the architecture.

    Raises
    ------
    Problem
        If the two do not correspond, or if more than one correspondence is possible.
    """
    theirs = {n: s for n, s in read_shapes(file).items() if n.split(".")[-1] != COUNTER}
    if len(theirs) != len(entries):
        entries = {name: e for name, e in entries.items() if name not in aliases}
    plain = {name: entry.tensor.shape for name, entry in entries.items()}
    images = {name: image_shape(entry) for name, entry in entries.items()}
    shapes = images if sorted(images.values()) == sorted(theirs.values()) else plain
    return _corresponding(shapes, theirs, file), shapes


def _corresponding(
    ours: Mapping[str, Shape], theirs: Mapping[str, Shape], file: str
) -> dict[str, str]:
    if sorted(ours.values()) != sorted(theirs.values()):
        raise Problem(_difference(ours, theirs, file))
    ordered = format_of(file) != ".safetensors"
    pairs = list(zip(ours.items(), theirs.items(), strict=True))
    if ordered and all(a[1] == b[1] and _same_field(a[0], b[0]) for a, b in pairs):
        return {a[0]: b[0] for a, b in pairs}
    return _by_shape(ours, theirs, file)


def image_shape(entry: StateEntry) -> Shape:
    """Return a tensor's shape in PyTorch; SpatialConvolutionMM keeps its weight as a matrix."""
    tensor, module = entry.tensor, entry.place.value
    if entry.keys == ("weight",) and tensor.ndim == 2 and isinstance(module, Module):
        fields = ("nOutputPlane", "nInputPlane", "kT", "kH", "kW")
        sizes = tuple(vars(module)[name] for name in fields if name in vars(module))
        if len(sizes) >= 4 and math.prod(sizes) == tensor.size:
            return sizes
    return tensor.shape


def _by_shape(ours: Mapping[str, Shape], theirs: Mapping[str, Shape], file: str) -> dict[str, str]:
    fields = all(name.split(".")[-1] in FIELDS for name in (*ours, *theirs))
    here, there = _grouped(ours, fields), _grouped(theirs, fields)
    if {k: len(v) for k, v in here.items()} != {k: len(v) for k, v in there.items()}:
        raise Problem(_difference(ours, theirs, file))
    names: dict[str, str] = {}
    unclear = []
    for key, mine in here.items():
        candidates = _in_numeric_order(there[key])
        if candidates is None:
            unclear.append(f"{_listed(mine)} with shape {_text(key[0])}: {_listed(there[key])}")
        else:
            names |= dict(zip(mine, candidates, strict=True))
    if unclear:
        lines = "\n  ".join(unclear)
        raise Problem(
            f"which tensor of {file} is which is not clear from order and shape; write the "
            f'names as JSON, {{"ours": "theirs"}}, and give them with --map:\n  {lines}'
        )
    return {name: names[name] for name in ours}


def _grouped(names: Mapping[str, Shape], fields: bool) -> dict[tuple[Shape, str], list[str]]:
    groups = defaultdict(list)
    for name, shape in names.items():
        groups[shape, name.split(".")[-1] if fields else ""].append(name)
    return dict(groups)


def _in_numeric_order(names: Sequence[str]) -> list[str] | None:
    """Return names that differ in their numbers alone in the order of those; None for others."""
    if len({re.sub(r"\d+", "#", name) for name in names}) > 1:
        return None
    return sorted(names, key=lambda name: [int(n) for n in re.findall(r"\d+", name)])


def _same_field(ours: str, theirs: str) -> bool:
    a, b = ours.split(".")[-1], theirs.split(".")[-1]
    return a == b or not {a, b} <= FIELDS


def _difference(ours: Mapping[str, Shape], theirs: Mapping[str, Shape], file: str) -> str:
    left = [n for n, s in ours.items() if _count(ours, s) > _count(theirs, s)]
    right = [n for n, s in theirs.items() if _count(theirs, s) > _count(ours, s)]
    lines = [f"{file} is of another architecture: {len(theirs)} tensors, here {len(ours)}"]
    for title, names, shapes in (("here", left, ours), ("there", right, theirs)):
        if names:
            shown = ", ".join(f"{n} {_text(shapes[n])}" for n in names[:LISTED])
            more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
            lines.append(f"more of this shape {title}: {shown}{more}")
    return "\n  ".join(lines)


def _count(names: Mapping[str, Shape], shape: Shape) -> int:
    return sum(1 for other in names.values() if other == shape)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _text(shape: Shape) -> str:
    return "x".join(map(str, shape))


def names_in_map(ours: Collection[str], file: str) -> dict[str, str]:
    """Return the new names that a JSON file gives for some or all of ours.

    Raises
    ------
    Unusable
        If it is no JSON object of texts, or names a tensor that is not there.
    Problem
        If two tensors would have one name.
    """
    try:
        names: Any = json.loads(Path(file).read_text(encoding="utf-8"))
    except ValueError as error:
        raise Unusable(f"{file}: not JSON: {error}") from None
    if not isinstance(names, dict) or not all(isinstance(v, str) for v in names.values()):
        raise Unusable(f'{file}: expected a JSON object of names, {{"0.weight": "conv1.weight"}}')
    missing = [name for name in names if name not in ours]
    if missing:
        raise Unusable(f"{file}: no tensor is called {_listed(missing)}")
    return names


def check_distinct(names: Sequence[str]) -> None:
    """Check that no two tensors have one name.

    Raises
    ------
    Problem
        If they have.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Problem(f"two tensors would be called {_listed(twice)}")
