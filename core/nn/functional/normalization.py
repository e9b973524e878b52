"""Normalisation by moments: of the batch, of layers, groups and instances, of neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ... import ops
from ...autograd import no_grad
from ...backend import BatchingError, levels_of
from ...errors import ShapeError
from ...tensor import Tensor
from ..errors import ArgumentError


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return the input normalised per channel: in training by its own moments.

    Parameters
    ----------
    input : Tensor, shape (N, C, ...)
    running_mean, running_var : Tensor, shape (C,), or None
        What it is normalised by outside of training, which moves them by `momentum` towards
        the batch's mean and unbiased variance.
    weight, bias : Tensor, shape (C,), optional
        Multiplied and added after.
    training : bool
    momentum, eps : float

    Raises
    ------
    ShapeError
        If there is only one value per channel in training.
    ArgumentError
        If running moments are missing outside of training.
    """
    if not training:
        if running_mean is None or running_var is None:
            raise ArgumentError("batch_norm: running moments are needed outside of training")
        return ops.batch_norm(input, running_mean, running_var, weight, bias, eps=eps)
    count = input.size // max(input.shape[1], 1) if input.ndim > 1 else 0
    if count == 1:
        raise ShapeError(
            f"batch_norm needs more than 1 value per channel in training; given {input.shape}"
        )
    y, mean, variance = ops.batch_norm_training(input, weight, bias, eps=eps)
    _move(running_mean, mean, momentum)
    _move(running_var, variance.detach() * (count / (count - 1)), momentum)
    return y


def _move(running: Tensor | None, value: Tensor, momentum: float) -> None:
    if running is not None:
        own = levels_of(running.array)
        if any(level not in own for level in levels_of(value.array)):
            raise BatchingError(
                "in training inside vmap each sample has its own moments, and the running moments "
                "(running_mean, running_var) are one tensor for all: use a layer with "
                "track_running_stats=False, call eval(), or give functional_call buffers that "
                "have samples too"
            )
        with no_grad():
            running.copy_(running * (1 - momentum) + value.detach() * momentum)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return the input with each channel of each image normalised by its own moments.

    Parameters
    ----------
    input : Tensor, shape (N, C, *spatial)
    running_mean, running_var : Tensor, shape (C,), optional
        Averages of the images' moments, moved by `momentum`; used instead of the images' own
        without `use_input_stats`.
    weight, bias : Tensor, shape (C,), optional
    use_input_stats : bool
    momentum, eps : float

    Raises
    ------
    ShapeError
        If an image has only one value per channel.
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, eps=eps)
    count = math.prod(input.shape[2:])
    if count == 1:
        raise ShapeError(
            f"instance_norm needs more than 1 value per channel and image; given {input.shape}"
        )
    axes = tuple(range(2, input.ndim))
    with no_grad():
        if running_mean is not None:
            _move(running_mean, input.mean(axis=axes).mean(axis=0), momentum)
        if running_var is not None:
            _move(running_var, input.var(axis=axes, correction=1).mean(axis=0), momentum)
    return ops.instance_norm(input, weight, bias, eps=eps)


def layer_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return the input normalised over its last dimensions, those of `normalized_shape`.

    Raises
    ------
    ShapeError
        If the last dimensions are others.
    """
    axes = _last_axes("layer_norm", input, normalized_shape)
    return ops.layer_norm(input, weight, bias, axes=axes, eps=eps)


def rms_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Return the input over the root of its mean square in its last dimensions.

    Parameters
    ----------
    input : Tensor, shape (..., *normalized_shape)
    normalized_shape : int or sequence of int
    weight : Tensor, shape normalized_shape, optional
    eps : float, optional
        Added to the mean square; by default the dtype's machine epsilon.

    Notes
    -----
    Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization"
    """
    axes = _last_axes("rms_norm", input, normalized_shape)
    small = float(np.finfo(input.dtype).eps) if eps is None else eps
    y = input * ops.rsqrt(input.square().mean(axis=axes, keepdims=True) + small)
    return y if weight is None else y * weight


def _last_axes(name: str, input: Tensor, shape: int | Sequence[int]) -> tuple[int, ...]:
    sizes = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    if not sizes or input.shape[-len(sizes) :] != sizes:
        raise ShapeError(f"{name} over {sizes} takes an input (..., *{sizes}); given {input.shape}")
    return tuple(range(-len(sizes), 0))


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return images (N, C, ...) normalised, each group of channels by its own moments."""
    return ops.group_norm(input, weight, bias, groups=num_groups, eps=eps)


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Return images (N, C, ...) divided by a power of the mean square of `size` channels.

    Notes
    -----
    x / (k + alpha / size * sum of squares) ** beta over channels c - size//2 to
    c + (size-1)//2; what is missing at the ends counts as 0.
    """
    if size % 2:
        return ops.local_response_norm(input, size=size, alpha=alpha, beta=beta, k=k)
    squares = ops.channel_sums(input.square(), before=size // 2, after=(size - 1) // 2)
    return input / (squares * (alpha / size) + k) ** beta
