"""Gradients on their way back through containers: how they are matched and added up.

A gradient is a tensor, or a Table of them in which parts may be missing, or None where
nothing arrives.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.table import new_table
from rekindle.core.creation import zeros_like
from rekindle.core.dtypes import is_floating
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .values import map_tensors, size_text, tensors_in


def shaped(owner: Any, result: Any, gradOutput: Any) -> Any:
    """Return the gradient of an output, tensor by tensor in the shape of the output's.

    Raises
    ------
    ShapeError
        If a tensor has another number of elements than the output's.
    """
    if type(result) is type(gradOutput) is Table:
        mine, given = result._map, gradOutput._map
        if mine.keys() == given.keys() and all(
            type(y) is type(g := given[key]) is Tensor and y.shape == g.shape
            for key, y in mine.items()
        ):
            return new_table({key: given[key] for key in mine})
    arrived = tensors_in(gradOutput)

    def one(y: Tensor) -> Any:
        g = next(arrived, None)
        if g is None:
            return None
        if g.size != y.size:
            raise ShapeError(
                f"{owner.t7_typename}: output and gradOutput shapes do not match: "
                f"output {size_text(y)}, gradOutput {size_text(g)}"
            )
        return g if g.shape == y.shape else ops.reshape(g.detach(), y.shape)

    return map_tensors(one, result)


def completed(g: Any, output: Any) -> Any:
    """Return `g` with zeros for the tensors of `output` that no gradient arrived for."""
    if isinstance(output, Tensor):
        return zeros_like(output) if g is None else g
    if isinstance(output, Table):
        parts = {} if g is None else g._map
        return new_table({k: completed(parts.get(k), part) for k, part in output._map.items()})
    return output


def fitting(g: Any, input: Any) -> Any:
    """Return what of a gradient fits the input: floating tensors of the same shape."""
    if isinstance(input, Tensor):
        fits = isinstance(g, Tensor) and g.shape == input.shape and is_floating(input.dtype)
        return g if fits else None
    if not (isinstance(input, Table) and isinstance(g, Table)):
        return None
    parts = {k: fitting(g._map.get(k), part) for k, part in input._map.items()}
    found = {k: part for k, part in parts.items() if part is not None}
    return new_table(found) if found else None


def added(first: Any, second: Any) -> Any:
    """Return the sum of two gradients, in new tensors."""
    if first is None or second is None:
        return second if first is None else first
    if isinstance(first, Table):
        sums = dict(first._map)
        for key, part in second._map.items():
            sums[key] = added(sums.get(key), part)
        return new_table(sums)
    return ops.add(first, second)


def of_input(g: Any, input: Any) -> Any:
    """Return the gradient for a container's input, zeros where nothing arrived."""
    if isinstance(input, Tensor):
        return zeros_like(input) if g is None else g
    if isinstance(input, Table):
        parts = {} if g is None else g._map
        return new_table({k: of_input(parts.get(k), part) for k, part in input._map.items()})
    return input
