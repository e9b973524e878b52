"""Which tensors of a model are one: the same view of one memory, or views that overlap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rekindle.core.backend import strided_view
from rekindle.core.tensor import Tensor

COMPARED = 50
"""Neighbours in memory that a view is compared with at most, so that no file takes forever."""

View = tuple[int, int, tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Tie:
    """Two tensors that share elements.

    Attributes
    ----------
    tensor, first : int
        Positions in the list of tensors; `first` is the earlier one.
    whole : bool
        Whether they are the same view: equal shape, strides and place in memory.
    """

    tensor: int
    first: int
    whole: bool


def view_of(tensor: Tensor) -> View:
    """Return what identifies a view: its storage, offset, shape and strides."""
    storage = tensor.storage()
    return id(storage), tensor.storage_offset(), tensor.shape, tensor.stride()


def find_ties(tensors: Sequence[Tensor]) -> list[Tie]:
    """Return a tie for each tensor that shares elements with an earlier one, in their order.

    Views of one storage that have no element in common, such as those that getParameters
    makes, are not tied.
    """
    ties = []
    first_of: dict[View, int] = {}
    by_storage: dict[int, list[int]] = defaultdict(list)
    for i, tensor in enumerate(tensors):
        if not tensor.size:
            continue
        view = view_of(tensor)
        if view in first_of:
            ties.append(Tie(i, first_of[view], whole=True))
        else:
            first_of[view] = i
            by_storage[view[0]].append(i)
    for indices in by_storage.values():
        if len(indices) > 1:
            ties += _overlaps(tensors, indices)
    return sorted(ties, key=lambda tie: tie.tensor)


def _overlaps(tensors: Sequence[Tensor], indices: list[int]) -> Iterable[Tie]:
    """Yield the ties among different views of one storage."""
    ranges = sorted((*_range(tensors[i]), i) for i in indices)
    open_ranges: list[tuple[int, int]] = []
    found: dict[int, int] = {}
    for low, high, i in ranges:
        open_ranges = [(end, j) for end, j in open_ranges if end >= low]
        for _, j in open_ranges[-COMPARED:]:
            if _share_elements(tensors[i], tensors[j]):
                later, earlier = max(i, j), min(i, j)
                found[later] = min(earlier, found.get(later, earlier))
        open_ranges.append((high, i))
    return (Tie(later, earlier, whole=False) for later, earlier in found.items())


def _range(tensor: Tensor) -> tuple[int, int]:
    """Return the first and the last element of the storage that a tensor reaches."""
    low = high = tensor.storage_offset()
    for n, step in zip(tensor.shape, tensor.stride(), strict=True):
        low, high = low + min(0, (n - 1) * step), high + max(0, (n - 1) * step)
    return low, high


def _share_elements(a: Tensor, b: Tensor) -> bool:
    try:
        return np.shares_memory(_elements(a), _elements(b), max_work=100_000)  # type: ignore[arg-type]  # stub
    except np.exceptions.TooHardError:
        return True


def _elements(tensor: Tensor) -> np.ndarray[Any, Any]:
    """Return the view as it is in the file, which reads nothing."""
    memory = tensor.storage().raw
    view: np.ndarray[Any, Any] = strided_view(
        memory, tensor.storage_offset(), tensor.shape, tensor.stride()
    )
    return view
