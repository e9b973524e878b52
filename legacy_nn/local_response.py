"""SpatialCrossMapLRN: normalisation by neighbouring planes.

Source: torch/nn SpatialCrossMapLRN.lua.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from .checks import left_behind, remembered
from .fields import set_field
from .module import as_input, as_torch, both_protocols, torch_class
from .spatial import SpatialModule, as_batch


@torch_class("nn.SpatialCrossMapLRN")
class SpatialCrossMapLRN(SpatialModule):
    """Divides each pixel by what neighbouring planes have at its place.

    Parameters
    ----------
    size : int
        Number of planes that count, the pixel's own in the middle.
    alpha, beta, k : float
        1e-4, 0.75 and 1 by default.

    Notes
    -----
    x / (k + alpha/size * sum of squares) ** beta.
    Source: Krizhevsky et al. 2012, "ImageNet Classification with Deep Convolutional Neural
    Networks".
    """

    says = "Input must be 3D or 4D"
    scratch: ClassVar[tuple[str, ...]] = ("scale", "paddedRatio", "accumRatio")

    size: int
    k: float = 1

    def __init__(
        self,
        size: int,
        alpha: float | None = None,
        beta: float | None = None,
        k: float | None = None,
    ) -> None:
        super().__init__()
        self.size = size
        self.alpha = 0.0001 if alpha is None else alpha
        self.beta = 0.75 if beta is None else beta
        self.k = 1 if k is None else k

    def compute_batch(self, input: Tensor) -> Tensor:
        return ops.local_response_norm(
            input, size=int(self.size), alpha=self.alpha, beta=self.beta, k=self.k
        )

    @both_protocols
    def updateOutput(self, input: Any) -> Any:
        with as_torch():
            input = as_input(input)
            self.check_input(input)
            self.output = self.keep(input, self.on_batch(input, self._kept_forward))
        return self.output

    def _kept_forward(self, input: Tensor) -> Tensor:
        """Return the output for a batch, and keep the sums that it is divided by a power of."""
        before = (self.size - 1) // 2
        sums = ops.channel_sums(input * input, before=before, after=self.size - 1 - before)
        set_field(self, "scale", sums * (self.alpha / self.size) + self.k)
        return input * ops.power(vars(self)["scale"], -self.beta)

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        (scale,) = remembered(self, "scale")
        y, g = (as_batch(self, t) for t in left_behind(self, "output", gradOutput))
        x = as_batch(self, input)
        before = (self.size - 1) // 2
        seen = ops.channel_sums(g * y / scale, before=self.size - 1 - before, after=before)
        factor = 2 * self.alpha * self.beta / self.size
        return ops.reshape(g * ops.power(scale, -self.beta) - x * seen * factor, input.shape)
