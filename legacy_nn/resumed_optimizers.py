"""SGD and Adam by the formulas of torch/optim, where these are not core's.

Source: torch/optim sgd.lua, adam.lua.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from rekindle.core.optim import SGD, Adam
from rekindle.core.optim.optimizer import Group, State


class TorchSGD(SGD):
    """SGD whose learning rate falls with its steps, and may differ for each element.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr, momentum, dampening, weight_decay, nesterov
        As for core's SGD.
    lr_decay : float
        After n steps the rate is lr / (1 + n lr_decay).

    Notes
    -----
    The state of a parameter may hold `learning_rates`, which the rate is multiplied by, and
    `weight_decays`, which take effect where `weight_decay` is 0: tensors of its shape.
    """

    def __init__(self, params: Iterable[Any], lr: float = 1e-3, **options: Any) -> None:
        self._first = {"lr_decay": options.pop("lr_decay", 0.0)}
        super().__init__(params, lr, **options)

    def add_param_group(self, group: Any) -> None:
        """Train more parameters; see `Optimizer`."""
        self.defaults.update(self._first)
        super().add_param_group(group)

    def update(self, group: Group, p: Any, g: Any, state: State) -> None:
        """Change a parameter; see `Optimizer`."""
        steps = state.setdefault("step", 0)
        rate = group["lr"] / (1 + steps * group["lr_decay"])
        if "learning_rates" in state:
            rate = rate * state["learning_rates"].array
        if "weight_decays" in state and not group["weight_decay"]:
            g = g + state["weight_decays"].array * p
        super().update({**group, "lr": rate}, p, g, state)
        state["step"] = steps + 1


class TorchAdam(Adam):
    """Adam whose epsilon is added before the bias of the mean square is corrected.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr, betas, eps, weight_decay
        As for core's Adam.
    lr_decay : float
        After n steps the rate is lr / (1 + n lr_decay).

    Notes
    -----
    Torch7 divides by sqrt(v) + eps, core and PyTorch by sqrt(v / c) + eps with
    c = 1 - beta2^t: the same as Torch7's with eps / sqrt(c), which is how it is computed here.
    """

    def __init__(self, params: Iterable[Any], lr: float = 1e-3, **options: Any) -> None:
        self._first = {"lr_decay": options.pop("lr_decay", 0.0)}
        super().__init__(params, lr, **options)

    def add_param_group(self, group: Any) -> None:
        """Train more parameters; see `Optimizer`."""
        self.defaults.update(self._first)
        super().add_param_group(group)

    def update(self, group: Group, p: Any, g: Any, state: State) -> None:
        """Change a parameter; see `Optimizer`."""
        steps = state.get("step", 0)
        correction = math.sqrt(1 - group["betas"][1] ** (steps + 1))
        changed = {
            "lr": group["lr"] / (1 + steps * group["lr_decay"]),
            "eps": group["eps"] / correction,
        }
        super().update({**group, **changed}, p, g, state)
