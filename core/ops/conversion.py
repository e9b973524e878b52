"""Changing dtype and device, and plain writes into a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend, dtypes
from ..tensor import Tensor
from .batch_rules import elementwise
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

for _op in (astype, to):
    _op.def_batch(elementwise)
