"""Convolutions that go back from what their forward pass unfolded, as Torch7's kernels do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from rekindle.core.creation import empty
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .conversion import Cache
from .module import ModuleError
from .spatial import SpatialModule
from .values import replace_contents


class Unfolding(SpatialModule):
    """A convolution whose gradients are those for the input of the last forward pass.

    Torch7 unfolds that input into the field `finput`, and computes the gradient of the weight
    from there, whatever input backward is given and whatever was written into it since. Here
    a copy of the input is kept, which is smaller; where the input is owed its values, as it is
    inside a network, the copy is owed the same ones and no memory is moved.
    Source: torch/nn lib/THNN/generic/SpatialConvolutionMM.c, VolumetricConvolutionMM.c,
    SpatialConvolutionLocal.c, SpatialDepthWiseConvolution.c, TemporalRowConvolution.c.
    """

    __slots__ = ("_seen",)  # beside the fields, which are those of files

    _seen: Tensor | None

    unfolds: ClassVar[bool] = True
    """Whether it is so; classes whose kernel unfolds again on the way back say no."""

    def renew_output(self, input: Any) -> Any:
        output = super().renew_output(input)
        if self.unfolds:
            seen: Tensor | None = getattr(self, "_seen", None)
            self._seen = replace_contents(empty(0, input.dtype) if seen is None else seen, input)
        return output

    def unfolded(self, input: Tensor) -> Tensor:
        """Return the input of the last forward pass, of which a smaller batch takes the start.

        Raises
        ------
        ModuleError
            If there was none since the module was made, cleared or converted.
        ShapeError
            If its images had another shape, or were fewer.
        """
        if not self.unfolds:
            return input
        seen: Tensor | None = getattr(self, "_seen", None)
        if seen is None:
            left = vars(self).get("finput")
            if isinstance(left, Tensor) and left.size:
                return input  # a forward pass before the module was saved
            raise ModuleError(
                f"matrix expected, got 0D tensor: {self!r} goes back from what a forward pass "
                "unfolded, and there was none: call updateOutput first"
            )
        if seen.shape != input.shape:
            batches = seen.ndim == input.ndim == len(self.axes) + 2
            if batches and seen.shape[1:] == input.shape[1:] and len(input) < len(seen):
                return seen[: len(input)]
            raise ShapeError(
                f"size mismatch: {self!r} goes back from the input of its last forward pass, "
                f"{seen.shape}; given an input of shape {input.shape}"
            )
        return seen

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        self.unfolded(input)
        return super().input_gradient(input, gradOutput)

    def parameter_gradients(self, input: Any, gradOutput: Any) -> Sequence[Tensor | None]:
        return super().parameter_gradients(self.unfolded(input), gradOutput)

    def clearState(self) -> Self:
        self._seen = None
        return super().clearState()

    def convert_fields(self, typename: str, cache: Cache) -> None:
        self._seen = None
        super().convert_fields(typename, cache)
