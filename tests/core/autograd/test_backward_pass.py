"""The backward pass: what it computes, what it frees, what it refuses."""

import gc
import threading
import weakref

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.autograd import (
    Function,
    InplaceError,
    VersionError,
    backward,
    checkpoint,
    detect_anomaly,
    enable_grad,
    grad,
    jvp,
    no_grad,
    profile,
)
from rekindle.core.creation import ones, tensor
from rekindle.core.dtypes import DtypeError


def leaf(values):
    return tensor(values, "float64", requires_grad=True)


def test_gradients_add_up_in_place_in_the_same_tensor():
    x = leaf([1.0, 2.0])
    (x * 3).sum().backward()
    first = x.grad
    (x * x).sum().backward()
    assert x.grad is first
    assert x.grad.tolist() == [5, 7]


def test_leaves_never_share_the_memory_of_a_gradient():
    x, y = leaf([1.0]), leaf([2.0])
    (x + y).backward()
    x.grad.fill_(9)
    assert y.grad.tolist() == [1]


def test_a_leaf_of_another_precision_gets_its_own():
    x = tensor([1.0, 2.0], requires_grad=True)
    (x * leaf([3.0, 4.0])).sum().backward()
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == [3, 4]


def test_broadcasting_is_undone():
    x, y = leaf(np.ones((3, 1))), leaf(np.ones(4))
    (x * y).sum().backward()
    assert x.grad.tolist() == [[4], [4], [4]]
    assert y.grad.tolist() == [3, 3, 3, 3]


def test_grad_of_intermediate_results_touches_no_leaf():
    x = leaf([0.5])
    y = ops.exp(x)
    z = y * y
    (found,) = grad(z, y, [1.0])
    assert found.tolist() == pytest.approx([2 * np.exp(0.5)])
    assert x.grad is None


def test_unused_inputs():
    x, y = leaf([1.0]), leaf([1.0])
    with pytest.raises(RuntimeError, match="do not depend on input 1"):
        grad(x * 2, [x, y])
    assert grad(x * 2, [x, y], allow_unused=True)[1] is None


def test_higher_orders():
    x = leaf([0.7])
    y = ops.sin(x)
    for expected in (np.cos(0.7), -np.sin(0.7), -np.cos(0.7), np.sin(0.7)):
        (y,) = grad(y, x, create_graph=True)
        assert y.tolist() == pytest.approx([expected])


def test_hessian_vector_product_both_ways():
    x, v = leaf([0.3, -0.8]), tensor([1.0, 2.0], "float64")

    def gradient(x):
        return grad((x**3).sum() + (x[0] * x[1]), x, create_graph=True)[0]

    expected = [6 * 0.3 * 1 + 2, 6 * -0.8 * 2 + 1]
    (reverse,) = grad(gradient(x), x, v)
    assert reverse.tolist() == pytest.approx(expected)
    assert jvp(gradient, [x], [v])[1].tolist() == pytest.approx(expected)


def test_a_graph_is_used_once_unless_kept():
    x = leaf([2.0])
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [8]
    with pytest.raises(RuntimeError, match="second backward pass through multiply"):
        y.backward()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ones(2).backward(), "requires no gradient"),
        (lambda: (leaf([1.0, 2.0]) * 2).backward(), "needs a gradient of that shape"),
        (lambda: (leaf([1.0, 2.0]) * 2).backward([1.0]), r"shape \(1,\) for an output of \(2,\)"),
    ],
)
def test_misuse(call, message):
    with pytest.raises(RuntimeError, match=message):
        call()


def test_integers_have_no_gradients():
    with pytest.raises(DtypeError, match="only floating tensors"):
        tensor([1, 2], requires_grad=True)


def test_nothing_is_recorded_in_no_grad():
    x = leaf([1.0])
    with no_grad():
        assert not (x * 2).requires_grad

    @no_grad()
    def double(x):
        return x * 2

    assert not double(x).requires_grad
    assert (x * 2).requires_grad


