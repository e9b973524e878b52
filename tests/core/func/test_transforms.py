"""Derivatives of functions: what they return, in which containers, and what they refuse."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import rekindle
from rekindle import func, ops
from rekindle.core.autograd.errors import InplaceError
from rekindle.core.func import TransformError, TreeError

Pair = namedtuple("Pair", "first second")


def double(*values):
    return rekindle.tensor(np.array(values), "float64")


X = np.array([0.3, -0.7, 1.1])


def cube_sum(x):
    return (x**3).sum()


def test_grad_and_its_value():
    x = double(*X)
    np.testing.assert_allclose(func.grad(cube_sum)(x).numpy(), 3 * X**2)
    value, gradient = func.value_and_grad(cube_sum)(x)
    assert value.item() == pytest.approx((X**3).sum())
    np.testing.assert_allclose(gradient.numpy(), 3 * X**2)
    assert not value.requires_grad
    assert not gradient.requires_grad


def test_arrays_and_numbers_become_tensors():
    assert func.grad(lambda x: x * x)(3.0).item() == 6.0
    np.testing.assert_allclose(func.grad(cube_sum)(X).numpy(), 3 * X**2)


def test_arguments_by_name_are_passed_on():
    assert func.grad(lambda x, *, factor: x * factor)(1.0, factor=5.0).item() == 5.0


def test_argnums_count_from_the_end_too():
    def f(a, b):
        return a * b

    assert func.grad(f, argnums=-1)(2.0, 3.0).item() == 2.0
    assert [g.item() for g in func.grad(f, argnums=(1, 0))(2.0, 3.0)] == [2.0, 3.0]


@pytest.mark.parametrize("wrong", [2, -3, (0, 0), (0, -2), 0.0, "0"])
def test_argnums_that_name_no_argument_or_one_twice(wrong):
    with pytest.raises(TransformError, match="argnums"):
        func.grad(lambda a, b: a * b, argnums=wrong)(2.0, 3.0)


def test_containers_keep_their_kinds():
    tree = OrderedDict(
        pair=Pair(double(1.0), [double(2.0), None]), rest=(double(3.0), {"x": double(4.0)})
    )

    def f(t):
        pair, (a, b) = t["pair"], t["rest"]
        return pair.first.sum() * pair.second[0].sum() + a.sum() ** 2 * b["x"].sum()

    found = func.grad(f)(tree)
    assert type(found) is OrderedDict
    assert isinstance(found["pair"], Pair)
    assert found["pair"].second[1] is None
    assert [x.item() for x in (found["pair"].first, found["rest"][0])] == [2.0, 24.0]
    assert found["rest"][1]["x"].item() == 9.0


def test_what_a_result_does_not_depend_on_has_zeros():
    found = func.grad(lambda a, b: a.sum(), argnums=1)(double(1.0), double(*X))
    assert found.tolist() == [0, 0, 0]
    value, tangent = func.jvp(lambda x: double(5.0), (double(*X),), (double(*X),))
    assert value.tolist() == [5.0]
    assert tangent.tolist() == [0.0]
    assert func.jacrev(lambda x: double(5.0, 6.0))(double(*X)).tolist() == [[0] * 3] * 2
    assert func.jacfwd(lambda x: double(5.0, 6.0))(double(*X)).tolist() == [[0] * 3] * 2


def test_vjp_may_be_pulled_several_times_and_in_a_batch():
    value, pull = func.vjp(lambda x: {"y": x * x, "z": x.sum()}, double(*X))
    ones = {"y": double(1, 1, 1), "z": rekindle.tensor(0.0, "float64")}
    for _ in range(2):
        np.testing.assert_allclose(pull(ones)[0].numpy(), 2 * X)
    many = {"y": double(*np.eye(3)), "z": double(0, 0, 1.0)}
    (found,) = func.vmap(pull)(many)
    np.testing.assert_allclose(found.numpy(), np.diag(2 * X) + np.array([[0], [0], [1]]))
    assert not value["y"].requires_grad


def test_derivatives_by_cotangents_and_tangents():
    x, g = double(*X), double(0.5, 2.0, -1.0)
    _, pull = func.vjp(lambda x: ops.sin(x), x)
    found = func.jacrev(lambda g: pull(g)[0])(g)
    np.testing.assert_allclose(found.numpy(), np.diag(np.cos(X)))
    pushed = func.jacrev(lambda t: func.jvp(ops.sin, (x,), (t,))[1])(g)
    np.testing.assert_allclose(pushed.numpy(), np.diag(np.cos(X)))


def test_the_mode_counts_where_the_pull_is_called():
    x = double(*X).requires_grad_()
    with rekindle.no_grad():
        value, pull = func.vjp(cube_sum, x)
    assert not value.requires_grad
    one = rekindle.tensor(1.0, "float64")
    (gradient,) = pull(one)
    gradient.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 6 * X)
    value, pull = func.vjp(cube_sum, x)
    with rekindle.no_grad():
        (gradient,) = pull(one)
    assert not gradient.requires_grad
    value.backward()
    np.testing.assert_allclose(x.grad.numpy(), 6 * X + 3 * X**2)


def test_cotangents_and_tangents_have_to_fit():
    _, pull = func.vjp(lambda x: (x, x), double(*X))
    with pytest.raises(TreeError, match="cotangent"):
        pull(double(*X))
    with pytest.raises(TransformError, match="shape"):
        pull((double(*X), double(1.0)))
    with pytest.raises(TransformError, match="tuples"):
        func.jvp(cube_sum, double(*X), double(*X))
    with pytest.raises(TreeError, match="tangent"):
        func.jvp(cube_sum, (double(*X),), (double(*X), double(*X)))


def test_jacobians_of_several_results_and_arguments():
    def f(a, b):
        return (ops.outer(a, b), {"sum": a.sum() + b.sum()})

    a, b = double(*X), double(0.5, 2.0)
    for jacobian in (func.jacrev, func.jacfwd):
        outer, rest = jacobian(f, argnums=(0, 1))(a, b)
        assert outer[0].shape == (3, 2, 3)
        np.testing.assert_allclose(outer[0].numpy(), np.einsum("ik,j->ijk", np.eye(3), b.numpy()))
        np.testing.assert_allclose(outer[1].numpy(), np.einsum("i,jk->ijk", X, np.eye(2)))
        assert [x.tolist() for x in rest["sum"]] == [[1, 1, 1], [1, 1]]


@pytest.mark.parametrize("jacobian", [func.jacrev, func.jacfwd])
def test_jacobians_in_chunks(jacobian):
    def f(x):
        return ops.sin(x) * x.sum()

    whole = jacobian(f)(double(*X))
    np.testing.assert_array_equal(jacobian(f, chunk_size=2)(double(*X)).numpy(), whole.numpy())


def test_aux_has_no_history():
    def f(x):
        return (x.sum(), {"twice": x * 2, "name": "aux"})

    for call in (
        lambda x: func.grad(f, has_aux=True)(x)[1],
        lambda x: func.value_and_grad(f, has_aux=True)(x)[0][1],
        lambda x: func.jvp(f, (x,), (x,), has_aux=True)[2],
        lambda x: func.vjp(f, x, has_aux=True)[2],
        lambda x: func.jacrev(f, has_aux=True)(x)[1],
        lambda x: func.jacfwd(f, has_aux=True)(x)[1],
    ):
        aux = call(double(*X))
        assert aux["name"] == "aux"
        assert not aux["twice"].requires_grad
    with pytest.raises(TransformError, match="has_aux"):
        func.grad(cube_sum, has_aux=True)(double(*X))


@pytest.mark.parametrize(
    ("f", "text"),
    [
        (lambda x: x, "shape"),
        (lambda x: (x.sum(), x.sum()), "one floating tensor"),
        (lambda x: 3.0, "float"),
        (lambda x: (x > 0).sum(), "floating"),
    ],
)
def test_grad_says_what_a_function_has_to_return(f, text):
    with pytest.raises(TransformError, match=text):
        func.grad(f)(double(*X))


@pytest.mark.parametrize("jacobian", [func.jacrev, func.jacfwd])
def test_a_jacobian_of_nothing_or_by_nothing(jacobian):
    with pytest.raises(TransformError, match="results"):
        jacobian(lambda x: ())(double(*X))
    with pytest.raises(TransformError, match="arguments"):
        jacobian(lambda x, y: y, argnums=0)((), double(*X))


def test_only_floating_arguments_are_differentiated():
    with pytest.raises(TransformError, match="int64"):
        func.grad(lambda x: x.sum())(rekindle.tensor([1, 2]))
    with pytest.raises(TransformError, match="str"):
        func.grad(lambda x: x)("x")
    with pytest.raises(TransformError, match="returned a int"):
        func.jacrev(lambda x: 3)(1.0)


def test_derivatives_agree_with_finite_differences():
    w = double(*np.random.default_rng(0).normal(size=(3, 3)))

    def f(x):
        return ops.tanh(ops.matmul(w, x)).sum() * x.prod()

    for derivative in (func.grad(f), func.hessian(f), func.jacfwd(func.grad(f))):
        rekindle.check_grads(derivative, [double(*X)], order=1)
    rows = double(*np.random.default_rng(1).normal(size=(2, 3)))
    rekindle.check_grads(func.vmap(func.grad(f)), [rows], order=2)
    rekindle.check_grads(lambda w: func.vmap(lambda x: ops.matmul(w, x))(rows), [w], order=2)


def test_what_samples_share_counts_once():
    """In third derivatives a gradient that samples share meets one that differs between them."""

    def f(x):
        return ops.sin(ops.outer(x, x)) + ops.cos(x @ x)

    twice = func.jacrev(func.jacrev(f))
    rekindle.check_grads(lambda x: ops.sin(twice(x)).sum(), [double(0.3, -0.7)], tol=1e-4)


def test_a_write_into_an_argument_is_refused():
    with pytest.raises(InplaceError, match="argument of a transform"):
        func.grad(lambda x: x.mul_(2).sum())(double(*X))


def test_a_write_into_a_result_on_the_way_is_differentiated():
    def f(x):
        y = x * x
        y[0] = y[1] * 3
        y.mul_(x)
        return y.sum()

    a, b, c = X
    wanted = [3 * b * b, 6 * a * b + 3 * b * b, 3 * c * c]
    np.testing.assert_allclose(func.grad(f)(double(*X)).numpy(), wanted)


def test_no_grad_inside_is_a_constant():
    def f(x):
        with rekindle.no_grad():
            factor = x.sum()
        return (x * factor).sum()

    np.testing.assert_allclose(func.grad(f)(double(*X)).numpy(), [X.sum()] * 3)


def test_transforms_work_inside_no_grad():
    with rekindle.no_grad():
        np.testing.assert_allclose(func.grad(cube_sum)(double(*X)).numpy(), 3 * X**2)
        assert func.hessian(cube_sum)(double(*X)).numpy().trace() == pytest.approx(6 * X.sum())
