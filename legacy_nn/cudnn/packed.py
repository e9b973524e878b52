"""Sequences of several lengths in one batch, packed as cudnn.RNN takes them.

A packed batch is a table of a tensor, shape (sum of the lengths, F), and a table that says for
each step how many of the sequences are that long: the longest come first. Source:
soumith/cudnn.torch RNN.lua.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import zeros
from rekindle.core.tensor import Tensor

from ..errors import InputTypeError

Array = np.ndarray[Any, Any]


def pack(input: Tensor, lengths: Sequence[int], batchFirst: bool | None = None) -> Table:
    """Pack a batch of padded sequences.

    Parameters
    ----------
    input : Tensor, shape (T, N, ...), or (N, T, ...) with `batchFirst`
    lengths : sequence of int
        The length of each sequence, none longer than the one before.

    Raises
    ------
    InputTypeError
        If there is not one length for each sequence, or they are not in order.
    """
    x = ops.transpose(input, 0, 1) if batchFirst else input
    wanted = [int(n) for n in (lengths.array() if isinstance(lengths, Table) else lengths)]
    if len(wanted) != x.shape[1]:
        raise InputTypeError(
            f"lengths array has incorrect size (expected: {x.shape[1]} but found: {len(wanted)})"
        )
    if wanted != sorted(wanted, reverse=True):
        raise InputTypeError(f"lengths array has to be sorted in decreasing order; given {wanted}")
    counts = [sum(n > t for n in wanted) for t in range(min(x.shape[0], wanted[0]))]
    return Table([ops.concat([x[t, :n] for t, n in enumerate(counts)], axis=0), Table(counts)])


def pad(packed: Table, batchFirst: bool | None = None) -> tuple[Tensor, list[int]]:
    """Return the padded batch that `pack` was given, with zeros behind the ends, and lengths."""
    data, counts = packed[1], _counts(packed)
    output = zeros((len(counts), counts[0], *data.shape[1:]), data.dtype, data.device)
    start = 0
    for t, n in enumerate(counts):
        output[t, :n] = data[start : start + n]
        start += n
    lengths = [sum(n > i for n in counts) for i in range(counts[0])]
    return (ops.transpose(output, 0, 1) if batchFirst else output), lengths


def unfolded(packed: Table) -> tuple[Tensor, list[Tensor], Array]:
    """Return a packed batch as (T, N, F) for computing, which sequences go on, and the places.

    Returns
    -------
    x : Tensor, shape (T, N, F)
        Behind the end of a sequence come rows of others, which count for nothing.
    goes_on : list of T bool Tensors, shape (N, 1)
    places : array of int, shape (sum of the lengths,)
        Where the rows of the packed batch are among the T * N.
    """
    data, counts = packed[1], _counts(packed)
    steps = np.arange(counts[0])
    there = np.array([steps < n for n in counts])
    rows = np.zeros(there.shape, np.int64)
    rows[there] = np.arange(data.shape[0])
    x = data[Tensor(rows.reshape(-1), device=data.device)]
    goes_on = [Tensor(row[:, None], device=data.device) for row in there]
    return x.reshape(*there.shape, data.shape[1]), goes_on, np.flatnonzero(there)


def _counts(packed: Table) -> list[int]:
    """Return how many sequences there are at each step.

    Raises
    ------
    InputTypeError
        If the table is no packed batch.
    """
    data, counts = packed.get(1), packed.get(2)
    if not isinstance(data, Tensor) or data.ndim != 2 or not isinstance(counts, Table):
        raise InputTypeError(
            "packed input must have two dimensions: sum(sequence lengths), inputSize; and be in "
            "a table with the number of sequences at each step"
        )
    listed = [int(n) for n in counts.array()]
    if not listed or sum(listed) != data.shape[0] or listed != sorted(listed, reverse=True):
        raise InputTypeError(
            f"the numbers of sequences at each step do not grow, and add up to the "
            f"{data.shape[0]} rows; given {listed}"
        )
    return listed