def test_deep_graphs():
    x = leaf([1.0])
    y = x
    for _ in range(100_000):
        y = y + 1
    y.backward()
    assert x.grad.tolist() == [1]
    del y


def test_wide_graphs():
    x = leaf(np.ones(10_000))
    ops.concat([x[i : i + 1] * i for i in range(10_000)]).sum().backward()
    assert x.grad.tolist() == list(range(10_000))


def test_nothing_leaks_without_the_collector():
    gc.collect()
    gc.disable()
    try:
        x = leaf(np.ones(3))
        y = ops.exp(ops.tanh(x))  # both save their own output
        z = checkpoint(lambda t: ops.exp(t) * t, y)
        watched = [weakref.ref(t) for t in (x, y, z)]
        nodes = [weakref.ref(t.grad_fn) for t in (y, z)]
        z.sum().backward()
        del x, y, z
        assert [w() for w in watched + nodes] == [None] * 5
    finally:
        gc.enable()


def test_hooks_see_and_replace_gradients():
    x = leaf([1.0, 2.0])
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    handle = y.register_hook(lambda g: g * 10)
    y.retain_grad()
    y.sum().backward(retain_graph=True)
    assert seen == [[1, 1]]
    assert x.grad.tolist() == [20, 20]
    handle.remove()
    y.sum().backward()
    assert x.grad.tolist() == [22, 22]


def test_hooks_of_leaves():
    x = leaf([1.0])
    x.register_hook(lambda g: g + 1)
    (x * 2 + x * 3).backward()
    assert x.grad.tolist() == [6]


def test_backward_inside_backward():
    x = leaf([2.0])

    def nested(g):
        inner = leaf([3.0])
        with enable_grad():
            (inner * inner).backward()
        return g * inner.grad

    y = x * 1
    y.register_hook(nested)
    y.backward()
    assert x.grad.tolist() == [6]


def test_two_threads_on_one_leaf_lose_nothing():
    x = leaf(np.zeros(50))

    def work():
        for _ in range(200):
            (x * 1).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert x.grad.tolist() == [800] * 50


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


def test_functions_of_users():
    x = leaf([2.0])
    y = Cube.apply(x, 0.5)
    assert y.tolist() == [4]
    (first,) = grad(y, x, create_graph=True)
    assert first.tolist() == [6]
    (second,) = grad(first, x)
    assert second.tolist() == [6]


def test_checkpointing_gives_the_same_gradients():
    w = leaf([[0.5, -0.2], [0.1, 0.7]])

    def block(x):
        return ops.tanh(x @ w)

    found = []
    for run in (block, lambda x: checkpoint(block, x)):
        x = leaf([[0.3, -0.4]])
        w.grad = None
        y = run(run(x))
        (gx,) = grad((y * y).sum(), x, create_graph=True)
        (gx * gx).sum().backward()
        found.append((gx.detach().numpy(), w.grad.numpy(), x.grad.numpy()))
    for plain, again in zip(*found, strict=True):
        np.testing.assert_allclose(plain, again, rtol=1e-14)


def test_anomalies_name_the_line_that_made_them():
    x = leaf([0.0])
    with detect_anomaly(), np.errstate(all="ignore"):
        y = ops.sqrt(x) * 0  # the line
        with pytest.raises(FloatingPointError, match="the line"):
            y.backward()


def test_profile_counts_calls_and_bytes():
    x = tensor(np.ones(1000))
    with profile() as measured:
        for _ in range(3):
            x + x
        ops.exp(x)
    assert measured.calls == {"add": 3, "exp": 1}
    assert measured.nbytes["add"] == 3 * 8000
    assert "add" in str(measured)


def test_forward_mode_of_several_results():
    x, t = leaf([3.0, 4.0]), tensor([1.0, 0.0], "float64")
    value, tangent = jvp(lambda x: (x * x, x.sum()), [x], [t])
    assert [v.tolist() for v in value] == [[9, 16], 7]
    assert [v.tolist() for v in tangent] == [[6, 0], 1]


