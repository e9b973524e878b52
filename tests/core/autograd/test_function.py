"""Functions that users define."""

import numpy as np
import pytest
from graphs import constant, leaf

from rekindle.core import ops
from rekindle.core.autograd import (
    Function,
    GraphError,
    check_grads,
    grad,
    jvp,
    no_grad,
    once_differentiable,
)
from rekindle.core.creation import tensor
from rekindle.core.tensor import Tensor


class Cube(Function):
    @staticmethod
    def forward(ctx, x, scale):
        ctx.scale = scale
        ctx.save_for_backward(x)
        return x * x * x * scale

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x * x * ctx.scale, None


class SinCos(Function):
    @staticmethod
    def forward(ctx, x):
        s, c = ops.sin(x), ops.cos(x)
        ctx.save_for_backward(s, c)
        return s, c

    @staticmethod
    def backward(ctx, gs, gc):
        s, c = ctx.saved_tensors
        return gs * c - gc * s


def test_gradients_of_two_orders():
    x = leaf([2.0])
    y = Cube.apply(x, 0.5)
    assert y.tolist() == [4]
    assert y.grad_fn.name == "Cube"
    (first,) = grad(y, x, create_graph=True)
    (second,) = grad(first, x)
    assert (first.tolist(), second.tolist()) == ([6], [6])


@pytest.mark.parametrize(
    "f", [lambda x: Cube.apply(x, 2.0), SinCos.apply, lambda x: x * SinCos.apply(x)[1]]
)
def test_derivatives_in_both_modes(f):
    check_grads(f, [tensor(np.random.default_rng(1).normal(size=(2, 3)))], order=3)


def test_results_that_nothing_came_back_from_have_gradients_of_zero():
    x = leaf([0.3])
    _, c = SinCos.apply(x)
    c.backward()
    assert x.grad.item() == pytest.approx(-np.sin(0.3))


def test_saved_tensors_are_what_they_were():
    inside = []

    class Product(Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y, None)
            return x * y

        @staticmethod
        def backward(ctx, g):
            x, y, nothing = ctx.saved_tensors
            inside.append((x, y, nothing, ctx.needs_input_grad))
            return g * y, None

    x, y = leaf([2.0]), constant([3.0])
    Product.apply(x, y).backward()
    ((a, b, nothing, needs),) = inside
    assert a is x
    assert b.array is y.array
    assert nothing is None
    assert needs == (True, False)


def test_the_history_of_a_saved_tensor_is_that_of_the_time_it_was_saved():
    class Own(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.detach() * 2

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 + x * 0

    w = leaf([3.0])
    x = w * 1
    (g,) = grad(Own.apply(x), w, create_graph=True)
    assert g.tolist() == [2]
    assert grad(g, w)[0].tolist() == [0]


def test_nothing_is_recorded_without_need():
    assert not Cube.apply(constant([2.0]), 1.0).requires_grad
    with no_grad():
        assert not Cube.apply(leaf([2.0]), 1.0).requires_grad


def test_results_without_gradients():
    class Parts(Function):
        @staticmethod
        def forward(ctx, x):
            y, z = x * 2, x * 3
            ctx.mark_non_differentiable(z)
            ctx.save_for_backward(z)
            return y, z, x.detach() > 0

        @staticmethod
        def backward(ctx, g, *others):
            assert not ctx.saved_tensors[0].requires_grad
            assert [o.tolist() for o in others] == [[0], [False]]
            return g * 2

    x = leaf([1.0])
    y, z, positive = Parts.apply(x)
    assert (y.requires_grad, z.requires_grad, positive.requires_grad) == (True, False, False)
    (y * z).backward()
    assert x.grad.tolist() == [6]


def test_arguments_that_come_back_keep_their_own_history():
    class Reversal(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return -g

    x = leaf([1.0])
    y = Reversal.apply(x)
    assert y is not x
    assert y.version == x.version
    (y + x * 3).backward()
    assert x.grad.tolist() == [2]


def test_one_gradient_for_two_arguments_is_not_shared_by_their_leaves():
    class Sum(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, g):
            same = g * 2
            held.append(same)
            return same, same

    held = []
    x, y = leaf([1.0]), leaf([2.0])
    for _ in range(2):
        Sum.apply(x, y).backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([4], [4])
    assert [h.tolist() for h in held] == [[2], [2]]


def test_gradients_are_fitted_to_the_argument():
    class Own(Function):
        @staticmethod
        def forward(ctx, x):
            return x + constant([[1.0, 2.0], [3.0, 4.0]])

        @staticmethod
        def backward(ctx, g):
            return g

    x = tensor([1.0, 2.0], "float32", requires_grad=True)
    Own.apply(x).sum().backward()
    assert x.grad.tolist() == [2, 2]
    assert x.grad.dtype == np.float32


def test_once_differentiable():
    class NumpyExp(Function):
        @staticmethod
        def forward(ctx, x):
            y = tensor(np.exp(x.numpy()))
            ctx.save_for_backward(y)
            return y

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            return tensor(g.numpy() * ctx.saved_tensors[0].numpy())

    x = leaf([1.0])
    (g,) = grad(NumpyExp.apply(x), x, create_graph=True)
    assert g.item() == pytest.approx(np.e)
    with pytest.raises(GraphError, match="once_differentiable"):
        grad(g, x)
    with pytest.raises(GraphError, match="once_differentiable"):
        jvp(NumpyExp.apply, [x], [constant([1.0])])


def test_forward_mode_needs_a_backward_of_operations():
    class Opaque(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return tensor(g.numpy() * 2)

    with pytest.raises(GraphError, match="forward mode through Opaque"):
        jvp(Opaque.apply, [leaf([1.0])], [constant([1.0])])


def test_a_hundred_functions_inside_each_other():
    class Nested(Function):
        @staticmethod
        def forward(ctx, x, depth):
            ctx.depth = depth
            return Nested.apply(x, depth - 1) if depth else x * 2

        @staticmethod
        def backward(ctx, g):
            if not ctx.depth:
                return g * 2, None
            x = constant([1.0]).requires_grad_()
            from rekindle.core.autograd import enable_grad

            with enable_grad():
                y = Nested.apply(x, ctx.depth - 1)
            return grad(y, x, g)[0], None

    x = leaf([1.0])
    Nested.apply(x, 60).backward()
    assert x.grad.tolist() == [2]


def test_methods_are_to_be_defined():
    with pytest.raises(NotImplementedError, match="forward"):
        Function.apply(leaf([1.0]))


def test_a_write_of_a_function_that_saves_nothing():
    class Add(Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.mark_dirty(x)
            return x.add_(y)

        @staticmethod
        def backward(ctx, g):
            return g, g * 2

    start, other = (Tensor(np.ones(n), requires_grad=True) for n in (4, 2))
    x = start * 3
    Add.apply(x[1:3], other)
    (x * Tensor(np.arange(4.0))).sum().backward()
    assert start.grad.tolist() == [0, 3, 6, 9]
    assert other.grad.tolist() == [2, 4]


def test_what_is_written_may_be_an_operands_own_array():
    x = Tensor(np.full(3, 2.0), requires_grad=True)
    y = x * 1
    y.mul_(y.array)
    assert y.tolist() == [4, 4, 4]
    y.sum().backward()
    assert x.grad.tolist() == [2, 2, 2]
