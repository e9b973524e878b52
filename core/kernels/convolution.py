"""Convolution, and its gradients by input and weight, in one to three spatial dimensions.

The window's taps are copied into columns, a piece of the output at a time so that they stay in
the cache, and one matrix product per group does the arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

from ..errors import ShapeError
from .checks import Array, floating, same_shape, sizes, spatial_ndim, wide
from .dispatch import dispatched
from .padding import pad
from .windows import convolution_size, taps

_COLUMN_BYTES = 1 << 21
"""Size of the column buffer, near a core's L2 cache; from 0.5 to 4 MB it matters little."""


class Geometry(NamedTuple):
    """A checked convolution: what the three kernels share."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    out: tuple[int, ...]
    groups: int


@dispatched("onednn.convolution")
def convolution(
    xp: Any,
    x: Array,
    w: Array,
    bias: Array | None = None,
    residual: Array | None = None,
    *,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int = 1,
    rectify: bool = False,
) -> Array:
    """Return the cross-correlation of images with filters, and what usually follows.

    Parameters
    ----------
    x : array, shape (N, C, *spatial), floating
    w : array, shape (O, C / groups, *kernel), dtype of x
    bias : array, shape (O,), dtype of x, optional
        Added to each filter's result.
    residual : array, shape (N, O, *out), dtype of x, optional
        Added after that.
    stride, padding, dilation : tuple of int
        One per spatial dimension; the image is padded with zeros on both sides.
    groups : int
        Channels and filters are cut into this many groups that do not see each other.
    rectify : bool
        Whether negative results become 0 in the end.

    Returns
    -------
    array, shape (N, O, *out)
        out = floor((spatial + 2*padding - dilation*(kernel-1) - 1) / stride) + 1

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or dtypes do not fit.

    Notes
    -----
    Source: lib/THNN/generic/SpatialConvolutionMM.c, SpatialDilatedConvolution.c
    """
    for operand in (w, bias, residual):
        if operand is not None:
            floating(xp, "convolution", x, operand)
    geometry = geometry_of("convolution", x.shape, w.shape, stride, padding, dilation, groups)
    kernel, out = geometry.kernel, geometry.out
    batch, filters = x.shape[0], w.shape[0]
    image = _bordered(xp, wide(xp, x), geometry)
    matrix = wide(xp, w).reshape(groups, filters // groups, prod(w.shape[1:]))
    if prod(kernel) == 1:
        seen = image[(..., *(slice(None, None, s) for s in geometry.stride))]
        columns = seen.reshape(batch, groups, w.shape[1], prod(out))
        result = xp.matmul(matrix, columns)
    else:
        result = xp.empty((batch, filters, prod(out)), image.dtype)
        inner = prod(out[1:])
        pieces, buffer = _pieces(xp, geometry, image)
        for n0, n1, r0, r1 in pieces:
            piece = result[n0:n1, :, r0 * inner : r1 * inner]
            count = (r1 - r0) * inner
            columns = _columns(geometry, image[n0:n1], r0, r1, buffer)
            columns = columns.reshape(groups, matrix.shape[2], (n1 - n0) * count)
            if n1 - n0 == 1:  # then this reshape is a view, and nothing is copied
                xp.matmul(matrix, columns, out=piece.reshape(groups, filters // groups, count))
            else:
                product = xp.matmul(matrix, columns).reshape(filters, n1 - n0, count)
                piece[...] = product.swapaxes(0, 1)
    result = result.reshape(batch, filters, *out)
    if bias is not None:
        same_shape("convolution", "bias", bias, (filters,))
        result += bias.reshape(-1, *(1,) * len(out))
    if residual is not None:
        same_shape("convolution", "residual", residual, result.shape)
        result += residual
    if rectify:
        result = xp.maximum(result, 0)
    return result.astype(x.dtype, copy=False)


@dispatched("onednn.convolution")
def convolution_input_gradient(
    xp: Any,
    g: Array,
    w: Array,
    *,
    size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int = 1,
) -> Array:
    """Return the gradient of a convolution by its input: the transposed convolution of g.

    Parameters
    ----------
    g : array, shape (N, O, *out), floating
    w : array, shape (O, C / groups, *kernel), dtype of g
    size : tuple of int
        Spatial size of the result: of the convolution's input. Of the sizes that the
        convolution maps to `out`, the smallest is `windows.transposed_size` without `extra`.
    stride, padding, dilation, groups
        Those of the convolution.

    Returns
    -------
    array, shape (N, C, *size)

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or dtypes do not fit.

    Notes
    -----
    Torch7 stores the weight of a full convolution as (input planes, output planes / groups,
    *kernel): in this order it is `w` here.
    Source: lib/THNN/generic/SpatialFullDilatedConvolution.c
    """
    name = "convolution_input_gradient"
    floating(xp, name, g, w)
    spatial = sizes(name, "size", size, spatial_ndim(name, g), 1)
    batch, filters, channels = g.shape[0], w.shape[0], w.shape[1] * groups
    geometry = geometry_of(
        name, (batch, channels, *spatial), w.shape, stride, padding, dilation, groups
    )
    same_shape(name, "g", g, (batch, filters, *geometry.out))
    padded = [n + 2 * p for n, p in zip(spatial, geometry.padding, strict=True)]
    kernel, out, inner = geometry.kernel, geometry.out, prod(geometry.out[1:])
    matrix = wide(xp, w).reshape(groups, filters // groups, prod(w.shape[1:])).swapaxes(1, 2)
    source = wide(xp, g).reshape(batch, filters, prod(out))
    image = xp.zeros((batch, channels, *padded), source.dtype)
    pieces, buffer = _pieces(xp, geometry, image)
    for n0, n1, r0, r1 in pieces:
        piece = source[n0:n1, :, r0 * inner : r1 * inner].swapaxes(0, 1)
        count = (n1 - n0) * (r1 - r0) * inner
        columns = buffer[: matrix.shape[1] * groups * count]
        piece = piece.reshape(groups, filters // groups, count)
        xp.matmul(matrix, piece, out=columns.reshape(groups, matrix.shape[1], count))
        columns = columns.reshape(channels, *kernel, n1 - n0, r1 - r0, *out[1:])
        target = _rows(geometry, image[n0:n1], r0).swapaxes(0, 1)
        for tap, seen in taps(kernel, geometry.stride, geometry.dilation, (r1 - r0, *out[1:])):
            target[(slice(None), slice(None), *seen)] += columns[(slice(None), *tap)]
    if any(geometry.padding):
        image = pad(xp, image, padding=[(-p, -p) for p in geometry.padding])
    return image.astype(g.dtype, copy=False)


@dispatched("onednn.convolution")
def convolution_weight_gradient(
    xp: Any,
    x: Array,
    g: Array,
    *,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int = 1,
) -> Array:
    """Return the gradient of a convolution by its filters.

    Parameters
    ----------
    x : array, shape (N, C, *spatial), floating
    g : array, shape (N, O, *out), dtype of x
    kernel : tuple of int
        Spatial size of the filters.
    stride, padding, dilation, groups
        Those of the convolution.

    Returns
    -------
    array, shape (O, C / groups, *kernel)

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or dtypes do not fit.
    """
    name = "convolution_weight_gradient"
    floating(xp, name, x, g)
    window = sizes(name, "kernel", kernel, spatial_ndim(name, x), 1)
    batch, channels, filters = x.shape[0], x.shape[1], g.shape[1]
    image = wide(xp, x)
    w = xp.zeros((filters, channels // max(groups, 1), *window), image.dtype)
    geometry = geometry_of(name, x.shape, w.shape, stride, padding, dilation, groups)
    same_shape(name, "g", g, (batch, filters, *geometry.out))
    image = _bordered(xp, image, geometry)
    inner = prod(geometry.out[1:])
    source = wide(xp, g).reshape(batch, filters, prod(geometry.out))
    matrix = w.reshape(groups, filters // groups, prod(w.shape[1:]))
    pieces, buffer = _pieces(xp, geometry, image)
    for n0, n1, r0, r1 in pieces:
        count = (n1 - n0) * (r1 - r0) * inner
        columns = _columns(geometry, image[n0:n1], r0, r1, buffer)
        columns = columns.reshape(groups, matrix.shape[2], count).swapaxes(1, 2)
        piece = source[n0:n1, :, r0 * inner : r1 * inner].swapaxes(0, 1)
        matrix += xp.matmul(piece.reshape(groups, filters // groups, count), columns)
    return w.astype(x.dtype, copy=False)


def geometry_of(
    name: str,
    shape: Sequence[int],
    filters: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Geometry:
    """Return a convolution of an image with filters of these shapes.

    Raises
    ------
    ShapeError
        If shapes or parameters do not fit.
    """
    ndim = len(shape) - 2
    if not 1 <= ndim <= 3 or len(filters) != ndim + 2:
        raise ShapeError(
            f"{name} takes an input of shape (N, C, *spatial), 1 to 3 spatial dimensions, and "
            f"filters of as many dimensions; given shapes {tuple(shape)} and {tuple(filters)}"
        )
    count, per_group, *kernel = filters
    if groups < 1 or count % groups or shape[1] != per_group * groups:
        raise ShapeError(
            f"{name}: with {groups} groups, filters of shape {tuple(filters)} need "
            f"{per_group * groups} input channels and a number of filters divisible by the groups; "
            f"given an input of shape {tuple(shape)}"
        )
    window = sizes(name, "kernel", kernel, ndim, 1)
    steps = sizes(name, "stride", stride, ndim, 1)
    border = sizes(name, "padding", padding, ndim, 0)
    gaps = sizes(name, "dilation", dilation, ndim, 1)
    out = convolution_size(name, shape[2:], window, steps, border, gaps)
    return Geometry(window, steps, border, gaps, out, groups)


def _bordered(xp: Any, image: Array, geometry: Geometry) -> Array:
    if not any(geometry.padding):
        return image
    return pad(xp, image, padding=[(p, p) for p in geometry.padding])


def _pieces(
    xp: Any, geometry: Geometry, image: Array
) -> tuple[list[tuple[int, int, int, int]], Array]:
    """Cut the output into pieces whose columns fit a buffer: whole images, or rows of one.

    Returns
    -------
    pieces : list of (n0, n1, r0, r1)
        Images n0:n1, and r0:r1 of the output's first spatial dimension.
    buffer : array
        Flat memory for the columns of any of them.
    """
    batch, rows = image.shape[0], geometry.out[0]
    row = image.shape[1] * prod(geometry.kernel) * prod(geometry.out[1:])
    images = _COLUMN_BYTES // max(row * rows * image.itemsize, 1)
    if images:
        step = min(images, max(batch, 1))
        pieces = [(n, min(n + step, batch), 0, rows) for n in range(0, batch, step)]
        return pieces, xp.empty(step * rows * row, image.dtype)
    step = max(_COLUMN_BYTES // (row * image.itemsize), 1)
    pieces = [
        (n, n + 1, r, min(r + step, rows)) for n in range(batch) for r in range(0, rows, step)
    ]
    return pieces, xp.empty(step * row, image.dtype)


def _rows(geometry: Geometry, image: Array, r0: int) -> Array:
    """Return the padded image from where the windows of output row r0 begin."""
    return image[:, :, r0 * geometry.stride[0] :]


def _columns(geometry: Geometry, image: Array, r0: int, r1: int, buffer: Array) -> Array:
    """Return what each tap sees of padded images, shape (C, *kernel, N, r1-r0, *out[1:])."""
    out = (r1 - r0, *geometry.out[1:])
    shape = (image.shape[1], *geometry.kernel, image.shape[0], *out)
    columns = buffer[: prod(shape)].reshape(shape)
    source = _rows(geometry, image, r0).swapaxes(0, 1)
    for tap, seen in taps(geometry.kernel, geometry.stride, geometry.dilation, out):
        columns[(slice(None), *tap)] = source[(slice(None), slice(None), *seen)]
    return columns
