"""Views and the memory they share: history follows recorded writes."""

import numpy as np
import pytest
from graphs import constant, leaf

from rekindle.core import ops
from rekindle.core.autograd import InplaceError, enable_grad, no_grad
from rekindle.core.creation import tensor
from rekindle.core.tensor import Tensor

WEIGHTS = np.array([1.0, 10.0, 100.0])


def test_a_view_follows_a_write_to_its_base():
    w = leaf([1.0, 2.0, 3.0])
    x = w * 1
    y = x[:2]
    x.mul_(3)
    assert y.tolist() == [3, 6]
    y.sum().backward()
    assert w.grad.tolist() == [3, 3, 0]


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


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x.reshape(6)[2:4],
        lambda x: x.T[1],
        lambda x: x.permute(1, 0)[::2],
        lambda x: x.unsqueeze(0)[0, :, 1:],
        lambda x: x.flatten()[:1],
        lambda x: x.narrow(1, 1, 2),
        lambda x: x.select(0, 1),
        lambda x: x.split(2, axis=1)[0],
        lambda x: x.chunk(2)[1],
        lambda x: x[...],
        lambda x: x.contiguous()[0],
        lambda x: ops.diagonal(x),
    ],
)
@pytest.mark.parametrize("layout", ["C", "F"])
def test_writes_through_every_kind_of_view(view, layout):
    w = Tensor(np.asarray(np.arange(6.0).reshape(2, 3), order=layout), requires_grad=True)
    x = w + 0
    assert x.array.flags[f"{layout}_CONTIGUOUS"]
    part = view(x)
    positions = view(tensor(np.arange(6).reshape(2, 3))).numpy().ravel()
    shared = np.shares_memory(part.numpy(), x.numpy())
    assert shared or layout == "F"  # to flatten is to copy there
    part.mul_(3)
    factors = np.ones(6)
    factors[positions] = 3 if shared else 1
    np.testing.assert_array_equal(x.numpy(), np.arange(6.0).reshape(2, 3) * factors.reshape(2, 3))
    weights = np.array([[1.0, 10, 100], [1000, 10000, 100000]])
    # The gradient arrives in the other layout than the memory has that was written.
    (x.T.contiguous() * constant(weights.T)).sum().backward()
    np.testing.assert_array_equal(w.grad.numpy(), weights * factors.reshape(2, 3))


def test_a_constant_becomes_part_of_the_graph():
    x, v = tensor(np.zeros(3)), leaf([2.0])
    other = x[1:]
    x[1:2] = v * 3
    assert x.requires_grad
    assert other.requires_grad
    other.sum().backward()
    assert v.grad.tolist() == [3]


def test_detach_shares_memory_and_version_but_no_history():
    x = leaf([1.0, 2.0])
    y = x * 2
    d = y.detach()
    assert not d.requires_grad
    d.mul_(5)
    assert y.tolist() == [10, 20]
    assert y.version == d.version == 1
    y.sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_a_detached_view_may_get_a_history_of_its_own():
    x, v = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = x * 2
    d = y.detach()
    d.mul_(v)
    d.sum().backward()
    assert v.grad.tolist() == [2, 4]
    assert x.grad is None


def test_views_made_without_recording_stay_without_history():
    base = leaf([1.0, 2.0]) * 1
    with no_grad():
        view = base[:1]
    assert not view.requires_grad
    with pytest.raises(InplaceError, match="made inside no_grad"):
        view.mul_(2)
    with no_grad():
        base.mul_(2)
    assert not view.requires_grad
    assert view.tolist() == [2]


def test_a_view_made_before_its_base_asked_for_gradients():
    base = constant([1.0, 2.0])
    view = base[:1]
    base.requires_grad_()
    assert not view.requires_grad
    (base * 3).sum().backward()
    assert base.grad.tolist() == [3, 3]


def test_views_of_memory_that_the_base_has_left():
    base, v = constant([1.0, 2.0, 3.0]), leaf([5.0])
    view = base[1:2]
    base.set_(constant([7.0, 8.0]))
    view.mul_(v)
    assert base.tolist() == [7, 8]
    assert not base.requires_grad
    view.backward()
    assert v.grad.tolist() == [2]


def test_set_counts_as_a_write():
    w = leaf([1.0, 2.0])
    y = (w * w).sum()
    w.set_(constant([5.0, 6.0]).detach())
    with pytest.raises(RuntimeError, match=r"gradient of multiply needs a value that set_ has"):
        y.backward()


def test_a_view_that_is_a_leaf_of_its_own():
    base = constant([1.0, 2.0, 3.0])
    x = base[:2].requires_grad_()
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4]
    assert not base.requires_grad


@pytest.mark.parametrize("target", [lambda x: x, lambda x: x[:1], lambda x: x[:1].reshape(1, 1)])
def test_leaves_and_their_views_are_not_written(target):
    x = leaf([1.0, 2.0])
    part = target(x)
    with pytest.raises(InplaceError, match="leaf that requires gradients"):
        part.add_(1)
    with no_grad():
        part.add_(1)
        with enable_grad(), pytest.raises(InplaceError, match="leaf"):
            part.add_(1)
    assert x.tolist()[0] == 2


def test_the_history_of_a_view_is_the_bases():
    w = leaf([1.0, 2.0, 3.0])
    x = w * 1
    first, second = x[:2], x[1:]
    first.mul_(2)
    second.mul_(3)
    first.add_(constant([0.5, 0.25]))
    assert x.tolist() == [2.5, 12.25, 9]
    (x * constant(WEIGHTS)).sum().backward()
    assert w.grad.tolist() == [2, 60, 300]
