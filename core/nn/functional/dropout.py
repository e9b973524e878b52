"""Dropout: of elements, of channels, and of what keeps SELU's moments."""

from __future__ import annotations

import math

import numpy as np

from ... import ops, random
from ...ops.inplace import write_
from ...random import Generator, RandomError
from ...tensor import Tensor

_LOWEST = -1.7580993408473766
"""What SELU gives for minus infinity: -scale * alpha."""


def dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return the input with elements set to 0 with probability p, the others over 1 - p."""
    y = ops.dropout(input, p=p, training=training, generator=generator)
    return write_(input, y, "dropout") if inplace and y is not input else y


def _channels(
    input: Tensor, single: bool, p: float, training: bool, inplace: bool, g: Generator | None
) -> Tensor:
    x = input.unsqueeze(0) if single else input
    y = ops.feature_dropout(x, p=p, training=training, generator=g)
    if y is x:
        return input
    y = y.squeeze(axis=0) if single else y
    return write_(input, y, "dropout") if inplace else y


def dropout1d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return sequences (N, C, L) or (C, L) with whole channels set to 0; see `dropout`."""
    return _channels(input, input.ndim == 2, p, training, inplace, generator)


def dropout2d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return images (N, C, H, W) or (N, C, L) with whole channels set to 0; see `dropout`."""
    return _channels(input, False, p, training, inplace, generator)


def dropout3d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return volumes (N, C, D, H, W) or (C, D, H, W) with whole channels set to 0."""
    return _channels(input, input.ndim == 4, p, training, inplace, generator)


def alpha_dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return the input with elements set to SELU's lowest value, then scaled and moved.

    Mean 0 and variance 1 stay as they are.

    Notes
    -----
    Source: Klambauer et al. 2017, "Self-Normalizing Neural Networks"
    """
    return _alpha(input, input.shape, p, training, inplace, generator)


def feature_alpha_dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return images (N, C, ...) after `alpha_dropout` of whole channels."""
    shape = (*input.shape[:2], *(1,) * (input.ndim - 2))
    return _alpha(input, shape, p, training, inplace, generator)


def _alpha(
    input: Tensor,
    shape: tuple[int, ...],
    p: float,
    training: bool,
    inplace: bool,
    generator: Generator | None,
) -> Tensor:
    if not 0 <= p <= 1:
        raise RandomError(f"alpha_dropout: p is from 0 to 1; given {p}")
    if not training or p == 0:
        return input
    if p == 1:
        result = input * 0.0
    else:
        kept = random.bernoulli(
            1 - p, shape, dtype=np.bool_, device=input.device, generator=generator
        )
        scale = 1 / math.sqrt((1 - p) * (1 + p * _LOWEST**2))
        result = ops.where(kept, input, _LOWEST) * scale - scale * _LOWEST * p
    return write_(input, result, "alpha_dropout") if inplace else result
