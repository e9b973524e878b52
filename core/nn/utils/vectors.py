"""All Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from ... import ops
from ...autograd import no_grad
from ...errors import ShapeError
from ...tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Return the elements of all Parameters, one after the other; gradients pass through.

    Returns
    -------
    Tensor, shape (n,)
    """
    return ops.concat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the elements of a vector into Parameters, one after the other.

    Raises
    ------
    ShapeError
        If it has another number of elements; nothing is written then.
    """
    targets = list(parameters)
    total = sum(p.size for p in targets)
    if vec.shape != (total,):
        raise ShapeError(f"these parameters take a vector of {total}; given {vec.shape}")
    place = 0
    with no_grad():
        for p in targets:
            p.copy_(vec[place : place + p.size].reshape(p.shape))
            place += p.size
