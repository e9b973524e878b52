"""Losses that ask for a margin between scores or distances, as modules."""

from __future__ import annotations

from collections.abc import Callable

from ..tensor import Tensor
from . import functional as F
from .losses import _Loss


class _Margin(_Loss):
    options = ("margin",)

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin


class CosineEmbeddingLoss(_Margin):
    """What the cosines of pairs that belong together lack to 1; of others, what exceeds margin."""

    function = staticmethod(F.cosine_embedding_loss)


class MarginRankingLoss(_Margin):
    """How far one input is from exceeding the other by `margin`: loss(x1, x2, y)."""

    function = staticmethod(F.margin_ranking_loss)


class HingeEmbeddingLoss(_Margin):
    """Distances of pairs that belong together, and what others lack to `margin`."""

    function = staticmethod(F.hinge_embedding_loss)

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(margin, reduction=reduction)


class SoftMarginLoss(_Loss):
    """log(1 + exp(-target * input))."""

    function = staticmethod(F.soft_margin_loss)


class MultiMarginLoss(_Loss):
    """By how much other classes come too close to the right one, averaged over classes."""

    function = staticmethod(F.multi_margin_loss)
    options = ("p", "margin")
    tensors = ("weight",)

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.p = p
        self.margin = margin
        self._weigh(weight=weight)


class MultiLabelMarginLoss(_Loss):
    """By how much other classes come closer than 1 to the right ones, of which a row names many."""

    function = staticmethod(F.multilabel_margin_loss)


class MultiLabelSoftMarginLoss(_Loss):
    """The mean over the classes of `BCEWithLogitsLoss`."""

    function = staticmethod(F.multilabel_soft_margin_loss)
    tensors = ("weight",)

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self._weigh(weight=weight)


class TripletMarginLoss(_Loss):
    """How far the negative is from being further off than the positive by `margin`."""

    function = staticmethod(F.triplet_margin_loss)
    options = ("margin", "p", "eps", "swap")

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap


class TripletMarginWithDistanceLoss(_Loss):
    """`TripletMarginLoss` with a distance of the user's: distance_function(a, b)."""

    function = staticmethod(F.triplet_margin_with_distance_loss)
    options = ("distance_function", "margin", "swap")

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.distance_function = distance_function
        self.margin = margin
        self.swap = swap
