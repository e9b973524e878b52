"""nn.Criterion: a loss, in Torch's protocol and in the framework's.

A criterion states its loss once, in `compute`, on registered operations. Torch's methods make
numbers and gradients of it; `criterion(input, target)` is the loss in the graph of `input`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core.autograd import enable_grad, grad
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, zeros_like
from rekindle.core.dtypes import is_floating
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from ..classes import TorchClass, torch_class
from ..conversion import Cache, Converting
from ..copying import Copying
from ..errors import ArgumentError, InputTypeError, ModuleError
from ..gradients import refilled
from ..hessian import DiagonalHessian
from ..state import take_fields
from ..torch7.types import default_dtype
from ..values import as_input, as_torch, builds_graph, map_tensors, size_text, tensors_in


@torch_class("nn.Criterion")
class Criterion(Copying, Converting, DiagonalHessian, TorchClass):
    """The base of all criterions.

    Attributes
    ----------
    output : float
        What the last `updateOutput` returned.
    gradInput : Tensor or Table
        What the last `updateGradInput` returned: the same tensor every time.
    sizeAverage : bool
        Whether losses are averaged and not summed, where the class knows the choice.

    Source: torch/nn Criterion.lua.
    """

    sizeAverage: bool = True
    output: Any = 0
    gradInput: Any = None

    def __init__(self) -> None:
        self.gradInput = empty(0, default_dtype())
        self.output = 0

    def compute(self, input: Any, target: Any) -> Tensor:
        """Return the loss as a tensor of one element, from operations on `input`.

        Pure: it writes no field.
        """
        raise ModuleError(f"{self.t7_typename} does not say what its loss is")

    def gradient(self, input: Any, target: Any) -> Any:
        """Return the gradient of the loss for `input`: of its shape, a Table for a Table."""
        with enable_grad():
            leaves = map_tensors(_leaf, input)
            value = self.compute(leaves, target)
        inputs = list(tensors_in(leaves))
        found = iter(grad([value], inputs, allow_unused=True) if value.requires_grad else [])

        def of(leaf: Tensor) -> Tensor:
            g = next(found, None)
            return zeros_like(leaf) if g is None else g

        return map_tensors(of, leaves)

    # -- Torch's protocol ---------------------------------------------------------------

    def updateOutput(self, input: Any, target: Any = None) -> Any:
        """Compute the loss, keep it in `self.output` and return it, as a number."""
        with as_torch():
            self.output = self.compute(as_input(input), as_input(target)).item()
        return self.output

    def forward(self, input: Any, target: Any = None) -> Any:
        """Return `updateOutput(input, target)`."""
        return self.updateOutput(input, target)

    def updateGradInput(self, input: Any, target: Any = None) -> Any:
        """Compute the gradient for `input`, keep it in `self.gradInput` and return it."""
        with as_torch():
            found = self.gradient(as_input(input), as_input(target))
            self.gradInput = refilled(self.gradInput, found)
        return self.gradInput

    def backward(self, input: Any, target: Any = None) -> Any:
        """Return `updateGradInput(input, target)`."""
        return self.updateGradInput(input, target)

    # -- the framework's protocol -------------------------------------------------------

    def __call__(self, input: Any, target: Any = None) -> Tensor:
        """Return the loss as a 0-d tensor in the graph of `input`; no field changes.

        Called on a table of nodes of a graph, return a new node: torch/nngraph init.lua.
        """
        if target is None and builds_graph(input):
            from .as_module import ModuleFromCriterion

            node: Tensor = ModuleFromCriterion(self)(input)
            return node
        with np.errstate(all="ignore"):
            loss = self.compute(as_input(input), as_input(target))
        return loss if loss.shape == () else loss.reshape(())

    # -- fields -------------------------------------------------------------------------

    def type(self, type: str | None = None, tensorCache: Cache | None = None) -> Any:
        """Convert all tensors here and inside to a type and return the criterion.

        Raises
        ------
        ArgumentError
            Without a type.
        """
        if type is None:
            raise ArgumentError(f"{self.t7_typename}: must provide a type to convert to")
        self.convert_fields(type, {} if tensorCache is None else tensorCache)
        return self

    def averaged(self, total: Tensor, count: int) -> Tensor:
        """Return a sum of `count` losses, or their mean where `sizeAverage` says so."""
        return total / count if self.sizeAverage else total

    def t7_restore(self, version: int, fields: Table) -> None:
        """Become the object that a file holds."""
        take_fields(self, fields)

    def t7_fields(self) -> Table:
        """Return the fields as a file holds them."""
        return Table(self.__dict__)


def _leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().requires_grad_(is_floating(tensor.dtype))


def tensor_of(criterion: Criterion, value: Any, *ndims: int, name: str = "input") -> Tensor:
    """Return `value`, which must be a tensor of one of `ndims` dimensions, or of any.

    Raises
    ------
    InputTypeError
        If it is no tensor.
    ShapeError
        If it has another number of dimensions.
    """
    if not isinstance(value, Tensor):
        raise InputTypeError(
            f"{criterion.t7_typename} takes a tensor as {name}; "
            f"given {type(value).__name__} {value!r:.60}"
        )
    if ndims and value.ndim not in ndims:
        listed = " or ".join(f"{n}D" for n in ndims)
        raise ShapeError(
            f"{criterion.t7_typename}: {listed} tensor expected as {name}; given {size_text(value)}"
        )
    return value


def paired_tensors(criterion: Criterion, input: Any, target: Any) -> tuple[Tensor, Tensor]:
    """Return an input and its target in the input's shape.

    Raises
    ------
    ShapeError
        If they differ in their number of elements.
    InputTypeError
        If they are no tensors, or differ in type.
    """
    x = tensor_of(criterion, input)
    t = tensor_of(criterion, target, name="target")
    if t.size != x.size:
        raise ShapeError(
            f"{criterion.t7_typename}: input and target have different number of elements: "
            f"input{size_text(x)} has {x.size} elements, while target{size_text(t)} has "
            f"{t.size} elements"
        )
    if t.dtype != x.dtype:
        raise InputTypeError(
            f"{criterion.t7_typename} takes input and target of one type; "
            f"given {x.dtype} and {t.dtype}: convert one with .astype()"
        )
    return x, t.detach().reshape(x.shape)


def class_weights(criterion: Criterion, weights: Any) -> None:
    """Set the field `weights`, where they are given.

    Raises
    ------
    ArgumentError
        If they are no vector.
    """
    if weights is None:
        return
    if not isinstance(weights, Tensor) or weights.ndim != 1:
        raise ArgumentError(
            f"{criterion.t7_typename}: weights input should be 1-D Tensor; given {weights!r:.60}"
        )
    vars(criterion)["weights"] = weights
