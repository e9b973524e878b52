"""nn.Convert: dimensions in another order or put together, and another type.

Source: torch/nn Convert.lua.
"""

from __future__ import annotations

from typing import Any, Self

from rekindle.core import ops
from rekindle.core.errors import ShapeError

from .checks import one_tensor
from .containers import Container, Sequential, Step
from .fields import given, set_unless_nil
from .going_back import Ask
from .gradients import refilled
from .identity import Identity
from .layout import Transpose
from .module import ArgumentError, share_memory, torch_class
from .select import Select
from .shape import Reshape


@torch_class("nn.Convert")
class Convert(Container):
    """Brings tensors from one arrangement of dimensions to another, and to the module's type.

    An arrangement has a letter for each dimension: b for the batch, c, h and w for images, t
    for time, f for features. "bchw" to "bf" flattens images; "bf" to "fb" transposes. Inputs of
    one dimension less have no batch.

    Parameters
    ----------
    inputShape, outputShape : str, optional
        A missing "b" is put before. By default only the type changes.

    Raises
    ------
    ArgumentError
        If there is only an `outputShape`, or only one of the two is "b*".
    """

    transposition: bool | None = None
    converter: Any = None

    def __init__(self, inputShape: str | None = None, outputShape: str | None = None) -> None:
        if outputShape is not None and inputShape is None:
            raise ArgumentError("nn.Convert with an outputShape needs an inputShape, too")
        inputShape = given(inputShape, "b*")
        outputShape = given(outputShape, inputShape)
        self.inputShape = inputShape if "b" in inputShape else "b" + inputShape
        self.outputShape = outputShape if "b" in outputShape else "b" + outputShape
        self.inputBatchDim = self.inputShape.index("b") + 1
        self.outputBatchDim = self.outputShape.index("b") + 1
        if "b*" in (self.inputShape, self.outputShape):
            if self.inputShape != self.outputShape:
                raise ArgumentError("nn.Convert takes two shapes b*, or none")
            self.nInputDim = self.nOutputDim = -1
            self.transposition = True
        else:
            self.nInputDim, self.nOutputDim = len(self.inputShape), len(self.outputShape)
            if self.nInputDim == self.nOutputDim:
                self.transposition = set(self.inputShape) <= set(self.outputShape)
        super().__init__()

    def flow(self, input: Any, step: Step) -> Any:
        x = one_tensor(self, input)
        if x.dtype != self.dtype:
            x = ops.astype(x, self.dtype)
        batch = x.ndim >= self.nInputDim
        if not batch:
            x = ops.unsqueeze(x, self.inputBatchDim - 1)
        if self.converter is None:
            self.buildConverter(x)
        y = step(1, x)
        return y if batch else ops.squeeze(y, axis=self.outputBatchDim - 1)

    def keep(self, input: Any, result: Any) -> Any:
        if result is self.modules[1].output:
            return result
        own = vars(self)  # a name that Python would change in a class
        own["__output"] = share_memory(own.get("__output"), result)
        return own["__output"]

    def back(self, input: Any, gradOutput: Any, ask: Ask) -> Any:
        # The gradient is of the module's type, also for an input of integers.
        return super().back(ops.astype(one_tensor(self, input), self.dtype), gradOutput, ask)

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        return refilled(self.gradInput, result)

    def buildConverter(self, input: Any) -> None:
        """Make the module that converts inputs like this one."""
        if self.transposition:
            self.converter = self.transpose(self.outputShape)
        elif (make := {"bf": self.bf, "b": self.b, "bt": self.bt}.get(self.outputShape)) is None:
            raise ShapeError(
                f"Unrecognized conversion of shape {self.inputShape} to {self.outputShape}"
            )
        else:
            self.converter = make(input)
        self.converter.type(self._type)
        set_unless_nil(self.converter, train=self.train)
        self.modules[1] = self.converter

    def bf(self, input: Any) -> Any:
        """Return the module that makes samples of features."""
        position = self.findAxis("b")
        if self.inputShape == "bt":
            raise ShapeError("Conversion of shape bt to bf not supported")
        if len(self.inputShape) == 1:
            return Reshape(1)
        front = Transpose([1, position]) if position != 1 else None
        if len(self.inputShape) == 2:
            return given(front, Identity())
        flat = Reshape(input.size // input.shape[position - 1])
        return flat if front is None else Sequential().add(front).add(flat)

    def b(self, input: Any) -> Any:
        """Return the module that makes a batch of numbers."""
        shape = self.inputShape
        if shape in ("bt", "tb"):
            return Select(self.findAxis("t"), 1)
        if shape not in ("bf", "fb"):
            raise ShapeError(f"Cannot convert shape {shape} to shape b")
        axis = self.findAxis("f")
        if input.shape[axis - 1] > 1:
            raise ShapeError(f"Cannot convert shape {shape} to b when feature > 1")
        return Select(axis, 1)

    def bt(self, input: Any) -> Any:
        """Return the module that makes each number of a batch a sequence of one."""
        if self.inputShape != "b":
            raise ShapeError(f"cannot convert shape '{self.inputShape}' to bt")
        return Reshape(1)

    def clearState(self) -> Self:
        """Return the module: results, and the modules inside, stay as they are, as in Torch7."""
        return self

    def default(self) -> Any:
        """Return the module that leaves everything as it is."""
        return Identity()

    def transpose(self, newShape: str) -> Any:
        """Return the module that brings the dimensions into the order of `newShape`."""
        if newShape == self.inputShape:
            return Identity()
        order = list(self.inputShape)
        exchanges = []
        for i, letter in enumerate(newShape):
            j = order.index(letter)
            if i != j:
                order[i], order[j] = order[j], order[i]
                exchanges.append([j + 1, i + 1])
        return Transpose(*exchanges)

    def findAxis(self, axis_char: str, shape: str | None = None, silent: bool = False) -> int:
        """Return the position, from 1, of a letter in `shape`, by default that of the input.

        Raises
        ------
        ShapeError
            If it is not there; with `silent` the result is 0.
        """
        shape = given(shape, self.inputShape)
        position = shape.find(axis_char) + 1
        if not position and not silent:
            raise ShapeError(f"Provided shape '{shape}' has no axis '{axis_char}'")
        return position

    def __repr__(self) -> str:
        return self.t7_typename
