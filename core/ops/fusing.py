"""Fusing while a model runs: batch normalisation, addition and ReLU become part of convolutions.

Nothing is known of modules: operations are met as the model calls them, so it may be of any
kind. What cannot be fused is computed as always.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..autograd.modes import setting
from ..autograd.versions import version_of
from ..kernels import average_pooling, pooling
from ..kernels.adaptive_pooling import even_windows
from ..kernels.convolution import geometry_of
from ..kernels.windows import transposed_size
from ..tensor import Parameter, Tensor
from .pending import Pending, Places, Work
from .spatial import per_dimension

Operands = list[Any]
Sizes = tuple[int, ...]

_CONVOLUTION, _TRANSPOSED, _LINEAR = "convolution", "transposed convolution", "linear map"


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
        self._known: dict[str, Callable[[Operands, dict[str, Any]], Any]] = {
            "convolution": self._convolution,
            "transposed_convolution": self._transposed,
            "linear": self._linear,
            "batch_norm": self._batch_norm,
            "add": self._add,
            "relu": self._relu,
            "max_pool": self._max_pool,
            "avg_pool": self._avg_pool,
            "adaptive_avg_pool": self._adaptive_avg_pool,
        }

    def run(self, model: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Return what a model computes, with nothing recorded.

        Tensors of the result that are still pending are not computed yet: see `Pending.settled`.
        """
        with setting(grad=False, watcher=self):
            return model(*args, **options)

    def record(self, name: str, seconds: float, nbytes: int) -> None:
        """Take no note of a call that was computed as always."""

    def take(self, op: Any, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Return the result of a call that is fused, or computed in another way, or None."""
        handle = self._known.get(op.name)
        if handle is None:
            return None
        operands = list(args[: op.arity])
        operands += [params.get(name) for name in op.operands[len(operands) :]]
        given = {**op.defaults, **params}
        if len(args) > op.arity:
            given.update(zip(op.metadata, args[op.arity :], strict=False))
        return handle(operands, given)

    # -- what can wait ------------------------------------------------------------------

    def _convolution(self, operands: Operands, params: dict[str, Any]) -> Tensor | None:
        x, weight, bias = operands
        if not _plain(x, weight, bias) or not 3 <= x.ndim <= 5:
            return None
        steps = (per_dimension(params[n], x) for n in ("stride", "padding", "dilation"))
        known, out = _convolved(x.shape, weight.shape, *steps, params["groups"])
        return self._wait(_CONVOLUTION, known, x, weight, bias, out)

    def _transposed(self, operands: Operands, params: dict[str, Any]) -> Tensor | None:
        x, weight, bias = operands
        if not _plain(x, weight, bias) or not 3 <= x.ndim <= 5 or weight.ndim != x.ndim:
            return None
        names = ("stride", "padding", "dilation", "extra")
        steps = (per_dimension(params[n], x) for n in names)
        known, out = _enlarged(x.shape, weight.shape, *steps, params["groups"])
        if bias is not None and bias.shape != out[1:2]:
            return None
        return self._wait(_TRANSPOSED, known, x, weight, bias, out)

    def _linear(self, operands: Operands, params: dict[str, Any]) -> Tensor | None:
        x, weight, bias = operands
        if not _plain(x, weight, bias) or weight.ndim != 2 or x.ndim < 2:
            return None
        if x.shape[-1] != weight.shape[1]:
            return None
        return self._wait(_LINEAR, {}, x, weight, bias, (*x.shape[:-1], weight.shape[0]))

    def _wait(
        self,
        kind: str,
        params: dict[str, Any],
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        shape: Sizes,
    ) -> Tensor:
        array = x.array  # before the version is read: it may be pending itself
        written = ((x._version, version_of(x._version)),)
        place = weight.array.__array_interface__["data"][0]
        work = Work(kind, params, array, written, weight, bias, shape, place)
        return Pending(work, self._reused)

    # -- what follows -------------------------------------------------------------------

    def _batch_norm(self, operands: Operands, params: dict[str, Any]) -> Tensor | None:
        x, mean, variance, weight, bias = operands
        work = self._waiting(x)
        if work is None or not work.plain or work.folded:
            self.unchanged["batch normalisation of what no convolution or linear map made"] += 1
            return None
        if not _plain(x, mean, variance, weight, bias) or mean.shape != work.shape[1:2]:
            return None
        if work.kind == _LINEAR and len(work.shape) != 2:
            return None  # its channels are not what the map makes
        self.fused["batch normalisation"] += 1
        folded = self._folded(work, mean, variance, weight, bias, params["eps"])
        return _following(x, work.normalised(*folded))

    def _add(self, operands: Operands, params: dict[str, Any]) -> Tensor | None:
        if type(operands[0]) is Pending and type(operands[0].work) is Places:
            return _counted_from(operands[0], operands[0].work, operands[1])
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
        return _following(x, work.rectified())

    # -- what needs no places and no gradient --------------------------------------------

    def _max_pool(self, operands: Operands, params: dict[str, Any]) -> Any:
        (x,) = operands
        if not _pooled(x):
            return None
        steps = _steps(x, params, ("kernel", "stride", "padding", "dilation"))
        steps["ceil_mode"] = params["ceil_mode"]
        array = x.array
        written = ((x._version, version_of(x._version)),)
        places = Places(steps, array, written, ())
        if places.stage in self._reused:
            return None
        values = pooling.max_pool_values(np, array, **steps)
        places.shape = values.shape
        where = Pending(places, self._reused)
        where.followed = True
        return Tensor._wrap(values), where

    def _avg_pool(self, operands: Operands, params: dict[str, Any]) -> Tensor | None:
        (x,) = operands
        if not _pooled(x):
            return None
        steps = _steps(x, params, ("kernel", "stride", "padding"))
        rest = {name: params[name] for name in ("ceil_mode", "count_include_pad")}
        return Tensor._wrap(average_pooling.avg_pool_values(np, x.array, **steps, **rest))

    def _adaptive_avg_pool(self, operands: Operands, params: dict[str, Any]) -> Tensor | None:
        (x,) = operands
        if not _pooled(x):
            return None
        window = even_windows(x.shape[2:], per_dimension(params["size"], x))
        if window is None:
            return None
        border = (0,) * len(window)
        values = average_pooling.avg_pool_values(
            np, x.array, kernel=window, stride=window, padding=border
        )
        return Tensor._wrap(values)

    def _waiting(self, x: Any) -> Work | None:
        """Return the work of a tensor that waits, unless its values were needed last time."""
        work = x.work if type(x) is Pending else None
        return None if type(work) is not Work or work.stage in self._reused else work

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
        exposed = any("exposed" in p._version for p in parts if p is not None)
        if known is None or known[0] != state or exposed:
            groups = work.params["groups"] if work.kind == _TRANSPOSED else 0
            w, b = fold(*arrays, eps=eps, transposed=groups)
            # The arrays are kept so that their addresses stay theirs.
            known = self._folds[key] = (state, Tensor._wrap(w), Tensor._wrap(b), arrays)
        return known[1], known[2]


def _pooled(x: Any) -> bool:
    return _plain(x) and 3 <= x.ndim <= 5 and x.dtype == np.float32


def _steps(x: Tensor, params: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return a window's numbers per dimension; without a stride, it is the kernel's."""
    given = dict(params)
    if given["stride"] is None:
        given["stride"] = given["kernel"]
    return {name: per_dimension(given[name], x) for name in names}


def _counted_from(x: Pending, work: Places, start: Any) -> Tensor | None:
    """Return places that are counted from another number, as Torch7's are from 1."""
    if type(start) is not int:
        return None
    moved = Places(work.params, work.x, work.written, work.shape, work.start + start)
    result = Pending(moved, x.reused)
    result.followed = True
    return result


def _following(x: Any, work: Work) -> Pending:
    """Return what comes after a pending tensor, with the work for both."""
    x.followed = True
    return Pending(work, x.reused)


@functools.lru_cache(1024)
def _convolved(
    x: Sizes, w: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> tuple[dict[str, Any], Sizes]:
    """Return what the kernel takes, and the shape of the result."""
    out = geometry_of("convolution", x, w, stride, padding, dilation, groups).out
    known = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return known, (x[0], w[0], *out)


@functools.lru_cache(1024)
def _enlarged(
    x: Sizes, w: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, extra: Sizes, groups: int
) -> tuple[dict[str, Any], Sizes]:
    """Return what the kernel of a transposed convolution takes, and the shape of the result."""
    name = "transposed_convolution"
    size = transposed_size(name, x[2:], w[2:], stride, padding, dilation, extra)
    known = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return {"size": size, **known}, (x[0], w[1] * groups, *size)


def fold(
    weight: Any,
    bias: Any,
    mean: Any,
    variance: Any,
    scale: Any,
    shift: Any,
    *,
    eps: float,
    transposed: int = 0,
) -> tuple[Any, Any]:
    """Return weight and bias of a convolution or linear map followed by batch normalisation.

    Parameters
    ----------
    weight : array, shape (O, ...)
        Of a transposed convolution (C, O / groups, *kernel).
    mean, variance : array, shape (O,)
    bias, scale, shift : array, shape (O,), or None
        The bias of the map; weight and bias of the normalisation.
    eps : float
        Added to the variance.
    transposed : int
        The groups of a transposed convolution; 0 for another map.
    """
    factor = 1 / np.sqrt(variance.astype(np.float64) + eps)
    if scale is not None:
        factor = factor * scale
    start = -mean.astype(np.float64) if bias is None else bias.astype(np.float64) - mean
    start = start * factor
    if shift is not None:
        start = start + shift
    # Filters by group, input, output and place; those of other maps have one group and input.
    groups, inputs = (transposed, weight.shape[0] // transposed) if transposed else (1, 1)
    outputs = factor.size // groups
    rows = weight.reshape(groups, inputs, outputs, weight.size // max(groups * inputs * outputs, 1))
    factors = factor.astype(weight.dtype).reshape(groups, 1, outputs, 1)
    return (rows * factors).reshape(weight.shape), start.astype(weight.dtype)


def _plain(*tensors: Any) -> bool:
    """Whether all are NumPy tensors of single or double precision, of one dtype; or None."""
    dtype = None
    for t in tensors:
        if t is None:
            continue
        kind = type(t)
        if kind is Pending:
            found = t.dtype
        elif (kind is Tensor or kind is Parameter or isinstance(t, Tensor)) and (
            type(t.array) is np.ndarray
        ):
            found = t.array.dtype
        else:
            return False
        if dtype is None:
            dtype = found
        elif found != dtype:
            return False
    return dtype in (np.float32, np.float64)
