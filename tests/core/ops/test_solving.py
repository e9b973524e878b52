"""Systems, inverses and determinants against Cramer's rule and the Leibniz formula."""

import itertools
import math

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError
from rekindle.core.ops import OPERATIONS

RTOL = {"float64": 1e-10, "float32": 1e-5}


def leibniz(matrix):
    """Return the determinant: the sum over all permutations."""
    n = len(matrix)
    total = 0.0
    for columns in itertools.permutations(range(n)):
        swaps = sum(a > b for a, b in itertools.combinations(columns, 2))
        total += (-1) ** swaps * math.prod(float(matrix[i][columns[i]]) for i in range(n))
    return total


def each_matrix(function):
    """Return the function of one matrix, applied to all."""

    def batched(x):
        batch = x.shape[:-2]
        values = [function(x[place]) for place in np.ndindex(batch)]
        return np.reshape(values, (*batch, *np.shape(values[0])))

    return batched


def cramer(a, column):
    whole = leibniz(a)
    return [
        leibniz(np.concatenate([a[:, :j], column[:, None], a[:, j + 1 :]], 1)) / whole
        for j in range(len(a))
    ]


def solved(a, b):
    columns = b[:, None] if b.ndim == 1 else b
    batch = np.broadcast_shapes(a.shape[:-2], columns.shape[:-2])
    a = np.broadcast_to(a, (*batch, *a.shape[-2:]))
    columns = np.broadcast_to(columns, (*batch, *columns.shape[-2:]))
    result = np.empty(columns.shape)
    for place in np.ndindex(batch):
        for k in range(columns.shape[-1]):
            result[(*place, ..., k)] = cramer(a[place], columns[place][:, k])
    return result[..., 0] if b.ndim == 1 else result


def inverse(m):
    columns = [cramer(m, unit) for unit in np.eye(len(m))]
    return np.reshape(columns, m.shape).T


EXPECTED = {
    "solve": lambda a, b: (solved(a, b),),
    "inv": lambda x: (each_matrix(inverse)(x),),
    "det": lambda x: (each_matrix(leibniz)(x),),
    "slogdet": lambda x: (
        np.sign(each_matrix(leibniz)(x)),
        np.log(np.abs(each_matrix(leibniz)(x))),
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_forward(name):
    for sample in OPERATIONS[name].samples(np.random.default_rng(5)):
        result = OPERATIONS[name](*map(tensor, sample.arrays))
        results = result if isinstance(result, tuple) else (result,)
        wide = [a.astype(float) for a in sample.arrays]
        for actual, expected in zip(results, EXPECTED[name](*wide), strict=True):
            assert actual.dtype == sample.arrays[0].dtype
            assert actual.shape == expected.shape
            rtol = RTOL[actual.dtype.name]
            np.testing.assert_allclose(actual.numpy(), expected, rtol=rtol, atol=rtol)


def test_singular_matrices():
    x = tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True)
    with pytest.raises(np.linalg.LinAlgError, match=r"inv: Singular matrix; given shape \(2, 2\)"):
        ops.inv(x)
    with pytest.raises(ops.MatrixError, match=r"solve: Singular .* \(2, 2\) and \(2, 1\)"):
        ops.solve(x, tensor([1.0, 2.0]))
    sign, logarithm = ops.slogdet(x)
    assert (sign.item(), logarithm.item()) == (0, -math.inf)
    determinant = ops.det(x)
    assert determinant.item() == 0
    with pytest.raises(ops.MatrixError, match="inv: Singular matrix"):
        determinant.backward()


@pytest.mark.parametrize("op", [ops.inv, ops.det, ops.slogdet, ops.cholesky, ops.eigh])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (4, 3, 2)])
def test_square_matrices_are_square(op, shape):
    with pytest.raises(ShapeError, match=f"{op.name} takes square matrices; given shape"):
        op(tensor(np.ones(shape)))


@pytest.mark.parametrize("shape", [(), (2,), (2, 3), (3, 2, 2)])
def test_right_sides_fit(shape):
    with pytest.raises(ShapeError, match=r"solve: shape \(3, 3\) does not fit a right side"):
        ops.solve(tensor(np.eye(3)), tensor(np.ones(shape)))


def test_integers_give_floats():
    assert ops.inv(tensor([[0, 2], [1, 0]])).tolist() == [[0, 1], [0.5, 0]]
    assert ops.solve(tensor([[0, 2], [1, 0]]), tensor([2, 3])).tolist() == [3, 1]
