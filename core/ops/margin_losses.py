"""Losses that ask for a margin between scores. Names and reductions are PyTorch's.

At the margin itself the slope is 0.
"""

from __future__ import annotations

import numpy as np

from ..errors import ShapeError
from ..tensor import Tensor
from .activation import logsigmoid, relu
from .comparison import where
from .cumulative import cumsum
from .exponential import sqrt
from .gathering import embedding, gather, scatter_add
from .losses import Reduction, reduced, same_shapes
from .reduction import norm
from .writing import zeros_of


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    *,
    margin: float = 0.0,
    reduction: Reduction = "mean",
) -> Tensor:
    """Return how far the first input is from exceeding the second by `margin`.

    Parameters
    ----------
    input1, input2 : Tensor, of one shape
    target : Tensor, of that shape
        1 where the first shall be larger, -1 where the second shall be.
    margin : float
    reduction : str

    Returns
    -------
    Tensor
        Of one element, or with "none" of the shape of the inputs.

    Raises
    ------
    ShapeError, ReductionError
        If the shapes differ or there is no such reduction.
    """
    same_shapes("margin_ranking_loss", input1=input1, input2=input2, target=target)
    return reduced(relu(target * (input2 - input1) + margin), reduction)


def hinge_embedding_loss(
    input: Tensor, target: Tensor, *, margin: float = 1.0, reduction: Reduction = "mean"
) -> Tensor:
    """Return distances of pairs that belong together, and what others lack to `margin`.

    Parameters
    ----------
    input : Tensor
        Distances.
    target : Tensor, shape of `input`
        1 for pairs that belong together, -1 for others.
    margin : float
    reduction : str

    Returns
    -------
    Tensor
        Of one element, or with "none" of the shape of `input`.

    Raises
    ------
    ShapeError, ReductionError
        If the shapes differ or there is no such reduction.
    """
    same_shapes("hinge_embedding_loss", input=input, target=target)
    return reduced(where(target == 1, input, relu(margin - input)), reduction)


def soft_margin_loss(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Return log(1 + exp(-target * input)), without overflow.

    Parameters
    ----------
    input : Tensor
    target : Tensor, shape of `input`
        1 or -1.
    reduction : str

    Returns
    -------
    Tensor
        Of one element, or with "none" of the shape of `input`.

    Raises
    ------
    ShapeError, ReductionError
        If the shapes differ or there is no such reduction.
    """
    same_shapes("soft_margin_loss", input=input, target=target)
    return reduced(-logsigmoid(target * input), reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    p: int = 1,
    margin: float = 1.0,
    reduction: Reduction = "mean",
) -> Tensor:
    """Return by how much other classes come too close to the right one, averaged over classes.

    Parameters
    ----------
    input : Tensor, shape (N, C) or (C,)
        Scores.
    target : Tensor of int, shape (N,) or ()
        The right classes, from 0.
    weight : Tensor, shape (C,), optional
        What each right class counts.
    p : int
        1 sums what is lacking, 2 its squares.
    margin : float
    reduction : str

    Returns
    -------
    Tensor
        Of one element, or with "none" of the shape of `target`.

    Raises
    ------
    ShapeError, BoundsError, ReductionError
        If the shapes do not fit, p is another, a target is no class or there is no such
        reduction.
    """
    if input.ndim not in (1, 2) or target.shape != input.shape[:-1] or p not in (1, 2):
        raise ShapeError(
            f"multi_margin_loss takes scores (N, C), classes (N,) and a p of 1 or 2; given "
            f"{input.shape}, {target.shape} and {p}"
        )
    place = target.unsqueeze(-1)
    right = gather(input, place, axis=-1)
    lack = relu(input - right + margin)
    lack = lack if p == 1 else lack.square()
    # The right class is compared with itself too, which leaves a constant.
    total = lack.sum(axis=-1) - max(margin, 0.0) ** p
    if weight is not None:
        total = total * embedding(weight, target)
    return reduced(total / input.shape[-1], reduction)


def multilabel_margin_loss(
    input: Tensor, target: Tensor, *, reduction: Reduction = "mean"
) -> Tensor:
    """Return by how much other classes come closer than 1 to the right ones, over classes.

    Parameters
    ----------
    input : Tensor, shape (N, C) or (C,)
        Scores.
    target : Tensor of int, shape of `input`
        The right classes of a row, from 0; what follows a negative number is left out.
    reduction : str

    Returns
    -------
    Tensor
        Of one element, or with "none" of shape (N,) or ().

    Raises
    ------
    ShapeError, BoundsError, ReductionError
        If the shapes differ, a target is no class or there is no such reduction.

    Notes
    -----
    Source: torch/nn MultiLabelMarginCriterion.lua, whose classes count from 1 and end with 0
    """
    same_shapes("multilabel_margin_loss", input=input, target=target)
    named = cumsum((target < 0).astype(np.int64), axis=-1) == 0
    place = where(named, target, 0).astype(np.int64)
    times = scatter_add(zeros_of(place, place.shape), place, named.astype(np.int64), axis=-1)
    right = gather(input, place, axis=-1).unsqueeze(-1)
    compared = named.unsqueeze(-1) & (times == 0).unsqueeze(-2)
    lack = relu(input.unsqueeze(-2) - right + 1) * compared
    return reduced(lack.sum(axis=(-1, -2)) / input.shape[-1], reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    *,
    margin: float = 0.0,
    reduction: Reduction = "mean",
) -> Tensor:
    """Return what the cosines of pairs that belong together lack to 1; of others, the excess.

    Parameters
    ----------
    input1, input2 : Tensor, shape (N, D) or (D,)
    target : Tensor, shape (N,) or ()
        1 for pairs that belong together, -1 for others, whose cosine may be up to `margin`.
    margin : float
    reduction : str

    Returns
    -------
    Tensor
        Of one element, or with "none" of the shape of `target`.

    Raises
    ------
    ShapeError, ReductionError
        If the shapes do not fit or there is no such reduction.
    """
    same_shapes("cosine_embedding_loss", input1=input1, input2=input2)
    if target.shape != input1.shape[:-1]:
        raise ShapeError(
            f"cosine_embedding_loss takes one target for each pair of vectors; given "
            f"{target.shape} for {input1.shape}"
        )
    squares = [(x.square().sum(axis=-1) + 1e-12) for x in (input1, input2)]
    cosine = (input1 * input2).sum(axis=-1) / sqrt(squares[0] * squares[1])
    return reduced(where(target == 1, 1 - cosine, relu(cosine - margin)), reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: Reduction = "mean",
) -> Tensor:
    """Return how far the negative is from being further off than the positive by `margin`.

    Parameters
    ----------
    anchor, positive, negative : Tensor, shape (..., D)
    margin : float
    p : float
        The order of the norm that distances are.
    eps : float
        Added to each difference, so that equal vectors have a slope.
    swap : bool
        Whether the distance from positive to negative counts where it is the smaller.
    reduction : str

    Returns
    -------
    Tensor
        Of one element, or with "none" of shape (...).

    Raises
    ------
    ShapeError, ReductionError
        If the shapes differ or there is no such reduction.
    """
    same_shapes("triplet_margin_loss", anchor=anchor, positive=positive, negative=negative)
    near = norm(anchor - positive + eps, p=p, axis=-1)
    far = norm(anchor - negative + eps, p=p, axis=-1)
    if swap:
        other = norm(positive - negative + eps, p=p, axis=-1)
        far = where(other < far, other, far)
    return reduced(relu(near - far + margin), reduction)
