"""Learning rates that change: step, cosine, one-cycle, plateau, warm-up.

A schedule sets the `lr` of an optimiser's groups when its `step` is called, once an epoch or
once a batch. Each says in one method, `rates`, what the rate is after so many steps.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .optimizer import Optimizer, OptimizerError


class Schedule:
    """The base of all schedules.

    Parameters
    ----------
    optimizer : Optimizer

    Attributes
    ----------
    base_lrs : list of float
        The rate that each group started from.
    last_epoch : int
        How often `step` was called.

    Source: PyTorch's torch.optim.lr_scheduler.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = 0
        self._set()

    def rates(self) -> list[float]:
        """Return the rate of each group after `last_epoch` steps."""
        raise NotImplementedError(f"{type(self).__name__} does not say its rates")

    def _set(self) -> None:
        for group, lr in zip(self.optimizer.param_groups, self.rates(), strict=True):
            group["lr"] = lr

    def step(self) -> None:
        """Go on to the next rate."""
        self.last_epoch += 1
        self._set()

    def get_last_lr(self) -> list[float]:
        """Return the rates that are set."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs."""
        kept = {n: v for n, v in vars(self).items() if n != "optimizer" and not callable(v)}
        return {n: list(v) if isinstance(v, list) else v for n, v in kept.items()}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Take a state that `state_dict` returned; the rates are the optimiser's own state."""
        vars(self).update(saved)


