"""Limits for gradients, before an optimiser's step."""

from __future__ import annotations

from collections.abc import Iterable

from ... import ops
from ...autograd import no_grad
from ...creation import zeros
from ...tensor import Tensor
from ..errors import ModuleError


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    given = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [p.grad.detach() for p in given if p.grad is not None]


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Return the norm of all elements of some tensors, as if they were one vector.

    Parameters
    ----------
    tensors : Tensor or iterable of Tensor
    norm_type : float
        The p of the norm; infinity for the largest magnitude.
    error_if_nonfinite : bool
        Whether a norm that is infinite or nan is an error.

    Raises
    ------
    ModuleError
        If it is.
    """
    each = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    with no_grad():
        if not each:
            return zeros(())
        norms = ops.stack([ops.norm(t, p=norm_type).to(each[0].device) for t in each])
        total = ops.norm(norms, p=norm_type)
    if error_if_nonfinite and not bool(total.isfinite()):
        raise ModuleError(f"the norm of order {norm_type} of the gradients is {total.item()}")
    return total


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale gradients down, in place, so that their common norm is at most `max_norm`.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient are passed over.
    max_norm : float
    norm_type, error_if_nonfinite
        As of `get_total_norm`.

    Returns
    -------
    Tensor
        The norm before, of one element.

    Raises
    ------
    ModuleError
        If the norm is not finite and that is an error; the gradients are as before.

    Notes
    -----
    Gradients are multiplied by max_norm / (norm + 1e-6) where that is below 1.
    """
    gradients = _gradients(parameters)
    total = get_total_norm(gradients, norm_type, error_if_nonfinite)
    factor = (max_norm / (total + 1e-6)).clamp(max=1.0)
    with no_grad():
        for g in gradients:
            g.copy_(g * factor.to(g.device))
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Limit each element of the gradients, in place, to [-clip_value, clip_value]."""
    for g in _gradients(parameters):
        g.clamp_(min=-clip_value, max=clip_value)
