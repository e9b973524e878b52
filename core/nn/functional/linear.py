"""Linear maps and distances of vectors."""

from __future__ import annotations

from ... import ops
from ...tensor import Tensor


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return input @ weight.T + bias.

    Parameters
    ----------
    input : Tensor, shape (..., in)
    weight : Tensor, shape (out, in)
    bias : Tensor, shape (out,), optional
    """
    return ops.linear(input, weight, bias)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return x1' weight[k] x2 + bias[k] for each k.

    Parameters
    ----------
    input1 : Tensor, shape (..., n)
    input2 : Tensor, shape (..., m)
    weight : Tensor, shape (out, n, m)
    bias : Tensor, shape (out,), optional

    Returns
    -------
    Tensor, shape (..., out)
    """
    out, n, m = weight.shape
    rows = input1.reshape(-1, n)
    sides = ops.linear(rows, ops.permute(weight, (0, 2, 1)).reshape(out * m, n), None)
    products = sides.reshape(-1, out, m) * input2.reshape(-1, 1, m)
    result = products.sum(axis=-1).reshape(*input1.shape[:-1], out)
    return result if bias is None else result + bias


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return x1 . x2 over the product of their lengths, each of which counts as `eps` at least."""
    lengths = [ops.norm(x, axis=dim).clamp(min=eps) for x in (x1, x2)]
    return (x1 * x2).sum(axis=dim) / (lengths[0] * lengths[1])


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """Return the p-norm over the last dimension of x1 - x2 + eps."""
    return ops.norm(x1 - x2 + eps, p=p, axis=-1, keepdims=keepdim)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """Return the input divided by its p-norms along `dim`, which count as `eps` at least."""
    return input / ops.norm(input, p=p, axis=dim, keepdims=True).clamp(min=eps)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Return a row of zeros with a 1 at the class, as int64, for each class.

    Parameters
    ----------
    tensor : Tensor of int, shape (...)
    num_classes : int
        Length of the rows; -1 for what the largest class needs.
    """
    count = int(tensor.max()) + 1 if num_classes < 0 else num_classes
    flat = tensor.reshape(-1, 1)
    zeros = ops.zeros_of(tensor, (flat.shape[0], count)).astype("int64")
    return zeros.scatter(flat, 1 + 0 * flat, axis=1).reshape(*tensor.shape, count)
