"""The contraction of two tensors over named dimensions, which einsum is made of."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from string import ascii_letters
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..kernels import products
from .batching import Call
from .registry import Array, Sample, operation


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(3, 4)), rng.normal(size=(4, 2)), subscripts="ij,jk->ki"),
        Sample(rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 2)), subscripts="bij,jb->bi"),
        Sample(rng.normal(size=3), rng.normal(size=4), subscripts="i,j->ji"),
        Sample(rng.normal(size=(1, 3)), rng.normal(size=(4, 3)), subscripts="ab,ab->"),
        Sample(rng.normal(size=(2, 1)), rng.normal(size=(3, 2)), subscripts="ij,ki->ijk"),
    ]
)
def contract(xp: Any, x: Array, y: Array, *, subscripts: str) -> Array:
    """Return the products of the elements of x and y, summed over letters not in the result.

    Parameters
    ----------
    x, y : Tensor
        A dimension of size 1 fits any other of the same letter.
    subscripts : str
        A letter for each dimension, as in "bij,bjk->bik": none twice in an operand, and each in
        two of the three places at least. `einsum` brings anything else into this form.

    Raises
    ------
    ShapeError
        If two sizes of a letter differ and neither is 1.
    """
    a, b, out = _letters(subscripts)
    sizes = letter_sizes(subscripts, (a, b), (x.shape, y.shape))
    batch = [c for c in out if c in a and c in b]
    summed = [c for c in a if c in b and c not in out]
    left, right = [c for c in a if c not in b], [c for c in b if c not in a]
    if not summed:
        return _aligned(xp, x, a, out) * _aligned(xp, y, b, out)
    x = _ordered(xp, x, a, sizes, batch, left, summed)
    y = _ordered(xp, y, b, sizes, batch, summed, right)
    result = products.matmul(xp, x, y)
    result = xp.reshape(result, (*result.shape[:-2], *[sizes[c] for c in left + right]))
    found = batch + left + right
    return xp.permute_dims(result, tuple(found.index(c) for c in out))


def _letters(subscripts: str) -> tuple[str, str, str]:
    operands, _, out = subscripts.partition("->")
    a, _, b = operands.partition(",")
    return a, b, out


def letter_sizes(
    subscripts: str, terms: Iterable[str], shapes: Iterable[tuple[int, ...]]
) -> dict[str, int]:
    """Return the size of each letter."""
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for c, n in zip(term, shape, strict=True):
            if n != 1 and sizes.get(c, 1) not in (1, n):
                raise ShapeError(f"einsum {subscripts!r}: {c} is {sizes[c]} and {n}")
            if n != 1 or c not in sizes:
                sizes[c] = n
    return sizes


def _aligned(xp: Any, x: Array, letters: str, out: str) -> Array:
    """Return x with the dimensions of `out`, those that it lacks of size 1."""
    x = xp.permute_dims(x, tuple(letters.index(c) for c in out if c in letters))
    sizes = iter(x.shape)
    return xp.reshape(x, tuple(next(sizes) if c in letters else 1 for c in out))


def _ordered(
    xp: Any,
    x: Array,
    letters: str,
    sizes: dict[str, int],
    batch: list[str],
    rows: list[str],
    columns: list[str],
) -> Array:
    """Return x as matrices: the letters `rows` merged, and `columns`, after those of the batch."""
    order = [letters.index(c) for c in batch + rows + columns]
    kept = [x.shape[i] for i in order[: len(batch)]]
    x = xp.permute_dims(x, tuple(order))
    x = xp.broadcast_to(x, (*kept, *[sizes[c] for c in rows + columns]))
    return xp.reshape(x, (*kept, prod(sizes[c] for c in rows), prod(sizes[c] for c in columns)))


def _contract_x(xp: Any, g: Any, x_shape: tuple[int, ...], y: Any, subscripts: str) -> Any:
    a, b, out = _letters(subscripts)
    return _like(xp, xp.contract(g, y, subscripts=f"{out},{b}->{a}"), x_shape)


def _contract_y(xp: Any, g: Any, x: Any, y_shape: tuple[int, ...], subscripts: str) -> Any:
    a, b, out = _letters(subscripts)
    return _like(xp, xp.contract(g, x, subscripts=f"{out},{a}->{b}"), y_shape)


def _like(xp: Any, gradient: Any, shape: tuple[int, ...]) -> Any:
    """Repeat a gradient along what the other operand had only one of."""
    whole = np.broadcast_shapes(gradient.shape, shape)
    return gradient if gradient.shape == whole else xp.expand(gradient, whole)


contract.def_vjp(x=_contract_x, y=_contract_y)
contract.def_jvp(
    x=lambda xp, g, y, subscripts: xp.contract(g, y, subscripts=subscripts),
    y=lambda xp, g, x, subscripts: xp.contract(x, g, subscripts=subscripts),
)


def _contract_each(c: Call) -> Any:
    """Contract all samples: they are one more letter."""
    subscripts = c.params["subscripts"]
    a, b, out = _letters(subscripts)
    new = next(letter for letter in ascii_letters if letter not in subscripts)
    a, b = (new * own + term for own, term in zip(c.batched, (a, b), strict=True))
    return c.again(*c.values, subscripts=f"{a},{b}->{new}{out}")


contract.def_batch(_contract_each)
