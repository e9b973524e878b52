"""Convolution by oneDNN in float32 against the reference in float64."""

import itertools
import threading
from contextvars import copy_context

import numpy as np
import pytest

from rekindle.core.errors import ShapeError
from rekindle.core.kernels import convolution as kernels
from rekindle.core.kernels import dispatch
from rekindle.core.kernels.onednn import convolution as fast
from rekindle.core.kernels.onednn import following

GEOMETRIES = list(itertools.product((1, 2), (0, 1), (1, 2), (1, 2, 4), (1, 3)))
ONE = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}


def arrays(rng, *shapes):
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_convolution_and_its_gradients(ndim, onednn, layouts, rng):
    size = (7, 6, 5)[:ndim]
    lies = itertools.cycle(layouts.values())
    for k, (stride, padding, dilation, groups, width) in enumerate(GEOMETRIES):
        params = {"stride": (stride,) * ndim, "padding": (padding,) * ndim}
        params |= {"dilation": (dilation,) * ndim, "groups": groups}
        kernel, filters, channels = (width,) * ndim, 4 * (k % 3 + 1), 4 * (k % 2 + 1)
        x = rng.normal(size=(k % 3 + 1, channels, *size))
        w, b = rng.normal(size=(filters, channels // groups, *kernel)), rng.normal(size=filters)
        lie = next(lies)
        y = onednn.check(kernels.convolution, x, w, b, lie=lie, **params)
        assert y.strides[1] == y.itemsize, "the result is not channels-last"
        r = rng.normal(size=y.shape)
        onednn.check(kernels.convolution, x, w, None, r, lie=lie, rectify=True, **params)
        onednn.check(kernels.convolution_input_gradient, r, w, lie=lie, size=size, **params)
        onednn.check(kernels.convolution_weight_gradient, x, r, lie=lie, kernel=kernel, **params)


PLACES = [
    ((2, 3, 17, 17), (64, 3, 7, 7), 1, 2, 3),
    ((1, 64, 9, 9), (64, 64, 3, 3), 1, 1, 1),
    ((2, 64, 9, 9), (32, 64, 1, 1), 1, 2, 0),
    ((1, 32, 9, 9), (32, 1, 3, 3), 32, 1, 1),
    ((1, 6, 9, 9), (9, 2, 3, 3), 3, 1, 0),
    ((1, 5, 9), (7, 5, 3), 1, 1, 1),
    ((1, 4, 5, 6, 7), (8, 4, 2, 2, 2), 1, 1, 0),
]


@pytest.mark.parametrize(("x", "w", "groups", "stride", "padding"), PLACES)
@pytest.mark.parametrize("added", [False, True], ids=["", "added"])
def test_relu_keeps_nan_and_infinity(onednn, rng, x, w, groups, stride, padding, added):
    assert following.rectifies()
    n = len(x) - 2
    params = {"stride": (stride,) * n, "padding": (padding,) * n, "dilation": (1,) * n}
    x, w, b = arrays(rng, x, w, w[:1])
    w[-1] = b[-1] = 0  # results that are 0
    for value in np.nan, np.inf, -np.inf, 3e38, -3e38, 0.0:
        x[(0, 0, *(4,) * n)] = value
        plain = onednn(kernels.convolution, x, w, b, groups=groups, **params)
        residual = None
        if added:
            (residual,) = arrays(rng, plain.shape)
            residual.reshape(-1)[:4] = np.nan, np.inf, -np.inf, -0.0
            plain = onednn(kernels.convolution, x, w, b, residual, groups=groups, **params)
        given = (x, w, b, residual)
        found = onednn(kernels.convolution, *given, groups=groups, rectify=True, **params)
        expected = np.maximum(plain, 0)
        assert np.array_equal(found, expected, equal_nan=True)
        assert np.array_equal(np.signbit(found[found == 0]), np.signbit(expected[expected == 0]))


def test_relu_where_that_of_the_library_is_not_exact(onednn, rng, monkeypatch):
    monkeypatch.setattr(fast, "rectifies", lambda: False)
    x, w = arrays(rng, (2, 3, 5, 5), (4, 3, 3, 3))
    x[0, 0, 2, 2] = np.nan
    found = onednn(kernels.convolution, x, w, rectify=True, **ONE)
    expected = np.maximum(onednn(kernels.convolution, x, w, **ONE), 0)
    assert np.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize("planes", [8, 64])
@pytest.mark.parametrize("size", [(4, 4), (3,), (2, 3, 4), (1, 1)])
def test_one_window_as_large_as_the_image(onednn, layouts, rng, planes, size):
    g, w = rng.normal(size=(16, planes, *(1,) * len(size))), rng.normal(size=(planes, 96, *size))
    x = rng.normal(size=(16, 96, *size))
    params = {name: (1,) * len(size) for name in ("stride", "dilation")}
    params["padding"] = (0,) * len(size)
    for lie in layouts.values():
        y = onednn.check(kernels.convolution_input_gradient, g, w, lie=lie, size=size, **params)
        assert y.strides[1] == y.itemsize
        onednn.check(kernels.convolution_weight_gradient, x, g, lie=lie, kernel=size, **params)


def test_depthwise(onednn, rng):
    x, w = arrays(rng, (2, 32, 9, 9), (32, 1, 3, 3))
    y = onednn.check(kernels.convolution, x, w, groups=32, **ONE)
    onednn.check(kernels.convolution_input_gradient, y, w, size=(9, 9), groups=32, **ONE)
    onednn.check(kernels.convolution_weight_gradient, x, y, kernel=(3, 3), groups=32, **ONE)


def test_filters_that_are_a_view(onednn, rng):
    x, w = arrays(rng, (2, 4, 5, 5), (3, 3, 4, 6))
    onednn.check(kernels.convolution, x, np.moveaxis(w, (2, 3), (1, 0)), **ONE)


def test_nothing_is_written_into_the_operands(onednn, rng):
    given = arrays(rng, (2, 3, 5, 5), (4, 3, 3, 3), (4,), (2, 4, 3, 3))
    kept = [a.copy() for a in given]
    onednn(kernels.convolution, *given, rectify=True, **ONE)
    assert all(np.array_equal(a, b) for a, b in zip(given, kept, strict=True))


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_other_dtypes_are_left_to_the_reference(onednn, rng, dtype):
    x, w = (a.astype(dtype) for a in arrays(rng, (2, 3, 5, 5), (4, 3, 3, 3)))
    reason = f"dtype {np.dtype(dtype)}"
    before = dispatch.KERNELS["convolution"].declined[reason]
    assert kernels.convolution(np, x, w, **ONE).dtype == dtype
    assert dispatch.KERNELS["convolution"].declined[reason] == before + 1


def test_no_images(onednn, rng):
    x, w, g = arrays(rng, (0, 3, 5, 5), (4, 3, 3, 3), (0, 4, 3, 3))
    assert kernels.convolution(np, x, w, **ONE).shape == (0, 4, 3, 3)
    assert not kernels.convolution_weight_gradient(np, x, g, kernel=(3, 3), **ONE).any()


@pytest.mark.parametrize(
    "shapes",
    [
        [(1, 3, 5, 5), (4, 2, 3, 3)],
        [(1, 3, 2, 2), (4, 3, 3, 3)],
        [(1, 3, 5, 5), (4, 3, 3)],
        [(1, 3, 5, 5), (4, 3, 3, 3), (5,)],
        [(1, 3, 5, 5), (4, 3, 3, 3), (4,), (1, 4, 5, 5)],
    ],
)
def test_what_does_not_fit_is_reported_as_by_the_reference(onednn, rng, shapes):
    given = arrays(rng, *shapes)
    with pytest.raises(ShapeError) as expected:
        onednn.reference(kernels.convolution, *given, **ONE)
    with pytest.raises(ShapeError) as found:
        kernels.convolution(np, *given, **ONE)
    assert str(found.value) == str(expected.value)


def test_gradients_that_do_not_fit(onednn, rng):
    x, w, g = arrays(rng, (1, 3, 5, 5), (4, 3, 3, 3), (1, 4, 4, 4))
    with pytest.raises(ShapeError, match=r"g has shape \(1, 4, 4, 4\), expected \(1, 4, 3, 3\)"):
        kernels.convolution_input_gradient(np, g, w, size=(5, 5), **ONE)
    with pytest.raises(ShapeError, match=r"g has shape \(1, 4, 4, 4\), expected \(1, 4, 3, 3\)"):
        kernels.convolution_weight_gradient(np, x, g, kernel=(3, 3), **ONE)


def test_threads_compute_at_once(onednn, rng):
    x, w = arrays(rng, (4, 16, 20, 20), (16, 16, 3, 3))
    inputs = [x * k for k in range(1, 5)]
    expected = [onednn(kernels.convolution, a, w, **ONE) for a in inputs]
    wrong = []

    def work(k):
        found = [kernels.convolution(np, inputs[k], w, **ONE) for _ in range(20)]
        wrong.extend(y for y in found if not np.array_equal(y, expected[k]))

    threads = [threading.Thread(target=copy_context().run, args=(work, k)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_gradient_of_a_bias_over_many_pixels(onednn, rng):
    from rekindle.core import ops
    from rekindle.core.tensor import Tensor

    x, w = arrays(rng, (4, 8, 200, 200), (8, 8, 1, 1))
    bias = Tensor(np.zeros(8, np.float32), requires_grad=True)
    y = ops.convolution(Tensor(x), Tensor(w), bias)
    g = np.abs(rng.normal(size=y.shape)).astype(np.float32)
    y.backward(Tensor(np.moveaxis(np.ascontiguousarray(np.moveaxis(g, 1, -1)), -1, 1)))
    onednn.agrees(bias.grad.numpy(), g.astype(float).sum(axis=(0, 2, 3)), 2e-6)


def test_filters_of_one_element_with_strides_stay_inside_their_memory(rng, onednn, layouts):
    # oneDNN 3.2 wrote behind its memory for 8 planes, which ended the process sooner or later.
    x, g = rng.normal(size=(1, 8, 32, 32)), rng.normal(size=(1, 16, 16, 16))
    params = {"kernel": (1, 1), "stride": (2, 2), "padding": (0, 0), "dilation": (1, 1)}
    for _ in range(50):
        lie = layouts["channels last"]
        onednn.check(kernels.convolution_weight_gradient, x, g, lie=lie, **params)
