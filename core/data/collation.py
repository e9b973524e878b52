"""From samples to a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import backend
from ..errors import RekindleError
from ..tensor import Tensor


class CollateError(RekindleError, ValueError):
    """Samples that do not make a batch."""


def collate(samples: Sequence[Any]) -> Any:
    """Return samples of one form as a batch of that form.

    Parameters
    ----------
    samples : sequence
        Tensors, NumPy arrays and numbers are stacked to a Tensor; Python's floats become
        float32 and integers int64. Dicts, tuples and lists become one dict, tuple or list of
        batches. Text and bytes stay a list.

    Raises
    ------
    CollateError
        For samples of different forms or shapes, or others than these; it says where.

    Examples
    --------
    >>> import rekindle
    >>> images, labels = collate([(rekindle.zeros((3, 4)), 1), (rekindle.ones((3, 4)), 0)])
    >>> images.shape, labels
    ((2, 3, 4), Tensor([1, 0], shape=(2,), dtype=int64))
    """
    return _collated(list(samples), "a sample")


def _collated(samples: list[Any], where: str) -> Any:
    first = samples[0]
    for i, sample in enumerate(samples):
        if type(sample) is not type(first) and not _alike(sample, first):
            raise CollateError(
                f"{where} is a {type(first).__name__} in sample 0 and a "
                f"{type(sample).__name__} in sample {i} of the batch"
            )
    if isinstance(first, (Tensor, np.ndarray, np.generic)):
        return _stacked(samples, where)
    if isinstance(first, (bool, int, float)):
        return Tensor(samples)
    if isinstance(first, (str, bytes)):
        return samples
    if isinstance(first, Mapping):
        for i, sample in enumerate(samples):
            if sample.keys() != first.keys():
                raise CollateError(
                    f"{where} has the keys {list(first)} in sample 0 and {list(sample)} in "
                    f"sample {i} of the batch"
                )
        return {k: _collated([s[k] for s in samples], f"{where}[{k!r}]") for k in first}
    if isinstance(first, (tuple, list)):
        for i, sample in enumerate(samples):
            if len(sample) != len(first):
                raise CollateError(
                    f"{where} has {len(first)} elements in sample 0 and {len(sample)} in sample "
                    f"{i} of the batch"
                )
        parts = [
            _collated(list(part), f"{where}[{i}]")
            for i, part in enumerate(zip(*samples, strict=True))
        ]
        if isinstance(first, tuple) and hasattr(first, "_fields"):
            return type(first)(*parts)
        return tuple(parts) if isinstance(first, tuple) else parts
    raise CollateError(
        f"{where} is a {type(first).__name__}, which makes no batch by itself: give the loader "
        "a collate_fn"
    )


def _alike(a: Any, b: Any) -> bool:
    numbers = (int, float)
    return isinstance(a, numbers) and isinstance(b, numbers)


def _stacked(samples: list[Any], where: str) -> Tensor:
    arrays = [s.array if isinstance(s, Tensor) else np.asarray(s) for s in samples]
    for i, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            raise CollateError(
                f"{where} has shape {arrays[0].shape} in sample 0 and {array.shape} in sample "
                f"{i} of the batch: bring samples to one size, or give the loader a collate_fn"
            )
    return Tensor(backend.namespace(arrays[0]).stack(arrays))


def convert(sample: Any) -> Any:
    """Return a sample as it is, arrays as Tensors: what loaders without batches do."""
    if isinstance(sample, np.ndarray):
        return Tensor(sample)
    if isinstance(sample, Mapping):
        return {k: convert(v) for k, v in sample.items()}
    if isinstance(sample, tuple) and hasattr(sample, "_fields"):
        return type(sample)(*map(convert, sample))
    return type(sample)(map(convert, sample)) if isinstance(sample, (tuple, list)) else sample
