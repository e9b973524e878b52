"""Adadelta: steps in units of earlier steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import backend
from .optimizer import Group, Optimizer, State, zeros_for


class Adadelta(Optimizer):
    """Gradients scaled by the ratio of running root mean squares of steps and gradients.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
        Factor of the step.
    rho : float
        How slowly the mean squares forget.
    eps : float
        Added to the mean squares.
    weight_decay : float
        Factor of the L2 penalty.
    maximize : bool
        Climb instead.

    Source: Zeiler, ADADELTA, 2012.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "rho": rho,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def update(self, group: Group, p: Any, g: Any, state: State) -> None:
        xp, rho, eps = backend.namespace(p), group["rho"], group["eps"]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        if not state:
            state.update(step=0, square_avg=zeros_for(p), acc_delta=zeros_for(p))
        state["step"] += 1
        square, steps = state["square_avg"].array, state["acc_delta"].array
        square *= rho
        square += (1 - rho) * g * g
        delta = xp.sqrt(steps + eps) / xp.sqrt(square + eps) * g
        steps *= rho
        steps += (1 - rho) * delta * delta
        p -= group["lr"] * delta
