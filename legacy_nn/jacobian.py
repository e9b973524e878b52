"""nn.Jacobian: the derivatives of a module compared with differences of its output.

Source: torch/nn Jacobian.lua.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import checkpoint, ops
from rekindle.core.creation import empty, zeros, zeros_like
from rekindle.core.dtypes import float64
from rekindle.core.tensor import Tensor

from .errors import ArgumentError
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
        output = module.forward(input)
        by = input if param is None else param
        jacobian = zeros((by.size, output.size), float64)
        gradient = zeros_like(output)
        for i in range(output.size):
            gradient.zero_()
            gradient.reshape(-1)[i] = 1.0
            module.zeroGradParameters()
            found = module.updateGradInput(input, gradient)
            module.accGradParameters(input, gradient)
            jacobian[:, i] = _column(found if param is None else dparam)
        return jacobian


def backwardUpdate(module: Any, input: Tensor, param: Tensor) -> Tensor:
    """Return, column by column, what `param` becomes by a step of 1 along each output."""
    with as_torch():
        output = module.forward(input)
        jacobian = zeros((param.size, output.size), float64)
        gradient = zeros_like(output)
        parameters = [p.detach() for p in module.parameters()[0]]
        originals = [p.clone() for p in parameters]
        for i in range(output.size):
            for p, original in zip(parameters, originals, strict=True):
                p.copy_(original)
            gradient.zero_()
            gradient.reshape(-1)[i] = 1.0
            module.updateGradInput(input, gradient)
            module.accUpdateGradParameters(input, gradient, 1)
            jacobian[:, i] = _column(param)
        for p, original in zip(parameters, originals, strict=True):
            p.copy_(original)
        return jacobian


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
    step = 1e-6 if perturbation is None else perturbation
    with as_torch():
        elements = _elements(input if param is None else param)
        jacobian = zeros((elements.size, module.forward(input).size), float64)
        for i in range(elements.size):
            original = elements[i].item()
            elements[i] = original - step
            before = _column(module.forward(input)).clone()
            elements[i] = original + step
            after = _column(module.forward(input))
            jacobian[i] = (after - before) / (2 * step)
            elements[i] = original
        return jacobian


def forwardUpdate(
    module: Any, input: Tensor, param: Tensor, perturbation: float | None = None
) -> Tensor:
    """Return, column by column, what a step of 1 along differences would make of `param`."""
    with as_torch():
        moved = -forward(module, input, param, perturbation)
        return moved + ops.unsqueeze(_column(param), 1)


def testJacobian(
    module: Any,
    input: Tensor,
    minval: float = -2,
    maxval: float = 2,
    perturbation: float | None = None,
) -> float:
    """Return the largest error of the gradient for an input, which is drawn anew."""
    _draw(input, minval, maxval)
    differences = forward(module, input, input, perturbation)
    return _largest(differences, backward(module, input))


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
    _draw(input, minval, maxval)
    _draw(param, minval, maxval)
    found = backward(module, input, param, dparam)
    return _largest(found, forward(module, input, param, perturbation))


def testJacobianUpdateParameters(
    module: Any,
    input: Tensor,
    param: Tensor,
    minval: float = -2,
    maxval: float = 2,
    perturbation: float | None = None,
) -> float:
    """Return the largest error of `accUpdateGradParameters`, for values drawn anew."""
    _draw(input, minval, maxval)
    _draw(param, minval, maxval)
    found = backwardUpdate(module, input, param)
    return _largest(found, forwardUpdate(module, input, param, perturbation))


def testIO(
    module: Any, input: Tensor, minval: float = -2, maxval: float = 2
) -> tuple[float, float]:
    """Return how much output and gradInput change when the module is saved and loaded."""
    with as_torch():
        original = input.detach().clone()
        module.forward(input)
        gradient = _draw(zeros_like(module.output), minval, maxval)
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
        return _largest(output, loaded.output), _largest(found, loaded.gradInput)


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
        gradient = _draw(zeros_like(plain.output), 0, 1)
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
            "accGradParameters": _distance(start - step, getattr(plain, weight)),
            "accUpdateGradParameters": _distance(getattr(direct, weight), getattr(plain, weight)),
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
                _distance(start - step * 2, getattr(m, weight)) for m in pair
            )
        return errors


def _draw(tensor: Tensor, low: float, high: float) -> Tensor:
    """Fill a tensor with uniform numbers, drawn as Torch7's `rand` draws them; return it."""
    drawn = random.uniform(empty(tensor.size, float64)) * (high - low) + low
    return tensor.detach().copy_(drawn.reshape(tensor.shape).astype(tensor.dtype))


def _elements(tensor: Tensor) -> Tensor:
    """Return a one-dimensional view of a tensor, to be written through."""
    if not tensor.is_contiguous():
        raise ArgumentError(
            f"a tensor that is changed element by element has to be contiguous; this one has "
            f"shape {tensor.shape} and strides {tensor.stride()}"
        )
    return tensor.detach().reshape(-1)


def _column(tensor: Any) -> Tensor:
    """Return the elements of a tensor in float64."""
    column: Tensor = tensor.detach().reshape(-1).astype(float64)
    return column


def _largest(a: Tensor, b: Tensor) -> float:
    difference = ops.abs(a - b)
    return float(ops.max(difference).item()) if difference.size else 0.0


def _distance(a: Tensor, b: Tensor) -> float:
    return float(ops.norm((a - b).reshape(-1)).item())
