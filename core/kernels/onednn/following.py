"""What is done to each result of a primitive before it is written.

That is a product with a number, adding an array, and ReLU.

oneDNN's ReLU makes 0 of nan, which then nobody notices. Its ELU, where x is not above 0,
multiplies exp(x) - 1 by a number: with 0 for it, results below 0 become -0, and nan stays nan. A
product with 1 plus 0 makes 0 of -0. That is exact, and costs nothing beside a pass over memory.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .library import KernelLibraryError, dims, library
from .memory import Descriptor, address, described, images
from .primitives import DST, FORWARD, SRC, WEIGHTS, Description, Primitive

_ADD = 0x1FFF0
_ELU, _LINEAR = 0x22, 0x26


@contextmanager
def following(
    residual: Descriptor | None = None, rectify: bool = False, factor: float = 1.0
) -> Iterator[Any]:
    """Give attributes that say what is done to each result: a product, a sum, then ReLU."""
    if residual is None and not rectify and factor == 1.0:
        yield None
        return
    lib = library()
    steps, attributes = lib.create("post_ops_create"), lib.create("primitive_attr_create")
    try:
        if factor != 1.0:
            lib.call("post_ops_append_eltwise", steps, _LINEAR, factor, 0.0)
        if residual is not None:
            lib.call("post_ops_append_binary", steps, _ADD, residual.handle)
        if rectify:
            lib.call("post_ops_append_eltwise", steps, _ELU, 0.0, 0.0)
            lib.call("post_ops_append_eltwise", steps, _LINEAR, 1.0, 0.0)
        lib.call("primitive_attr_set_post_ops", attributes, steps)
        yield attributes
    finally:
        lib.call("post_ops_destroy", steps)
        lib.call("primitive_attr_destroy", attributes)


_TRIED = np.array([np.nan, np.inf, -np.inf, -0.0, 2.5, -2.5, 3e38, -3e38], np.float32)


@functools.cache
def rectifies() -> bool:
    """Whether ReLU that follows a convolution is exact with the loaded library: tried once.

    How ELU treats nan is not written down anywhere, so another release may differ.
    """
    order, filters = images((1, 1, 1, _TRIED.size)), images((1, 1, 1, 1))
    ones, zeros = dims((1, 1)), dims((0, 0))
    return _is_exact(
        "convolution_forward",
        *(library().engine, FORWARD, 1, order, filters, None, order, ones, zeros, zeros, zeros),
        orders=(order, filters),
    )


@functools.cache
def rectifies_products() -> bool:
    """Whether ReLU that follows a product of matrices is; see `rectifies`."""
    column, one = described((_TRIED.size, 1), (1, 1)), described((1, 1), (1, 1))
    return _is_exact("matmul", library().engine, column, one, None, column, orders=(column, one))


def _is_exact(name: str, *args: Any, orders: tuple[Descriptor, Descriptor]) -> bool:
    """Whether a primitive that multiplies numbers by 1 does to them what ReLU does."""
    source, weights = orders
    one, out = np.ones(1, np.float32), np.empty_like(_TRIED)
    try:
        with following(rectify=True) as attributes:
            made = Description(name, *args, attributes)
        numbers = [(SRC, source.handle), (WEIGHTS, weights.handle), (DST, source.handle)]
        Primitive(made, numbers)(address(_TRIED), address(one), address(out))
    except KernelLibraryError:
        return False
    expected = np.maximum(_TRIED, 0)
    same = np.array_equal(out, expected, equal_nan=True)
    return same and bool((np.signbit(out) == np.signbit(expected))[1:].all())
