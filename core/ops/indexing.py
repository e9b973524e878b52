"""Reading and writing parts of tensors by index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..tensor import Tensor
from .inplace import assign
from .methods import install_method
from .registry import Array, Sample, operation


def _indices(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(3, 4, 2))
    yield Sample(x, index=1)
    yield Sample(x, index=(slice(0, 3, 2), None, ..., -1))
    yield Sample(x, index=(np.array([2, 0, 2]),))
    yield Sample(x, index=x[..., 0] > 0)


@operation(samples=_indices, view=True)
def getitem(xp: Any, x: Array, *, index: Any) -> Array:
    """Return the part of x that `index` names, as NumPy does.

    Integers, slices, None and ... give views; arrays of integers or bools give copies.
    """
    part = x[index]
    if part.ndim or hasattr(part, "__setitem__"):
        return part
    # One element: NumPy alone gives a number here, which is no view.
    return x[(*index, ...)] if isinstance(index, tuple) else x[index, ...]


getitem.def_vjp(x=lambda xp, g, x_shape, index: xp.index_spread(g, shape=x_shape, index=index))
getitem.def_jvp(x=lambda xp, g, index: xp.getitem(g, index=index))


def _plain(index: Any) -> Any:
    """Replace the tensors in an index by their arrays."""
    if isinstance(index, Tensor):
        return index.array
    if isinstance(index, (tuple, list)):
        return type(index)(map(_plain, index))
    return index


def _get(self: Tensor, index: Any) -> Tensor:
    return getitem(self, index=_plain(index))


def _set(self: Tensor, index: Any, value: Any) -> None:
    assign(self, _plain(index), value, "assignment")


install_method("__getitem__", _get)
install_method("__setitem__", _set)
