"""optim.cmaes: evolution with an adapted covariance matrix."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle.core.checkpoint import Table
from rekindle.core.creation import zeros
from rekindle.core.tensor import Tensor

from ..torch7 import random
from .state import OptimError, Settings, optimiser, option, tables

Array = np.ndarray[Any, Any]


@optimiser
def cmaes(
    opfunc: Callable[[Tensor], Any], x: Tensor, config: Settings = None, state: Settings = None
) -> tuple[Tensor, Table, int]:
    """Minimise without gradients by the covariance matrix adaptation evolution strategy.

    Parameters
    ----------
    opfunc : callable
        Returns f(x); a gradient beside it is not used.
    x : Tensor, any shape
        The centre of the first generation; not changed.
    config : dict or Table, optional
        Only stands in for `state`: all settings are read there, as in Torch7.
    state : dict or Table
        sigma, the first step size; maxEval (1000 n**2), ftarget, popsize (4 + 3 log n),
        min_iterations (1). Nothing is printed: verb_disp is not read.

    Returns
    -------
    x : Tensor, shape (n,)
        The best point found.
    fs : Table
        f at the start, the best f of each generation, and the best of all.
    evaluations : int

    Raises
    ------
    OptimError
        Without a sigma.

    Notes
    -----
    Draws from Torch7's random stream. The trajectory depends on the signs of eigenvectors,
    which are LAPACK's.

    Source: torch/optim cmaes.lua; Hansen's barecmaes2.
    """
    _, state = tables(config, state)
    strategy = _Strategy(x.detach().numpy().reshape(-1), state)
    history = [_f(opfunc(x))]
    generation = 0
    while not strategy.finished() or generation < option(state, "min_iterations", 1):
        generation += 1
        points = strategy.ask(x)
        values = [_f(opfunc(Tensor(p.reshape(x.shape), x.dtype))) for p in points]
        strategy.tell(points, np.array(values, dtype=float))
        history.append(float(strategy.values[0]))
    history.append(strategy.best[0])
    return Tensor(strategy.best[1], x.dtype), Table(history), strategy.evaluations


def _f(result: Any) -> float:
    return float(result[0] if isinstance(result, tuple) else result)


class _Strategy:
    """The distribution that generations are drawn from."""

    def __init__(self, mean: Array, state: Any) -> None:
        self.mean = mean.astype(float)
        n = self.n = len(mean)
        if state.get("sigma") is None:
            raise OptimError("cmaes needs sigma, the first step size, in its state table")
        self.sigma = float(state["sigma"])
        self.most = option(state, "maxEval", 1e3 * n**2)
        self.target = state.get("ftarget")
        self.size = int(option(state, "popsize", 4 + math.floor(3 * math.log(n))))
        mu = self.size / 2
        ranks = np.arange(0, math.floor(mu - 1) + 1)
        weights = np.log(mu + 0.5) - np.log(ranks + 1)
        self.weights = weights / weights.sum()
        mueff = self.mueff = float(self.weights.sum() ** 2 / (self.weights**2).sum())
        self.cc = (4 + mueff / n) / (n + 4 + 2 * mueff / n)
        self.cs = (mueff + 2) / (n + mueff + 5)
        self.c1 = 2 / ((n + 1.3) ** 2 + mueff)
        self.cmu = min(1 - self.c1, 2 * (mueff - 2 + 1 / mueff) / ((n + 2) ** 2 + mueff))
        self.damps = 2 * mueff / self.size + 0.3 + self.cs
        self.pc, self.ps = np.zeros(n), np.zeros(n)
        self.basis, self.scales, self.covariance = np.eye(n), np.ones(n), np.eye(n)
        self.whitening = np.eye(n)
        self.evaluations = self.decomposed = 0
        self.values: Array = np.zeros(0)
        self.best: tuple[float, Array] = (math.inf, self.mean)

    def ask(self, like: Tensor) -> list[Array]:
        """Draw a generation."""
        interval = self.size / (self.c1 + self.cmu) / self.n / 10
        if self.evaluations - self.decomposed > interval:
            self.decomposed = self.evaluations
            upper = np.triu(self.covariance)
            squares, self.basis = np.linalg.eigh(
                upper + np.triu(self.covariance, 1).T,
                UPLO="U",  # as torch.symeig asks LAPACK
            )
            self.scales = np.sqrt(squares)
            self.whitening = self.basis @ np.diag(1 / self.scales) @ self.basis.T
        points = []
        for _ in range(self.size):
            draw = random.normal(zeros(self.n, like.dtype), 0, 1).numpy().astype(float)
            points.append(self.mean + self.basis @ (draw * self.scales) * self.sigma)
        return points

    def tell(self, points: list[Array], values: Array) -> None:
        """Move the distribution towards the better half of a generation."""
        self.evaluations += self.size
        order = np.argsort(values, kind="stable")
        self.values = values[order]
        chosen = np.array([points[i] for i in order[: len(self.weights)]])
        if self.values[0] < self.best[0]:
            self.best = (float(self.values[0]), chosen[0].copy())
        old = self.mean
        self.mean = self.weights @ chosen
        y = self.mean - old
        cs, cc, n = self.cs, self.cc, self.n
        z = self.whitening @ y
        self.ps = self.ps * (1 - cs) + z * (math.sqrt(cs * (2 - cs) * self.mueff) / self.sigma)
        length = float((self.ps**2).sum())
        decay = 1 - (1 - cs) ** (2 * self.evaluations / self.size)
        short = 1.0 if length / decay / n < 2 + 4.0 / (n + 1) else 0.0
        self.pc = self.pc * (1 - cc) + y * (
            math.sqrt(cc * (2 - cc) * self.mueff) / self.sigma * short
        )
        loss = self.c1 - (1 - short**2) * self.c1 * cc * (2 - cc)
        spread = chosen - old
        rank_mu = (self.weights[:, None] * spread).T @ spread / self.sigma**2
        self.covariance = (
            self.covariance * (1 - loss - self.cmu)
            + self.c1 * np.outer(self.pc, self.pc)
            + self.cmu * rank_mu
        )
        self.sigma *= math.exp(min(0.6, cs / self.damps * (length / n - 1) / 2))

    def finished(self) -> bool:
        """Whether one of the reasons to stop holds."""
        if self.evaluations == 0:
            return False
        scales, values = self.scales, self.values
        return bool(
            self.evaluations >= self.most
            or (self.target is not None and values[0] <= self.target)
            or scales.max() > 1e7 * scales.min()
            or (len(values) > 1 and values[-1] - values[0] < 1e-12)
            or self.sigma * scales.max() < 1e-11
        )