class LambdaLR(Schedule):
    """The first rate times a function of the number of steps.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : callable, or list of callable
        One for all groups, or one each.
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Any) -> None:
        groups = len(optimizer.param_groups)
        functions: list[Callable[[int], float]] = (
            list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        )
        if len(functions) != groups:
            raise OptimizerError(f"{groups} groups need as many functions; given {len(functions)}")
        self.factors = tuple(functions)
        super().__init__(optimizer)

    def rates(self) -> list[float]:
        pairs = zip(self.base_lrs, self.factors, strict=True)
        return [lr * factor(self.last_epoch) for lr, factor in pairs]

    def state_dict(self) -> dict[str, Any]:
        kept = super().state_dict()
        kept.pop("factors")
        return kept


class _Factor(Schedule):
    """A schedule whose groups all have one factor."""

    def factor(self) -> float:
        """Return what the first rate is multiplied by."""
        raise NotImplementedError(f"{type(self).__name__} does not say its factor")

    def rates(self) -> list[float]:
        factor = self.factor()
        return [lr * factor for lr in self.base_lrs]


class StepLR(_Factor):
    """The rate times `gamma` every `step_size` steps."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer)

    def factor(self) -> float:
        return float(self.gamma ** (self.last_epoch // self.step_size))


class MultiStepLR(_Factor):
    """The rate times `gamma` at each of the `milestones`."""

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1) -> None:
        self.milestones, self.gamma = sorted(Counter(milestones).elements()), gamma
        super().__init__(optimizer)

    def factor(self) -> float:
        return float(self.gamma ** bisect_right(self.milestones, self.last_epoch))


class ExponentialLR(_Factor):
    """The rate times `gamma` at every step."""

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = gamma
        super().__init__(optimizer)

    def factor(self) -> float:
        return float(self.gamma**self.last_epoch)


class ConstantLR(_Factor):
    """The rate times `factor` for the first `total_iters` steps."""

    def __init__(self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5) -> None:
        self.start, self.total_iters = factor, total_iters
        super().__init__(optimizer)

    def factor(self) -> float:
        return self.start if self.last_epoch < self.total_iters else 1.0


class LinearLR(_Factor):
    """Warm-up: the factor goes from `start_factor` to `end_factor` in `total_iters` steps."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer)

    def factor(self) -> float:
        part = min(self.last_epoch, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * part


class CosineAnnealingLR(Schedule):
    """Half a cosine from the first rate to `eta_min` in `T_max` steps, and back.

    Source: Loshchilov and Hutter, SGDR, 2016.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def rates(self) -> list[float]:
        height = (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2
        return [self.eta_min + (lr - self.eta_min) * height for lr in self.base_lrs]


class OneCycleLR(Schedule):
    """Up to `max_lr` and down to almost nothing, in `total_steps` steps.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float
        The highest rate.
    total_steps : int
    pct_start : float
        The part of the steps that goes up.
    anneal_strategy : {"cos", "linear"}
    div_factor, final_div_factor : float
        The first rate is `max_lr / div_factor`, the last that over `final_div_factor`.
    cycle_momentum : bool
        Move the momentum, or the first of Adam's betas, the other way round between
        `base_momentum` and `max_momentum`.

    Source: Smith and Topin, Super-convergence, 2017.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float,
        total_steps: int,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
    ) -> None:
        if anneal_strategy not in ("cos", "linear"):
            raise OptimizerError(f"anneal_strategy is 'cos' or 'linear'; given {anneal_strategy!r}")
        self.max_lr, self.total_steps, self.pct_start = max_lr, total_steps, pct_start
        self.anneal_strategy, self.cycle_momentum = anneal_strategy, cycle_momentum
        self.base_momentum, self.max_momentum = base_momentum, max_momentum
        self.first = max_lr / div_factor
        self.final = self.first / final_div_factor
        super().__init__(optimizer)

    def _between(self, start: float, end: float, part: float) -> float:
        if self.anneal_strategy == "linear":
            return start + (end - start) * part
        return end + (start - end) / 2 * (1 + math.cos(math.pi * part))

    def _phase(self) -> tuple[bool, float]:
        """Return whether the rate goes up, and how far it has come."""
        if self.last_epoch >= self.total_steps:
            raise OptimizerError(f"OneCycleLR was made for {self.total_steps} steps")
        top = self.pct_start * self.total_steps - 1
        if self.last_epoch <= top:
            return True, self.last_epoch / top
        return False, (self.last_epoch - top) / (self.total_steps - 1 - top)

    def rates(self) -> list[float]:
        up, part = self._phase()
        lr = (
            self._between(self.first, self.max_lr, part)
            if up
            else self._between(self.max_lr, self.final, part)
        )
        if self.cycle_momentum:
            high, low = self.max_momentum, self.base_momentum
            momentum = self._between(high, low, part) if up else self._between(low, high, part)
            for group in self.optimizer.param_groups:
                if "betas" in group:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum
        return [lr] * len(self.base_lrs)


class ReduceLROnPlateau:
    """Lower the rate when a measure stops getting better.

    Parameters
    ----------
    optimizer : Optimizer
    mode : {"min", "max"}
        Whether less or more is better.
    factor : float
        What the rate is multiplied by.
    patience : int
        So many steps without improvement are allowed.
    threshold : float
        What counts as improvement, relative to the best or, with `threshold_mode="abs"`,
        absolute.
    cooldown : int
        So many steps after a reduction do not count.
    min_lr : float
        The rate stays at or above it.
    eps : float
        Smaller reductions are not made.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise OptimizerError(
                "mode is 'min' or 'max' and threshold_mode 'rel' or 'abs'; "
                f"given {mode!r}, {threshold_mode!r}"
            )
        if factor >= 1:
            raise OptimizerError(f"factor is below 1; given {factor}")
        self.optimizer = optimizer
        self.mode, self.factor, self.patience = mode, factor, patience
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.cooldown, self.min_lr, self.eps = cooldown, min_lr, eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0

    def _better(self, measure: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        margin = self.threshold
        if self.threshold_mode == "rel" and math.isfinite(self.best):
            # as PyTorch: a multiple of the best, whatever its sign
            return sign * measure < sign * self.best * (1 - sign * margin)
        return sign * measure < sign * self.best - margin

    def step(self, metrics: float) -> None:
        """Take a new measure into account."""
        measure = float(metrics)
        self.last_epoch += 1
        if self._better(measure):
            self.best, self.num_bad_epochs = measure, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            for group in self.optimizer.param_groups:
                lower = max(group["lr"] * self.factor, self.min_lr)
                if group["lr"] - lower > self.eps:
                    group["lr"] = lower
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def get_last_lr(self) -> list[float]:
        """Return the rates that are set."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs."""
        return {name: v for name, v in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Take a state that `state_dict` returned."""
        vars(self).update(saved)


class SequentialLR:
    """One schedule after another: warm-up, then a decay.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : sequence of Schedule
    milestones : sequence of int
        The step at which each schedule but the first begins.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[Schedule], milestones: Sequence[int]
    ) -> None:
        if len(milestones) != len(schedulers) - 1:
            raise OptimizerError(
                f"{len(schedulers)} schedules need {len(schedulers) - 1} milestones; "
                f"given {len(milestones)}"
            )
        self.optimizer = optimizer
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        self.last_epoch = 0
        schedulers[0]._set()

    def step(self) -> None:
        """Go on to the next rate."""
        self.last_epoch += 1
        current = bisect_right(self.milestones, self.last_epoch)
        if current and self.milestones[current - 1] == self.last_epoch:
            self.schedulers[current]._set()
        else:
            self.schedulers[current].step()

    def get_last_lr(self) -> list[float]:
        """Return the rates that are set."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs."""
        return {
            "last_epoch": self.last_epoch,
            "schedulers": [s.state_dict() for s in self.schedulers],
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Take a state that `state_dict` returned."""
        self.last_epoch = saved["last_epoch"]
        for schedule, state in zip(self.schedulers, saved["schedulers"], strict=True):
            schedule.load_state_dict(state)
