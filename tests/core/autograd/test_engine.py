"""The backward pass: what it computes, where it puts it, what it frees."""

import time
import weakref

import numpy as np
import pytest
from graphs import constant, leaf

from rekindle.core import ops
from rekindle.core.autograd import backward, enable_grad, grad
from rekindle.core.creation import ones, tensor


def test_gradients_add_up_in_place_in_the_same_tensor():
    x = leaf([1.0, 2.0])
    (x * 3).sum().backward()
    first, memory = x.grad, x.grad.array
    (x * x).sum().backward()
    assert x.grad is first
    assert x.grad.array is memory
    assert x.grad.tolist() == [5, 7]
    assert x.grad.version == 1


def test_gradients_of_gradients_add_up_in_place_too():
    x = leaf([2.0])
    x.grad = held = constant([1.0])
    (x * x * x).backward(create_graph=True)
    assert x.grad is held
    assert held.tolist() == [13]
    (second,) = grad(held, x)
    assert second.tolist() == [12]


def test_a_grad_that_is_part_of_a_larger_memory_stays_there():
    flat = tensor(np.zeros(5))
    x = leaf([1.0, 2.0])
    x.grad = flat[1:3]
    (x * 3).sum().backward()
    assert flat.tolist() == [0, 3, 3, 0, 0]


@pytest.mark.parametrize("create_graph", [False, True])
def test_leaves_never_share_the_memory_of_a_gradient(create_graph):
    given = ones(2, "float64")
    x, y, z = leaf([1.0, 2.0]), leaf([2.0, 3.0]), leaf([[4.0, 5.0]])
    (x + y + z.reshape(2)).backward(given, create_graph=create_graph)
    for t in (x, y, z):
        t.grad.detach().fill_(9)
        assert given.tolist() == [1, 1]
        assert [other.grad.numpy().max() for other in (x, y, z) if other is not t] == [1, 1]
        t.grad.detach().fill_(1)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_gradients_have_the_dtype_of_what_they_belong_to(dtype):
    x = tensor([1.0, 2.0], dtype, requires_grad=True)
    y = x * x
    seen = []
    y.register_hook(lambda g: seen.append(str(g.dtype)))
    (y * leaf([3.0, 4.0]) + y).sum().backward()
    assert seen == [dtype]
    assert x.grad.dtype == dtype
    assert x.grad.tolist() == [8, 20]


@pytest.mark.parametrize(
    ("a", "b"), [((3, 1), (4,)), ((), (2, 3)), ((1, 1), (2, 1)), ((2, 0), (1,)), ((), ())]
)
def test_broadcasting_is_undone(a, b):
    x, y = leaf(np.full(a, 2.0)), leaf(np.full(b, 5.0))
    z = x * y
    z.sum().backward()
    for t, other in ((x, 5.0), (y, 2.0)):
        assert t.grad.shape == t.shape
        times = z.size // t.size if t.size else 0
        np.testing.assert_array_equal(t.grad.numpy(), np.full(t.shape, other * times))


def test_grad_of_intermediate_results_touches_no_leaf():
    x = leaf([0.5])
    y = ops.exp(x)
    z = y * y
    (found,) = grad(z, y, [1.0])
    assert found.tolist() == pytest.approx([2 * np.exp(0.5)])
    assert x.grad is None


def test_grad_needs_nothing_that_lies_behind_its_inputs():
    x = leaf([0.5])
    y = ops.exp(x)
    z = y * y
    grad(y, x)  # uses up the graph behind y
    assert grad(z, y)[0].tolist() == pytest.approx([2 * np.exp(0.5)])


def test_only_the_needed_part_of_the_graph_is_walked():
    x, y = leaf([0.5]), leaf([2.0])
    behind = y * 3
    seen = []
    behind.register_hook(seen.append)
    grad(x * behind, x)
    assert seen == []


def test_unused_inputs():
    x, y = leaf([1.0]), leaf([1.0])
    assert grad(x * 2, [x, y], allow_unused=True)[1] is None


def test_into_chosen_inputs():
    x, y = leaf([2.0]), leaf([3.0])
    z = x * y
    backward(z * z, inputs=[x, z])
    assert (x.grad.tolist(), y.grad, z.grad.tolist()) == ([36], None, [12])


