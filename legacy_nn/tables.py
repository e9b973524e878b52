"""nn.tables: which input plane is connected with which output plane.

Source: torch/nn SpatialConvolutionMap.lua.
"""

from __future__ import annotations

from rekindle.core.creation import tensor
from rekindle.core.tensor import Tensor

from .errors import ArgumentError
from .torch7 import random as torch_random


def full(nin: int, nout: int) -> Tensor:
    """Return all pairs of `nin` input and `nout` output planes, shape (nin*nout, 2), from 1."""
    pairs = [(i + 1, o + 1) for o in range(nout) for i in range(nin)]
    return tensor(pairs, "float64")


def oneToOne(nfeat: int) -> Tensor:
    """Return each of `nfeat` input planes with the output plane of its number, (nfeat, 2)."""
    return tensor([(i + 1, i + 1) for i in range(nfeat)], "float64")


def random(nin: int, nout: int, nto: int) -> Tensor:
    """Return `nto` of `nin` input planes, drawn at random, for each of `nout` output planes.

    The input planes are dealt out like cards: `nin // nto` outputs get planes of one shuffle.

    Returns
    -------
    Tensor, shape (nto * nout, 2)
        Input and output planes, from 1.

    Raises
    ------
    ArgumentError
        If there are not `nto` input planes.
    """
    if not 1 <= nto <= nin:
        raise ArgumentError(f"each output takes 1 to {nin} of {nin} input planes; given {nto}")
    pairs: list[tuple[int, int]] = []
    cards: list[int] = torch_random.default.permutation(nin).tolist()
    for o in range(nout):
        dealt = o % (nin // nto)
        pairs += [(i, o + 1) for i in cards[dealt * nto : (dealt + 1) * nto]]
        if dealt + 1 == nin // nto:
            cards = torch_random.default.permutation(nin).tolist()
    return tensor(pairs, "float64")
