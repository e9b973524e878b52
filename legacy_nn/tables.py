"""nn.tables: which input plane is connected with which output plane.

Source: torch/nn SpatialConvolutionMap.lua.
"""

from __future__ import annotations

from rekindle.core.creation import tensor
from rekindle.core.tensor import Tensor


def full(nin: int, nout: int) -> Tensor:
    """Return all pairs of `nin` input and `nout` output planes, shape (nin*nout, 2), from 1."""
    pairs = [(i + 1, o + 1) for o in range(nout) for i in range(nin)]
    return tensor(pairs, "float64")


def oneToOne(nfeat: int) -> Tensor:
    """Return each of `nfeat` input planes with the output plane of its number, (nfeat, 2)."""
    return tensor([(i + 1, i + 1) for i in range(nfeat)], "float64")
