"""SGD: gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import backend
from ..kernels.updates import sgd_update
from .optimizer import Group, Optimizer, OptimizerError, State, zeros_for


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
        momentum = group["momentum"]
        keep, add = momentum, 1 - group["dampening"]
        velocity = None
        if momentum:
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = zeros_for(p)
                keep, add = 0.0, 1.0
            velocity = state["momentum_buffer"].array
        sgd_update(
            backend.namespace(p),
            p,
            g,
            velocity,
            lr=group["lr"],
            decay=group["weight_decay"],
            keep=keep,
            add=add,
            ahead=momentum if group["nesterov"] else None,
        )
