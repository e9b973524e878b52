"""vmap: a function of one sample becomes one of many, without a loop over them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..autograd.levels import enter, leave
from ..autograd.versions import next_order
from ..backend import OPEN, Level, levels_of
from ..errors import BoundsError, ShapeError
from ..ops import concat
from ..tensor import Tensor
from .errors import TransformError
from .tree import flatten, spread, unflatten

RANDOMNESS = ("error", "different", "same")


def vmap(
    f: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    *,
    randomness: str = "error",
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Return a function that applies `f` to all samples at once.

    Parameters
    ----------
    f : callable
        Of one sample. Takes and returns tensors in lists, tuples and dicts.
    in_axes : int, None, or containers of them
        Which dimension of an argument the samples are along; None for one that all samples
        share. One for all positional arguments, or a tuple with one for each, in which an int
        may stand for a container. Arguments given by name are shared.
    out_axes : int, None or containers of them
        Which dimension of a result the samples go along; None where they all have the same.
    randomness : str
        What draws inside give: "different" numbers for each sample, the "same", or an "error".
    chunk_size : int, optional
        How many samples to compute at once, which takes less memory; by default all.

    Returns
    -------
    callable

    Raises
    ------
    TransformError, ShapeError, BoundsError
        When called with what has no samples, different numbers of them, or no such dimension.
    BatchingError
        When called, if `f` does what cannot be done for all samples at once.

    Notes
    -----
    Source of names and behaviour: JAX's vmap; `randomness` and `chunk_size`: functorch's.
    """
    if randomness not in RANDOMNESS:
        raise TransformError(f"vmap: randomness is one of {RANDOMNESS}; given {randomness!r}")
    if chunk_size is not None and chunk_size < 1:
        raise TransformError(f"vmap: chunk_size is above 0; given {chunk_size}")

    @functools.wraps(f)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = flatten(args)
        axes = _axes_of(in_axes, args, leaves)
        size = _size_of(leaves, axes)
        if chunk_size is None or chunk_size >= size:
            return _run(f, leaves, structure, axes, size, out_axes, randomness, kwargs)
        parts = [
            _run(
                f,
                [
                    x if a is None else x.narrow(a, k, min(chunk_size, size - k))
                    for x, a in zip(leaves, axes, strict=True)
                ],
                structure,
                axes,
                min(chunk_size, size - k),
                out_axes,
                randomness,
                kwargs,
            )
            for k in range(0, size, chunk_size)
        ]
        return _joined(parts, out_axes)

    return mapped


def _axes_of(in_axes: Any, args: tuple[Any, ...], leaves: list[Any]) -> list[int | None]:
    """Return for each leaf of the arguments which dimension its samples are along, from 0."""
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    found: list[int | None] = []
    for x, axis in zip(leaves, spread("in_axes", in_axes, args), strict=True):
        if axis is not None:
            if not isinstance(axis, int):
                raise TransformError(f"vmap: an in_axes is an int or None; given {axis!r}")
            if not isinstance(x, Tensor):
                raise TransformError(
                    f"vmap: in_axes {axis} is for a tensor; given {type(x).__name__} {x!r:.60}: "
                    "say None for what all samples share"
                )
            if not -x.ndim <= axis < x.ndim:
                raise BoundsError(f"vmap: in_axes {axis} is no dimension of shape {x.shape}")
            axis %= x.ndim
        found.append(axis)
    return found


def _size_of(leaves: list[Any], axes: list[int | None]) -> int:
    sizes = [x.shape[a] for x, a in zip(leaves, axes, strict=True) if a is not None]
    if not sizes:
        raise TransformError("vmap: no argument has samples; in_axes of one is to be an int")
    if len({*sizes}) != 1:
        raise ShapeError(f"vmap: arguments have different numbers of samples: {sizes}")
    return int(sizes[0])


def _run(
    f: Callable[..., Any],
    leaves: list[Any],
    structure: Any,
    axes: list[int | None],
    size: int,
    out_axes: Any,
    randomness: str,
    kwargs: dict[str, Any],
) -> Any:
    level = Level(size, next_order(), randomness)
    token = OPEN.set((*OPEN.get(), level))
    try:
        inside = [x if a is None else enter(x, level, a) for x, a in zip(leaves, axes, strict=True)]
        result = f(*unflatten(structure, inside), **kwargs)
        outputs, form = flatten(result)
        places = spread("out_axes", out_axes, result)
        return unflatten(form, [_out(y, level, a) for y, a in zip(outputs, places, strict=True)])
    finally:
        OPEN.reset(token)
        level.closed = True


def _out(y: Any, level: Level, axis: int | None) -> Any:
    if not isinstance(y, Tensor):
        raise TransformError(
            f"vmap: the function returns tensors, in containers or not; it returned a "
            f"{type(y).__name__}"
        )
    if axis is not None and not isinstance(axis, int):
        raise TransformError(f"vmap: an out_axes is an int or None; given {axis!r}")
    if axis is None:
        if level in levels_of(y.array):
            raise TransformError("vmap: out_axes is None for a result that differs between samples")
        return y
    if not -y.ndim - 1 <= axis <= y.ndim:
        raise BoundsError(f"vmap: out_axes {axis} is no dimension of shape {y.shape} and one more")
    return leave(y, level, axis % (y.ndim + 1))


def _joined(parts: list[Any], out_axes: Any) -> Any:
    """Return the results of several chunks as one."""
    form = flatten(parts[0])[1]
    places = spread("out_axes", out_axes, parts[0])
    columns = zip(*[flatten(p)[0] for p in parts], strict=True)
    return unflatten(
        form,
        [
            column[0] if a is None else concat([*column], axis=a)
            for column, a in zip(columns, places, strict=True)
        ],
    )
