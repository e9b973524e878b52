"""Which modules and criterions follow second derivatives back, and how; see hessian.py.

Source: torch/nn hessian.lua.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rekindle.core import ops
from rekindle.core.creation import empty, full, ones, zeros_like
from rekindle.core.tensor import Tensor

from .containers import Sequential
from .convolution import SpatialConvolution
from .convolution_map import SpatialConvolutionMap, SpatialFullConvolutionMap
from .criterion import L1Cost, MSECriterion
from .elementwise import Sqrt, Square
from .full_convolution import SpatialFullConvolution
from .hessian import Rule, field_of, follow, start
from .linear import Linear
from .local_convolution import SpatialConvolutionLocal
from .shape import Reshape
from .transfer import Tanh, TanhShrink
from .values import replace_contents


@contextmanager
def _fields(module: Any, **values: Any) -> Iterator[None]:
    """Let fields of a module have other values for a while."""
    own = vars(module)
    kept = {name: own[name] for name in values if name in own}
    own.update(values)
    try:
        yield
    finally:
        for name in values:
            own.pop(name, None)
        own.update(kept)


def _squared(module: Any, name: str, value: Tensor) -> Tensor:
    """Return the square of a tensor, kept in a field."""
    value = value.detach()
    kept: Tensor = replace_contents(vars(module).get(name), value * value)
    vars(module)[name] = kept
    return kept


# -- linear maps ----------------------------------------------------------------------------


def _through_squares(module: Any, input: Any, diagHessianOutput: Any) -> Any:
    """Return the gradient for the input, with the weights squared."""
    weight = _squared(module, "weightSq", module.weight)
    with _fields(module, weight=weight, gradInput=zeros_like(input)):
        return module.updateGradInput(input, diagHessianOutput)


def _accumulate(module: Any, input: Any, diagHessianOutput: Any) -> None:
    """Add the gradients of the parameters for the squared input to their second derivatives."""
    start(module)
    squares = _squared(module, "inputSq", input)
    names = [g for _, g in module.parameter_fields if getattr(module, g, None) is not None]
    second = {g: vars(module)[field_of(g)] for g in names}
    with _fields(module, output=empty(0, module.dtype), **second):
        module.forward(squares)  # convolutions go back from what the last forward pass unfolded
        module.accGradParameters(squares, diagHessianOutput, 1)


follow(
    Rule(_through_squares, _accumulate, start),
    Linear,
    SpatialConvolution,
    SpatialConvolutionLocal,
    SpatialConvolutionMap,
    SpatialFullConvolution,
    SpatialFullConvolutionMap,
)


# -- functions of each element --------------------------------------------------------------


def _slopes_squared(module: Any, input: Any, diagHessianOutput: Any) -> Any:
    ones_like = ones(diagHessianOutput.shape, diagHessianOutput.dtype)
    with _fields(module, gradInput=zeros_like(input)):
        slope = module.updateGradInput(input, ones_like)
    return slope * slope * diagHessianOutput


def _through_shrink(module: Any, input: Any, diagHessianOutput: Any) -> Any:
    """Return what Torch7 does: the part of tanh and that of x, added up."""
    of_tanh = module.tanh.updateDiagHessianInput(input, diagHessianOutput)
    return of_tanh + diagHessianOutput


def _reshaped(module: Any, input: Any, diagHessianOutput: Any) -> Any:
    return ops.reshape(diagHessianOutput, input.shape)


follow(Rule(_slopes_squared), Tanh, Square, Sqrt)
follow(Rule(_through_shrink), TanhShrink)
follow(Rule(_reshaped), Reshape)


# -- nn.Sequential --------------------------------------------------------------------------


def _chained(module: Any, input: Any, diagHessianOutput: Any) -> Any:
    modules = module.inside()
    for i in range(len(modules) - 1, -1, -1):
        x = modules[i - 1].output if i else input
        diagHessianOutput = modules[i].updateDiagHessianInput(x, diagHessianOutput)
    return diagHessianOutput


def _accumulate_chained(module: Any, input: Any, diagHessianOutput: Any) -> None:
    modules = module.inside()
    for i in range(len(modules) - 1, -1, -1):
        x = modules[i - 1].output if i else input
        modules[i].accDiagHessianParameters(x, diagHessianOutput)
        diagHessianOutput = vars(modules[i]).get("diagHessianInput")


def _start_chained(module: Any) -> None:
    for child in module.inside():
        child.initDiagHessianParameters()


follow(Rule(_chained, _accumulate_chained, _start_chained), Sequential)


# -- criterions -----------------------------------------------------------------------------


def _of_squares(criterion: Any, input: Any, target: Any) -> Any:
    value = 2 / input.size if criterion.sizeAverage else 2
    return full(input.shape, value, input.dtype, input.device)


def _of_sizes(criterion: Any, input: Any, target: Any) -> Any:
    """Return 1 where the input is not 0; Torch7's stand-in for a second derivative of |x|."""
    return ops.astype(ops.not_equal(input, 0), input.dtype)


follow(Rule(_of_squares), MSECriterion)
follow(Rule(_of_sizes), L1Cost)
