"""Meters of rankings: areas under curves and average precisions.

Source: torchnet/torchnet meter.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core.creation import tensor
from rekindle.core.tensor import Tensor

from .meter import (
    Array,
    Meter,
    TorchnetError,
    array,
    check,
    check_binary,
    check_same,
    descending,
    squeezed,
)


class AUCMeter(Meter):
    """Area under the curve of true against false positives.

    Source: torchnet/torchnet meter/aucmeter.lua.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        self.scores, self.targets = np.empty(0), np.empty(0)

    def add(self, output: Any, target: Any) -> None:
        """Add samples.

        Parameters
        ----------
        output, target : Tensor or array, shape (n,), or number; targets are 0 or 1

        Raises
        ------
        TorchnetError
            For other shapes and targets.
        """
        scores, truth = squeezed(output), squeezed(target)
        check(scores.ndim == 1, f"outputs of one dimension expected, got {scores.shape}")
        check_same(scores, truth)
        check_binary(truth)
        self.scores = np.concatenate([self.scores, scores])
        self.targets = np.concatenate([self.targets, truth])

    def value(self) -> Any:
        """Return the area, and the rates of the curve.

        Returns
        -------
        area : float
        tpr, fpr : Tensor of float64, shape (n + 1,)
            Only where there are samples; without any, the area alone: 0.5.
        """
        if not self.scores.size:
            return 0.5
        positive = self.targets[descending(self.scores)]
        with np.errstate(divide="ignore", invalid="ignore"):
            tpr = np.append(0, positive.cumsum()) / positive.sum()
            fpr = np.append(0, (1 - positive).cumsum()) / (1 - positive).sum()
        return float(tpr[:-1] @ np.diff(fpr)), tensor(tpr), tensor(fpr)


class APMeter(Meter):
    """Average precision of each class.

    Source: torchnet/torchnet meter/apmeter.lua.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        self.scores: Array | None = None
        self.targets = self.weights = np.empty(0)

    def add(self, output: Any, target: Any, weight: Any = None) -> None:
        """Add samples.

        Parameters
        ----------
        output, target : Tensor or array, shape (n, classes) or (n,); targets are 0 or 1
        weight : Tensor or array, shape (n,), optional
            Not negative; given for all samples or for none.

        Raises
        ------
        TorchnetError
            For other shapes, targets and weights.
        """
        scores, truth = _columns(output), _columns(target)
        check_same(scores, truth)
        check_binary(truth)
        if weight is not None:
            weight = squeezed(weight)
            check(weight.shape == (len(truth),), f"{len(truth)} weights expected, {weight.shape}")
            check((weight >= 0).all(), "weights should not be negative")
        if self.scores is None:
            self.scores, self.targets = scores.astype(np.float64), truth.astype(np.float64)
            self.weights = np.empty(0) if weight is None else weight.astype(np.float64)
            return
        check(
            scores.shape[1] == self.scores.shape[1],
            f"{self.scores.shape[1]} classes expected, as before, got {scores.shape[1]}",
        )
        check(
            (weight is None) == (self.weights.size == 0),
            "weights should be given for all samples, or for none",
        )
        self.scores = np.concatenate([self.scores, scores])
        self.targets = np.concatenate([self.targets, truth])
        if weight is not None:
            self.weights = np.concatenate([self.weights, weight])

    def value(self) -> Tensor:
        """Return the average precisions, float64, shape (classes,).

        Raises
        ------
        TorchnetError
            Where no sample was added.
        """
        if self.scores is None:
            raise TorchnetError("add samples before asking for the average precision")
        order = descending(self.scores, 0)
        truth = np.take_along_axis(self.targets, order, 0)
        weight = self.weights[order] if self.weights.size else np.ones(truth.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            precision = (truth * weight).cumsum(0) / weight.cumsum(0)
        return tensor((precision * truth).sum(0) / np.maximum(truth.sum(0), 1))


class mAPMeter(Meter):
    """Mean of the classes' average precisions.

    Source: torchnet/torchnet meter/mapmeter.lua.
    """

    def __init__(self) -> None:
        self.apmeter = APMeter()

    def reset(self) -> None:
        """Forget all samples."""
        self.apmeter.reset()

    def add(self, output: Any, target: Any, weight: Any = None) -> None:
        """Add samples; see `APMeter.add`."""
        self.apmeter.add(output, target, weight)

    def value(self) -> float:
        """Return the mean."""
        return float(self.apmeter.value().numpy().mean())


def _columns(x: Any) -> Array:
    """Return a vector as one column, and a matrix as it is."""
    found = array(x)
    found = found[:, None] if found.ndim == 1 else found
    check(found.ndim == 2, f"a vector or a matrix of a column per class expected: {found.shape}")
    return found
