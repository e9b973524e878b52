"""The convolution operations on tensors: biases, defaults, and one number for all dimensions."""

import numpy as np
import pytest
from scipy import signal
from transposes import assert_transposed

from rekindle.core import ops
from rekindle.core.creation import tensor
from rekindle.core.dtypes import DtypeError
from rekindle.core.errors import ShapeError


def drawn(*shapes):
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape) for shape in shapes]


def correlate(x, w):
    """Return the plain convolution, from SciPy's of single planes."""
    planes = [
        [
            sum(signal.correlate(i, f, "valid") for i, f in zip(image, filters, strict=True))
            for filters in w
        ]
        for image in x
    ]
    return np.array(planes)


@pytest.mark.parametrize("spatial", [1, 2, 3])
def test_convolution_agrees_with_scipy(spatial):
    x, w, b = drawn((2, 3, 7, 6, 5)[: spatial + 2], (4, 3, 3, 2, 4)[: spatial + 2], (4,))
    y = ops.convolution(tensor(x), tensor(w), tensor(b))
    expected = correlate(x, w)
    np.testing.assert_allclose(
        y.numpy(), expected + b.reshape(-1, *(1,) * spatial), rtol=1e-12, atol=1e-12
    )
    y = ops.convolution(tensor(x), tensor(w), None)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-12)


def test_transposed_convolution_agrees_with_scipy():
    x, w, b = drawn((2, 3, 5, 4), (3, 2, 3, 2), (2,))
    y = ops.transposed_convolution(tensor(x), tensor(w), tensor(b), stride=(2, 3))
    spread = np.zeros((2, 3, 9, 10))
    spread[:, :, ::2, ::3] = x
    expected = np.array(
        [
            [sum(signal.convolve(i, w[c, o]) for c, i in enumerate(image)) + b[o] for o in range(2)]
            for image in spread
        ]
    )
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-12)


def test_extra_size_only_adds_at_the_end():
    x, w = map(tensor, drawn((1, 2, 4, 4), (2, 3, 3, 3)))
    small = ops.transposed_convolution(x, w, None, stride=2, padding=1)
    large = ops.transposed_convolution(x, w, None, stride=2, padding=1, extra=(1, 0))
    assert large.shape == (1, 3, 8, 7)
    np.testing.assert_array_equal(large.numpy()[:, :, :7], small.numpy())
    with pytest.raises(ShapeError, match=r"extra .* smaller than the stride"):
        ops.transposed_convolution(x, w, None, stride=2, extra=2)


def test_one_number_serves_all_dimensions():
    x, w = map(tensor, drawn((1, 2, 8, 9), (2, 2, 3, 3)))
    one = ops.convolution(x, w, None, stride=2, padding=1, dilation=2)
    each = ops.convolution(x, w, None, stride=(2, 2), padding=(1, 1), dilation=(2, 2))
    np.testing.assert_array_equal(one.numpy(), each.numpy())


def test_operands_keep_their_values():
    arrays = drawn((1, 2, 4, 4), (2, 2, 1, 1), (2,))
    operands = [tensor(a) for a in arrays]
    ops.convolution(*operands).add_(1)
    ops.transposed_convolution(*operands).add_(1)
    for operand, array in zip(operands, arrays, strict=True):
        np.testing.assert_array_equal(operand.numpy(), array)


@pytest.mark.parametrize("op", [ops.convolution, ops.transposed_convolution])
def test_errors_name_the_problem(op):
    x, w = map(tensor, drawn((1, 2, 4, 4), (2, 2, 3, 3)))
    with pytest.raises(ShapeError, match="stride is 2 integers"):
        op(x, w, None, stride=(1, 1, 1))
    with pytest.raises(ShapeError, match=r"bias has shape \(1,\), expected \(2,\)"):
        op(x, w, tensor(np.zeros(1)))
    with pytest.raises(DtypeError, match="given float64, float32"):
        op(x, w, tensor(np.zeros(2), "float32"))
    with pytest.raises(ShapeError, match="input"):
        op(tensor(np.zeros((1, 5, 4, 4))), w, None)


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "params"),
    [
        ((2, 2, 5), (2, 2, 3), {}),
        ((1, 4, 5, 4), (2, 2, 3, 2), {"stride": (2, 1), "padding": (1, 0), "groups": 2}),
        ((1, 2, 6, 5), (1, 2, 2, 2), {"stride": 2, "padding": 1, "dilation": (3, 2)}),
        ((1, 1, 3, 4, 3), (2, 1, 2, 3, 1), {"padding": (0, 1, 0)}),
    ],
)
def test_gradients_are_transposes(x_shape, w_shape, params):
    x, w = map(tensor, drawn(x_shape, w_shape))
    assert_transposed(
        lambda x: ops.convolution(x, w, None, **params),
        lambda y: ops.convolution_input_gradient(y, w, size=x_shape[2:], **params),
        x_shape,
    )
    assert_transposed(
        lambda w: ops.convolution(x, w, None, **params),
        lambda y: ops.convolution_weight_gradient(x, y, kernel=w_shape[2:], **params),
        w_shape,
    )
