"""SpatialCrossMapLRN: normalisation by neighbouring planes.

Source: torch/nn SpatialCrossMapLRN.lua.
"""

from __future__ import annotations

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from .module import torch_class
from .spatial import SpatialModule


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
    scratch = ("scale", "paddedRatio", "accumRatio")

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
