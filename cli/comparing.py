"""Comparing tensors and outputs, for `verify`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from rekindle.core.checkpoint import Table
from rekindle.core.dtypes import float16, float32, float64
from rekindle.core.export import Weights
from rekindle.core.tensor import Tensor

from .state import State
from .texts import shape_text

Array = np.ndarray[Any, Any]

TOLERANCES = {float64: 1e-10, float32: 1e-5, float16: 2e-2}
"""Relative differences of outputs that are rounding, by the type of the model."""

NARROWED = {float32: 1e-4, float16: 2e-2}
"""The same by the type of OUT, where it is narrower than the model's."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A tensor or output of FILE beside that of OUT.

    Attributes
    ----------
    name : str
    shape : str
    difference : float or None
        Largest absolute difference; inf where one of the two is nan; None where one is missing.
    problem : str
        What is wrong; empty if nothing is.
    """

    name: str
    shape: str
    difference: float | None
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it, which knows no infinity."""
        found = asdict(self)
        return found | {"difference": "inf"} if self.difference == np.inf else found


def largest_difference(a: Array, b: Array) -> float:
    """Return the largest absolute difference of two arrays of one shape; nan equals nan."""
    with np.errstate(invalid="ignore", over="ignore"):
        differs = (a != b) & ~((a != a) & (b != b))
        if not differs.any():
            return 0.0
        distance = np.abs(a[differs].astype(np.float64) - b[differs].astype(np.float64))
    # integers beyond 2**53 may differ and still be one float64
    return float(np.where(np.isnan(distance), np.inf, np.maximum(distance, 5e-324)).max())


def compare_tensor(name: str, tensor: Tensor, other: Array, *, reshaped: bool) -> Comparison:
    """Compare a tensor of FILE with an array of OUT, which may be rounded to its own type.

    Parameters
    ----------
    reshaped : bool
        Whether OUT may have another shape of as many elements, as where names are others'.
    """
    if other.size != tensor.size or (other.shape != tensor.shape and not reshaped):
        problem = f"OUT has shape {'x'.join(map(str, other.shape))}"
        return Comparison(name, shape_text(tensor), None, problem)
    if (other.dtype.kind == "f") != (tensor.dtype.kind == "f"):
        return Comparison(name, shape_text(tensor), None, f"OUT has {other.dtype}")
    ours = tensor.numpy()
    theirs = other.reshape(ours.shape)
    with np.errstate(over="ignore"):
        rounded = ours.astype(other.dtype)
    wrong = largest_difference(rounded, theirs)
    return Comparison(
        name, shape_text(tensor), largest_difference(ours, theirs), "differs" if wrong else ""
    )


def compare_states(state: State, weights: Weights, renamed: dict[str, str]) -> list[Comparison]:
    """Compare all tensors of a state with the arrays of OUT.

    Gradients, and further names of tied tensors, may be missing. All floating tensors of OUT
    may be of one narrower type, as `convert --dtype` writes them; a single one may not.
    """
    found = []
    types = {array.dtype for array in weights.arrays.values() if array.dtype.kind == "f"}
    names = {**{name: name for name in state.entries}, **state.aliases}
    for name, primary in names.items():
        entry = state.entries[primary]
        there = renamed.get(name, name)
        if there in weights:
            other = weights[there]
            compared = compare_tensor(name, entry.tensor, other, reshaped=name in renamed)
            if not compared.problem and other.dtype != entry.tensor.dtype and len(types) > 1:
                compared = replace(compared, problem=f"OUT has {other.dtype}, and others there")
            found.append(compared)
        elif name == primary and entry.kind != "gradient":
            found.append(Comparison(name, shape_text(entry.tensor), None, "missing in OUT"))
    return found


def load_into(copy: State, weights: Weights, renamed: dict[str, str]) -> None:
    """Fill the parameters and buffers of a copy of the model from OUT alone.

    They become nan first (the least number where they are integers).
    """
    for entry in copy.entries.values():
        if entry.kind != "gradient":
            array = entry.tensor.numpy()
            array[...] = np.nan if array.dtype.kind == "f" else np.iinfo(array.dtype).min
    for name, entry in copy.entries.items():
        there = renamed.get(name, name)
        if there in weights and weights[there].size == entry.tensor.size:
            array = entry.tensor.numpy()
            array[...] = weights[there].reshape(array.shape)


def compare_outputs(
    ours: Any, theirs: Any, tolerance: float, path: str = "output"
) -> list[Comparison]:
    """Compare two outputs, tensor by tensor."""
    if isinstance(ours, Table) and isinstance(theirs, Table) and ours.count() == theirs.count():
        return [
            found
            for key, value in ours.items()
            for found in compare_outputs(value, theirs.get(key), tolerance, f"{path}[{key}]")
        ]
    if not (isinstance(ours, Tensor) and isinstance(theirs, Tensor)):
        same = ours == theirs
        return [Comparison(path, "", None, "" if same else "not the same kind of output")]
    if ours.shape != theirs.shape:
        return [Comparison(path, shape_text(ours), None, f"OUT gives {shape_text(theirs)}")]
    a, b = theirs.numpy().astype(np.float64), ours.numpy().astype(np.float64)
    difference = largest_difference(a, b)
    scale = float(np.max(np.abs(b), where=np.isfinite(b), initial=0.0))
    too_far = difference > tolerance * scale
    problem = f"more than {tolerance:g} times the largest, {scale:.6g}" if too_far else ""
    return [Comparison(path, shape_text(ours), difference, problem)]
