"""Gathering parameters into one flat tensor that they all view: getParameters.

Source: torch/nn Module.lua.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rekindle.core.backend import namespace, strided_view
from rekindle.core.creation import empty
from rekindle.core.dtypes import float64
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from .errors import ArgumentError


def get_parameters(
    parameters: Sequence[Tensor], gradients: Sequence[Tensor]
) -> tuple[Tensor, Tensor]:
    """Gather parameters, and likewise their gradients; see `Module.getParameters`."""
    flat, flat_gradients = flatten(parameters), flatten(gradients)
    if flat.size != flat_gradients.size:
        raise ArgumentError(
            f"check that you are sharing parameters and gradParameters: there are {flat.size} "
            f"numbers in {len(parameters)} parameters and {flat_gradients.size} in "
            f"{len(gradients)} gradients"
        )
    for i, (p, g) in enumerate(zip(parameters, gradients, strict=True), 1):
        if p.storage_offset() != g.storage_offset():
            raise ArgumentError(
                f"misaligned parameter at {i}: it is at {p.storage_offset() + 1} of the flat "
                f"parameters, its gradient at {g.storage_offset() + 1} of the flat gradients"
            )
    return flat, flat_gradients


def flatten(tensors: Sequence[Tensor]) -> Tensor:
    """Move tensors into one storage, on which they are views again; return all of it.

    Storages come in the order in which the tensors reach them, and inside each the order is
    that of the storage; elements that no tensor reaches are left out.

    Parameters
    ----------
    tensors : sequence of Tensor
        Of one dtype and on one device. They keep their identity, shape, strides and values.

    Returns
    -------
    Tensor, shape (n,)
        float64 without elements if there are no tensors.

    Raises
    ------
    ArgumentError
        If the tensors differ in type, or one of them has gaps that would have to be closed.
    """
    if not tensors:
        return empty(0, float64)
    storages, places, used = layout(tensors)
    flat = namespace(tensors[0].array).concatenate([storage.array for storage in storages])
    if not used.all():
        flat = flat[namespace(flat).asarray(used)]
    result = Tensor(flat)
    for tensor, place in zip(tensors, places, strict=True):
        tensor.set_(result.storage(), place, tensor.shape, tensor.stride())
    return result


def layout(tensors: Sequence[Tensor]) -> tuple[list[Storage], list[int], Any]:
    """Return where tensors will be when they are gathered; nothing is moved.

    Returns
    -------
    storages : list of Storage
        In the order in which the tensors reach them.
    places : list of int
        The element of the flat tensor that is each tensor's first.
    used : ndarray, shape (n,), bool
        Which elements of the storages, one after the other, some tensor reaches.

    Raises
    ------
    ArgumentError
        As `flatten`.
    """
    dtype, device = tensors[0].dtype, tensors[0].device
    starts: dict[Storage, int] = {}
    total = 0
    for tensor in tensors:
        if (tensor.dtype, tensor.device) != (dtype, device):
            raise ArgumentError(
                f"parameters of one type are gathered; there are {dtype} on {device} and "
                f"{tensor.dtype} on {tensor.device}: convert the module with type() first"
            )
        if tensor.storage() not in starts:
            starts[tensor.storage()] = total
            total += tensor.storage().size
    used = np.zeros(total, dtype=bool)
    places = [starts[t.storage()] + t.storage_offset() for t in tensors]
    for tensor, place in zip(tensors, places, strict=True):
        if tensor.size:
            strided_view(used, place, tensor.shape, tensor.stride())[...] = True
    if not used.all():
        places = _without_holes(used, tensors, places)
    places = [place if tensor.size else 0 for tensor, place in zip(tensors, places, strict=True)]
    return list(starts), places, used


def _without_holes(used: Any, tensors: Sequence[Tensor], places: Sequence[int]) -> list[int]:
    """Return where tensors are when the elements that none of them uses are left out."""
    for tensor in tensors:
        if tensor.size and not _is_compact(tensor):
            raise ArgumentError(
                "cannot gather tensors that are not compact: one of shape "
                f"{tensor.shape} and strides {tensor.stride()} skips elements"
            )
    before = used.cumsum() - used
    return [
        int(before[place]) if tensor.size else 0
        for tensor, place in zip(tensors, places, strict=True)
    ]


def _is_compact(tensor: Tensor) -> bool:
    """Whether a tensor's elements are neighbours in memory, in whatever order."""
    expected = 1
    dimensions = zip(tensor.stride(), tensor.shape, strict=True)
    for step, n in sorted(d for d in dimensions if d[0] != 0 and d[1] != 1):
        if step != expected:
            return False
        expected *= n
    return True
