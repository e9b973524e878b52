"""SGD: gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor
from .optimizer import Group, Optimizer, OptimizerError, State


class SGD(Optimizer):
    """Gradient descent, with momentum and weight decay.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
        Learning rate.
    momentum : float
        How much of the last step is added to the next.
    dampening : float
        What the gradient is weakened by where there is momentum.
    weight_decay : float
        Factor of the L2 penalty.
    nesterov : bool
        Look ahead by the momentum; needs momentum and no dampening.
    maximize : bool
        Climb instead.

    Notes
    -----
    As in PyTorch and Torch7, v = momentum v + (1 - dampening) g and p = p - lr v; the first v
    is g itself.

    Source: Sutskever et al., On the importance of initialization and momentum, 2013.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
            },
        )

    def check_options(self, group: Group) -> None:
        super().check_options(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise OptimizerError("nesterov needs a momentum and no dampening")

    def update(self, group: Group, p: Any, g: Any, state: State) -> None:
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        momentum = group["momentum"]
        if momentum:
            kept = state.get("momentum_buffer")
            if kept is None:
                kept = state["momentum_buffer"] = Tensor._wrap(g.copy())
            else:
                kept.array[...] *= momentum
                kept.array[...] += (1 - group["dampening"]) * g
            g = g + momentum * kept.array if group["nesterov"] else kept.array
        p -= group["lr"] * g
