"""nn.SparseJacobian: derivatives of modules whose input is a list of (index, value).

Source: torch/nn SparseJacobian.lua.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from .differences import by_differences, by_gradients, by_steps, column, draw, elements_of, largest
from .errors import ArgumentError
from .jacobian import testAllUpdate as testAllUpdate
from .jacobian import testIO as testIO
from .values import as_torch

STEP = 1e-6


def backward(
    module: Any, input: Tensor, param: Tensor | None = None, dparam: Tensor | None = None
) -> Tensor:
    """Return the Jacobian that the module's backward pass computes.

    Parameters
    ----------
    module : Module
        Its output is a tensor.
    input : Tensor, shape (k, 2)
        Indices and values; differentiated by the values.
    param, dparam : Tensor, optional
        A parameter and its gradient, to differentiate by in place of the input.

    Returns
    -------
    Tensor, shape (n, m), float64
        For n numbers that are differentiated by and m of the output.
    """
    with as_torch():
        if param is None:
            return by_gradients(module, input, input.shape[0], _values)
        if dparam is None:
            raise ArgumentError("a parameter to differentiate by comes with its gradient, dparam")
        return by_gradients(module, input, param.size, lambda g: dparam)


def _values(gradient: Any) -> Tensor:
    """Return the values of a gradient, which SparseLinear puts into a table of samples."""
    found: Tensor = (gradient[1] if isinstance(gradient, Table) else gradient)[:, 1]
    return found


def backwardUpdate(module: Any, input: Tensor, param: Tensor) -> Tensor:
    """Return, column by column, what `param` becomes by a step of 1 along each output."""
    with as_torch():
        return by_steps(module, input, param)


def forward(module: Any, input: Tensor, param: Tensor | None = None) -> Tensor:
    """Return the Jacobian by central differences, of the values or of a parameter."""
    with as_torch():
        changed = input.detach()[:, 1] if param is None else elements_of(param)
        return by_differences(module, input, changed, STEP)


def forwardUpdate(module: Any, input: Tensor, param: Tensor) -> Tensor:
    """Return, column by column, what a step of 1 along differences would make of `param`."""
    with as_torch():
        return ops.unsqueeze(column(param), 1) - forward(module, input, param)


def testJacobian(module: Any, input: Tensor, minval: float = -2, maxval: float = 2) -> float:
    """Return the largest error of the gradient for values, which are drawn anew."""
    draw(input.detach()[:, 1], minval, maxval)
    return largest(forward(module, input), backward(module, input))


def testJacobianParameters(
    module: Any,
    input: Tensor,
    param: Tensor,
    dparam: Tensor,
    minval: float = -2,
    maxval: float = 2,
) -> float:
    """Return the largest error of a parameter's gradient, for values drawn anew."""
    draw(input.detach()[:, 1], minval, maxval)
    draw(param, minval, maxval)
    return largest(backward(module, input, param, dparam), forward(module, input, param))


def testJacobianUpdateParameters(
    module: Any, input: Tensor, param: Tensor, minval: float = -2, maxval: float = 2
) -> float:
    """Return the largest error of `accUpdateGradParameters`, for values drawn anew."""
    draw(input.detach()[:, 1], minval, maxval)
    draw(param, minval, maxval)
    return largest(backwardUpdate(module, input, param), forwardUpdate(module, input, param))
