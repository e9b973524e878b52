"""optim.ConfusionMatrix: how often each class was taken for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from rekindle.core.checkpoint import Table, register
from rekindle.core.creation import empty, zeros
from rekindle.core.dtypes import float32, float64, int64
from rekindle.core.errors import BoundsError
from rekindle.core.tensor import Tensor

from .state import OptimError

Array = np.ndarray[Any, Any]

BUFFERS = {
    "_target": float32,
    "_prediction": float32,
    "_max": float32,
    "_pred_idx": int64,
    "_targ_idx": int64,
}
"""What Torch7 computes in, by field."""


class ConfusionMatrix:
    """Counts of predictions by class, with accuracies.

    Parameters
    ----------
    nclasses : int, or sequence of str
        The number of classes, or their names.
    classes : sequence of str, optional
        Names of classes.

    Attributes
    ----------
    mat : Tensor of int64, shape (nclasses, nclasses)
        Row: the true class; column: the predicted one.
    valids, unionvalids : Tensor of float32, shape (nclasses,)
        Share of a class's samples that were right; the same over the union of samples and
        predictions. nan for a class without samples.
    totalValid, averageValid, averageUnionValid : float
        Over all samples, and means over classes; after `updateValids`.

    Source: torch/optim ConfusionMatrix.lua.
    """

    t7_typename = "optim.ConfusionMatrix"
    t7_version = 1

    averageUnionValid: float = 0

    def __init__(
        self, nclasses: int | Sequence[str] | Table, classes: Sequence[str] | Table | None = None
    ) -> None:
        if isinstance(nclasses, (Sequence, Table)):
            classes, nclasses = nclasses, len(nclasses)
        nclasses = int(nclasses)
        self.mat = zeros((nclasses, nclasses), int64)
        self.valids = zeros(nclasses, float32)
        self.unionvalids = zeros(nclasses, float32)
        self.nclasses = nclasses
        self.totalValid: float = 0
        self.averageValid: float = 0
        self.classes = classes if isinstance(classes, Table) else Table(classes or [])
        # Torch7 works in these, and takes a file without them for one that it cannot go on with.
        self._mat_flat = self.mat.reshape(-1)
        for name, dtype in BUFFERS.items():
            setattr(self, name, empty(0, dtype))

    def add(self, prediction: Any, target: Any) -> None:
        """Count one sample.

        Parameters
        ----------
        prediction, target : int from 1, or Tensor of shape (nclasses,)
            A vector means its largest element. Targets below 1 are ignored.

        Raises
        ------
        BoundsError
            For a class that there is not.
        """
        p, t = (np.array([_class_of(value)]) for value in (prediction, target))
        self._count(p[t >= 1], t[t >= 1])

    def batchAdd(self, predictions: Tensor, targets: Tensor) -> None:
        """Count a batch.

        Parameters
        ----------
        predictions, targets : Tensor, shape (n,), (n, 1) or (n, nclasses)
            Classes from 1, or rows whose largest element counts.

        Raises
        ------
        OptimError
            For tensors of other dimensions, or of different lengths.
        BoundsError
            For a class that there is not.
        """
        p, t = _classes_of(predictions, "predictions"), _classes_of(targets, "targets")
        if p.shape != t.shape:
            raise OptimError(
                f"each prediction has a target; given {p.size} predictions and {t.size} targets"
            )
        self._count(p[t >= 1], t[t >= 1])

    def _count(self, p: Array, t: Array) -> None:
        """Count predicted and true classes, from 1."""
        wrong = (p < 1) | (p > self.nclasses) | (t > self.nclasses)
        if wrong.any():
            raise BoundsError(
                f"index out of range: classes are 1 to {self.nclasses}; given a prediction of "
                f"{p[wrong][0]} for a target of {t[wrong][0]}"
            )
        np.add.at(self.mat.numpy(), (t - 1, p - 1), 1)

    def zero(self) -> None:
        """Forget all samples."""
        for counts in (self.mat, self.valids, self.unionvalids):
            counts.zero_()
        self.totalValid = self.averageValid = 0

    def updateValids(self) -> None:
        """Compute the accuracies from the counts."""
        mat = self.mat.numpy().astype(float)
        right = mat.diagonal()
        rows, columns = mat.sum(axis=1), mat.sum(axis=0)
        with np.errstate(invalid="ignore"):
            self.valids.numpy()[:] = right / rows
            self.unionvalids.numpy()[:] = right / (rows + columns - right)
            self.totalValid = float(right.sum() / mat.sum())
        valids = self.valids.numpy().astype(float)
        unions = self.unionvalids.numpy().astype(float)
        self.averageValid = _mean(valids[~np.isnan(valids)])
        self.averageUnionValid = _mean(unions[~np.isnan(valids) & ~np.isnan(unions)])

    def farFrr(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return false rejection and acceptance rates.

        Returns
        -------
        class_frrs, class_fars : Tensor, shape (nclasses,)
            By class; -1 for a class without samples.
        frrs, fars : Tensor, shape (k,)
            The same for the k classes that have samples.

        Raises
        ------
        OptimError
            If there are no samples.
        """
        mat = self.mat.numpy().astype(float)
        counts = mat.sum(axis=1)
        present = np.flatnonzero(counts)
        if not present.size:
            raise OptimError("farFrr needs samples; add some first")
        rates = mat[present] / counts[present, None]
        frrs = 1 - rates[np.arange(present.size), present]
        others = rates[:, present].sum(axis=0) - rates[np.arange(present.size), present]
        with np.errstate(invalid="ignore"):
            fars = others / (present.size - 1)
        by_class = []
        for found in (frrs, fars):
            whole = np.full(self.nclasses, -1.0)
            whole[present] = found
            by_class.append(Tensor(whole, float64))
        return by_class[0], by_class[1], Tensor(frrs), Tensor(fars)

    def t7_restore(self, version: int, fields: Table) -> None:
        """Become the object that a file holds."""
        vars(self).update({str(k): v for k, v in fields.items()})

    def t7_fields(self) -> Table:
        """Return the fields as a file holds them."""
        return Table(vars(self))

    def __repr__(self) -> str:
        self.updateValids()
        mat = self.mat.numpy()
        most = int(mat.max())
        digits = max(8, 1 + math.ceil(math.log10(most))) if most else 8
        lines = ["ConfusionMatrix:"]
        for t, row in enumerate(mat):
            start = "[[" if t == 0 else " ["
            end = "]]" if t == self.nclasses - 1 else "] "
            counts = "".join(f"{int(n):{digits}d}" for n in row)
            share = f"{float(self.valids.numpy()[t] * np.float64(100)):.3f}"
            name = f"\t[class: {self.classes.get(t + 1, '')}]" if 1 in self.classes else ""
            lines.append(f"{start}{counts}{end}  {share}% {name}")
        lines.append(f" + average row correct: {_lua(self.averageValid * 100)}% ")
        union = _lua(self.averageUnionValid * 100)
        lines.append(f" + average rowUcol correct (VOC measure): {union}% ")
        lines.append(f" + global correct: {_lua(self.totalValid * 100)}%")
        return "\n".join(lines)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copied = type(self)(self.nclasses, Table(self.classes.array()))
        for name in ("mat", "valids", "unionvalids"):
            setattr(copied, name, getattr(self, name).clone())
        copied.totalValid, copied.averageValid = self.totalValid, self.averageValid
        return copied


register("optim.ConfusionMatrix", ConfusionMatrix)


def _class_of(value: Any) -> int:
    if isinstance(value, Tensor) and value.ndim == 1:
        return int(value.detach().numpy().astype(np.float32).argmax()) + 1
    return int(value)


def _classes_of(values: Tensor, what: str) -> Array:
    array = values.detach().numpy().astype(np.float32)
    if array.ndim == 2:
        array = array[:, 0] if array.shape[1] == 1 else array.argmax(axis=1) + 1
    elif array.ndim != 1:
        raise OptimError(f"{what} are of shape (n,) or (n, classes); given {values.shape}")
    return array.astype(np.int64)


def _mean(values: Array) -> float:
    return float(values.sum() / len(values)) if len(values) else math.nan


def _lua(number: float) -> str:
    """Return a number as Lua writes it."""
    return f"{number:.14g}"
