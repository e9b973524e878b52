"""Python's operators on tensors, numbers and arrays: results, promotion, in-place writes."""

import operator

import numpy as np
import pytest

from rekindle.core import dtypes, ops
from rekindle.core.creation import tensor
from rekindle.core.dtypes import DtypeError
from rekindle.core.errors import RekindleError, ShapeError
from rekindle.core.ops import OperandError
from rekindle.core.tensor import Tensor

ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]
COMPARISON = ["eq", "ne", "lt", "le", "gt", "ge"]
LOGIC = ["and_", "or_", "xor"]
X = np.array([[1.5, 2.0, 3.0], [4.0, 0.5, 6.0]])
Y = np.array([2.0, 2.0, 0.5])


def same(result, expected):
    assert isinstance(result, Tensor)
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result.numpy(), expected, strict=True)


@pytest.mark.parametrize("name", ARITHMETIC + COMPARISON)
@pytest.mark.parametrize(
    "other", [Y, Y.astype(np.float32), 2, 2.0, True, np.float32(2), np.int16(2), np.array(2.0)]
)
def test_both_sides(name, other):
    function = getattr(operator, name)
    same(function(tensor(X), other), np.asarray(function(X, other)))
    same(function(other, tensor(X)), np.asarray(function(other, X)))
    if isinstance(other, np.ndarray):
        same(function(tensor(X), tensor(other)), np.asarray(function(X, other)))


@pytest.mark.parametrize("name", LOGIC)
def test_logic(name):
    function = getattr(operator, name)
    a, b = np.array([5, 6, 7]), np.array([3, 3, 3])
    same(function(tensor(a), tensor(b)), function(a, b))
    same(function(tensor(a), 3), function(a, 3))
    same(function(3, tensor(a)), function(3, a))
    same(function(tensor(a > 5), b < 0), function(a > 5, b < 0))
    same(~tensor(a), ~a)
    same(~tensor(a > 5), a <= 5)


def test_matmul_and_unary():
    same(tensor(X) @ Y, X @ Y)
    same(X.T @ tensor(X), X.T @ X)
    same(-tensor(X), -X)
    same(abs(tensor(-X)), X)


def test_python_numbers_do_not_widen():
    for dtype in dtypes.FLOATING:
        x = tensor([1, 2], dtype)
        for result in (x + 1, 1 + x, x * 2.5, 2.5 / x, x**2, True + x, x > 0.1, -x):
            assert result.dtype in (dtype, dtypes.bool_)
    for dtype in (dtypes.uint8, dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64):
        assert (tensor([1, 2], dtype) + 1).dtype == dtype
        assert (tensor([1, 2], dtype) / 2).dtype.kind == "f"


PROMOTION = {  # the array API's table, for the dtypes that we have
    ("int8", "int16"): "int16",
    ("int8", "int64"): "int64",
    ("uint8", "int8"): "int16",
    ("uint8", "int16"): "int16",
    ("uint8", "int64"): "int64",
    ("int32", "int64"): "int64",
    ("float32", "float64"): "float64",
    ("float16", "float32"): "float32",
    ("bool", "bool"): "bool",
}


@pytest.mark.parametrize(("a", "b"), PROMOTION)
def test_promotion(a, b):
    x, y = tensor([1, 1], a), tensor([1, 1], b)
    assert (x * y).dtype == (y * x).dtype == PROMOTION[a, b]
    # Tensors of no dimension count in full; only Python's numbers do not.
    assert (x * y[0]).dtype == (x[0] * y).dtype == PROMOTION[a, b]


def test_comparison_with_what_is_no_operand():
    x = tensor([1.0])
    assert (x == None) is False  # noqa: E711
    assert (x != "text") is True
    assert x not in [None, "text"]
    for bad in (None, "text", object(), 1j):
        with pytest.raises(TypeError):
            x + bad
        with pytest.raises(TypeError):
            bad + x


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow"])
@pytest.mark.parametrize("other", [2.0, tensor(Y), Y])
def test_in_place(name, other):
    function = getattr(operator, name)
    x = tensor(X)
    view = x[1]
    expected = X.copy()
    expected = function(expected, np.asarray(other))
    same_x = function(x, other)
    assert same_x is x
    np.testing.assert_array_equal(x.numpy(), expected)
    np.testing.assert_array_equal(view.numpy(), expected[1])
    assert x.version == view.version == 1


@pytest.mark.parametrize("name", ["iand", "ior", "ixor"])
def test_logic_in_place(name):
    x = tensor([5, 6, 7])
    assert getattr(operator, name)(x, 3) is x
    assert x.tolist() == getattr(operator, name)(np.array([5, 6, 7]), 3).tolist()


def test_in_place_methods_return_the_tensor():
    x = tensor([1.0, 2.0])
    assert x.add_(1).mul_(2).sub_(1).div_(3) is x
    np.testing.assert_allclose(x.numpy(), [1, 5 / 3], rtol=1e-6)


def test_in_place_on_overlapping_memory():
    x = tensor([1.0, 2.0, 3.0, 4.0])
    x[1:] += x[:-1]
    assert x.tolist() == [1, 3, 5, 7]
    y = tensor([[1.0, 2.0], [3.0, 4.0]])
    y += y.T
    assert y.tolist() == [[2, 5], [5, 8]]


