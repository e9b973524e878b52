"""RMSprop: steps divided by the root of a running mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import backend
from .optimizer import Group, Optimizer, State, zeros_for


class RMSprop(Optimizer):
    """Gradients divided by the root of their running mean square.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
        Learning rate.
    alpha : float
        How slowly the mean square forgets.
    eps : float
        Added to the root.
    weight_decay : float
        Factor of the L2 penalty.
    momentum : float
    centered : bool
        Divide by the deviation instead of the root mean square.
    maximize : bool
        Climb instead.

    Source: Tieleman and Hinton, Lecture 6.5, 2012; Graves, Generating sequences, 2013.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
                "maximize": maximize,
            },
        )

    def update(self, group: Group, p: Any, g: Any, state: State) -> None:
        xp = backend.namespace(p)
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        if not state:
            state.update(step=0, square_avg=zeros_for(p))
            if group["centered"]:
                state["grad_avg"] = zeros_for(p)
            if group["momentum"]:
                state["momentum_buffer"] = zeros_for(p)
        state["step"] += 1
        alpha, square = group["alpha"], state["square_avg"].array
        square *= alpha
        square += (1 - alpha) * g * g
        if group["centered"]:
            mean = state["grad_avg"].array
            mean += (1 - alpha) * (g - mean)
            divisor = xp.sqrt(square - mean * mean)
        else:
            divisor = xp.sqrt(square)
        divisor += group["eps"]
        if group["momentum"]:
            kept = state["momentum_buffer"].array
            kept *= group["momentum"]
            kept += g / divisor
            p -= group["lr"] * kept
        else:
            p -= group["lr"] * (g / divisor)
