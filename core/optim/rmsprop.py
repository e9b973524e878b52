"""RMSprop: steps divided by the root of a running mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import backend
from ..kernels.updates import rmsprop_update
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
        if not state:
            state.update(step=0, square_avg=zeros_for(p))
            if group["centered"]:
                state["grad_avg"] = zeros_for(p)
            if group["momentum"]:
                state["momentum_buffer"] = zeros_for(p)
        state["step"] += 1
        rmsprop_update(
            backend.namespace(p),
            p,
            g,
            state["square_avg"].array,
            state["grad_avg"].array if group["centered"] else None,
            state["momentum_buffer"].array if group["momentum"] else None,
            lr=group["lr"],
            alpha=group["alpha"],
            eps=group["eps"],
            decay=group["weight_decay"],
            momentum=group["momentum"],
        )
