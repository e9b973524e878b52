"""Rows of a table by index, alone and summed up in bags."""

from __future__ import annotations

from ... import ops
from ...autograd import no_grad
from ...creation import arange
from ...errors import ShapeError
from ...tensor import Tensor
from ..errors import ArgumentError


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
) -> Tensor:
    """Return the rows of `weight` that `input` names.

    Parameters
    ----------
    input : Tensor of int, shape (...)
        From 0.
    weight : Tensor, shape (V, D)
    padding_idx : int, optional
        The row that gets no gradient; negative ones count from the end.
    max_norm : float, optional
        Rows that are read and longer are scaled down to this in `weight` itself, first.
    norm_type : float
        The p of that norm.
    scale_grad_by_freq : bool
        Whether the gradient of a row is divided by how often it was read.

    Returns
    -------
    Tensor, shape (..., D)
    """
    if max_norm is not None:
        _limit(weight, input, max_norm, norm_type)
    rows = ops.embedding(weight, input)
    if not rows.requires_grad:
        return rows
    if scale_grad_by_freq:
        share = ops.embedding(_shares(input, weight), input).unsqueeze(-1)
        # The value is that of the row, to the last bit; the gradient is a share of it.
        rows = rows.detach() + (rows - rows.detach()) * share
    if padding_idx is not None:
        fixed = (input == padding_idx % weight.shape[0]).unsqueeze(-1)
        rows = ops.where(fixed, rows.detach(), rows)
    return rows


def _shares(input: Tensor, weight: Tensor) -> Tensor:
    """Return for each row 1 over how often it is read."""
    flat = input.reshape(-1)
    zeros = ops.zeros_of(weight.detach(), (weight.shape[0],))
    counts = zeros.index_add(flat, (flat == flat).astype(weight.dtype), axis=0)
    return 1.0 / counts.clamp(min=1.0)


def _limit(weight: Tensor, input: Tensor, max_norm: float, norm_type: float) -> None:
    with no_grad():
        index = input.reshape(-1)
        rows = ops.embedding(weight, index)
        length = ops.norm(rows, p=norm_type, axis=-1, keepdims=True)
        weight[index] = ops.where(length > max_norm, rows * (max_norm / (length + 1e-7)), rows)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Return the sum, mean or maximum of the rows of `weight` in each bag.

    Parameters
    ----------
    input : Tensor of int, shape (B, n) or (m,)
        Bags of n indices each, or bags one after the other, which `offsets` separates.
    weight : Tensor, shape (V, D)
    offsets : Tensor of int, shape (B,), optional
        Where each bag begins in `input` of one dimension.
    max_norm, norm_type, scale_grad_by_freq
        As of `embedding`.
    mode : {"mean", "sum", "max"}
    per_sample_weights : Tensor, shape of `input`, optional
        What rows are multiplied by; only for "sum".
    include_last_offset : bool
        Whether the last offset is the end of the last bag instead of a beginning.
    padding_idx : int, optional
        Indices that count for nothing.

    Returns
    -------
    Tensor, shape (B, D)
        Empty bags give 0.

    Raises
    ------
    ShapeError, ArgumentError
        If shapes or options do not fit.
    """
    if mode not in ("mean", "sum", "max"):
        raise ArgumentError(f'mode is "mean", "sum" or "max"; given {mode!r}')
    if per_sample_weights is not None and (
        mode != "sum" or per_sample_weights.shape != input.shape
    ):
        raise ArgumentError(
            'per_sample_weights belong to mode="sum" and have the shape of the input; given '
            f"{per_sample_weights.shape} for {input.shape} and mode={mode!r}"
        )
    if max_norm is not None:
        _limit(weight, input, max_norm, norm_type)
    index, kept, factors = _bags(input, offsets, include_last_offset, per_sample_weights)
    if padding_idx is not None:
        kept = kept & (index != padding_idx % weight.shape[0])
    rows = ops.embedding(weight, index)
    if scale_grad_by_freq and rows.requires_grad:
        share = ops.embedding(_shares(input, weight), index).unsqueeze(-1)
        rows = rows.detach() + (rows - rows.detach()) * share
    if mode == "max":
        return _largest(rows, kept.unsqueeze(-1))
    if factors is not None:
        rows = rows * factors.unsqueeze(-1)
    total = ops.where(kept.unsqueeze(-1), rows, 0.0).sum(axis=1)
    if mode == "sum":
        return total
    count = kept.astype(total.dtype).sum(axis=1, keepdims=True)
    return total / count.clamp(min=1.0)


def _largest(rows: Tensor, kept: Tensor) -> Tensor:
    if rows.shape[1] == 0:
        return rows.sum(axis=1)
    candidates = ops.where(kept, rows.detach(), -float("inf"))
    best = candidates.argmax(axis=1, keepdims=True)
    found = ops.gather(rows, best, axis=1).squeeze(axis=1)
    return ops.where(kept.any(axis=1), found, 0.0)


def _bags(
    input: Tensor, offsets: Tensor | None, include_last: bool, factors: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return the indices of bags side by side, which of them are real, and their factors."""
    if input.ndim == 2 and offsets is None:
        return input, input == input, factors
    if input.ndim != 1 or offsets is None or offsets.ndim != 1:
        raise ShapeError(
            "embedding_bag takes indices (B, n) without offsets, or (m,) with offsets (B,); given "
            f"{input.shape} and {None if offsets is None else offsets.shape}"
        )
    ends = ops.concat([offsets[1:], ops.zeros_of(offsets, (1,)) + input.shape[0]])
    starts, ends = (offsets[:-1], ends[:-1]) if include_last else (offsets, ends)
    longest = int((ends - starts).max()) if starts.size else 0
    places = starts.unsqueeze(1) + arange(longest, device=input.device)
    kept = places < ends.unsqueeze(1)
    places = ops.where(kept, places, 0)
    index = ops.take(input, places.reshape(-1), axis=0).reshape(places.shape)
    if factors is not None:
        factors = ops.take(factors, places.reshape(-1), axis=0).reshape(places.shape)
    return index, kept, factors
