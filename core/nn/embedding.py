"""Embedding and EmbeddingBag: rows of a table by index."""

from __future__ import annotations

from typing import Any, Self

from ..backend import Device
from ..errors import BoundsError
from ..tensor import Parameter, Tensor
from . import functional as F
from . import init
from .fields import documented, new_parameter
from .module import Module


class _Table(Module):
    """What both have: a table of vectors.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        V and D.
    padding_idx : int, optional
        The index whose row starts as 0 and gets no gradient.
    max_norm : float, optional
        Rows that are read and longer are scaled down to this.
    norm_type : float
        The p of that norm.
    scale_grad_by_freq : bool
        Whether the gradient of a row is divided by how often it was read.

    Attributes
    ----------
    weight : Parameter, shape (V, D)
        Starts normal.
    """

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        padding_idx: int | None,
        max_norm: float | None,
        norm_type: float,
        scale_grad_by_freq: bool,
        _weight: Tensor | None,
        device: Device | str | None,
        dtype: Any,
    ) -> None:
        super().__init__()
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise BoundsError(f"padding_idx {padding_idx} is no row of {num_embeddings}")
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        if _weight is None:
            self.weight = new_parameter((num_embeddings, embedding_dim), dtype, device)
            self.reset_parameters()
        else:
            self.weight = Parameter(_weight.detach())

    def reset_parameters(self) -> None:
        """Draw a new table."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.detach()[self.padding_idx] = 0.0

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, **options: Any) -> Self:
        """Return a layer on a table that is there, which `freeze` keeps as it is.

        Parameters
        ----------
        embeddings : Tensor, shape (V, D)
            Its memory is used.
        freeze : bool
        **options
            As of the constructor.
        """
        rows, columns = embeddings.shape
        made = cls(rows, columns, **options, _weight=embeddings)
        made.weight.requires_grad = not freeze
        return made

    def extra_repr(self) -> str:
        """Return sizes, and what is not as usual."""
        usual = {
            "padding_idx": None,
            "max_norm": None,
            "norm_type": 2.0,
            "scale_grad_by_freq": False,
        }
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        parts += [f"{n}={getattr(self, n)}" for n, v in usual.items() if getattr(self, n) != v]
        return ", ".join(parts)


@documented
class Embedding(_Table):
    """Maps indices (...) to vectors (..., D)."""

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        *,
        _weight: Tensor | None = None,
        device: Device | str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            num_embeddings,
            embedding_dim,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            _weight=_weight,
            device=device,
            dtype=dtype,
        )

    def forward(self, input: Tensor) -> Tensor:
        """Return the rows that the indices, from 0, name."""
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
        )


@documented
class EmbeddingBag(_Table):
    """Maps bags of indices to the mean, sum or maximum of their vectors; see F.embedding_bag."""

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        *,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Device | str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            num_embeddings,
            embedding_dim,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            _weight=_weight,
            device=device,
            dtype=dtype,
        )
        self.mode = mode
        self.include_last_offset = include_last_offset

    def forward(
        self,
        input: Tensor,
        offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
    ) -> Tensor:
        """Return a vector for each bag: those of shape (B, n), or between `offsets`."""
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        """Return sizes, what is not as usual, and the mode."""
        return f"{super().extra_repr()}, mode={self.mode!r}"
