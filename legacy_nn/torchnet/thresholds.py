"""Meters of what lies above a threshold, or among the first k.

Source: torchnet/torchnet meter.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from rekindle.core.creation import tensor

from .meter import Array, Meter, as_rows, check, check_same, descending, ratio, squeezed


class _ThresholdMeter(Meter):
    """Percentage of right ones among others, for each threshold.

    Parameters
    ----------
    threshold : sequence of float
        From 0 to 1; outputs of at least that are found.
    perclass : bool
        Whether there is a value for each class.
    """

    def __init__(self, threshold: Sequence[float] = (0.5,), perclass: bool = False) -> None:
        check(all(0 <= t <= 1 for t in threshold), f"thresholds from 0 to 1 expected: {threshold}")
        self.threshold, self.perclass = sorted(threshold), perclass
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        self.tp: dict[float, Array] = {t: np.zeros(1) for t in self.threshold}
        self._all: dict[float, Array] = {t: np.zeros(1) for t in self.threshold}

    @abstractmethod
    def _among(self, found: Array, target: Array) -> Array:
        """Return which of the outputs a right one is one among."""

    def add(self, output: Any, target: Any) -> None:
        """Add samples.

        Parameters
        ----------
        output, target : Tensor or array, shape (n, classes) or (classes,)

        Raises
        ------
        TorchnetError
            For other shapes.
        """
        scores, truth = as_rows(squeezed(output)), as_rows(target)
        check_same(scores, truth)
        for t in self.threshold:
            found = scores >= t
            self.tp[t] = self.tp[t] + (found & (truth != 0)).sum(0)
            self._all[t] = self._all[t] + self._among(found, truth).sum(0)

    def value(self, k: float | None = None) -> Any:
        """Return the percentage for a threshold, or a dict of all of them by threshold.

        It is 100 where there is nothing to count; with perclass, a Tensor of shape (classes,).

        Raises
        ------
        TorchnetError
            For a threshold that the meter was not made with.
        """
        if k is None:
            return {t: self.value(t) for t in self.threshold}
        check(k in self.tp, f"this meter counts for threshold={self.threshold}, not for {k}")
        right, among = self.tp[k], self._all[k]
        if self.perclass:
            return tensor(np.where(among == 0, 100, right / np.where(among == 0, 1, among) * 100))
        return ratio(right.sum(), among.sum()) * 100 if among.sum() else 100.0


class PrecisionMeter(_ThresholdMeter):
    """Percentage of right ones among those that were found.

    Source: torchnet/torchnet meter/precisionmeter.lua.
    """

    def _among(self, found: Array, target: Array) -> Array:
        return found


class RecallMeter(_ThresholdMeter):
    """Percentage of right ones among those that are there.

    Source: torchnet/torchnet meter/recallmeter.lua.
    """

    def _among(self, found: Array, target: Array) -> Array:
        return target


class PrecisionAtKMeter(Meter):
    """Percentage of right ones among the k best.

    Parameters
    ----------
    topk : sequence of int
        The k that count.
    dim : int
        1 or 2: the dimension along which outputs are ranked.
    online : bool
        Whether the best of all samples count, not those of each `add`.

    Source: torchnet/torchnet meter/precisionatkmeter.lua.
    """

    def __init__(self, topk: Sequence[int] = (10,), dim: int = 2, online: bool = False) -> None:
        check(dim in (1, 2), f"dim should be 1 or 2, got {dim}")
        self.topk = sorted(int(k) for k in topk)
        self.maxk, self.dim, self.online = self.topk[-1], dim, online
        self._best: tuple[Array, Array] | None = None
        self.reset()

    def reset(self) -> None:
        """Forget the counts; the best samples of an online meter stay, as in torchnet."""
        self.tp = dict.fromkeys(self.topk, 0.0)
        self.n = 0

    def add(self, output: Any, target: Any) -> None:
        """Add samples.

        Parameters
        ----------
        output, target : Tensor or array, shape (n, classes) or (classes,)

        Raises
        ------
        TorchnetError
            For other shapes, and fewer than k outputs to rank.
        """
        scores, truth = as_rows(squeezed(output)), as_rows(target)
        check_same(scores, truth)
        axis = self.dim - 1
        if self.online and self._best is not None:
            scores = np.concatenate([self._best[0], scores], axis)
            truth = np.concatenate([self._best[1], truth], axis)
        ranked = scores.shape[axis]
        check(ranked >= self.maxk, f"{self.maxk} outputs to rank expected, got {ranked}")
        order = np.take(descending(scores, axis), range(self.maxk), axis)
        truth = np.take_along_axis(truth, order, axis)
        if self.online:
            self._best = np.take_along_axis(scores, order, axis), truth
            self.reset()
        for k in self.topk:
            self.tp[k] += float(np.take(truth, range(k), axis).sum())
        self.n += truth.shape[1 - axis]

    def value(self, k: int | None = None) -> Any:
        """Return the percentage for k, or a dict of all of them by k.

        Raises
        ------
        TorchnetError
            For a k that the meter was not made with.
        """
        if k is None:
            return {each: self.value(each) for each in self.topk}
        check(k in self.tp, f"this meter counts for topk={self.topk}, not for k={k}")
        return ratio(self.tp[k], self.n * k) * 100


class NDCGMeter(Meter):
    """Normalised discounted cumulative gain of the first k.

    Parameters
    ----------
    K : sequence of int
        The k that count.

    Source: torchnet/torchnet meter/ndcgmeter.lua.
    """

    def __init__(self, K: Sequence[int] = (1,)) -> None:
        self.K = sorted(int(k) for k in K)
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        self.ndcg = dict.fromkeys(self.K, 0.0)
        self.n = 0

    def add(self, output: Any, relevance: Any) -> None:
        """Add rankings.

        Parameters
        ----------
        output, relevance : Tensor or array, shape (n, results) or (results,)

        Raises
        ------
        TorchnetError
            For other shapes, and fewer than k results.
        """
        scores, gains = as_rows(output), as_rows(relevance).astype(np.float64)
        check_same(scores, gains)
        check(gains.shape[1] >= self.K[-1], f"{self.K[-1]} results expected, got {gains.shape[1]}")
        ranked = np.take_along_axis(gains, descending(scores), 1)
        ideal = -np.sort(-gains, axis=1)
        for k in self.K:
            # the second result counts whole, as the first does
            weights = np.array([1.0, *(math.log(2) / math.log(i) for i in range(2, k + 1))])
            with np.errstate(divide="ignore", invalid="ignore"):
                self.ndcg[k] += float((ranked[:, :k] @ weights / (ideal[:, :k] @ weights)).sum())
        self.n += len(scores)

    def value(self, k: int | None = None) -> Any:
        """Return the mean gain for k, or a dict of all of them by k.

        Raises
        ------
        TorchnetError
            For a k that the meter was not made with.
        """
        if k is None:
            return {each: self.value(each) for each in self.K}
        check(k in self.ndcg, f"this meter counts for K={self.K}, not for k={k}")
        return ratio(self.ndcg[k], self.n)
