"""Gradient checkpointing: the same gradients from less memory."""

import numpy as np
import pytest
from graphs import constant, leaf

from rekindle.core import ops, random
from rekindle.core.autograd import (
    Function,
    GraphError,
    VersionError,
    check_grads,
    checkpoint,
    grad,
    no_grad,
)
from rekindle.core.creation import tensor


def kept(node):
    """Return the bytes that the nodes of a graph have saved."""
    seen, pending, arrays = set(), [node], {}
    while pending:
        node = pending.pop()
        if node in seen or not hasattr(node, "op"):
            continue
        seen.add(node)
        pending.extend(p for p in node.parents if p is not None)
        if isinstance(node.saved, tuple):
            arrays |= {id(a): a.nbytes for a in node.saved if isinstance(a, np.ndarray)}
    return sum(arrays.values())


def block(x, w):
    return ops.tanh(x @ w) * x + ops.exp(x * w.sum())


@pytest.mark.parametrize("wrapped", [block, lambda x, w: checkpoint(block, x, w)])
def test_second_order_gradients(wrapped):
    rng = np.random.default_rng(2)
    x, w = tensor(rng.normal(size=(2, 3))), tensor(rng.normal(size=(3, 3)))
    check_grads(lambda x, w: wrapped(wrapped(x, w), w), [x, w])


def test_gradients_reach_what_is_closed_over():
    w = leaf([[0.5, -0.2], [0.1, 0.7]])

    def closed(x):
        return ops.tanh(x @ w)

    found = []
    for run in (closed, lambda x: checkpoint(closed, x)):
        x = leaf([[0.3, -0.4]])
        w.grad = None
        y = run(run(x))
        (gx,) = grad((y * y).sum(), x, create_graph=True)
        (gx * gx).sum().backward()
        found.append((gx.detach().numpy(), w.grad.numpy(), x.grad.numpy()))
    for plain, again in zip(*found, strict=True):
        np.testing.assert_array_equal(plain, again)


def test_what_operations_save_is_forgotten():
    def deep(x):
        for _ in range(20):
            x = ops.exp(x) * 0.1
        return x

    x = leaf(np.zeros(1000))
    plain, spared = deep(x), checkpoint(deep, x)
    assert kept(plain.grad_fn) == 20 * 8000
    assert kept(spared.grad_fn) == 0
    for y in (plain, spared):
        y.sum().backward()
    y = leaf(np.zeros(1000))
    deep(y).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 2 * y.grad.numpy())


def test_checkpoints_inside_checkpoints():
    calls = []

    def inner(x):
        calls.append("inner")
        return ops.tanh(x) * x

    def outer(x):
        calls.append("outer")
        return checkpoint(inner, ops.exp(x)) * x

    x = leaf([0.5])
    (g,) = grad(checkpoint(outer, x), x)
    assert calls == ["outer", "inner", "outer", "inner", "inner"]
    assert g.tolist() == grad(outer(x), x)[0].tolist()


def test_several_results_and_other_arguments():
    def f(x, scale, *, name="unused"):
        return x * scale, ops.exp(x)

    x = leaf([0.5])
    y, z = checkpoint(f, x, 3.0)
    (y * z).backward()
    assert x.grad.item() == pytest.approx(3 * np.exp(0.5) * 1.5)


def test_functions_inside():
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            y = x * x
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * x * 2 + 0 * y

    x = leaf([1.5])
    y = checkpoint(lambda x: Square.apply(Square.apply(x)), x)
    (g,) = grad(y, x, create_graph=True)
    assert g.tolist() == [4 * 1.5**3]
    assert grad(g, x)[0].tolist() == [12 * 1.5**2]


def test_random_numbers_are_drawn_again():
    def noisy(x):
        return x * tensor(random.normal(5, dtype="float64").numpy()) * x

    random.manual_seed(3)
    x = leaf(np.ones(5))
    y = checkpoint(noisy, x)
    after = random.normal(2).tolist()
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * y.numpy())
    random.manual_seed(3)
    random.normal(5, dtype="float64")
    assert random.normal(2).tolist() == after


def test_overwritten_arguments_are_noticed():
    w = leaf([2.0])
    y = checkpoint(lambda: w * w)
    with no_grad():
        w.add_(1)
    with pytest.raises(VersionError, match="gradient of multiply needs a value that add_"):
        y.backward()


def test_a_function_that_does_something_else_each_time():
    calls = []

    def fickle(x):
        calls.append(1)
        return x * x if len(calls) == 1 else ops.exp(x)

    with pytest.raises(GraphError, match=r"recorded multiply \(1,\) at first.*exp \(1,\)"):
        checkpoint(fickle, leaf([1.0])).backward()


def test_backward_twice():
    x = leaf([2.0])
    y = checkpoint(lambda x: x * x * x, x)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [24]
    with pytest.raises(RuntimeError, match="second backward pass"):
        y.backward()


def test_views_that_catch_up_with_their_base():
    w = leaf([1.0, 2.0])
    base = w * 1
    view = base[:1]
    base.mul_(3)
    y = checkpoint(lambda v: ops.exp(v) * v, view)
    y.backward()
    assert w.grad.tolist() == pytest.approx([3 * np.exp(3.0) * 4, 0])


def test_without_gradients_it_is_a_plain_call():
    assert checkpoint(lambda x: x * 2, constant([1.0])).tolist() == [2]
    with no_grad():
        assert not checkpoint(lambda x: x * 2, leaf([1.0])).requires_grad


def test_hooks_inside_run_in_the_pass_alone():
    x, seen = leaf([2.0]), []

    def f(x):
        y = x * x
        y.register_hook(lambda g: seen.append(g.tolist()) or g * 10)
        return ops.exp(y)

    checkpoint(f, x).backward()
    assert seen == [[pytest.approx(np.exp(4))]]
    np.testing.assert_allclose(x.grad.numpy(), [40 * np.exp(4)], rtol=1e-12)


def test_what_was_computed_again_stays_with_a_graph_that_is_kept():
    x, calls = leaf([2.0]), []

    def f(x):
        calls.append(1)
        return ops.sin(ops.exp(x) * x)

    y = checkpoint(f, x)
    y.backward(retain_graph=True)
    y.backward()
    assert len(calls) == 2
