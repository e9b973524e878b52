"""tnt.BatchDataset: samples that are batches.

Source: torchnet/torchnet dataset/batchdataset.lua, transform.lua.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rekindle.core.creation import tensor
from rekindle.core.tensor import Tensor

from .dataset import Dataset, always, check_position, same, with_as_many
from .meter import TorchnetError, check

POLICIES = ("include-last", "skip-last", "divisible-only")


class BatchDataset(Dataset):
    """Batches of the samples of another data set.

    Parameters
    ----------
    dataset : Dataset
        Of dicts, which all have the same keys.
    batchsize : int
    perm : callable, optional
        `perm(idx)` or `perm(idx, size)` returns the position of the sample that comes there.
    merge : callable, optional
        Makes a batch of a dict of lists. By default tensors of one size become a tensor with
        a dimension more, and all else stays a list.
    policy : str
        What becomes of samples that fill no batch: "include-last", "skip-last", or
        "divisible-only", which does not allow them.
    filter : callable, optional
        Whether a sample comes into the batch.

    Raises
    ------
    TorchnetError
        For another batch size or policy, and sizes that do not fit the policy.

    Source: torchnet/torchnet dataset/batchdataset.lua.
    """

    def __init__(
        self,
        dataset: Dataset,
        batchsize: int,
        perm: Callable[..., int] = same,
        merge: Callable[[dict[str, list[Any]]], Any] | None = None,
        policy: str = "include-last",
        filter: Callable[[Any], Any] = always,
    ) -> None:
        check(
            batchsize > 0 and batchsize == int(batchsize),
            f"batchsize should be a positive integer, got {batchsize}",
        )
        check(policy in POLICIES, f"policy should be one of {POLICIES}, got {policy!r}")
        self.dataset, self.batchsize, self.perm = dataset, int(batchsize), with_as_many(perm)
        self.policy, self.filter = policy, filter
        self._merge = merged if merge is None else merge
        self.size()  # looks at the policy

    def size(self) -> int:
        """Return the number of batches."""
        count = self.dataset.size() / self.batchsize
        if self.policy == "include-last":
            return math.ceil(count)
        check(
            self.policy == "skip-last" or count == int(count),
            f"{self.dataset.size()} samples are not divisible by the batch size {self.batchsize}",
        )
        return math.floor(count)

    def get(self, idx: int) -> Any:
        """Return a batch."""
        check_position(idx, self.size())
        count = self.dataset.size()
        places = range((idx - 1) * self.batchsize + 1, min(idx * self.batchsize, count) + 1)
        samples = [self.dataset.get(self.perm(place, count)) for place in places]
        return self._merge(_of_lists([sample for sample in samples if self.filter(sample)]))


def _of_lists(samples: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return a dict of lists for a list of dicts."""
    keys = samples[0].keys() if samples else {}.keys()
    for sample in samples:
        if sample.keys() != keys:
            raise TorchnetError(
                f"samples of a batch should have one set of keys, got {[*keys]} and {[*sample]}"
            )
    return {key: [sample[key] for sample in samples] for key in keys}


def merged(fields: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Return a batch: lists of tensors of one size become a tensor each."""
    return {key: _merged(values) for key, values in fields.items()}


def _merged(values: list[Any]) -> Any:
    if not all(isinstance(value, Tensor) for value in values):
        return values
    arrays = [value.numpy() for value in values]
    if len({array.size for array in arrays}) != 1:
        return values
    first = arrays[0]
    rows = [array.reshape(first.shape) for array in arrays]
    return tensor(np.stack(rows).astype(first.dtype, copy=False))
