"""torch.AliasMultinomial of the package torchx: many draws from one distribution."""

from __future__ import annotations

from typing import Self

import numpy as np

from rekindle.core.checkpoint import Table, register
from rekindle.core.creation import empty
from rekindle.core.dtypes import int64
from rekindle.core.tensor import Tensor

from ..errors import ArgumentError
from ..torch7 import random


class AliasMultinomial:
    """Draws category numbers, from 1, in constant time each.

    Parameters
    ----------
    probs : Tensor, shape (K,)
        Probabilities; they sum to 1.

    Attributes
    ----------
    J : Tensor of int64, shape (K,)
        For each category the one that shares its place; 0 without one.
    q : Tensor, shape (K,)
        The category's own part of its place.

    Source: nicholas-leonard/torchx AliasMultinomial.lua; Walker 1977.
    """

    t7_typename = "torch.AliasMultinomial"
    t7_version = 1

    def __init__(self, probs: Tensor) -> None:
        if probs.ndim != 1:
            raise ArgumentError(
                f"torch.AliasMultinomial takes one row of probabilities; given shape {probs.shape}"
            )
        real = probs.dtype.type
        count = probs.shape[0]
        own = (probs.detach().numpy() * real(count)).tolist()
        other = [0] * count
        smaller = [i for i, p in enumerate(own) if p < 1]
        larger = [i for i, p in enumerate(own) if not p < 1]
        while smaller and larger:
            small, large = smaller.pop(), larger.pop()
            other[small] = large + 1
            own[large] = float(real(own[large] - (1.0 - own[small])))
            (smaller if own[large] < 1 else larger).append(large)
        shares = np.array(own, probs.dtype)
        if shares.max() > 1:
            shares /= shares.max()
        shares[np.array(other) <= 0] = 1
        self.J, self.q = Tensor(np.array(other, np.int64)), Tensor(shares)

    def batchdraw(self, output: Tensor) -> Tensor:
        """Fill a tensor of int64 with draws, and return it."""
        place = random.random(empty(output.size, int64), self.J.shape[0]).numpy()
        own = random.bernoulli(empty(output.size, int64), Tensor(self.q.numpy()[place - 1]))
        drawn = np.where(own.numpy() != 0, place, self.J.numpy()[place - 1])
        return output.copy_(Tensor(drawn.reshape(output.shape)))

    def draw(self) -> int:
        """Return one draw."""
        return int(self.batchdraw(empty(1, int64)).item())

    def t7_fields(self) -> Table:
        """Return the fields as a file holds them."""
        return Table(self.__dict__)

    def t7_restore(self, version: int, fields: Table) -> Self:
        """Become the object that a file holds."""
        vars(self).update({str(k): v for k, v in fields.items()})
        return self


register("torch.AliasMultinomial", AliasMultinomial)
