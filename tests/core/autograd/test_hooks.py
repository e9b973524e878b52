"""Hooks on tensors and nodes, and gradients that intermediate results keep."""

import pytest
from graphs import constant, leaf

from rekindle.core import ops
from rekindle.core.autograd import enable_grad, grad
from rekindle.core.errors import RekindleError, UseError


def test_hooks_see_and_replace_gradients():
    x = leaf([1.0, 2.0])
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    handle = y.register_hook(lambda g: g * 10)
    y.sum().backward(retain_graph=True)
    assert seen == [[1, 1]]
    assert x.grad.tolist() == [20, 20]
    handle.remove()
    handle.remove()
    y.sum().backward()
    assert x.grad.tolist() == [22, 22]


def test_hooks_of_leaves_see_the_sum_once():
    x, seen = leaf([1.0]), []
    handle = x.register_hook(lambda g: seen.append(g.tolist()) or g + 1)
    (x * 2 + x * 3).backward()
    assert seen == [[5]]
    assert x.grad.tolist() == [6]
    assert grad(x * 7, x)[0].tolist() == [8]
    handle.remove()
    (x * 1).backward()
    assert x.grad.tolist() == [7]


def test_a_hook_that_removes_itself():
    x = leaf([1.0])
    y = x * 2
    seen = []

    def once(g):
        seen.append(1)
        handle.remove()

    handle = y.register_hook(once)
    y.register_hook(lambda g: seen.append(2))
    y.backward(retain_graph=True)
    y.backward()
    assert seen == [1, 2, 2]


def test_hooks_of_one_output_of_several():
    x, seen = leaf([3.0, 1.0]), []
    values, _ = ops.sort(x)
    values.register_hook(lambda g: seen.append(g.tolist()) or g * 2)
    (values * constant([1.0, 10.0])).sum().backward()
    assert seen == [[1, 10]]
    assert x.grad.tolist() == [20, 2]


def test_hooks_of_nodes():
    x, y, seen = leaf([1.0]), leaf([5.0]), []
    z = x * y + 1

    def hook(inputs, outputs):
        seen.append([g if g is None else g.tolist() for g in (*inputs, *outputs)])
        return inputs[0] * 100, None

    product = z.grad_fn.parents[0]
    assert product.name == "multiply"
    handle = product.register_hook(hook)
    z.backward(retain_graph=True)
    handle.remove()
    z.backward()
    assert seen == [[[5], [1], [1]]]
    assert (x.grad.tolist(), y.grad.tolist()) == ([505], [2])


def test_a_hook_of_a_node_with_several_outputs():
    x, seen = leaf([3.0, 1.0]), []
    values, _ = ops.sort(x)
    assert values.grad_fn.name == "sort"
    values.grad_fn.register_hook(lambda inputs, outputs: seen.append((inputs, outputs)))
    values[0].backward()
    ((inputs, outputs),) = seen
    assert [g.tolist() for g in inputs] == [[0, 1]]
    assert outputs[0].tolist() == [1, 0]
    assert outputs[1] is None


@pytest.mark.parametrize("returned", [(None,), [None, None], 3])
def test_a_hook_of_a_node_that_returns_nonsense(returned):
    y = leaf([1.0]) * leaf([2.0])
    y.grad_fn.register_hook(lambda inputs, outputs: returned)
    with pytest.raises(RekindleError, match="a hook of multiply returned"):
        y.backward()


def test_hooks_may_be_differentiated():
    x = leaf([2.0])
    y = x * x
    y.register_hook(lambda g: g * x)
    (g,) = grad(y, x, create_graph=True)
    assert g.tolist() == [8]
    assert grad(g, x)[0].tolist() == [8]


def test_hooks_do_not_record_unless_asked():
    x, recorded = leaf([2.0]), []
    y = x * x
    y.register_hook(lambda g: recorded.append((g * x).requires_grad))
    y.backward(retain_graph=True)
    y.backward(create_graph=True)
    assert recorded == [False, True]


def test_backward_inside_a_hook():
    x, inner = leaf([2.0]), leaf([3.0])

    def nested(g):
        with enable_grad():
            (inner * inner).backward()
        return g * inner.grad

    y = x * 1
    y.register_hook(nested)
    y.backward()
    assert x.grad.tolist() == [6]


def test_what_a_hook_holds_is_not_written_to():
    x, held = leaf([2.0]), []
    y = x * 3
    y.grad_fn.register_hook(lambda inputs, outputs: held.append(inputs[0]))
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [6]
    assert [g.tolist() for g in held] == [[3], [3]]


def test_retain_grad():
    x = leaf([1.0, 2.0])
    y = x * 2
    z = y + 0
    for t in (x, y, z, y):
        t.retain_grad()
    z.sum().backward(retain_graph=True)
    first = y.grad
    z.sum().backward()
    assert y.grad is first
    assert y.grad.tolist() == z.grad.tolist() == [2, 2]
    assert x.grad.tolist() == [4, 4]
    y.grad.fill_(9)
    assert z.grad.tolist() == [2, 2]


def test_kept_gradients_belong_to_what_the_tensor_is_now():
    x = leaf([1.0])
    y = x * 2
    y.retain_grad()
    y.mul_(10)
    y.backward()
    assert y.grad.tolist() == [1]


def test_a_kept_gradient_ends_with_its_tensor():
    x = leaf([1.0])
    y = x * 2
    y.retain_grad()
    z = y * 3
    del y
    z.backward()
    assert x.grad.tolist() == [6]


def test_hooks_need_gradients():
    for call in (lambda: constant(1.0).retain_grad(), lambda: constant(1.0).register_hook(print)):
        with pytest.raises(UseError, match="needs a tensor that requires gradients"):
            call()
