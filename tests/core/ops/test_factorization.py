"""Factors: that they multiply to the matrix, have the form promised, and the order."""

import math

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.autograd import check_grads, jvp
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError
from rekindle.core.ops import OPERATIONS, OperandError


def factors(name, dtype=np.float64):
    """Yield the matrix, the parameters and the factors of each sample."""
    for sample in OPERATIONS[name].samples(np.random.default_rng(5)):
        x = sample.arrays[0].astype(dtype)
        result = OPERATIONS[name](tensor(x), **sample.params)
        results = result if isinstance(result, tuple) else (result,)
        assert all(r.dtype == dtype for r in results)
        yield x, sample.params, [r.numpy().astype(float) for r in results]


def assert_close(a, b, dtype):
    np.testing.assert_allclose(a, b, rtol=0, atol={"float32": 3e-6, "float64": 1e-13}[dtype] * 10)


def assert_orthonormal_columns(q, dtype):
    assert_close(
        q.mT @ q, np.broadcast_to(np.eye(q.shape[-1]), (*q.shape[:-2], *2 * q.shape[-1:])), dtype
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cholesky(dtype):
    for x, params, (factor,) in factors("cholesky", dtype):
        lower = factor.mT if params.get("upper") else factor
        assert_close(lower @ lower.mT, x, dtype)
        np.testing.assert_array_equal(lower, np.tril(lower))
        assert (np.diagonal(lower, 0, -2, -1) > 0).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_qr(dtype):
    for x, _, (q, r) in factors("qr", dtype):
        assert q.shape == (*x.shape[:-1], min(x.shape[-2:]))
        assert_close(q @ r, x, dtype)
        assert_orthonormal_columns(q, dtype)
        np.testing.assert_array_equal(r, np.triu(r))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_eigh(dtype):
    for x, _, (values, vectors) in factors("eigh", dtype):
        assert_close(x @ vectors, vectors * values[..., None, :], dtype)
        assert_orthonormal_columns(vectors, dtype)
        assert (np.diff(values) >= 0).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_svd(dtype):
    for x, _, (u, s, vh) in factors("svd", dtype):
        assert u.shape[-1] == s.shape[-1] == vh.shape[-2] == min(x.shape[-2:])
        assert_close(u * s[..., None, :] @ vh, x, dtype)
        assert_orthonormal_columns(u, dtype)
        assert_orthonormal_columns(vh.mT, dtype)
        assert (np.diff(s) <= 0).all()
        assert (s >= 0).all()


def test_only_the_symmetric_part_counts():
    x = np.random.default_rng(1).normal(size=(3, 3)) + 5 * np.eye(3)
    half = (x + x.T) / 2
    for op in (ops.cholesky, lambda x: ops.eigh(x)[0]):
        np.testing.assert_allclose(op(tensor(x)).numpy(), op(tensor(half)).numpy(), rtol=1e-14)


def test_what_is_not_definite_has_no_factor():
    with pytest.raises(ops.MatrixError, match=r"cholesky: .*positive definite; .* \(2, 2\)"):
        ops.cholesky(tensor([[1.0, 2.0], [2.0, 1.0]]))


@pytest.mark.parametrize("op", [ops.qr, ops.svd, ops.matrix_norm])
def test_vectors_have_no_factors(op):
    with pytest.raises(ShapeError, match=r"two or more dimensions; given shape \(3,\)"):
        op(tensor([1.0, 2.0, 3.0]))


VALUES = {"eigh": lambda x: ops.eigh(x)[0], "svd": lambda x: ops.svd(x)[1]}


@pytest.mark.parametrize("op", VALUES)
@pytest.mark.parametrize("x", [np.eye(3), np.diag([2.0, 2.0, 0.0]), np.zeros((3, 3))])
def test_equal_values_have_gradients(op, x):
    x = tensor(x, requires_grad=True)
    VALUES[op](x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.eye(3), atol=1e-14)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: ops.eigh(x)[1][0, 0],
        lambda x: ops.svd(x)[0][0, 0],
        lambda x: ops.svd(x)[2][0, 0],
    ],
)
def test_vectors_of_equal_values_have_none(f):
    x = tensor(np.eye(3), requires_grad=True)
    f(x).backward()
    assert np.isnan(x.grad.numpy()).any()
    _, tangent = jvp(f, [tensor(np.eye(3))], [tensor(np.ones((3, 3)))])
    assert np.isnan(tangent.item())


NORMS = ["fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf]


@pytest.mark.parametrize("order", NORMS)
@pytest.mark.parametrize("keepdims", [False, True])
def test_matrix_norm(order, keepdims):
    x = np.random.default_rng(3).normal(size=(2, 3, 4))
    expected = np.linalg.norm(x, order, axis=(1, 2), keepdims=keepdims)
    actual = ops.matrix_norm(tensor(x), ord=order, keepdims=keepdims)
    np.testing.assert_allclose(actual.numpy(), expected, rtol=1e-13)
    check_grads(lambda t: ops.matrix_norm(t, ord=order, keepdims=keepdims), [tensor(x)])


def test_other_matrix_norms_are_refused():
    with pytest.raises(OperandError, match=r"ord is .* or -inf; given 3"):
        ops.matrix_norm(tensor(np.eye(2)), ord=3)
