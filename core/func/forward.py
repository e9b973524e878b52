"""Forward mode: Jacobian-vector products, Jacobians column by column, Hessians."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..tensor import Tensor
from .bases import basis, blocks
from .errors import TransformError
from .recording import Recording, chosen_arguments, leaves_like
from .reverse import Argnums, jacrev
from .tree import unflatten
from .vmap import vmap


def jvp(
    f: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    has_aux: bool = False,
) -> tuple[Any, ...]:
    """Return f's value at `primals`, and its derivative in the direction of `tangents`.

    Parameters
    ----------
    f : callable
        Takes and returns tensors, in lists, tuples and dicts or not.
    primals, tangents : tuple or list
        The arguments, and a direction of the same structure and shapes for each.
    has_aux : bool
        Whether `f` returns (result, aux), of which aux is not differentiated.

    Returns
    -------
    value, tangent : Any
        As `f` returns.
    aux : Any
        With `has_aux`.

    Raises
    ------
    TransformError, TreeError
        If primals are no tuple or list, or tangents do not fit them.
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TransformError(
            f"jvp: primals and tangents are tuples; given {type(primals).__name__} and "
            f"{type(tangents).__name__}"
        )
    recording = Recording("jvp", f, tuple(primals), range(len(primals)), has_aux, {})
    directions = leaves_like(
        "jvp", "tangent", tuple(tangents), recording.inputs, recording.structure
    )
    pushed = unflatten(recording.form, recording.pushed(directions))
    if has_aux:
        return recording.value(), pushed, recording.aux
    return recording.value(), pushed


def jacfwd(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Return a function that gives f's Jacobian, computed column by column in one batch.

    The better one where arguments have fewer elements than results; else see `jacrev`.

    Parameters
    ----------
    f, argnums, has_aux, chunk_size
        As of `jacrev`.

    Returns
    -------
    callable
        As of `jacrev`.

    Raises
    ------
    TransformError
        When called, as of `jvp`.

    Notes
    -----
    `f` runs once, not once for each column: the recorded graph is what is walked in a batch.
    """

    @functools.wraps(f)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen = chosen_arguments("jacfwd", argnums, len(args))
        recording = Recording("jacfwd", f, args, chosen, has_aux, kwargs)
        recording.check_not_empty("jacfwd")
        inputs = recording.inputs

        def pushed(tangents: list[Tensor]) -> list[Tensor]:
            return recording.pushed(tangents)

        columns = vmap(pushed, out_axes=-1, chunk_size=chunk_size)(basis(inputs))
        found = []
        for column, y in zip(columns, recording.outputs, strict=True):
            parts = [
                part.reshape((*y.shape, *x.shape))
                for part, x in zip(blocks(column, inputs, axis=-1), inputs, strict=True)
            ]
            tree = unflatten(recording.structure, parts)
            found.append(tree[0] if isinstance(argnums, int) else tree)
        result = unflatten(recording.form, found)
        return (result, recording.aux) if has_aux else result

    return jacobian


def hessian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return a function that gives f's second derivatives: `jacfwd(jacrev(f))`.

    Parameters
    ----------
    f, argnums
        As of `jacrev`.

    Returns
    -------
    callable
        Gives for each result and each pair of arguments a tensor of shape
        (*result.shape, *argument.shape, *argument.shape).

    Raises
    ------
    TransformError
        When called, as of `jacrev`.
    """
    return jacfwd(jacrev(f, argnums), argnums)
