"""Bare parameters, saved without their model, put into a model that was built anew."""

from __future__ import annotations

from typing import Any

from rekindle.core.autograd import no_grad
from rekindle.core.checkpoint import Table
from rekindle.core.errors import RekindleError
from rekindle.core.tensor import Tensor

from .values import tensors_in


class FillError(RekindleError, ValueError):
    """Parameters that do not fit the model."""


@no_grad()
def fill_parameters(model: Any, saved: Any) -> Any:
    """Give a model parameters that a program saved by themselves, and return it.

    Parameters
    ----------
    model : Module
    saved : Tensor or Table
        The flat tensor of `getParameters()`, or the tensors of `parameters()` in their order.

    Raises
    ------
    FillError
        If numbers of elements, or of tensors, differ, or there are no tensors.

    Source: torch/nn Module.lua, getParameters and parameters.
    """
    if isinstance(saved, Tensor):
        flat = model.getParameters()[0]
        if flat.size != saved.size:
            raise FillError(f"the model has {flat.size} parameters, the file {saved.size}")
        flat.copy_(saved.astype(flat.dtype).reshape(flat.shape))
        return model
    given = list(tensors_in(saved)) if isinstance(saved, Table) else []
    if not given:
        raise FillError(
            "parameters are one flat tensor, or a table of tensors; "
            f"given {type(saved).__name__} without tensors"
        )
    own = list(model.parameters()[0])
    sizes, given_sizes = [tuple(p.shape) for p in own], [tuple(p.shape) for p in given]
    for i, (wanted, found) in enumerate(zip(own, given, strict=False), 1):
        if wanted.size != found.size:
            raise FillError(
                f"parameter {i} of the model has shape {wanted.shape}, in the file {found.shape}"
            )
    if len(own) != len(given):
        raise FillError(
            f"the model has {len(own)} parameters {sizes}, the file {len(given)} {given_sizes}"
        )
    for wanted, found in zip(own, given, strict=True):
        wanted.copy_(found.astype(wanted.dtype).reshape(wanted.shape))
    return model
