"""Jacobians column by column, by backward passes and by differences.

What nn.Jacobian and nn.SparseJacobian share. Source: torch/nn Jacobian.lua, SparseJacobian.lua.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rekindle.core import ops
from rekindle.core.creation import empty, zeros, zeros_like
from rekindle.core.dtypes import float64
from rekindle.core.tensor import Tensor

from .errors import ArgumentError
from .torch7 import random


def unit_gradients(output: Tensor) -> Iterator[Tensor]:
    """Yield gradients of an output that are 1 at one element, one after the other."""
    gradient = zeros_like(output)
    for i in range(output.size):
        gradient.zero_()
        gradient.reshape(-1)[i] = 1.0
        yield gradient


def by_gradients(module: Any, input: Any, rows: int, found: Callable[[Any], Tensor]) -> Tensor:
    """Return a Jacobian by backward passes.

    Parameters
    ----------
    rows : int
        The numbers that are differentiated by.
    found : callable
        Given the gradient for the input, returns that for these numbers.

    Returns
    -------
    Tensor, shape (rows, size of the output), float64
    """
    output = module.forward(input)
    jacobian = zeros((rows, output.size), float64)
    for i, gradient in enumerate(unit_gradients(output)):
        module.zeroGradParameters()
        of_input = module.updateGradInput(input, gradient)
        module.accGradParameters(input, gradient)
        jacobian[:, i] = column(found(of_input))
    return jacobian


def by_steps(module: Any, input: Any, param: Tensor) -> Tensor:
    """Return, column by column, what `param` becomes by a step of 1 along each output."""
    output = module.forward(input)
    jacobian = zeros((param.size, output.size), float64)
    parameters = [p.detach() for p in module.parameters()[0]]
    originals = [p.clone() for p in parameters]
    for i, gradient in enumerate(unit_gradients(output)):
        for p, original in zip(parameters, originals, strict=True):
            p.copy_(original)
        module.updateGradInput(input, gradient)
        module.accUpdateGradParameters(input, gradient, 1)
        jacobian[:, i] = column(param)
    for p, original in zip(parameters, originals, strict=True):
        p.copy_(original)
    return jacobian


def by_differences(module: Any, input: Any, elements: Tensor, step: float) -> Tensor:
    """Return a Jacobian by central differences.

    Parameters
    ----------
    elements : Tensor, shape (n,)
        A view of the numbers that are changed.

    Returns
    -------
    Tensor, shape (n, size of the output), float64
    """
    jacobian = zeros((elements.size, module.forward(input).size), float64)
    for i in range(elements.size):
        original = elements[i].item()
        elements[i] = original - step
        before = column(module.forward(input)).clone()
        elements[i] = original + step
        after = column(module.forward(input))
        jacobian[i] = (after - before) / (2 * step)
        elements[i] = original
    return jacobian


def draw(tensor: Tensor, low: float, high: float) -> Tensor:
    """Fill a tensor with uniform numbers, drawn as Torch7's `rand` draws them; return it."""
    drawn = random.uniform(empty(tensor.size, float64)) * (high - low) + low
    return tensor.detach().copy_(drawn.reshape(tensor.shape).astype(tensor.dtype))


def elements_of(tensor: Tensor) -> Tensor:
    """Return a one-dimensional view of a tensor, to be written through.

    Raises
    ------
    ArgumentError
        If it is not contiguous.
    """
    if not tensor.is_contiguous():
        raise ArgumentError(
            f"a tensor that is changed element by element has to be contiguous; this one has "
            f"shape {tensor.shape} and strides {tensor.stride()}"
        )
    return tensor.detach().reshape(-1)


def column(tensor: Any) -> Tensor:
    """Return the elements of a tensor in float64."""
    found: Tensor = tensor.detach().reshape(-1).astype(float64)
    return found


def largest(a: Tensor, b: Tensor) -> float:
    """Return the largest difference of two tensors; 0 for empty ones."""
    difference = ops.abs(a - b)
    return float(ops.max(difference).item()) if difference.size else 0.0


def distance(a: Tensor, b: Tensor) -> float:
    """Return the length of the difference of two tensors."""
    return float(ops.norm((a - b).reshape(-1)).item())
