"""Adam and AdamW: steps scaled by running moments of the gradient."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from .. import backend
from ..kernels.updates import adam_update
from .optimizer import Group, Optimizer, OptimizerError, State, zeros_for


class Adam(Optimizer):
    """Adaptive moments.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
        Learning rate.
    betas : tuple of float
        How slowly the means of the gradient and of its square forget.
    eps : float
        Added to the divisor.
    weight_decay : float
        Factor of the L2 penalty.
    amsgrad : bool
        Divide by the largest mean square so far.
    maximize : bool
        Climb instead.

    Source: Kingma and Ba, Adam, 2014; Reddi et al., On the convergence of Adam, 2018.
    """

    decoupled = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": tuple(betas),
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
            },
        )

    def check_options(self, group: Group) -> None:
        super().check_options(group)
        if not all(0 <= b < 1 for b in group["betas"]):
            raise OptimizerError(f"betas are from 0 to below 1; given {group['betas']}")

    def update(self, group: Group, p: Any, g: Any, state: State) -> None:
        lr, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
        if not state:
            state.update(step=0, exp_avg=zeros_for(p), exp_avg_sq=zeros_for(p))
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = zeros_for(p)
        state["step"] += 1
        adam_update(
            backend.namespace(p),
            p,
            g,
            state["exp_avg"].array,
            state["exp_avg_sq"].array,
            state["max_exp_avg_sq"].array if group["amsgrad"] else None,
            lr=lr / (1 - beta1 ** state["step"]),
            beta1=beta1,
            beta2=beta2,
            eps=group["eps"],
            decay=0.0 if self.decoupled else decay,
            shrink=1 - lr * decay if self.decoupled else 1.0,
            root=math.sqrt(1 - beta2 ** state["step"]),
        )


class AdamW(Adam):
    """Adam whose weight decay is no part of the gradient.

    Parameters
    ----------
    params, lr, betas, eps, weight_decay, amsgrad, maximize
        As for `Adam`.

    Source: Loshchilov and Hutter, Decoupled weight decay regularization, 2017.
    """

    decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize)
