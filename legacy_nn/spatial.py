"""What modules on images share: batches of one, and geometry fields one per axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, ClassVar

from rekindle.core import ops
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import one_tensor
from .module import Module, ModuleError


class SpatialModule(Module):
    """A module on images of shape (C, *spatial), or (N, C, *spatial) for a batch.

    Subclasses state `compute_batch`, which sees batches only.
    """

    axes: ClassVar[str] = "HW"
    """Spatial axes in the order of an image's dimensions."""

    lua_axes: ClassVar[str] = "WH"
    """The same axes in the order in which Lua's arguments and texts name them."""

    says: ClassVar[str] = ""
    """What Torch7 says of inputs of other dimensions, where it is not the usual sentence."""

    def per_axis(self, prefix: str) -> tuple[int, ...]:
        """Return the fields `prefix` + axis: ("k") gives (kH, kW)."""
        return tuple(int(getattr(self, prefix + axis)) for axis in self.axes)

    def set_axes(self, prefix: str, values: Sequence[int]) -> None:
        """Set the fields `prefix` + axis from values in Lua's order: kW, kH."""
        for axis, value in zip(self.lua_axes, values, strict=True):
            setattr(self, prefix + axis, value)

    def listed(self, prefix: str, separator: str = ",") -> str:
        """Return the fields `prefix` + axis as texts show them: "3,2" for kW and kH."""
        return separator.join(str(getattr(self, prefix + axis)) for axis in self.lua_axes)

    def compute(self, input: Any) -> Any:
        return self.on_batch(input, self.compute_batch)

    def compute_batch(self, input: Tensor) -> Any:
        """Return the output, or a tuple that starts with it, for a batch of images."""
        raise ModuleError(f"{self.t7_typename} defines no forward pass")

    def refusal(self, input: Tensor) -> str:
        """Return what Torch7 says of an input that does not fit, where it has words for it."""
        return ""

    def too_small(self, input: Tensor, planes: int, separator: str) -> str:
        """Return what THNN says where windows do not fit into an image, or nothing."""
        fields = zip(*(self.per_axis(name) for name in ("k", "d", "pad")), strict=True)
        axes = self.axes
        sizes = [
            (n + 2 * p - int(getattr(self, f"dilation{axis}", 1)) * (k - 1) - 1) // d + 1
            for n, axis, (k, d, p) in zip(input.shape[-len(axes) :], axes, fields, strict=True)
        ]
        if all(n > 0 for n in sizes):
            return ""
        image = separator.join(str(n) for n in input.shape[-len(axes) - 1 :])
        output = separator.join(str(n) for n in (planes, *sizes))
        return (
            f"Given input size: ({image}). Calculated output size: ({output}). "
            "Output size is too small"
        )

    def on_batch(self, input: Tensor, function: Callable[[Tensor], Any]) -> Any:
        """Return `function(input)`; a single image becomes a batch of one and back.

        Raises
        ------
        InputTypeError, ShapeError
            If `input` is neither an image nor a batch of images.
        """
        ndim = len(self.axes) + 2
        usual = (
            "" if ndim == 4 else f"{ndim - 1}D or {ndim}D (batch mode) tensor expected for input"
        )
        says = self.says or (usual and usual + ", but got: {size}")
        alone = one_tensor(self, input, ndim - 1, ndim, says=says).ndim < ndim
        try:
            result = function(input.unsqueeze(0) if alone else input)
        except ShapeError as error:
            words = self.refusal(input)
            raise ShapeError(f"{words}{': ' if words else ''}{self!r}: {error}") from None
        if not alone:
            return result
        if isinstance(result, tuple):
            return tuple(x.squeeze(axis=0) for x in result)
        return result.squeeze(axis=0)


def as_batch(module: SpatialModule, x: Any) -> Tensor:
    """Return images as a batch: a single one, or its gradient, becomes a batch of one.

    Raises
    ------
    InputTypeError
        If they are no tensor.
    """
    images = one_tensor(module, x, called="gradOutput")
    return images if images.ndim == len(module.axes) + 2 else ops.unsqueeze(images, 0)


def smaller_than_kernel(module: SpatialModule, input: Tensor) -> str:
    """Return what THNN says of an image that the kernel does not fit into, or nothing."""
    sizes = zip(input.shape[-len(module.axes) :], module.per_axis("k"), strict=True)
    return "input image smaller than kernel size" if any(n < k for n, k in sizes) else ""


def view_as(module: Module, names: Sequence[str], shape: Sequence[int]) -> None:
    """Give the contiguous tensors in fields `names` another shape, in place.

    In place, because modules share tensors by identity.
    """
    for name in names:
        tensor = module.__dict__.get(name)
        if isinstance(tensor, Tensor) and tensor.size == prod(shape) and tensor.is_contiguous():
            tensor.set_(tensor.storage(), tensor.storage_offset(), shape)
