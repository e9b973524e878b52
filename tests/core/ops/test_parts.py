"""Parts along a dimension: what they view, where they end, and how they go back together."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.autograd import check_grads, grad, jvp
from rekindle.core.autograd.views import parent_of
from rekindle.core.creation import arange, tensor
from rekindle.core.errors import BoundsError, ShapeError, UseError

X = np.arange(30.0).reshape(5, 6)


@pytest.mark.parametrize(
    ("size", "axis", "ends"),
    [(2, 0, [2, 4]), (5, 0, []), (9, 0, []), ([1, 0, 4], 0, [1, 1]), (4, -1, [4]), ([6], 1, [])],
)
def test_split_cuts_views(size, axis, ends):
    x = tensor(X)
    parts = x.split(size, axis=axis)
    for part, expected in zip(parts, np.split(X, ends, axis), strict=True):
        np.testing.assert_array_equal(part.numpy(), expected)
        assert part.storage() is x.storage()
    np.testing.assert_array_equal(ops.concat(parts, axis=axis).numpy(), X)


@pytest.mark.parametrize(("n", "chunks", "lengths"), [(6, 3, [2, 2, 2]), (5, 4, [2, 2, 1])])
def test_chunk_makes_equal_parts_and_fewer_where_it_must(n, chunks, lengths):
    assert [part.size for part in arange(n).chunk(chunks)] == lengths


def test_nothing_is_cut_into_one_empty_part():
    x = tensor(np.zeros((2, 0)))
    assert [part.shape for part in x.split(3, axis=1)] == [(2, 0)]
    assert [part.shape for part in x.chunk(3, axis=1)] == [(2, 0)]


@pytest.mark.parametrize(
    ("cut", "error", "message"),
    [
        (lambda x: x.split(0), ShapeError, "at least 1 element; given 0"),
        (lambda x: x.split([2, 2]), ShapeError, r"lengths \[2, 2\] do not cut dimension 0"),
        (lambda x: x.split([6, -1]), ShapeError, r"lengths \[6, -1\]"),
        (lambda x: x.split(1, axis=2), BoundsError, "split: dimension 2 is not one of 2"),
        (lambda x: x.chunk(0), ShapeError, "at least 1 part; given 0"),
        (lambda x: x.unfold(0, 6, 1), ShapeError, "windows of 6 elements every 1 do not fit"),
        (lambda x: x.unfold(0, 2, 0), ShapeError, "every 0 do not fit"),
        (lambda x: x.unfold(0, 0, 1), ShapeError, "windows of 0 elements"),
        (lambda x: x.unfold(3, 1, 1), BoundsError, "unfold: dimension 3"),
        (lambda x: ops.overlap_add(x, 0, 2, 13), ShapeError, "5 windows of 6 elements every 2"),
        (lambda x: ops.overlap_add(x, 1, 2, 13), BoundsError, "overlap_add: dimension 1"),
    ],
)
def test_what_does_not_fit_is_refused(cut, error, message):
    with pytest.raises(error, match=message):
        cut(tensor(X))


def test_writes_into_a_part_reach_the_gradient_of_the_whole():
    x = tensor(X, requires_grad=True)
    whole = x * 1
    left, right = whole.chunk(2, axis=1)
    left.mul_(3)
    right.copy_(left)
    whole.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[6, 6, 6, 0, 0, 0]] * 5)


def test_windows_are_views_for_reading():
    x = tensor(X)
    windows = x.T.unfold(0, 3, 2)
    assert windows.shape == (2, 5, 3)
    assert windows.storage() is x.storage()
    np.testing.assert_array_equal(windows.numpy()[1], X[:, 2:5])
    with pytest.raises(UseError, match="read-only"):
        windows.fill_(0)


def test_overlapping_windows_add_their_gradients():
    x = tensor(np.zeros(7), requires_grad=True)
    x.unfold(0, 3, 2).sum().backward()
    assert x.grad.tolist() == [1, 1, 2, 1, 2, 1, 1]
    assert ops.overlap_add(tensor(np.ones((3, 3))), 0, 2, 8).tolist() == [1, 1, 2, 1, 2, 1, 1, 0]


CUTS = {"chunk": lambda x: x.chunk(3, axis=1), "split": lambda x: x.split([1, 0, 3, 2], axis=-1)}


@pytest.mark.parametrize("cut", CUTS)
def test_parts_share_one_gradient(cut):
    x = tensor(X, requires_grad=True)
    parts = CUTS[cut](x * 2.0)
    assert len({id(parent_of(p).parents[0]) for p in parts}) == 1
    sum(((k + 1) * p * p).sum() for k, p in enumerate(parts)).backward()
    weights = np.concatenate([np.full(p.shape, k + 1.0) for k, p in enumerate(parts)], 1)
    np.testing.assert_array_equal(x.grad.numpy(), 8 * weights * X)


def test_parts_that_are_not_used_have_gradients_of_zero():
    x = tensor(X.astype(np.float32), requires_grad=True)
    x.chunk(3, axis=1)[1].sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.repeat([[0, 0, 1, 1, 0, 0]], 5, 0))
    assert x.grad.dtype == np.float32


@pytest.mark.parametrize("cut", CUTS)
def test_parts_have_derivatives_of_both_kinds_and_twice(cut):
    def function(x):
        first, *_, last = CUTS[cut](x)
        return ops.sin(first).sum() * (last * last).sum() + last[..., :1].sum() ** 3

    check_grads(function, [tensor(X / 10)])
    direction = tensor(np.cos(X))
    x = tensor(X / 10, requires_grad=True)
    (g,) = grad(function(x), [x])
    slope = jvp(function, [tensor(X / 10)], [direction])[1]
    np.testing.assert_allclose(slope.item(), (g * direction).sum().item(), rtol=1e-12)


def test_gradients_of_parts_can_be_asked_for_and_seen():
    whole = tensor(X, requires_grad=True) * 1.0
    left, right = whole.chunk(2, axis=1)
    seen = []
    left.register_hook(seen.append)
    total = (left * 2.0).sum() + (right * 3.0).sum()
    g_right, g_whole = grad(total, [right, whole])
    assert (seen[0].numpy() == 2).all()
    assert (g_right.numpy() == 3).all()
    np.testing.assert_array_equal(g_whole.numpy(), np.repeat([[2, 2, 2, 3, 3, 3]], 5, 0))


def test_a_part_that_is_not_written_into_keeps_its_gradient():
    x = tensor(X, requires_grad=True)
    left, right = (x * 2.0).chunk(2, axis=1)
    left.mul_(3.0)
    (left.sum() + (right * right).sum()).backward()
    np.testing.assert_array_equal(
        x.grad.numpy(), np.concatenate([np.full((5, 3), 6.0), 8 * X[:, 3:]], 1)
    )
