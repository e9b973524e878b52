"""MultiheadAttention."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..backend import Device
from ..errors import ShapeError
from ..tensor import Parameter, Tensor
from . import init
from .errors import ArgumentError
from .fields import new_parameter
from .functional.attention import additive_mask, multi_head_attention
from .linear import Linear
from .module import Module


class MultiheadAttention(Module):
    """Attention in several heads, each on its own projection of queries, keys and values.

    Parameters
    ----------
    embed_dim : int
        Features E of queries and outputs.
    num_heads : int
        A divisor of E.
    dropout : float
        Share of the weights that is dropped in training.
    bias : bool
    add_bias_kv : bool
        Whether one key and value are learned.
    add_zero_attn : bool
        Whether there is one more key and value of zeros.
    kdim, vdim : int, optional
        Features of keys and values; E by default.
    batch_first : bool
        Whether tensors are (N, L, E) instead of (L, N, E).
    device, dtype
        Of the Parameters.

    Attributes
    ----------
    in_proj_weight : Parameter, shape (3 * E, E)
        The projections of queries, keys and values one below the other; with other kdim or
        vdim there are q_proj_weight, k_proj_weight and v_proj_weight instead.
    in_proj_bias : Parameter, shape (3 * E,), or None
    out_proj : Linear

    Notes
    -----
    Source: Vaswani et al. 2017, "Attention Is All You Need"
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None
    out_proj: Linear

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Device | str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
            raise ArgumentError(f"attention: {num_heads} heads do not divide {embed_dim} features")
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.batch_first = batch_first
        self.add_zero_attn = add_zero_attn
        alike = self.kdim == self.vdim == embed_dim
        shapes: dict[str, Any] = {
            "in_proj_weight": (3 * embed_dim, embed_dim) if alike else None,
            "q_proj_weight": None if alike else (embed_dim, embed_dim),
            "k_proj_weight": None if alike else (embed_dim, self.kdim),
            "v_proj_weight": None if alike else (embed_dim, self.vdim),
            "in_proj_bias": 3 * embed_dim if bias else None,
        }
        kv = (1, 1, embed_dim) if add_bias_kv else None
        shapes |= {"bias_k": kv, "bias_v": kv}
        for name, shape in shapes.items():
            own = None if shape is None else new_parameter(shape, dtype, device)
            self.register_parameter(name, own)
        self.out_proj = Linear(embed_dim, embed_dim, bias, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new Parameters."""
        for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
            if (weight := getattr(self, name)) is not None:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return what each query finds, and the weights that it gave.

        Parameters
        ----------
        query : Tensor, shape (L, N, E), or (N, L, E) with `batch_first`, or (L, E)
        key : Tensor, shape (S, N, kdim)
        value : Tensor, shape (S, N, vdim)
        key_padding_mask : Tensor, shape (N, S), optional
            bool: keys that nobody looks at; floating: added to the scores.
        need_weights : bool
        attn_mask : Tensor, shape (L, S) or (N * num_heads, L, S), optional
            bool: where a query may NOT look; floating: added to the scores.
        average_attn_weights : bool
            Whether the weights are averaged over the heads.
        is_causal : bool
            A promise that `attn_mask` is causal; the mask has to be given too.

        Returns
        -------
        output : Tensor, shape of `query`
        weights : Tensor, shape (N, L, S) or (N, num_heads, L, S), or None

        Raises
        ------
        ShapeError, ArgumentError
            If shapes do not fit, or `is_causal` comes without a mask.
        """
        if is_causal and attn_mask is None:
            raise ArgumentError("attention: is_causal is a hint about attn_mask; give the mask too")
        single = query.ndim == 2
        if query.ndim not in (2, 3) or key.ndim != query.ndim or value.ndim != query.ndim:
            raise ShapeError(
                "attention takes three tensors of 2 or 3 dimensions; given "
                f"{query.shape}, {key.shape} and {value.shape}"
            )
        tensors = [query, key, value]
        if single:
            tensors = [x.unsqueeze(0) for x in tensors]
            if key_padding_mask is not None:
                key_padding_mask = key_padding_mask.unsqueeze(0)
        elif not self.batch_first:
            tensors = [x.transpose(0, 1) for x in tensors]
        output, weights = multi_head_attention(
            tensors[0],
            tensors[1],
            tensors[2],
            self.num_heads,
            self._projections(query is key is value),
            (self.out_proj.weight, self.out_proj.bias),
            bias_k=self.bias_k,
            bias_v=self.bias_v,
            add_zero_attn=self.add_zero_attn,
            mask=self._mask(tensors[0], tensors[1], attn_mask, key_padding_mask),
            dropout_p=self.dropout if self.training else 0.0,
        )
        if not single and not self.batch_first:
            output = output.transpose(0, 1)
        found = None
        if need_weights:
            found = weights.mean(axis=1) if average_attn_weights else weights
            found = found.squeeze(axis=0) if single else found
        return (output.squeeze(axis=0) if single else output), found

    def _projections(self, of_itself: bool) -> tuple[tuple[Tensor, Tensor | None], ...]:
        """Return weight and bias for queries, keys and values, which may be one tensor."""
        if of_itself and self.in_proj_weight is not None:
            return ((self.in_proj_weight, self.in_proj_bias),)  # one product instead of three
        if self.in_proj_weight is not None:
            weights: tuple[Tensor, ...] = ops.chunk(self.in_proj_weight, 3)
        else:
            own = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
            weights = tuple(w for w in own if w is not None)
        biases: tuple[Tensor | None, ...] = (None, None, None)
        if self.in_proj_bias is not None:
            biases = ops.chunk(self.in_proj_bias, 3)
        return tuple(zip(weights, biases, strict=True))

    def _mask(
        self, query: Tensor, key: Tensor, mask: Tensor | None, padding: Tensor | None
    ) -> Tensor | None:
        """Return what is added to scores (N, heads, L, S)."""
        n, length, size = query.shape[0], query.shape[1], key.shape[1]
        total = None
        if mask is not None:
            shapes = ((length, size), (n * self.num_heads, length, size))
            if mask.shape not in shapes:
                raise ShapeError(f"attn_mask has shape {shapes[0]} or {shapes[1]}: {mask.shape}")
            total = additive_mask(mask, query.dtype)
            if mask.ndim == 3:
                total = total.reshape(n, self.num_heads, length, size)
        if padding is not None:
            if padding.shape != (n, size):
                raise ShapeError(f"key_padding_mask has shape {(n, size)}; given {padding.shape}")
            ignored = additive_mask(padding, query.dtype).reshape(n, 1, 1, size)
            total = ignored if total is None else total + ignored
        return total
