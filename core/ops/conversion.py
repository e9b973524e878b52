"""Changing dtype and device, and plain writes into a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend, dtypes
from ..tensor import Tensor
from .inplace import assign
from .methods import install_method
from .registry import Array, Sample, operation


@operation(
    samples=lambda rng: [Sample(rng.normal(size=(3, 4)), dtype=np.float32)], methods=("astype",)
)
def astype(xp: Any, x: Array, dtype: Any) -> Array:
    """Return x converted to `dtype`; always a copy."""
    return xp.astype(x, dtypes.as_dtype(dtype))


@operation(
    samples=lambda rng: [Sample(rng.normal(size=(3, 4)), device="cpu")], view=True, methods=("to",)
)
def to(xp: Any, x: Array, device: backend.Device | str) -> Array:
    """Return x on `device`: the same memory where it is there already."""
    return backend.to_device(x, backend.as_device(device))


astype.def_vjp(x=lambda g: g)
astype.def_jvp(x=lambda xp, g, dtype: xp.astype(g, dtype))
to.def_vjp(x=lambda g: g)
to.def_jvp(x=lambda xp, g, device: xp.to(g, device))


@operation(samples=lambda rng: [Sample(rng.normal(size=(3, 4)), rng.normal(size=4))])
def converted(xp: Any, x: Array, source: Array) -> Array:
    """Return `source` as x holds it after `x.copy_(source)`: of x's dtype and shape."""
    return xp.astype(xp.broadcast_to(xp.asarray(source), x.shape), x.dtype)


converted.def_vjp(source=lambda g: g)
converted.def_jvp(source=lambda g: g)


@operation(samples=lambda rng: [Sample(rng.normal(size=(3, 4)), rng.normal(size=4), chain=())])
def write_view(xp: Any, x: Array, value: Array, *, chain: Any) -> Array:
    """Return x with the part that a chain of view operations leads to replaced by `value`.

    Parameters
    ----------
    chain : sequence of (op, args, params)
        As `autograd.node.View` keeps it.
    """
    result = xp.asarray(x, copy=True)
    part = result
    for op, args, params in chain:
        part = op.forward(xp, part, *args, **params)
    part[...] = value
    return result


def _along(xp: Any, g: Any, chain: Any) -> Any:
    for op, args, params in chain:
        g = getattr(xp, op.name)(g, *args, **params)
    return g


write_view.def_vjp(
    x=lambda xp, g, chain: xp.write_view(g, 0.0, chain=chain),
    value=lambda xp, g, chain: _along(xp, g, chain),
)
write_view.def_jvp(
    x=lambda xp, g, chain: xp.write_view(g, 0.0, chain=chain),
    value=lambda xp, g, x_shape, chain: xp.write_view(xp.zeros_of(g, x_shape), g, chain=chain),
)


@operation(samples=lambda rng: [Sample(rng.normal(size=3), shape=(2, 4))])
def zeros_of(xp: Any, x: Array, shape: Sequence[int]) -> Array:
    """Return zeros of `shape`, of x's dtype and on its device."""
    return xp.zeros(tuple(shape), dtype=x.dtype, device=x.device)


def copy_(target: Tensor, source: Any) -> Tensor:
    """Write `source` into `target`, converted and broadcast; return `target`."""
    return assign(target, ..., source, "copy_")


def fill_(target: Tensor, value: float) -> Tensor:
    """Set every element of `target` to `value`; return `target`."""
    return assign(target, ..., value, "fill_")


def zero_(target: Tensor) -> Tensor:
    """Set every element of `target` to 0; return `target`."""
    return assign(target, ..., 0, "zero_")


for _method in (copy_, fill_, zero_):
    install_method(_method.__name__, _method)
