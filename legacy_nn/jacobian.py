"""nn.Jacobian: the derivatives of a module compared with differences of its output.

Source: torch/nn Jacobian.lua.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import checkpoint, ops
from rekindle.core.creation import empty, zeros_like
from rekindle.core.dtypes import float64
from rekindle.core.tensor import Tensor

from .differences import (
    by_differences,
    by_gradients,
    by_steps,
    column,
    distance,
    draw,
    elements_of,
    largest,
)
from .errors import ArgumentError
from .jacobian_hessian import backwardDiagHessian as backwardDiagHessian
from .jacobian_hessian import linearModuleDiagHessian as linearModuleDiagHessian
from .jacobian_hessian import testDiagHessian as testDiagHessian
from .jacobian_hessian import testDiagHessianBias as testDiagHessianBias
from .jacobian_hessian import testDiagHessianInput as testDiagHessianInput
from .jacobian_hessian import testDiagHessianWeight as testDiagHessianWeight
from .torch7 import random
from .values import as_torch


def backward(
    module: Any, input: Tensor, param: Tensor | None = None, dparam: Tensor | None = None
) -> Tensor:
    """Return the Jacobian that the module's backward pass computes.

    Parameters
    ----------
    module : Module
        Its output is a tensor.
    input : Tensor
    param, dparam : Tensor, optional
        A parameter and its gradient, to differentiate by in place of the input.

    Returns
    -------
    Tensor, shape (n, m), float64
        For n numbers that are differentiated by and m of the output.
    """
    with as_torch():
        if param is None:
            return by_gradients(module, input, input.size, lambda g: g)
        if dparam is None:
            raise ArgumentError("a parameter to differentiate by comes with its gradient, dparam")
        return by_gradients(module, input, param.size, lambda g: dparam)


def backwardUpdate(module: Any, input: Tensor, param: Tensor) -> Tensor:
    """Return, column by column, what `param` becomes by a step of 1 along each output."""
    with as_torch():
        return by_steps(module, input, param)


def forward(
    module: Any, input: Tensor, param: Tensor | None = None, perturbation: float | None = None
) -> Tensor:
    """Return the Jacobian by central differences of the output.

    Parameters
    ----------
    module : Module
    input : Tensor
    param : Tensor, optional
        What is changed, in place; by default the input.
    perturbation : float, default 1e-6

    Returns
    -------
    Tensor, shape (n, m), float64
    """
    with as_torch():
        elements = elements_of(input if param is None else param)
        return by_differences(module, input, elements, perturbation or 1e-6)


def forwardUpdate(
    module: Any, input: Tensor, param: Tensor, perturbation: float | None = None
) -> Tensor:
    """Return, column by column, what a step of 1 along differences would make of `param`."""
    with as_torch():
        moved = -forward(module, input, param, perturbation)
        return moved + ops.unsqueeze(column(param), 1)


def testJacobian(
    module: Any,
    input: Tensor,
    minval: float = -2,
    maxval: float = 2,
    perturbation: float | None = None,
) -> float:
    """Return the largest error of the gradient for an input, which is drawn anew."""
    draw(input, minval, maxval)
    differences = forward(module, input, input, perturbation)
    return largest(differences, backward(module, input))


def testJacobianParameters(
    module: Any,
    input: Tensor,
    param: Tensor,
    dparam: Tensor,
    minval: float = -2,
    maxval: float = 2,
    perturbation: float | None = None,
) -> float:
    """Return the largest error of a parameter's gradient, for an input and values drawn anew."""
    draw(input, minval, maxval)
    draw(param, minval, maxval)
    found = backward(module, input, param, dparam)
    return largest(found, forward(module, input, param, perturbation))


def testJacobianUpdateParameters(
    module: Any,
    input: Tensor,
    param: Tensor,
    minval: float = -2,
    maxval: float = 2,
    perturbation: float | None = None,
) -> float:
    """Return the largest error of `accUpdateGradParameters`, for values drawn anew."""
    draw(input, minval, maxval)
    draw(param, minval, maxval)
    found = backwardUpdate(module, input, param)
    return largest(found, forwardUpdate(module, input, param, perturbation))


def testIO(
    module: Any, input: Tensor, minval: float = -2, maxval: float = 2
) -> tuple[float, float]:
    """Return how much output and gradInput change when the module is saved and loaded."""
    with as_torch():
        original = input.detach().clone()
        module.forward(input)
        gradient = draw(zeros_like(module.output), minval, maxval)
        kept = gradient.clone()
        module.zeroGradParameters()
        module.updateGradInput(input, gradient)
        module.accGradParameters(input, gradient)
        output, found = module.output.clone(), module.gradInput.clone()
        loaded = checkpoint.loads(checkpoint.dumps(module.clearState()))
        loaded.forward(original)
        loaded.zeroGradParameters()
        loaded.updateGradInput(original, kept)
        loaded.accGradParameters(original, kept)
        return largest(output, loaded.output), largest(found, loaded.gradInput)


def testAllUpdate(module: Any, input: Tensor, weight: str, gradWeight: str) -> dict[str, float]:
    """Return the errors of the ways to change parameters, by what is tried.

    Parameters
    ----------
    module : Module
        It is not changed.
    input : Tensor
    weight, gradWeight : str
        The fields of the parameter and of its gradient.
    """
    with as_torch():
        rate = random.uniform(empty(1, float64), 0.1, 1).item()
        plain = module.clone()
        start = getattr(plain, weight).detach().clone()
        plain.forward(input)
        gradient = draw(zeros_like(plain.output), 0, 1)
        plain.zeroGradParameters()
        plain.updateGradInput(input, gradient)
        plain.accGradParameters(input, gradient)
        plain.updateParameters(rate)
        step = getattr(plain, gradWeight) * rate
        direct = module.clone()
        direct.forward(input)
        direct.updateGradInput(input, gradient)
        direct.accUpdateGradParameters(input, gradient, rate)
        errors = {
            "accGradParameters": distance(start - step, getattr(plain, weight)),
            "accUpdateGradParameters": distance(getattr(direct, weight), getattr(plain, weight)),
        }
        for name in ("accGradParameters", "accUpdateGradParameters"):
            first, second = module.clone(), module.clone()
            pair = (first, second.share(first, weight))
            for m in pair:
                m.forward(input)
                if name == "accGradParameters":
                    m.zeroGradParameters()
            for m in pair:
                m.updateGradInput(input, gradient)
            for m in pair:
                if name == "accGradParameters":
                    m.accGradParameters(input, gradient)
                else:
                    m.accUpdateGradParameters(input, gradient, rate)
            if name == "accGradParameters":
                for m in pair:
                    m.updateParameters(rate)
            errors[f"{name} [shared]"] = sum(
                distance(start - step * 2, getattr(m, weight)) for m in pair
            )
        return errors
