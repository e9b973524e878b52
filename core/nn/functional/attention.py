"""Attention: values weighed by how well their keys fit queries."""

from __future__ import annotations

import math
from typing import Any

from ... import ops
from ...creation import arange
from ...tensor import Tensor
from ..errors import ArgumentError
from .dropout import dropout


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Return softmax(query @ key.T * scale + mask) @ value.

    Parameters
    ----------
    query : Tensor, shape (..., L, E)
    key : Tensor, shape (..., S, E)
    value : Tensor, shape (..., S, V)
    attn_mask : Tensor, broadcasts to (..., L, S), optional
        bool: where a query may look; floating: added to the scores.
    dropout_p : float
        Share of the weights that is dropped; always, so give 0 outside of training.
    is_causal : bool
        Whether query i sees keys 0 to i only; not together with a mask.
    scale : float, optional
        1 / sqrt(E) by default.
    enable_gqa : bool
        Whether the queries' heads (dimension -3) share the keys' heads, a divisor of theirs.

    Returns
    -------
    Tensor, shape (..., L, V)
        A query that may look nowhere gets 0.

    Raises
    ------
    ArgumentError
        If there is a mask and `is_causal`.

    Notes
    -----
    Source: Vaswani et al. 2017, "Attention Is All You Need"
    """
    if enable_gqa:
        times = query.shape[-3] // key.shape[-3]
        key, value = (ops.repeat(x, times, axis=-3) for x in (key, value))
    if is_causal:
        if attn_mask is not None:
            raise ArgumentError("attention: is_causal is a mask already; give one of the two")
        attn_mask = causal_mask(query, query.shape[-2], key.shape[-2])
    weights = attention_weights(query, key, attn_mask, scale)
    return ops.matmul(dropout(weights, dropout_p), value)


def attention_weights(
    query: Tensor, key: Tensor, attn_mask: Tensor | None, scale: float | None = None
) -> Tensor:
    """Return softmax(query @ key.T * scale + mask), of shape (..., L, S)."""
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = ops.scaled_matmul(query, key.transpose(-1, -2), factor=factor)
    if attn_mask is None:
        return ops.softmax(scores, axis=-1)
    if attn_mask.dtype.kind == "b":
        scores = ops.where(attn_mask, scores, -math.inf)
    else:
        scores = scores + attn_mask
    nowhere = (scores.detach() == -math.inf).all(axis=-1, keepdims=True)
    weights = ops.softmax(ops.where(nowhere, 0.0, scores), axis=-1)
    return ops.where(nowhere, 0.0, weights)


def causal_mask(like: Tensor, queries: int, keys: int) -> Tensor:
    """Return where query i may look: at keys 0 to i; bool, shape (queries, keys)."""
    rows = arange(queries, device=like.device).unsqueeze(1)
    return rows >= arange(keys, device=like.device)


def multi_head_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    num_heads: int,
    projections: tuple[tuple[Tensor, Tensor | None], ...],
    out: tuple[Tensor, Tensor | None],
    *,
    bias_k: Tensor | None = None,
    bias_v: Tensor | None = None,
    add_zero_attn: bool = False,
    mask: Tensor | None = None,
    dropout_p: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Return what each query finds, and the weights of each head.

    Parameters
    ----------
    query : Tensor, shape (N, L, E)
    key : Tensor, shape (N, S, K)
    value : Tensor, shape (N, S, V)
    num_heads : int
        A divisor of E.
    projections : three pairs (weight, bias), or one
        Of queries, keys and values, each to E features; biases may be None. One pair maps
        `query`, which is key and value too, to all three of them.
    out : (weight, bias)
        What maps the joined heads.
    bias_k, bias_v : Tensor, shape (1, 1, E), optional
        One more key and value, after the projections.
    add_zero_attn : bool
        Whether there is one more key and value of zeros.
    mask : Tensor, floating, broadcasts to (N, num_heads, L, S), optional
        Added to the scores.
    dropout_p : float

    Returns
    -------
    output : Tensor, shape (N, L, E)
    weights : Tensor, shape (N, num_heads, L, S')
        S' counts the keys that were added.
    """
    if len(projections) == 1:
        q, k, v = ops.chunk(ops.linear(query, *projections[0]), 3, axis=-1)
    else:
        pairs = zip((query, key, value), projections, strict=True)
        q, k, v = (ops.linear(x, weight, bias) for x, (weight, bias) in pairs)
    batch = q.shape[0]
    extra = 0
    if bias_k is not None and bias_v is not None:
        k, v = (
            ops.concat([x, b.expand(batch, 1, b.shape[-1])], axis=1)
            for x, b in ((k, bias_k), (v, bias_v))
        )
        extra += 1
    q, k, v = (_heads(x, num_heads) for x in (q, k, v))
    if add_zero_attn:
        k, v = (
            ops.concat([x, ops.zeros_of(x, (*x.shape[:2], 1, x.shape[-1]))], axis=2) for x in (k, v)
        )
        extra += 1
    if mask is not None and extra:
        mask = ops.pad(mask, padding=[(0, extra)])
    weights = dropout(attention_weights(q, k, mask), dropout_p)
    joined = ops.matmul(weights, v).transpose(1, 2)
    joined = joined.reshape(batch, joined.shape[1], -1)
    return ops.linear(joined, *out), weights


def _heads(x: Tensor, num_heads: int) -> Tensor:
    n, length, features = x.shape
    return x.reshape(n, length, num_heads, features // num_heads).transpose(1, 2)


def additive_mask(mask: Tensor, dtype: Any) -> Tensor:
    """Return a mask that is added to scores; bool ones say where NOT to look."""
    if mask.dtype.kind == "b":
        return ops.where(mask, -math.inf, ops.zeros_of(mask, mask.shape).astype(dtype))
    return mask.astype(dtype) if mask.dtype != dtype else mask
