"""Fusing while a model runs: batch normalisation, addition and ReLU become part of convolutions.

Nothing is known of modules: operations are met as the model calls them, so it may be of any
kind. What cannot be fused is computed as always.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from .. import backend
from ..autograd.modes import setting
from ..autograd.versions import version_of
from ..kernels.convolution import geometry_of
from ..tensor import Tensor
from .pending import Pending, Work
from .spatial import per_dimension

Operands = list[Any]


class Fuser:
    """What meets every call of an operation in a model that runs for its output alone.

    Attributes
    ----------
    fused : Counter
        How often batch normalisation, addition and ReLU have become part of another operation.
    unchanged : Counter
        What could not, and why.
    """

    def __init__(self) -> None:
        self.fused: Counter[str] = Counter()
        self.unchanged: Counter[str] = Counter()
        self._reused: set[Any] = set()
        self._folds: dict[Any, tuple[Any, Tensor, Tensor, Any]] = {}
        self._known: dict[str, Callable[[Operands, dict[str, Any]], Tensor | None]] = {
            "convolution": self._convolution,
            "linear": self._linear,
            "batch_norm": self._batch_norm,
            "add": self._add,
            "relu": self._relu,
        }

    def run(self, model: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Return what a model computes, with nothing recorded.

        Tensors of the result that are still pending are not computed yet: see `Pending.settled`.
        """
        with setting(grad=False, watcher=self):
            return model(*args, **options)

    def record(self, name: str, seconds: float, nbytes: int) -> None:
        """Take no note of a call that was computed as always."""

    def take(self, op: Any, args: tuple[Any, ...], params: dict[str, Any]) -> Tensor | None:
        """Return the result of a call that is fused, or None."""
        handle = self._known.get(op.name)
        if handle is None:
            return None
        rest = dict(params)
        operands = list(args[: len(op.operands)])
        operands += [rest.pop(name, None) for name in op.operands[len(operands) :]]
        named = zip(op.metadata, args[len(op.operands) :], strict=False)
        return handle(operands, {**op.defaults, **dict(named), **rest})

    # -- what can wait ------------------------------------------------------------------

    def _convolution(self, operands: Operands, params: dict[str, Any]) -> Tensor | None:
        x, weight, bias = operands
        if not _plain(x, weight, bias) or not 3 <= x.ndim <= 5:
            return None
        array = x.array
        steps = {n: per_dimension(params[n], array) for n in ("stride", "padding", "dilation")}
        groups = params["groups"]
        stride, padding, dilation = steps.values()
        sizes = (x.shape, weight.shape, stride, padding, dilation, groups)
        geometry = geometry_of("convolution", *sizes)
        shape = (x.shape[0], weight.shape[0], *geometry.out)
        return self._wait({**steps, "groups": groups}, x, weight, bias, shape)

    def _linear(self, operands: Operands, params: dict[str, Any]) -> Tensor | None:
        x, weight, bias = operands
        if not _plain(x, weight, bias) or weight.ndim != 2 or x.ndim != 2:
            return None
        if x.shape[1] != weight.shape[1]:
            return None
        return self._wait(None, x, weight, bias, (x.shape[0], weight.shape[0]))

    def _wait(
        self,
        params: dict[str, Any] | None,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        shape: tuple[int, ...],
    ) -> Tensor:
        array = x.array  # before the version is read: it may be pending itself
        written = ((x._version, version_of(x._version)),)
        place = backend.address(weight.array)
        return Pending(Work(params, array, written, weight, bias, shape, place), self._reused)

    # -- what follows -------------------------------------------------------------------

    def _batch_norm(self, operands: Operands, params: dict[str, Any]) -> Tensor | None:
        x, mean, variance, weight, bias = operands
        work = self._waiting(x)
        if work is None or not work.plain or work.folded:
            self.unchanged["batch normalisation of what no convolution or linear map made"] += 1
            return None
        if not _plain(x, mean, variance, weight, bias) or mean.shape != work.shape[1:2]:
            return None
        self.fused["batch normalisation"] += 1
        folded = self._folded(work, mean, variance, weight, bias, params["eps"])
        return _following(x, replace(work, weight=folded[0], bias=folded[1], folded=True))

    def _add(self, operands: Operands, params: dict[str, Any]) -> Tensor | None:
        for x, other in (operands, operands[::-1]):
            work = self._waiting(x)
            if (
                work is not None
                and work.plain
                and x is not other
                and isinstance(other, Tensor)
                and other.shape == work.shape
                and _plain(x, other)
            ):
                other.array  # noqa: B018  # computes it, where it is pending too
                self.fused["addition"] += 1
                return _following(x, work.plus(other))
        return None

    def _relu(self, operands: Operands, params: dict[str, Any]) -> Tensor | None:
        (x,) = operands
        work = self._waiting(x)
        if work is None or work.rectify:
            return None
        self.fused["ReLU"] += 1
        return _following(x, replace(work, rectify=True))

    def _waiting(self, x: Any) -> Work | None:
        """Return the work of a tensor that waits, unless its values were needed last time."""
        work = x.work if type(x) is Pending else None
        return None if work is None or work.stage in self._reused else work

    def _folded(
        self,
        work: Work,
        mean: Tensor,
        variance: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        eps: float,
    ) -> tuple[Tensor, Tensor]:
        """Return weight and bias of a convolution followed by a normalisation.

        They are kept while nobody writes into what they are made of.
        """
        parts = (work.weight, work.bias, mean, variance, weight, bias)
        state = (eps, *(p if p is None else version_of(p._version) for p in parts))
        arrays = [None if p is None else p.array for p in parts]
        key = (work.place, work.weight.shape, backend.address(variance.array))
        known = self._folds.get(key)
        exposed = any(p is not None and "exposed" in p._version for p in parts)
        if known is None or known[0] != state or exposed:
            w, b = fold(*arrays, eps=eps)
            # The arrays are kept so that their addresses stay theirs.
            known = self._folds[key] = (state, Tensor._wrap(w), Tensor._wrap(b), arrays)
        return known[1], known[2]


def _following(x: Any, work: Work) -> Pending:
    """Return what comes after a pending tensor, with the work for both."""
    x.followed = True
    return Pending(work, x.reused)


def fold(
    weight: Any, bias: Any, mean: Any, variance: Any, scale: Any, shift: Any, *, eps: float
) -> tuple[Any, Any]:
    """Return weight and bias of a convolution or linear map followed by batch normalisation.

    Parameters
    ----------
    weight : array, shape (O, ...)
    mean, variance : array, shape (O,)
    bias, scale, shift : array, shape (O,), or None
        The bias of the map; weight and bias of the normalisation.
    eps : float
        Added to the variance.
    """
    factor = 1 / np.sqrt(variance.astype(np.float64) + eps)
    if scale is not None:
        factor = factor * scale
    start = -mean.astype(np.float64) if bias is None else bias.astype(np.float64) - mean
    start = start * factor
    if shift is not None:
        start = start + shift
    rows = weight.reshape(weight.shape[0], prod(weight.shape[1:]))
    folded = (rows * factor[:, None]).reshape(weight.shape)
    return folded.astype(weight.dtype), start.astype(weight.dtype)


def _plain(*tensors: Any) -> bool:
    """Whether all are NumPy tensors of single or double precision, of one dtype; or None."""
    given = [t for t in tensors if t is not None]
    if not all(isinstance(t, Tensor) for t in given):
        return False
    dtype = given[0].dtype
    return dtype in (np.float32, np.float64) and all(
        t.dtype == dtype and (type(t) is Pending or type(t.array) is np.ndarray) for t in given
    )
