"""Adagrad: steps divided by the root of the sum of squares so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import backend
from .optimizer import Group, Optimizer, State, zeros_for


class Adagrad(Optimizer):
    """Gradients divided by the root of the sum of all their squares.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
        Learning rate.
    lr_decay : float
        The learning rate is divided by 1 + steps * lr_decay.
    weight_decay : float
        Factor of the L2 penalty.
    initial_accumulator_value : float
        What the sum of squares starts from.
    eps : float
        Added to the root.
    maximize : bool
        Climb instead.

    Source: Duchi et al., Adaptive subgradient methods, 2011.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "eps": eps,
                "maximize": maximize,
            },
        )

    def update(self, group: Group, p: Any, g: Any, state: State) -> None:
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        if not state:
            total = zeros_for(p)
            total.array[...] += group["initial_accumulator_value"]
            state.update(step=0, sum=total)
        lr = group["lr"] / (1 + state["step"] * group["lr_decay"])
        state["step"] += 1
        total = state["sum"].array
        total += g * g
        p -= lr * (g / (backend.namespace(p).sqrt(total) + group["eps"]))
