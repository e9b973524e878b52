"""Writes in place: recorded as the operation, and noticed where a value was still needed."""

import numpy as np
import pytest
from graphs import constant, leaf

from rekindle.core import ops
from rekindle.core.autograd import VersionError, check_grads, detect_anomaly, no_grad
from rekindle.core.creation import tensor
from rekindle.core.dtypes import DtypeError
from rekindle.core.errors import ShapeError


@pytest.mark.parametrize("index", [1, slice(0, 2), np.array([0, 2]), np.array([True, False, True])])
def test_assignment_has_gradients_on_both_sides(index):
    w = leaf([1.0, 2.0, 3.0])
    x = w * 2
    value = leaf(np.full(np.ones(3)[index].shape, 9.0))
    x[index] = value * 4
    weights = np.array([1.0, 10, 100])
    (x * tensor(weights)).sum().backward()
    kept = weights * 2
    kept[index] = 0
    assert w.grad.tolist() == kept.tolist()
    np.testing.assert_array_equal(value.grad.numpy(), weights[index] * 4)


def test_assigned_values_broadcast():
    w, v = leaf(np.ones((2, 3))), leaf(2.0)
    x = w * 1
    x[1] = v
    (x * constant([[1.0, 2, 3], [4, 5, 6]])).sum().backward()
    assert w.grad.tolist() == [[1, 2, 3], [0, 0, 0]]
    assert v.grad.item() == 15


@pytest.mark.parametrize(
    ("write", "of_x", "of_v"),
    [
        (lambda x, v: x.add_(v), 1, 1),
        (lambda x, v: x.sub_(v), 1, -1),
        (lambda x, v: x.mul_(v), 4, 3),
        (lambda x, v: x.div_(v), 1 / 4, -3 / 16),
        (lambda x, v: x.copy_(v), 0, 1),
        (lambda x, v: x.mul_(x), 6, None),
        (lambda x, v: x.fill_(7.0), 0, None),
        (lambda x, v: x.zero_(), 0, None),
    ],
)
def test_methods(write, of_x, of_v):
    x, v = leaf([3.0]), leaf([4.0])
    y = x * 1
    assert write(y, v) is y
    assert y.requires_grad
    y.backward()
    for t, expected in ((x, of_x), (v, of_v)):
        assert (t.grad if t.grad is None else t.grad.item()) == expected


def test_operators():
    x = leaf([3.0])
    y = z = x * 1
    y += 2
    y *= x
    y -= x
    y /= 2
    assert y is z
    y.backward()
    assert x.grad.tolist() == [(3 + 3 + 2 - 1) / 2]


def test_derivatives_of_writes():
    def f(x, v):
        y = x * 1
        y[1:].mul_(v)
        y.T[0] += v[0] * v[1, 1]
        y[0, 1:] = ops.tanh(y[1, 1:])
        return y * y

    rng = np.random.default_rng(3)
    check_grads(f, [tensor(rng.normal(size=(3, 3))), tensor(rng.normal(size=(2, 3)))])


@pytest.mark.parametrize("spoil", [lambda y: y.add_(1), lambda y: y.detach().zero_()])
def test_overwritten_operands_are_noticed(spoil):
    x = leaf([1.0, 2.0])
    y = x * 2
    z = ops.exp(y) + y * y
    spoil(y)
    with pytest.raises(VersionError, match=r"gradient of multiply.*(add_|zero_)"):
        z.sum().backward()


def test_overwritten_outputs_are_noticed():
    y = ops.tanh(leaf([1.0]))
    y.mul_(2)
    with pytest.raises(VersionError, match=r"gradient of tanh.*mul_"):
        y.backward()


@pytest.mark.parametrize("how", ["the base", "a sibling", "a view of the view", "assignment"])
def test_writes_anywhere_in_shared_memory_are_noticed(how):
    base = leaf(np.ones(4)) * 1
    part = base[1:3]
    z = part * part
    if how == "the base":
        base.mul_(2)
    elif how == "a sibling":
        base[2:].mul_(2)
    elif how == "a view of the view":
        part[:1].mul_(2)
    else:
        base[0] = 5.0
    with pytest.raises(VersionError, match="gradient of multiply"):
        z.sum().backward()


def test_a_step_of_an_optimiser_between_forward_and_backward_is_noticed():
    w = leaf([1.0])
    y = ops.sin(w) * w
    with no_grad():
        w -= 0.1
    with pytest.raises(VersionError, match="__isub__"):
        y.backward()


def test_a_write_during_the_backward_pass_is_noticed():
    x = leaf([2.0])
    y = x * 1
    z = y * y
    w = z * 1
    w.register_hook(lambda g: y.detach().zero_() and None)
    with pytest.raises(VersionError, match="gradient of multiply"):
        w.backward()


def test_values_that_no_rule_needs_may_be_overwritten():
    x = leaf([1.0])
    y = x + 1
    z = y + 1
    y.detach().mul_(5)
    z.backward()
    assert x.grad.tolist() == [1]


def test_writes_before_a_value_is_saved_do_no_harm():
    x = leaf([1.0, 2.0])
    y = x * 2
    y.detach().add_(1)
    (y * y).sum().backward()
    assert x.grad.tolist() == [12, 20]


def test_dtype_and_shape_of_what_is_written_stay():
    x = tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    y.mul_(leaf([2.0, 3.0]))
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == [2, 3]
    with pytest.raises(ShapeError, match=r"add_ writes into shape \(2,\)"):
        y.add_(leaf([[1.0], [2.0]]))
    with pytest.raises(DtypeError, match="add_ writes into a tensor of int64"):
        tensor([1, 2]).add_(0.5)


def test_the_line_of_the_operation_is_told_under_detect_anomaly():
    with detect_anomaly():
        y = ops.exp(leaf([1.0]))  # here
    y.add_(1)
    with pytest.raises(VersionError, match=r"(?s)exp was called at.*test_inplace.*# here"):
        y.backward()
