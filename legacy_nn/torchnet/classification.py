"""Meters of classes: errors and confusions. Classes count from 1.

Source: torchnet/torchnet meter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rekindle.core.creation import tensor
from rekindle.core.tensor import Tensor

from .meter import Meter, as_rows, check, check_binary, check_same, descending, ratio, squeezed


class ClassErrorMeter(Meter):
    """Percentage of samples whose class is not among the k best.

    Parameters
    ----------
    topk : sequence of int
        The k that count.
    accuracy : bool
        Whether the value is 100 minus that.

    Source: torchnet/torchnet meter/classerrormeter.lua.
    """

    def __init__(self, topk: Sequence[int] = (1,), accuracy: bool = False) -> None:
        self.topk = sorted(int(k) for k in topk)
        self.accuracy = accuracy
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        self.sum = dict.fromkeys(self.topk, 0)
        self.n = 0

    def add(self, output: Any, target: Any) -> None:
        """Add samples.

        Parameters
        ----------
        output : Tensor or array, shape (n, classes) or (classes,)
        target : Tensor or array of classes from 1, shape (n,); or int

        Raises
        ------
        TorchnetError
            For other shapes.
        """
        scores, classes = as_rows(squeezed(output)), squeezed(target)
        n = scores.shape[0]
        check(
            classes.shape == (n,),
            f"{n} targets expected, as many as outputs, got the shape {classes.shape}",
        )
        check(
            self.topk[-1] <= scores.shape[1],
            f"topk has {self.topk[-1]}, but there are only {scores.shape[1]} classes",
        )
        right = descending(scores) + 1 == classes[:, None]
        for k in self.topk:
            self.sum[k] += n - int(right[:, :k].sum())
        self.n += n

    def value(self, k: int | None = None) -> Any:
        """Return the percentage for k, or a dict of all of them by k.

        Raises
        ------
        TorchnetError
            For a k that the meter was not made with.
        """
        if k is None:
            return {each: self.value(each) for each in self.topk}
        check(k in self.sum, f"this meter counts for topk={self.topk}, not for k={k}")
        errors = ratio(self.sum[k], self.n)
        return (1 - errors if self.accuracy else errors) * 100


class ConfusionMeter(Meter):
    """Counts of predicted classes (columns) for each true class (rows).

    Parameters
    ----------
    k : int
        The number of classes.
    normalized : bool
        Whether the value is shares of each row.

    Source: torchnet/torchnet meter/confusionmeter.lua.
    """

    def __init__(self, k: int, normalized: bool = False) -> None:
        self.k, self.normalized = k, normalized
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        self.conf = np.zeros((self.k, self.k), np.int64)

    def add(self, output: Any, target: Any) -> None:
        """Add samples.

        Parameters
        ----------
        output : Tensor or array, shape (n, k) or (k,)
        target : Tensor or array, shape (n,), classes from 1; or of output's shape, one-hot

        Raises
        ------
        TorchnetError
            For other shapes, classes that are not there, rows that are not one-hot.
        """
        scores, classes = as_rows(squeezed(output)), squeezed(target)
        n, k = scores.shape
        check(k == self.k, f"outputs for {self.k} classes expected, got {k}")
        if classes.ndim == 1 and n == 1 and classes.size > 1:
            classes = classes[None]
        check(len(classes) == n, f"{n} targets expected, as many as outputs, got {len(classes)}")
        if classes.ndim > 1:
            check_same(scores, classes)
            check_binary(classes)
            check((classes.sum(1) == 1).all(), "each row of a one-hot target should have one 1")
            classes = classes.argmax(1) + 1
        check(((classes >= 1) & (classes <= k)).all(), f"classes from 1 to {k} expected")
        np.add.at(self.conf, (classes.astype(np.int64) - 1, scores.argmax(1)), 1)

    def value(self) -> Tensor:
        """Return the counts (int64) or shares (float64), shape (k, k)."""
        if not self.normalized:
            return tensor(self.conf)
        sums = self.conf.sum(1, keepdims=True)
        return tensor(self.conf / np.maximum(sums, 1e-12))


class MultiLabelConfusionMeter(Meter):
    """Confusions where a sample has several classes.

    As many best outputs as a sample has classes are its predictions. A class that is not among
    them counts for the wrong predictions, in equal parts.

    Parameters
    ----------
    k : int
        The number of classes.
    normalized : bool
        Whether the value is shares of each row.

    Source: torchnet/torchnet meter/multilabelconfusionmeter.lua.
    """

    def __init__(self, k: int, normalized: bool = True) -> None:
        self.k, self.normalized = k, normalized
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        self.conf = np.zeros((self.k, self.k))

    def add(self, output: Any, target: Any) -> None:
        """Add samples.

        Parameters
        ----------
        output, target : Tensor or array, shape (n, k) or (k,); targets are 0 or 1

        Raises
        ------
        TorchnetError
            For other shapes and targets.
        """
        scores, truth = as_rows(squeezed(output)), as_rows(squeezed(target))
        check_same(scores, truth)
        check_binary(truth)
        check(truth.shape[1] == self.k, f"{self.k} classes expected, got {truth.shape[1]}")
        for order, row in zip(descending(scores), truth == 1, strict=True):
            predicted = np.zeros(self.k, bool)
            predicted[order[: row.sum()]] = True
            both, missed, wrong = row & predicted, row & ~predicted, predicted & ~row
            self.conf[both, both] += 1
            if wrong.any():
                self.conf[np.ix_(missed, wrong)] += 1 / wrong.sum()

    def value(self) -> Tensor:
        """Return the confusions, float64, shape (k, k)."""
        if not self.normalized:
            return tensor(self.conf)
        return tensor(self.conf / (self.conf.sum(1, keepdims=True) + 1e-8))
