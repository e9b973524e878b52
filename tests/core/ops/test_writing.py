"""Writing: what an index spread adds, against a loop; what writes in place leave of gradients."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.autograd import grad, no_grad
from rekindle.core.autograd.errors import InplaceError
from rekindle.core.creation import tensor
from rekindle.core.errors import UseError
from rekindle.core.tensor import Tensor

SHAPE = (4, 5, 6)
MASK = np.random.default_rng(1).normal(size=(4, 5)) > 0
INDICES = [
    1,
    (slice(1, 4, 2), None, ..., -1),
    np.array([2, 2, -2, 0]),
    (np.array([[2, 2], [-1, 0]]),),
    np.array(3),
    np.zeros(0, int),
    [1, 1],
    (slice(None), [0, 0, 4]),
    ([0, 0], slice(1, 3), [1, 1]),
    (..., [[5], [5]]),
    MASK,
    (MASK, [1]),
    (MASK[:, 0], slice(None), [2] * MASK[:, 0].sum()),
    (None, [3, 3], 2),
]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_spread_adds_as_often_as_named(index):
    positions = np.arange(120).reshape(SHAPE)[index]
    x = np.random.default_rng(3).normal(size=positions.shape)
    expected = np.zeros(120)
    for place, value in zip(positions.ravel().tolist(), x.ravel().tolist(), strict=True):
        expected[place] += value
    spread = ops.index_spread(tensor(x), shape=SHAPE, index=index)
    np.testing.assert_allclose(spread.numpy(), expected.reshape(SHAPE), rtol=1e-15)


def test_float16_is_added_up_in_float32():
    rows = np.zeros(4096, int)
    x = tensor(np.ones((4096, 2)), "float16")
    assert ops.index_spread(x, shape=(1, 2), index=rows).tolist() == [[4096, 4096]]


def test_integers_stay_integers():
    spread = ops.index_spread(tensor([1, 2, 3], "int8"), shape=(2,), index=np.array([1, 1, 0]))
    assert (spread.tolist(), spread.dtype) == ([3, 3], "int8")


def test_rows_outside_are_refused():
    with pytest.raises(IndexError, match=r"index_spread: .*out of bounds"):
        ops.index_spread(tensor(np.ones((1, 2))), shape=(3, 2), index=np.array([3]))


def whole_writes():
    """Yield programs that overwrite all or part of y = 2 w, and the gradient of w that is left."""
    ones, none = np.ones(3), [0, 0, 0]
    yield "fill_", lambda y, w: y.fill_(3.0), none
    yield "zero_", lambda y, w: y.zero_(), none
    yield "copy_", lambda y, w: y.copy_(Tensor(ones)), none
    yield "assign all", lambda y, w: assign(y, ..., 1.0), none
    yield "assign slice", lambda y, w: assign(y, slice(None), 1.0), none
    yield "copy of w", lambda y, w: y.copy_(w), [1, 1, 1]
    yield "a number of w", lambda y, w: y.fill_(w[0]), [3, 0, 0]
    yield "part", lambda y, w: (y[:2].fill_(1.0), y)[1], [0, 0, 2]
    yield "a view of all", lambda y, w: (y[:].zero_(), y)[1], none
    yield "through a view, read there", lambda y, w: y[:2].zero_(), none
    yield "copied into a view, read there", lambda y, w: y[:2].copy_(Tensor(ones[:2])), none
    yield "a view, its base written", view_of_a_written_base, none
    yield "a view of a view", lambda y, w: (y[1:][:1].fill_(5.0), y)[1], [2, 0, 2]


def assign(y, index, value):
    y[index] = value
    return y


def view_of_a_written_base(y, w):
    part = y[:2]
    y.zero_()
    return part


@pytest.mark.parametrize(
    ("program", "expected"), [pytest.param(*rest, id=name) for name, *rest in whole_writes()]
)
def test_what_a_write_leaves_of_the_gradient(program, expected):
    # Zeros and not None where all is overwritten: y was computed from w. PyTorch 2.13 says so too.
    w = Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)
    result = program(w * 2, w)
    assert result.requires_grad
    (g,) = grad(result.sum(), w)
    np.testing.assert_array_equal(g.numpy(), expected)


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize(
    ("index", "shape"), [(0, (1, 3)), ((0, 1), (1,)), ((0, 1), (1, 1)), ([0, 2], (1, 2, 3))]
)
def test_assigned_values_may_have_leading_ones(recorded, index, shape):
    x = np.zeros((3, 3))
    values = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    expected = x.copy()
    expected[index] = values.reshape(np.shape(x[index]))
    y, v = tensor(x), tensor(values)
    if recorded:
        v.requires_grad = True
    y[index] = v
    np.testing.assert_array_equal(y.detach().numpy(), expected)
    if recorded:
        (y * y).sum().backward()
        np.testing.assert_array_equal(v.grad.numpy(), 2 * values)


def test_only_writes_that_gradients_pass_are_checked():
    constant = tensor(np.ones(3))
    w = Tensor(np.ones(3), requires_grad=True)
    with no_grad():
        free, bound = constant[1:], w[1:]
    free.mul_(2.0)
    free[0] = 5.0
    assert constant.tolist() == [1, 5, 2]
    for write in (lambda: bound.mul_(2.0), lambda: bound.fill_(2.0), lambda: assign(bound, 0, 2.0)):
        with pytest.raises(InplaceError, match="view that was made inside no_grad"):
            write()
    assert w.tolist() == [1, 1, 1]


def test_read_only_memory_says_so():
    fixed = Tensor(np.frombuffer(np.ones(3).tobytes()))
    windows = tensor(np.ones(4)).unfold(0, 2, 1)
    for x in (fixed, windows):
        for write in (lambda x: x.add_(1.0), lambda x: x.zero_(), lambda x: assign(x, 0, 2.0)):
            with pytest.raises(UseError, match="writes into memory that is read-only"):
                write(x)
        assert x.version == 0


def test_empty_results_can_be_written_to():
    empty = ops.exp(tensor(np.zeros((0, 3, 3))))  # NumPy gives it strides of 0
    assert empty.zero_().shape == (0, 3, 3)
