"""What operations on images share: parameters per spatial dimension, and samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .registry import Array, Sample

PerDimension = int | Sequence[int]
"""An integer for every spatial dimension, or one integer for all of them."""


def per_dimension(value: PerDimension, x: Array) -> tuple[int, ...]:
    """Return `value` as a tuple with one integer per spatial dimension of x (N, C, *spatial)."""
    if type(value) is tuple:  # the usual case, sooner
        return value
    if isinstance(value, Sequence):
        return tuple(value)
    return (value,) * int(x.ndim - 2)


def images_to_pool(rng: np.random.Generator) -> Iterator[Sample]:
    """Yield images with windows."""
    x = rng.normal(size=(2, 3, 7, 6))
    yield Sample(x, kernel=2)
    yield Sample(x, kernel=(3, 2), stride=(2, 1), padding=(1, 0))
    yield Sample(x, kernel=3, stride=2, padding=1, ceil_mode=True)
    yield Sample(x[..., 0], kernel=3, ceil_mode=True)
    yield Sample(x[:, :, None].astype(np.float32), kernel=(1, 2, 2))
    yield Sample(x[::-1, :, ::2], kernel=2)


def images_to_resize(rng: np.random.Generator) -> Iterator[Sample]:
    """Yield images with the size that they are to be pooled to."""
    x = rng.normal(size=(2, 3, 7, 6))
    yield Sample(x, size=1)
    yield Sample(x, size=(3, 4))
    yield Sample(x[..., 0].astype(np.float32), size=2)
    yield Sample(x[:, :, None], size=(2, 7, 3))