def test_backward_of_several_outputs_at_once():
    x = leaf([1.0, 2.0])
    backward([x.sum(), x * x], [None, [1.0, 10.0]])
    assert x.grad.tolist() == [3, 41]


# -- writes in place ----------------------------------------------------------------------


def test_a_view_follows_a_write_to_its_base():
    x = leaf([1.0, 2.0, 3.0]) * 1
    y = x[:2]
    x.mul_(3)
    assert y.tolist() == [3, 6]
    w = leaf([1.0, 2.0, 3.0])
    base = w * 1
    view = base[:2]
    base.add_(3)
    view.sum().backward()
    assert w.grad.tolist() == [1, 1, 0]


def test_a_base_and_other_views_follow_a_write_through_a_view():
    w, v = leaf(np.ones((2, 3))), leaf(np.full(3, 5.0))
    base = w * 2
    row, column = base[0], base[:, 1]
    row.copy_(v * v)
    (base.sum() + column.sum() * 10).backward()
    assert w.grad.tolist() == [[0, 0, 0], [2, 22, 2]]
    assert v.grad.tolist() == [10, 110, 10]


def test_writes_through_views_of_views():
    w = leaf(np.ones((2, 4)))
    base = w * 1
    part = base[1][1:3]
    part.mul_(7)
    base.sum().backward()
    assert w.grad.tolist() == [[1, 1, 1, 1], [1, 7, 7, 1]]


@pytest.mark.parametrize("index", [1, slice(0, 2), np.array([0, 2]), np.array([True, False, True])])
def test_assignment_has_gradients_on_both_sides(index):
    w = leaf([1.0, 2.0, 3.0])
    x = w * 2
    value = leaf(np.full(np.ones(3)[index].shape, 9.0))
    x[index] = value * 4
    (x * tensor([1.0, 10.0, 100.0], "float64")).sum().backward()
    weights = np.array([1.0, 10, 100])
    kept = weights * 2
    kept[index] = 0
    assert w.grad.tolist() == kept.tolist()
    np.testing.assert_array_equal(value.grad.numpy(), weights[index] * 4)


def test_a_constant_becomes_part_of_the_graph():
    x, v = tensor(np.zeros(3)), leaf([2.0])
    other = x[1:]
    x[1:2] = v * 3
    other.sum().backward()
    assert v.grad.tolist() == [3]


@pytest.mark.parametrize("spoil", [lambda y: y.add_(1), lambda y: y.detach().zero_()])
def test_overwritten_values_are_noticed(spoil):
    x = leaf([1.0, 2.0])
    y = x * 2
    z = ops.exp(y) + y * y
    spoil(y)
    with pytest.raises(VersionError, match=r"gradient of multiply.*(add_|zero_)"):
        z.sum().backward()


def test_an_overwritten_output_is_noticed():
    x = leaf([1.0])
    y = ops.tanh(x)
    y.mul_(2)
    with pytest.raises(VersionError, match=r"gradient of tanh.*mul_"):
        y.backward()


def test_values_that_no_rule_needs_may_be_overwritten():
    x = leaf([1.0])
    y = x + 1
    z = y + 1
    y.detach().mul_(5)
    z.backward()
    assert x.grad.tolist() == [1]


@pytest.mark.parametrize("target", [lambda x: x, lambda x: x[:1]])
def test_leaves_and_their_views_are_not_written(target):
    x = leaf([1.0, 2.0])
    part = target(x)
    with pytest.raises(InplaceError, match="leaf that requires gradients"):
        part.add_(1)
    with no_grad():
        part.add_(1)
    assert x.tolist()[0] == 2


def test_views_made_without_recording_are_not_written_with_it():
    base = leaf([1.0, 2.0]) * 1
    with no_grad():
        view = base[:1]
    with pytest.raises(InplaceError, match="made inside no_grad"):
        view.mul_(2)
