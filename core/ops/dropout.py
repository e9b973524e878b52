"""dropout: elements set to 0 by chance. What was drawn is saved as a mask of one byte each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..random import Generator, RandomError, bernoulli
from ..tensor import Tensor
from .batch_rules import elementwise
from .registry import Array, Sample, operation


def _masked(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(2, 3, 4))
    yield Sample(x, rng.normal(size=x.shape) > 0, scale=2.0)
    yield Sample(x.astype(np.float32), rng.normal(size=(2, 3, 1)) > 0, scale=1.25)


@operation(samples=_masked)
def masked_scale(xp: Any, x: Array, mask: Array, *, scale: float) -> Array:
    """Return x * scale where `mask` holds, else 0.

    Parameters
    ----------
    x : Tensor, floating
    mask : Tensor, bool
        Broadcasts to x.
    scale : float

    Returns
    -------
    Tensor
        Shape of x.
    """
    out = xp.multiply(x, mask)
    out *= scale
    return out


masked_scale.def_derivative(x=lambda xp, g, mask, scale: xp.masked_scale(g, mask, scale=scale))


def dropout(
    x: Tensor, *, p: float = 0.5, training: bool = True, generator: Generator | None = None
) -> Tensor:
    """Return x with each element set to 0 with probability `p`, the others enlarged.

    Parameters
    ----------
    x : Tensor, floating
    p : float
        From 0 to 1.
    training : bool
        If not, x itself is returned.
    generator : Generator, optional
        What to draw from; by default the default generator of x's device.

    Returns
    -------
    Tensor
        Shape of x; what is kept is divided by 1 - p, so that expectations stay.

    Raises
    ------
    RandomError
        If p is outside of [0, 1], or the generator is on another device.

    Notes
    -----
    Source: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from
    Overfitting"; torch/nn Dropout.lua
    """
    return _dropped(x, x.shape, p, training, generator)


def feature_dropout(
    x: Tensor, *, p: float = 0.5, training: bool = True, generator: Generator | None = None
) -> Tensor:
    """Return images with whole channels set to 0 with probability `p`; see `dropout`.

    Parameters
    ----------
    x : Tensor, shape (N, C, ...), floating
    p, training, generator
        As of `dropout`.

    Returns
    -------
    Tensor
        Shape of x.

    Raises
    ------
    ShapeError, RandomError
        If x has no channels, p is outside of [0, 1], or the generator is on another device.

    Notes
    -----
    Source: Tompson et al. 2015, "Efficient Object Localization Using Convolutional Networks";
    torch/nn SpatialDropout.lua
    """
    if x.ndim < 2:
        raise ShapeError(f"feature_dropout takes an input of shape (N, C, ...); given {x.shape}")
    return _dropped(x, (*x.shape[:2], *(1,) * (x.ndim - 2)), p, training, generator)


def _dropped(
    x: Tensor, shape: tuple[int, ...], p: float, training: bool, generator: Generator | None
) -> Tensor:
    if not 0 <= p <= 1:
        raise RandomError(f"dropout: p is from 0 to 1; given {p}")
    if not training or p == 0:
        return x
    mask = bernoulli(1 - p, shape, dtype=np.bool_, device=x.device, generator=generator)
    return masked_scale(x, mask, scale=1 / (1 - p) if p < 1 else 0.0)


masked_scale.def_batch(elementwise)