def test_in_place_keeps_the_dtype():
    x = tensor([1.0, 2.0], np.float32)
    x += tensor([0.5, 0.5], np.float64)
    assert (x.dtype, x.tolist()) == (np.float32, [1.5, 2.5])
    for target, value in [([1, 2], 0.5), ([True, False], 1.5), ([1, 2], tensor([0.5, 0.5]))]:
        x = tensor(target)
        with pytest.raises(DtypeError, match=f"writes into a tensor of {x.dtype}, but the result"):
            x += value
        assert x.tolist() == target


def test_in_place_keeps_the_shape():
    x = tensor([1.0, 2.0])
    with pytest.raises(ShapeError, match=r"add_ writes into shape \(2,\).* \(3, 2\)"):
        x.add_(tensor(np.ones((3, 2))))


@pytest.mark.parametrize(
    ("call", "builtin", "message"),
    [
        (lambda x: x + tensor(np.ones(5)), ValueError, r"add: .*\(2,3\) \(5,\)"),
        (lambda x: np.ones(5) + x, ValueError, "given float64 of shape"),
        (lambda x: x @ x, ValueError, "matmul: .*float64 of shape"),
        (lambda x: x & x, TypeError, "bitwise_and: .*float64"),
        (lambda x: -(x > 1), TypeError, "negative: "),
        (lambda x: x.sum(axis=2), ValueError, "sum: axis 2 is out of bounds"),
        (lambda x: x.reshape(4), ValueError, "reshape: cannot reshape"),
        (lambda x: x[2], IndexError, "getitem: index 2 is out of bounds"),
        (lambda x: x["name"], IndexError, "getitem: .*given float64 of shape"),
        (lambda x: x.add("text"), TypeError, "add takes tensors, arrays and numbers; given str"),
        (lambda x: x.add(np.array([1j])), TypeError, "complex128"),
        (lambda x: x.add(), TypeError, "add needs an operand y"),
        (lambda x: x.fill_("text"), ValueError, "fill_: could not convert"),
        (lambda x: x.copy_(np.ones(5)), ValueError, "copy_: could not broadcast"),
        (lambda x: x.__setitem__(7, 1), IndexError, "assignment: index 7"),
        (lambda x: x.sum(dim=1), TypeError, "sum: .*'dim'"),
    ],
)
def test_errors_name_the_operation_and_its_operands(call, builtin, message):
    with pytest.raises(RekindleError, match=message) as caught:
        call(tensor(X))
    assert isinstance(caught.value, builtin)


def test_clamp_needs_a_side():
    with pytest.raises(OperandError, match="a min, a max or both"):
        tensor(X).clamp()


def test_operands_by_name_and_lists():
    x, w, b = tensor(X), tensor(np.ones((2, 3))), np.array([1.0, 2.0])
    expected = X @ np.ones((3, 2))
    same(ops.linear(x, weight=w, bias=None), expected)
    same(ops.linear(x, bias=tensor(b), weight=w), expected + b)
    same(ops.add([1, 2], [3, 4]), np.array([4, 6]))
    with pytest.raises(OperandError, match="linear needs an operand weight"):
        ops.linear(x)


def test_writes_in_place_by_name():
    for name, params in [
        ("neg_", {}), ("abs_", {}), ("sqrt_", {}), ("exp_", {}), ("tanh_", {}), ("sigmoid_", {}),
        ("relu_", {}), ("floor_", {}), ("ceil_", {}), ("round_", {}), ("trunc_", {}),
        ("clamp_", {"min": 1.0, "max": 3.0}),
    ]:  # fmt: skip
        x = tensor(X)
        view = x[1]
        assert getattr(x, name)(**params) is x
        expected = getattr(tensor(X), name[:-1])(**params)
        np.testing.assert_array_equal(x.numpy(), expected.numpy())
        np.testing.assert_array_equal(view.numpy(), expected.numpy()[1])
        assert x.version == 1
    x = tensor(X)
    assert x.pow_(2) is x
    np.testing.assert_array_equal(x.numpy(), X**2)
    x = tensor(np.zeros(3))
    x.index_add_([0, 0, 2], tensor(np.array([1.0, 2, 4])), axis=0)
    x.scatter_add_([1, 1], tensor(np.array([8.0, 16])), axis=0)
    assert x.tolist() == [3, 24, 4]
    assert x.gather([2, 0], axis=0).tolist() == [4, 3]


def test_operands_that_may_be_left_out():
    x, w = tensor(np.ones((1, 2, 4))), tensor(np.full((3, 2, 2), 0.5))
    np.testing.assert_array_equal(ops.convolution(x, w).numpy(), np.full((1, 3, 3), 2.0))
    v = tensor(np.arange(3.0))
    np.testing.assert_array_equal(ops.linear(v, ops.stack([v, v])).numpy(), [5, 5])
    mean = ops.batch_norm_training(x)[0]
    np.testing.assert_array_equal(mean.numpy(), np.zeros((1, 2, 4)))


@pytest.mark.parametrize("given", [(), (3,), (tensor(1.0),)])
def test_operations_of_many_take_a_sequence(given):
    with pytest.raises(OperandError, match="stack takes a sequence of tensors; given"):
        ops.stack(*given)


def test_sequences_are_whatever_is_iterated_over():
    x = tensor([[1.0, 2.0], [3.0, 4.0]])
    for rows in (x, (row for row in x), [*x], tuple(x)):
        assert ops.stack(rows).tolist() == x.tolist()
