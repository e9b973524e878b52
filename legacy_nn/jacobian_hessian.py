"""The part of nn.Jacobian that compares second derivatives: see hessian.py.

They are those of half the sum of the squares of a module's output. For a module that is linear
in its input and in its parameters, the diagonal is the sum of the squares of the first
derivatives. Source: torch/nn Jacobian.lua.
"""

from __future__ import annotations

from typing import Any

from rekindle.core.creation import ones, zeros
from rekindle.core.dtypes import float64
from rekindle.core.tensor import Tensor

from .differences import column, draw, largest, unit_gradients
from .values import as_torch


def backwardDiagHessian(module: Any, input: Tensor, diagHessianParamName: str) -> Tensor:
    """Return the second derivatives that the module follows back.

    Parameters
    ----------
    module : Module
        Its fields are there: see `initDiagHessianParameters`.
    input : Tensor
    diagHessianParamName : str
        "diagHessianInput", "diagHessianWeight" or "diagHessianBias".
    """
    with as_torch():
        output = module.forward(input)
        unit = ones(output.shape, output.dtype, output.device)
        for name in ("diagHessianWeight", "diagHessianBias"):
            if (kept := vars(module).get(name)) is not None:
                kept.zero_()
        module.updateDiagHessianInput(input, unit)
        module.accDiagHessianParameters(input, unit)
    found: Tensor = vars(module)[diagHessianParamName]
    return found


def linearModuleDiagHessian(module: Any, input: Tensor, gradParamName: str) -> Tensor:
    """Return the sums of squares of first derivatives.

    Parameters
    ----------
    module : Module
        Linear in its input and in its parameters.
    input : Tensor
    gradParamName : str
        "gradInput", "gradWeight" or "gradBias".

    Returns
    -------
    Tensor, shape (n,), float64
    """
    with as_torch():
        output = module.forward(input)
        total: Any = None
        for gradient in unit_gradients(output):
            module.zeroGradParameters()
            module.updateGradInput(input, gradient)
            module.accGradParameters(input, gradient)
            found = column(getattr(module, gradParamName))
            total = zeros(found.size, float64) if total is None else total
            total.add_(found * found)
        sums: Tensor = total
        return sums


def testDiagHessian(
    module: Any,
    input: Tensor,
    gradParamName: str,
    diagHessianParamName: str,
    minval: float = -2,
    maxval: float = 2,
) -> float:
    """Return the largest difference of the two, for an input that is drawn anew."""
    draw(input, minval, maxval)
    module.initDiagHessianParameters()
    followed = column(backwardDiagHessian(module, input, diagHessianParamName)).clone()
    return largest(followed, linearModuleDiagHessian(module, input, gradParamName))


def testDiagHessianInput(
    module: Any, input: Tensor, minval: float = -2, maxval: float = 2
) -> float:
    """Return the error of the second derivatives for the input."""
    return testDiagHessian(module, input, "gradInput", "diagHessianInput", minval, maxval)


def testDiagHessianWeight(
    module: Any, input: Tensor, minval: float = -2, maxval: float = 2
) -> float:
    """Return the error of the second derivatives for the weight."""
    return testDiagHessian(module, input, "gradWeight", "diagHessianWeight", minval, maxval)


def testDiagHessianBias(module: Any, input: Tensor, minval: float = -2, maxval: float = 2) -> float:
    """Return the error of the second derivatives for the bias."""
    return testDiagHessian(module, input, "gradBias", "diagHessianBias", minval, maxval)
