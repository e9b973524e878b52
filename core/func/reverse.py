"""Reverse mode: gradients, vector-Jacobian products, Jacobians row by row."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..autograd.alias import zeros_for
from ..tensor import Tensor
from .bases import basis, blocks
from .errors import TransformError
from .recording import Recording, chosen_arguments, leaves_like
from .tree import LEAF, unflatten
from .vmap import vmap

Argnums = int | Sequence[int]


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Return f's value at `primals`, and the function that pulls cotangents back through it.

    Parameters
    ----------
    f : callable
        Takes and returns tensors, in lists, tuples and dicts or not.
    *primals
        Its arguments, all differentiated.
    has_aux : bool
        Whether `f` returns (result, aux), of which aux is not differentiated.

    Returns
    -------
    value : Any
        As `f` returns.
    pull : callable
        `pull(cotangent)`, of the structure of `value`, gives a tuple with the gradient of each
        primal. May be called any number of times, also inside vmap.
    aux : Any
        With `has_aux`.

    Raises
    ------
    TransformError
        For arguments or results that are not tensors, or not floating.
    """
    recording = Recording("vjp", f, primals, range(len(primals)), has_aux, {})

    def pull(cotangent: Any) -> Any:
        gradients = leaves_like("vjp", "cotangent", cotangent, recording.outputs, recording.form)
        return unflatten(recording.structure, recording.pulled(gradients, True))

    if has_aux:
        return recording.value(), pull, recording.aux
    return recording.value(), pull


def value_and_grad(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that gives f's value and its gradient.

    Parameters
    ----------
    f : callable
        Returns a floating tensor of shape ().
    argnums : int or sequence of int
        Which positional arguments to differentiate; several give a tuple of gradients.
    has_aux : bool
        Whether `f` returns (value, aux); then the result is ((value, aux), gradient).

    Returns
    -------
    callable
        With the arguments of `f`. A gradient has the structure of its argument. No `grad` of any
        tensor is touched.

    Raises
    ------
    TransformError
        When called, if `f` returns something else or an argument is not floating.
    """
    return _differentiated("value_and_grad", f, argnums, has_aux, _with_value)


def grad(f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return a function that gives f's gradient; with `has_aux`, (gradient, aux).

    Parameters
    ----------
    f, argnums, has_aux
        As of `value_and_grad`.

    Raises
    ------
    TransformError
        As `value_and_grad`.
    """
    return _differentiated("grad", f, argnums, has_aux, _without_value)


def _with_value(value: Any, gradient: Any, aux: Any, has_aux: bool) -> Any:
    return ((value, aux) if has_aux else value), gradient


def _without_value(value: Any, gradient: Any, aux: Any, has_aux: bool) -> Any:
    return (gradient, aux) if has_aux else gradient


def _differentiated(
    name: str,
    f: Callable[..., Any],
    argnums: Argnums,
    has_aux: bool,
    arranged: Callable[..., Any],
) -> Callable[..., Any]:
    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        chosen = chosen_arguments(name, argnums, len(args))
        recording = Recording(name, f, args, chosen, has_aux, kwargs)
        y = recording.outputs[0] if len(recording.outputs) == 1 else None
        if y is None or recording.form is not LEAF or y.shape or y.dtype.kind != "f":
            given = [f"{x.dtype} of shape {x.shape}" for x in recording.outputs]
            raise TransformError(
                f"{name}: the function returns one floating tensor of shape (); it returned "
                f"{given}: sum() or mean() it, or use vjp or jacrev"
            )
        value = recording.value()
        seed = zeros_for(y.detach()) + 1.0
        parts = unflatten(recording.structure, recording.pulled([seed], False))
        found = parts[0] if isinstance(argnums, int) else parts
        return arranged(value, found, recording.aux, has_aux)

    return gradient


def jacrev(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Return a function that gives f's Jacobian, computed row by row in one batch.

    The better one where results have fewer elements than arguments; else see `jacfwd`.

    Parameters
    ----------
    f : callable
        Takes and returns tensors, in containers or not.
    argnums, has_aux
        As of `grad`.
    chunk_size : int, optional
        How many rows to compute at once, which takes less memory; by default all.

    Returns
    -------
    callable
        Gives for each result, in the containers that `f` returns, and for each argument, in its
        containers, a tensor of shape (*result.shape, *argument.shape).

    Raises
    ------
    TransformError
        When called, as of `vjp`.
    """

    @functools.wraps(f)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen = chosen_arguments("jacrev", argnums, len(args))
        recording = Recording("jacrev", f, args, chosen, has_aux, kwargs)
        recording.check_not_empty("jacrev")
        outputs = recording.outputs

        def pulled(gradients: list[Tensor]) -> list[Tensor]:
            return recording.pulled(gradients, True)

        rows = vmap(pulled, chunk_size=chunk_size)(basis(outputs))
        columns = [blocks(row, outputs) for row in rows]
        found = [
            _argument_tree(
                recording,
                [
                    column[j].reshape((*y.shape, *x.shape))
                    for column, x in zip(columns, recording.inputs, strict=True)
                ],
                argnums,
            )
            for j, y in enumerate(outputs)
        ]
        result = unflatten(recording.form, found)
        return (result, recording.aux) if has_aux else result

    return jacobian


def _argument_tree(recording: Recording, parts: list[Tensor], argnums: Argnums) -> Any:
    tree = unflatten(recording.structure, parts)
    return tree[0] if isinstance(argnums, int) else tree