def test_backward_of_several_outputs_at_once():
    x = leaf([1.0, 2.0])
    backward([x.sum(), x * x], [None, [1.0, 10.0]])
    assert x.grad.tolist() == [3, 41]


def test_operations_with_several_outputs():
    x = leaf([3.0, 1.0, 2.0])
    values, positions = ops.sort(x)
    assert values.requires_grad
    assert not positions.requires_grad
    (values * constant([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [100, 1, 10]
    m = leaf([[2.0, 1.0], [1.0, 3.0]])
    q, _ = ops.qr(m)
    (q[0, 0] * 1).backward()  # nothing comes back from r
    assert np.isfinite(m.grad.numpy()).all()


def test_higher_orders():
    x = leaf([0.7])
    y = ops.sin(x)
    for expected in (np.cos(0.7), -np.sin(0.7), -np.cos(0.7), np.sin(0.7)):
        (y,) = grad(y, x, create_graph=True)
        assert y.tolist() == pytest.approx([expected])


def test_a_graph_is_used_once_unless_kept():
    x = leaf([2.0])
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [8]
    with pytest.raises(RuntimeError, match="second backward pass through multiply"):
        y.backward()


def test_what_saved_nothing_can_be_used_again():
    x = leaf([2.0])
    y = (x + 1).reshape(1, 1).sum()
    for _ in range(3):
        y.backward()
    assert x.grad.tolist() == [3]


def test_saved_values_are_freed_as_the_pass_goes():
    x = leaf(np.ones(10))
    y = ops.exp(x)
    z = ops.exp(y)
    arrays = [weakref.ref(t.array) for t in (y, z)]
    y.register_hook(lambda g: alive.append([a() is not None for a in arrays]))
    alive, root = [], (z * 1).sum()
    nodes = y, z
    del y, z
    nodes = [t.grad_fn for t in nodes]
    root.backward()
    assert alive == [[True, False]]
    assert all(n.saved is None for n in nodes)


def test_deep_graphs_and_their_end():
    x = leaf([1.0])
    y = x
    for k in range(100_000):
        y = y * 1.0 if k % 2 else y + 1
    y.backward()
    assert x.grad.tolist() == [1]
    del y


def test_deep_views_and_their_end():
    x = leaf([[1.0]])
    y = x * 1
    for _ in range(20_000):
        y = y.T
    (y * 3).backward()
    assert x.grad.tolist() == [[3]]
    del y


def test_deep_graphs_of_gradients():
    x = leaf([0.9])
    y = x
    for _ in range(2000):
        y = y * 1.0
    (g,) = grad(y * y, x, create_graph=True)
    (h,) = grad(g, x)
    assert (g.tolist(), h.tolist()) == ([1.8], [2])


def test_wide_graphs():
    x = leaf(np.ones(10_000))
    ops.concat([x[i : i + 1] * i for i in range(10_000)]).sum().backward()
    assert x.grad.tolist() == list(range(10_000))


def test_many_users_of_one_value():
    x = leaf([2.0])
    y = x * 3
    total = y
    for _ in range(10_000):
        total = total + y
    total.backward()
    assert x.grad.tolist() == [30_003]


def test_the_walk_takes_time_in_proportion():
    def seconds(n):
        y = leaf([1.0]) * 1
        for _ in range(n):
            y = y + y  # paths double, nodes do not
        start = time.process_time()
        y.backward()
        return time.process_time() - start

    assert seconds(900) < 1


def test_backward_inside_backward_a_hundred_deep():
    seen = []

    def nested(level):
        x = leaf([2.0])
        y = x * x

        def hook(g):
            if level < 100:
                seen.append(level)
                with enable_grad():
                    nested(level + 1)

        y.register_hook(hook)
        y.backward()
        assert x.grad.tolist() == [4]

    nested(0)
    assert seen == list(range(100))


def test_the_power_of_zero_has_a_slope():
    exponents, more = leaf([-1.0, 0.0, 1.0, 2.5]), leaf([-1.0, 0.0, 1.0, 2.5])
    with np.errstate(divide="ignore"):
        (constant([0.0] * 4) ** exponents).sum().backward()
        (0**more).sum().backward()
    assert exponents.grad.tolist() == more.grad.tolist() == [-np.inf, 0, 0, 0]  # as in PyTorch
