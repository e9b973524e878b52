"""Sums of products over named dimensions: einsum and tensordot, made of contractions of two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import ascii_letters

import numpy as np

from ..errors import ShapeError
from ..tensor import Tensor
from .contraction import contract, letter_sizes
from .diagonals import diagonal
from .places import position
from .reduction import sum as sum_
from .registry import OperandError
from .shape import moveaxis, permute

Named = tuple[Tensor, str]
"""A tensor and the letters of its dimensions."""


def einsum(subscripts: str, *operands: Tensor) -> Tensor:
    """Return the products of the operands' elements, summed over letters not in the result.

    Parameters
    ----------
    subscripts : str
        A letter for each dimension of each operand and of the result: "bij,bjk->bik". A letter
        twice in one operand takes its diagonal; "..." stands for dimensions without a letter.
        Without "->" the result has those of "...", then the letters that occur once, sorted.
    *operands : Tensor
        A dimension of size 1 fits any other of the same letter.

    Raises
    ------
    OperandError
        If the subscripts cannot be read, or are for another number of operands.
    ShapeError
        If they are for other numbers of dimensions, or the sizes of a letter differ.

    Notes
    -----
    More than two operands are contracted in pairs, in the order that `numpy.einsum_path` finds.
    """
    terms, out = _parsed(subscripts, [x.ndim for x in operands])
    pairs = [_diagonals(subscripts, x, term) for x, term in zip(operands, terms, strict=True)]
    letter_sizes(subscripts, [term for _, term in pairs], [x.shape for x, _ in pairs])
    for k, (x, term) in enumerate(pairs):
        others = out + _all_letters(pairs[:k] + pairs[k + 1 :])
        alone = tuple(i for i, c in enumerate(term) if c not in others)
        if alone:
            pairs[k] = sum_(x, axis=alone), "".join(c for c in term if c in others)
    for chosen in _path(pairs, out):
        group = [pairs[k] for k in chosen]
        pairs = [pair for k, pair in enumerate(pairs) if k not in chosen]
        while len(group) > 1:
            (x, a), (y, b), *group = group
            needed = out + _all_letters(group + pairs)
            both = [c for c in a if c in b and c in needed]
            rest = [c for c in a + b if c not in both and c in needed]
            c = "".join(both + rest) if group or pairs else out
            group.insert(0, (contract(x, y, subscripts=f"{a},{b}->{c}"), c))
        pairs.append(group[0])
    ((x, term),) = pairs
    return permute(x, [term.index(c) for c in out]) if term != out else x


def _all_letters(pairs: Iterable[Named]) -> str:
    return "".join(letters for _, letters in pairs)


def _parsed(subscripts: str, ndims: Sequence[int]) -> tuple[list[str], str]:
    """Return the letters of each operand and of the result, "..." replaced by letters."""
    left, arrow, out = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise OperandError(f"einsum {subscripts!r} takes {len(terms)} operands; given {len(ndims)}")
    unnamed = [n - len(t.replace("...", "", 1)) for t, n in zip(terms, ndims, strict=True)]
    for term, n, k in zip(terms, ndims, unnamed, strict=True):
        if k < 0 or (k > 0 and "..." not in term):
            raise ShapeError(f"einsum {subscripts!r}: {term!r} is not for {n} dimensions")
    dots = "".join(c for c in ascii_letters if c not in subscripts)[: max(unnamed)]
    terms = [
        t.replace("...", dots[len(dots) - k :], 1) for t, k in zip(terms, unnamed, strict=True)
    ]
    letters = "".join(terms)
    if arrow:
        out = out.replace("...", dots, 1)
    else:
        out = dots + "".join(sorted(c for c in {*letters} - {*dots} if letters.count(c) == 1))
    wrong = [c for c in letters + out if c not in ascii_letters]
    wrong += [c for c in out if c not in letters or out.count(c) > 1]
    if wrong:
        raise OperandError(
            f"einsum {subscripts!r}: letters, each in the result once and in an operand; "
            f"given {wrong[0]!r}"
        )
    return terms, out


def _diagonals(subscripts: str, x: Tensor, term: str) -> Named:
    """Return x with the diagonal of the dimensions that share a letter."""
    for c in dict.fromkeys(term):
        while term.count(c) > 1:
            i = term.index(c)
            j = term.index(c, i + 1)
            if x.shape[i] != x.shape[j]:
                raise ShapeError(f"einsum {subscripts!r}: {c} is {x.shape[i]} and {x.shape[j]}")
            x = diagonal(moveaxis(x, (i, j), (-2, -1)))
            term = term[:i] + term[i + 1 : j] + term[j + 1 :] + c
    return x, term


def _path(pairs: Sequence[Named], out: str) -> list[tuple[int, ...]]:
    """Return which operands to contract in each step; the result goes to the end."""
    if len(pairs) < 3:
        return [tuple(range(len(pairs)))]
    subscripts = ",".join(term for _, term in pairs) + "->" + out
    shapes = [np.broadcast_to(0.0, x.shape) for x, _ in pairs]
    path: list[tuple[int, ...]] = np.einsum_path(subscripts, *shapes, optimize="greedy")[0][1:]
    return path


def tensordot(x: Tensor, y: Tensor, *, axes: int | Sequence[Sequence[int]] = 2) -> Tensor:
    """Return the products of elements, summed over pairs of dimensions.

    Parameters
    ----------
    x, y : Tensor
    axes : int or (sequence of int, sequence of int)
        How many of x's last dimensions to pair with y's first; or which of x and which of y.

    Returns
    -------
    Tensor
        The other dimensions of x, then those of y.

    Raises
    ------
    BoundsError
        If there is no such dimension.
    ShapeError
        If there are not as many of x as of y, or sizes differ.
    """
    if isinstance(axes, int):
        axes = range(x.ndim - axes, x.ndim), range(axes)
    ours = [position("tensordot", "dimension", a, x.ndim) for a in axes[0]]
    theirs = [position("tensordot", "dimension", a, y.ndim) for a in axes[1]]
    if [x.shape[a] for a in ours] != [y.shape[a] for a in theirs]:
        raise ShapeError(
            f"tensordot: dimensions {ours} of shape {x.shape} and {theirs} of {y.shape} differ"
        )
    a, b = ascii_letters[: x.ndim], [*ascii_letters[x.ndim : x.ndim + y.ndim]]
    for i, j in zip(ours, theirs, strict=True):
        b[j] = a[i]
    out = [c for c in a if c not in b] + [c for c in b if c not in a]
    return contract(x, y, subscripts=f"{a},{''.join(b)}->{''.join(out)}")
