"""Sample operands that several families share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .registry import Sample, Samples


def pairs(rng: np.random.Generator) -> Iterator[Sample]:
    """Yield two operands that broadcast, of several layouts and kinds."""
    x, y = rng.uniform(0.5, 2, (3, 4)), rng.uniform(0.5, 2, (3, 4))
    yield Sample(x, y)
    yield Sample(x, y[0])
    yield Sample(x[:, :1], y[0])
    yield Sample(x.astype(np.float32), 2.5)
    yield Sample(2, x)
    yield Sample(x.T, y.T)
    yield Sample(x[0, 0], y[0, 0])
    yield Sample(x[:0], y[:0])


def logical_pairs(rng: np.random.Generator) -> Iterator[Sample]:
    """Yield two operands of bool and of integers."""
    x, y = rng.integers(0, 2, (3, 4)), rng.integers(0, 2, (3, 4))
    yield Sample(x.astype(bool), y.astype(bool))
    yield Sample(x, y[0])


def real(rng: np.random.Generator) -> Iterator[Sample]:
    """Yield normal values in several layouts and dtypes."""
    x = rng.normal(size=(3, 4))
    yield Sample(x)
    yield Sample(x.astype(np.float32))
    yield Sample(x.T[::2])
    yield Sample(x[0, 0])
    yield Sample(x[:0])


def positive(rng: np.random.Generator) -> Iterator[Sample]:
    """Yield values above 0.1."""
    for sample in real(rng):
        yield Sample(np.abs(sample.arrays[0]) + 0.1)


def unit(rng: np.random.Generator) -> Iterator[Sample]:
    """Yield values between -1 and 1."""
    for sample in real(rng):
        yield Sample(np.tanh(sample.arrays[0]))


def above_one(rng: np.random.Generator) -> Iterator[Sample]:
    """Yield values above 1.1."""
    for sample in real(rng):
        yield Sample(np.abs(sample.arrays[0]) + 1.1)


def cube(**params: Any) -> Samples:
    """Return samples of one operand of three dimensions, with `params`."""

    def samples(rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(rng.normal(size=(2, 3, 4)), **params)

    return samples


def reductions(rng: np.random.Generator) -> Iterator[Sample]:
    """Yield values between 0.5 and 2, to be reduced over all, one and several axes."""
    x = rng.uniform(0.5, 2, (3, 4, 2))
    yield Sample(x)
    yield Sample(x, axis=1)
    yield Sample(x, axis=(0, 2), keepdims=True)
    yield Sample(x.astype(np.float32).T, axis=-1)
