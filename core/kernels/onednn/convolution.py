"""Convolution and its gradients, in one to three spatial dimensions."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ...backend import empty
from ..announced import announced
from ..checks import same_shape, sizes
from ..convolution import geometry_of
from ..dispatch import SMALL, Declined
from .following import following, rectifies
from .layout import as_images
from .library import UNIMPLEMENTED, KernelLibraryError, dims, library
from .matmul import matmul
from .memory import (
    FIRST,
    Array,
    Descriptor,
    address,
    described,
    empty_images,
    images,
    steps,
    undecided,
)
from .packing import kept, number_of
from .primitives import (
    BIAS,
    DIFF_DST,
    DIFF_SRC,
    DIFF_WEIGHTS,
    DST,
    FORWARD,
    POST_OP,
    QUERY_DIFF_WEIGHTS,
    QUERY_WEIGHTS,
    SRC,
    SRC_1,
    WEIGHTS,
    Description,
    Primitive,
    buffer,
    prepared,
    reorder,
)
from .subpixel import few_planes
from .winograd import winograd, winograd_gradient

_DIRECT = 1
Sizes = Sequence[int]
Window = tuple[Sizes, Sizes, Sizes]
"""Stride, padding and dilation."""


class _Problem:
    """A checked convolution, as oneDNN wants it described.

    Attributes
    ----------
    x, y, w : tuple of int
        Shapes; that of the filters starts with the groups, if there are any.
    """

    def __init__(
        self,
        name: str,
        x: tuple[int, ...],
        w: tuple[int, ...],
        window: Window,
        groups: int,
    ) -> None:
        found = geometry_of(name, x, w, *window, groups)
        self.x, self.y = x, (x[0], w[0], *found.out)
        self.w = (groups, w[0] // groups, *w[1:]) if groups > 1 else w
        border = dims(found.padding)
        gaps = dims([d - 1 for d in found.dilation])  # oneDNN counts the elements between
        self.window = (dims(found.stride), gaps, border, border)

    def forward(
        self,
        bias: Descriptor | None = None,
        residual: Descriptor | None = None,
        rectify: bool = False,
    ) -> Description:
        with following(residual, rectify) as attributes:
            return Description(
                "convolution_forward",
                *(library().engine, FORWARD, _DIRECT),
                *(images(self.x), undecided(self.w), bias, images(self.y)),
                *(*self.window, attributes),
            )

    @property
    def plain_filters(self) -> Descriptor:
        """The descriptor of filters as a contiguous array."""
        return described(self.w, steps(self.w, FIRST))


class _Filters:
    """A primitive that reads filters in an order of its own."""

    def __init__(
        self,
        problem: _Problem,
        description: Description,
        arguments: Sequence[tuple[int, ctypes.c_void_p]],
    ) -> None:
        self.out = problem.y
        self._description = description  # owns the order
        self._order = description.chosen(QUERY_WEIGHTS)
        plain = problem.plain_filters.handle
        self._pack: Primitive | None = None
        if not library().same_descriptor(plain, self._order):
            self._pack = reorder(plain, self._order)
        self._number = number_of(problem.w, self._order, description)
        self.run = Primitive(description, [(WEIGHTS, self._order), *arguments])

    def packed(self, w: Array, cell: Any) -> Array:
        """Return filters in the order that the primitive reads; see `kept`."""
        if self._pack is None:
            return np.ascontiguousarray(w)
        if w.flags.c_contiguous:
            return kept(w, cell, self._number, self._packed)
        return self._packed(np.ascontiguousarray(w))

    def _packed(self, w: Array) -> Array:
        found = buffer(self._order)
        assert self._pack is not None
        self._pack(address(w), address(found))
        return found


def convolution(
    x: Array,
    w: Array,
    bias: Array | None = None,
    residual: Array | None = None,
    *,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int = 1,
    rectify: bool = False,
) -> Any:
    """See `core.kernels.convolution.convolution`; the result is channels-last."""
    if (why := _unsupported(x, w, bias, residual)) is not None:
        return why
    window = (tuple(stride), tuple(padding), tuple(dilation))
    cell = announced(w)
    if (found := winograd(x, w, bias, residual, window, groups, rectify, cell)) is not None:
        return found
    key = (x.shape, w.shape, window, groups)
    extra = (bias is not None, residual is not None, rectify and rectifies())
    made = prepared(("convolution", *key, *extra), _forward, *key, *extra)
    if isinstance(made, Declined):
        return made
    filters = made.packed(w, cell)
    if bias is not None:
        same_shape("convolution", "bias", bias, made.out[1:2])
        bias = np.ascontiguousarray(bias)
    if residual is not None:
        same_shape("convolution", "residual", residual, made.out)
        residual = as_images(residual)
    x, out = as_images(x), empty_images(made.out)
    used = [a for a in (bias, residual) if a is not None]
    made.run(address(filters), address(x), address(out), *map(address, used))
    if rectify and not extra[2]:
        np.maximum(out, 0, out=out)
    return out


def _forward(
    x: tuple[int, ...],
    w: tuple[int, ...],
    window: Window,
    groups: int,
    biased: bool,
    added: bool,
    rectify: bool,
) -> _Filters | Declined:
    problem = _Problem("convolution", x, w, window, groups)
    bias = described((w[0],), (1,)) if biased else None
    residual = images(problem.y) if added else None
    arguments = [(SRC, images(x).handle), (DST, images(problem.y).handle)]
    if bias is not None:
        arguments.append((BIAS, bias.handle))
    if residual is not None:
        arguments.append((POST_OP + SRC_1, residual.handle))
    try:
        description = problem.forward(bias, residual, rectify)
    except KernelLibraryError as error:
        return _declined(error)
    return _Filters(problem, description, arguments)


def convolution_input_gradient(
    g: Array,
    w: Array,
    *,
    size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int = 1,
) -> Any:
    """See `core.kernels.convolution.convolution_input_gradient`; channels-last."""
    if (why := _unsupported(g, w)) is not None:
        return why
    if _covers(g.shape, size, w.shape[2:], padding, groups) and g.shape[1] == w.shape[0]:
        rows, columns = g.reshape(g.shape[:2]), w.reshape(w.shape[0], prod(w.shape[1:]))
        product = matmul(rows, columns)
        if type(product) is not Declined:
            return as_images(product.reshape(g.shape[0], *w.shape[1:]))
    window = (tuple(stride), tuple(padding), tuple(dilation))
    cell = announced(w)
    if (found := winograd_gradient(g, w, tuple(size), window, groups, cell)) is not None:
        return found
    if groups == 1 and (found := few_planes(g, w, tuple(size), window, _by_pixels)) is not None:
        return found
    key = (g.shape, w.shape, tuple(size), window, groups)
    made = prepared(("input gradient", *key), _input_gradient, *key)
    if isinstance(made, Declined):
        return made
    filters = made.packed(w, cell)
    g, out = as_images(g), empty_images((g.shape[0], w.shape[1] * groups, *size))
    made.run(address(filters), address(g), address(out))
    return out


def _by_pixels(x: Array, w: Array, padding: Sizes) -> Any:
    single = (1,) * len(padding)
    return convolution(x, w, stride=single, padding=padding, dilation=single)


def _input_gradient(
    g: tuple[int, ...],
    w: tuple[int, ...],
    size: Sizes,
    window: Window,
    groups: int,
) -> _Filters | Declined:
    name = "convolution_input_gradient"
    spatial = sizes(name, "size", size, len(g) - 2, 1)
    problem = _Problem(name, (g[0], w[1] * groups, *spatial), w, window, groups)
    if g != problem.y:
        return SMALL  # the reference says what does not fit
    try:
        description = Description(
            "convolution_backward_data",
            *(library().engine, _DIRECT),
            *(images(problem.x), undecided(problem.w), images(problem.y)),
            *(*problem.window, problem.forward(), None),
        )
    except KernelLibraryError as error:
        return _declined(error)
    arguments = [(DIFF_DST, images(problem.y).handle), (DIFF_SRC, images(problem.x).handle)]
    return _Filters(problem, description, arguments)


def convolution_weight_gradient(
    x: Array,
    g: Array,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int = 1,
) -> Any:
    """See `core.kernels.convolution.convolution_weight_gradient`."""
    if (why := _unsupported(x, g)) is not None:
        return why
    if _covers(g.shape, x.shape[2:], kernel, padding, groups) and len(x) == len(g):
        rows = np.ascontiguousarray(x).reshape(len(x), prod(x.shape[1:]))
        product = matmul(g.reshape(g.shape[:2]).T, rows, shape=(g.shape[1], *x.shape[1:]))
        if type(product) is not Declined:
            return product
    if max(kernel) == 1 and max(stride) > 1:
        # oneDNN 3.2 writes behind its memory here where planes are no multiple of 16.
        if any(padding):
            x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
        x = x[(slice(None), slice(None), *(slice(None, None, s) for s in stride))]
        stride, padding = (1,) * len(stride), (0,) * len(padding)
    window = (tuple(stride), tuple(padding), tuple(dilation))
    key = (x.shape, g.shape, tuple(kernel), window, groups)
    made = prepared(("weight gradient", *key), _WeightGradient.make, *key)
    if isinstance(made, Declined):
        return made
    return made(as_images(x), as_images(g))


class _WeightGradient:
    """The primitive of a gradient by filters, and the way from its order to a plain array."""

    def __init__(self, problem: _Problem, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._description = Description(
            "convolution_backward_weights",
            *(library().engine, _DIRECT),
            *(images(problem.x), undecided(problem.w), None, images(problem.y)),
            *(*problem.window, problem.forward(), None),
        )
        self._order = self._description.chosen(QUERY_DIFF_WEIGHTS)
        plain = problem.plain_filters.handle
        self._unpack: Primitive | None = None
        if not library().same_descriptor(plain, self._order):
            self._unpack = reorder(self._order, plain)
        self._run = Primitive(
            self._description,
            [
                (SRC, images(problem.x).handle),
                (DIFF_DST, images(problem.y).handle),
                (DIFF_WEIGHTS, self._order),
            ],
        )

    @classmethod
    def make(
        cls,
        x: tuple[int, ...],
        g: tuple[int, ...],
        kernel: Sizes,
        window: Window,
        groups: int,
    ) -> _WeightGradient | Declined:
        name = "convolution_weight_gradient"
        shape = (g[1], x[1] // max(groups, 1), *sizes(name, "kernel", kernel, len(x) - 2, 1))
        problem = _Problem(name, x, shape, window, groups)
        if g != problem.y:
            return SMALL
        try:
            return cls(problem, shape)
        except KernelLibraryError as error:
            return _declined(error)

    def __call__(self, x: Array, g: Array) -> Array:
        out = empty(self._shape, np.float32)
        target = out if self._unpack is None else buffer(self._order)
        self._run(address(x), address(g), address(target))
        if self._unpack is not None:
            self._unpack(address(target), address(out))
        return out


def _covers(out: tuple[int, ...], size: Sizes, kernel: Sizes, padding: Sizes, groups: int) -> bool:
    """Whether there is one window, as large as the image: then gradients are products."""
    if groups != 1 or tuple(size) != tuple(kernel):
        return False
    return max(out[2:]) == 1 and not any(padding)


def _unsupported(x: Array, *others: Array | None) -> Declined | None:
    """Return why arrays are left to the reference, which also reports what does not fit."""
    for a in (x, *others):
        if a is None:
            continue
        if a.dtype != np.float32:
            return Declined(f"dtype {a.dtype}")
        if not a.size:
            return SMALL
    return None if 3 <= x.ndim <= 5 else SMALL


def _declined(error: KernelLibraryError) -> Declined:
    if error.errno != UNIMPLEMENTED:
        raise error
    return Declined("a geometry that oneDNN lacks")
