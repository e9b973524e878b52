"""Dropout: in training, values are set to 0 by chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ..random import RandomError
from ..tensor import Tensor
from . import functional as F
from .fields import documented
from .module import Module


class _Dropout(Module):
    """What all kinds have.

    Parameters
    ----------
    p : float
        Probability of being dropped.
    inplace : bool
        Whether the input itself is changed.
    """

    function: ClassVar[Callable[..., Any]]

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise RandomError(f"{type(self).__name__}: p is from 0 to 1; given {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with values dropped, in training only."""
        result: Tensor = type(self).function(input, self.p, self.training, self.inplace)
        return result

    def extra_repr(self) -> str:
        """Return both parameters."""
        return f"p={self.p}, inplace={self.inplace}"


@documented
class Dropout(_Dropout):
    """Drops elements; the others are divided by 1 - p."""

    function = staticmethod(F.dropout)


@documented
class Dropout1d(_Dropout):
    """Drops whole channels of sequences (N, C, L)."""

    function = staticmethod(F.dropout1d)


@documented
class Dropout2d(_Dropout):
    """Drops whole channels of images (N, C, H, W)."""

    function = staticmethod(F.dropout2d)


@documented
class Dropout3d(_Dropout):
    """Drops whole channels of volumes (N, C, D, H, W)."""

    function = staticmethod(F.dropout3d)


@documented
class AlphaDropout(_Dropout):
    """Drops elements so that SELU's moments stay."""

    function = staticmethod(F.alpha_dropout)


@documented
class FeatureAlphaDropout(_Dropout):
    """Drops whole channels so that SELU's moments stay."""

    function = staticmethod(F.feature_alpha_dropout)
