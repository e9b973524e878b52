"""Normalisation of each image or row by its own moments: layer, group and instance norm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..kernels import normalization as kernels
from ..tensor import Tensor
from .batch_rules import along_axis
from .dispatching import dispatched_rule
from .registry import Array, Sample, operation
from .shape import reshape
from .sums import affine


def _layers(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(4, 3, 5))
    yield Sample(x, axes=(-1,))
    yield Sample(x, axes=(1, 2), eps=1e-3)
    yield Sample(x[0], axes=(0,), eps=0.0)


@operation(samples=_layers, outputs=("out", "mean", "variance"))
def standardize(
    xp: Any, x: Array, *, axes: Sequence[int], eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Return x normalised with its own mean and biased variance over some axes, and these.

    Parameters
    ----------
    x : Tensor, floating
    axes : sequence of int
        The axes that share a mean and a variance.
    eps : float
        Added to the variance.

    Returns
    -------
    out : Tensor
        Shape of x: (x - mean) / sqrt(variance + eps), and 0 where that is 0 / 0.
    mean, variance : Tensor
        `axes` stay with size 1.

    Raises
    ------
    ShapeError, DtypeError
        If there is nothing to average, or x is not floating.
    """
    return kernels.standardize(xp, x, axes=axes, eps=eps)


def _deviation(xp: Any, variance: Any, eps: float) -> Any:
    """Return what x - mean was divided by; without any variance 1 does as well as all else."""
    if eps > 0:
        return xp.sqrt(variance + eps)
    return xp.sqrt(xp.where(variance == 0, 1.0, variance))


def _count(shape: tuple[int, ...], axes: Sequence[int]) -> int:
    return prod(shape[axis] for axis in axes)


@dispatched_rule("fused.normalization", least=4096)
def standardize_gradient(xp: Any, g: Any, out: Any, variance: Any, axes: Any, eps: float) -> Any:
    """Return the gradient of x for those of the results."""
    # The variance is an output, so that second derivatives know that it depends on x.
    g_out, g_mean, g_variance = g
    deviation = _deviation(xp, variance, eps)
    count = _count(out.shape, axes)
    along = xp.sum_products(g_out, out, axes=axes)
    total = xp.sum(g_out, axis=tuple(axes), keepdims=True)
    return xp.linear_combination(
        g_out,
        out,
        1 / deviation,
        (g_variance * deviation * 2 - along / deviation) / count,
        (g_mean - total / deviation) / count,
    )


def _tangents(xp: Any, g: Any, out: Any, variance: Any, axes: Any, eps: float) -> Any:
    deviation = _deviation(xp, variance, eps)
    mean = xp.mean(g, axis=tuple(axes), keepdims=True)
    along = xp.sum_products(g, out, axes=axes) / _count(out.shape, axes)
    tangent = xp.linear_combination(g, out, 1 / deviation, -along / deviation, -mean / deviation)
    return [tangent, mean, along * deviation * 2]


standardize.def_vjp(x=standardize_gradient)
standardize.def_jvp(x=_tangents)


def layer_norm(
    x: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    *,
    axes: int | Sequence[int] = -1,
    eps: float = 1e-5,
) -> Tensor:
    """Return x normalised with its own mean and biased variance over some axes.

    Parameters
    ----------
    x : Tensor, floating
    weight, bias : Tensor, optional
        Multiplied and added after; they broadcast to x.
    axes : int or sequence of int
        The axes that share a mean and a variance.
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor
        Shape of x.

    Raises
    ------
    ShapeError, DtypeError
        If there is nothing to average, or x is not floating.

    Notes
    -----
    Source: Ba et al. 2016, "Layer Normalization"
    """
    over = tuple(axes) if isinstance(axes, Sequence) else (axes,)
    return _scaled(standardize(x, axes=over, eps=eps)[0], weight, bias)


def group_norm(
    x: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    *,
    groups: int,
    eps: float = 1e-5,
) -> Tensor:
    """Return images normalised, each group of channels by its own moments.

    Parameters
    ----------
    x : Tensor, shape (N, C, ...), floating
    weight, bias : Tensor, shape (C,), optional
        Multiplied and added after.
    groups : int
        A divisor of C.
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor
        Shape of x.

    Raises
    ------
    ShapeError, DtypeError
        If C does not divide into the groups, there is nothing to average, or x is not floating.

    Notes
    -----
    Source: Wu and He 2018, "Group Normalization"
    """
    if x.ndim < 2 or groups < 1 or x.shape[1] % groups:
        raise ShapeError(
            f"group_norm takes an input of shape (N, C, ...) whose channels divide into the "
            f"groups; given shape {x.shape} and {groups} groups"
        )
    size = prod(x.shape[1:]) // groups
    out = standardize(reshape(x, (x.shape[0], groups, size)), axes=(2,), eps=eps)[0]
    each = (-1, *(1,) * (x.ndim - 2))
    return _scaled(
        reshape(out, x.shape),
        None if weight is None else reshape(weight, each),
        None if bias is None else reshape(bias, each),
    )


def instance_norm(
    x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, *, eps: float = 1e-5
) -> Tensor:
    """Return images normalised, each channel of each image by its own moments.

    Parameters
    ----------
    x : Tensor, shape (N, C, ...), floating
    weight, bias : Tensor, shape (C,), optional
        Multiplied and added after.
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor
        Shape of x.

    Raises
    ------
    ShapeError, DtypeError
        If there is nothing to average, or x is not floating.

    Notes
    -----
    Source: Ulyanov et al. 2016, "Instance Normalization: The Missing Ingredient for Fast
    Stylization"
    """
    return group_norm(x, weight, bias, groups=max(x.shape[1], 1) if x.ndim > 1 else 1, eps=eps)


def _scaled(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    if weight is not None and bias is not None:
        return affine(x, weight, bias)
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


standardize.def_batch(along_axis("axes"))
