"""nn.AffineTransformMatrixGenerator: affine maps from a few parameters."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.creation import zeros_like
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from ..checks import one_tensor
from ..fields import given
from ..module import Module, torch_class


@torch_class("nn.AffineTransformMatrixGenerator")
class AffineTransformMatrixGenerator(Module):
    """Turns parameters (N, n) into matrices (N, 2, 3) of rotation, scale and translation.

    The parameters are an angle, a scale and a translation (y, x), those that are used; where none
    is, they are the six elements of the matrix.

    Parameters
    ----------
    useRotation, useScale, useTranslation : bool, default False

    Source: qassemoquab/stnbhwd AffineTransformMatrixGenerator.lua.
    """

    def __init__(
        self,
        useRotation: bool | None = None,
        useScale: bool | None = None,
        useTranslation: bool | None = None,
    ) -> None:
        super().__init__()
        self.useRotation = given(useRotation, False)
        self.useScale = given(useScale, False)
        self.useTranslation = given(useTranslation, False)
        self.fullMode = not (self.useRotation or self.useScale or self.useTranslation)

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input, 1, 2)
        rows = ops.unsqueeze(x, 0) if x.ndim == 1 else x
        wanted = 6 if self.fullMode else self._count()
        if rows.shape[1] != wanted:
            raise ShapeError(
                f"Expected {wanted} parameters, got {rows.shape[1]}: {self.t7_typename} is given "
                f"shape {x.shape}"
            )
        found = ops.reshape(rows, (-1, 2, 3)) if self.fullMode else self._composed(rows)
        return found[0] if x.ndim == 1 else found

    def _count(self) -> int:
        return int(self.useRotation) + int(self.useScale) + 2 * int(self.useTranslation)

    def _composed(self, rows: Tensor) -> Tensor:
        columns = iter(rows[:, i] for i in range(rows.shape[1]))
        zero = zeros_like(rows[:, 0])
        one = zero + 1
        cosine, sine, scale, ty, tx = one, zero, one, zero, zero
        if self.useRotation:
            angle = next(columns)
            cosine, sine = ops.cos(angle), ops.sin(angle)
        if self.useScale:
            scale = next(columns)
        if self.useTranslation:
            ty, tx = next(columns), next(columns)
        a, b = cosine * scale, sine * scale
        first = ops.stack([a, -b, a * ty - b * tx], axis=1)
        second = ops.stack([b, a, b * ty + a * tx], axis=1)
        return ops.stack([first, second], axis=1)
