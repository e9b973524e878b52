"""SpatialCrossMapLRN of cudnn. Source: soumith/cudnn.torch SpatialCrossMapLRN.lua."""

from __future__ import annotations

from .. import local_response
from ..module import ArgumentError, torch_class


@torch_class("cudnn.SpatialCrossMapLRN")
class SpatialCrossMapLRN(local_response.SpatialCrossMapLRN):
    """nn.SpatialCrossMapLRN.

    Parameters
    ----------
    size : int
        5 by default; 16 at most.
    alpha, beta, k : float
        As for nn.SpatialCrossMapLRN.

    Raises
    ------
    ArgumentError
        For what cuDNN does not take: a size above 16, k below 1e-5, beta below 0.01.
    """

    scratch = ("scale", "_gradOutput", "paddedRatio", "accumRatio")

    def __init__(
        self,
        size: int | None = None,
        alpha: float | None = None,
        beta: float | None = None,
        k: float | None = None,
    ) -> None:
        super().__init__(5 if size is None else size, alpha, beta, k)
        if not (1 <= self.size <= 16 and self.k >= 1e-5 and self.beta >= 0.01):
            raise ArgumentError(
                f"{self.t7_typename} takes a size from 1 to 16, k from 1e-5 and beta from 0.01; "
                f"given size {self.size}, k {self.k} and beta {self.beta}"
            )

    def upgrade(self, version: int) -> None:
        if "K" in vars(self):
            self.k = vars(self).pop("K")
