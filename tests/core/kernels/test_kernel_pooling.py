"""Pooling against Torch7's definition in plain loops, adjoints, and recorded Torch7 runs."""

import itertools

import numpy as np
import pytest

from rekindle.core.dtypes import DtypeError
from rekindle.core.errors import BoundsError, ShapeError
from rekindle.core.kernels import average_pooling
from rekindle.core.kernels import pooling as kernels

# input, kernel, stride, padding, dilation, ceil mode
WINDOWS = [
    ((2, 3, 9), (3,), (2,), (1,), (1,), False),
    ((2, 3, 8), (4,), (3,), (0,), (1,), True),
    ((2, 3, 7, 6), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((2, 3, 7, 6), (3, 2), (2, 1), (1, 0), (1, 2), False),
    ((2, 3, 7, 6), (3, 3), (2, 2), (1, 1), (1, 1), True),
    ((2, 3, 7, 8), (3, 3), (2, 2), (1, 1), (1, 2), True),
    ((1, 2, 5, 5), (1, 1), (3, 3), (0, 0), (1, 1), True),
    ((1, 2, 4, 4), (2, 4), (1, 3), (1, 2), (1, 1), True),
    ((1, 1, 17, 18), (16, 17), (1, 1), (8, 0), (1, 1), False),
    ((2, 2, 4, 5, 6), (2, 3, 2), (1, 2, 2), (1, 1, 0), (2, 1, 1), True),
    ((0, 3, 7, 6), (2, 2), (2, 2), (0, 0), (1, 1), False),
]


def windows_of(size, kernel, stride, padding, dilation, ceil_mode):
    """Return, per dimension, each window's positions before clipping (THNN's size rule)."""
    result = []
    for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True):
        exact = (n - (d * (k - 1) + 1) + 2 * p) / s
        count = int(np.ceil(exact) if ceil_mode else np.floor(exact)) + 1
        if any(padding) and (count - 1) * s >= n + p:
            count -= 1
        result.append([[i * s - p + t * d for t in range(k)] for i in range(count)])
    return result


def naive_max_pool(x, *window):
    per_axis = windows_of(x.shape[2:], *window)
    out = tuple(map(len, per_axis))
    values = np.full((*x.shape[:2], *out), -np.inf)
    indices = np.full(values.shape, -1)
    for n, c in np.ndindex(*x.shape[:2]):
        for place in np.ndindex(*out):
            window_axes = [axis[i] for axis, i in zip(per_axis, place, strict=True)]
            for position in itertools.product(*window_axes):
                inside = all(0 <= q < m for q, m in zip(position, x.shape[2:], strict=True))
                if inside and x[(n, c, *position)] > values[(n, c, *place)]:
                    values[(n, c, *place)] = x[(n, c, *position)]
                    indices[(n, c, *place)] = np.ravel_multi_index(position, x.shape[2:])
    return values, indices


def naive_avg_pool(x, *window, count_include_pad):
    per_axis = windows_of(x.shape[2:], *window)
    kernel, padding = window[0], window[2]
    out = tuple(map(len, per_axis))
    y = np.zeros((*x.shape[:2], *out))
    for place in np.ndindex(*out):
        total, count = [slice(None), slice(None)], 1
        for axis, i, n, k, p in zip(per_axis, place, x.shape[2:], kernel, padding, strict=True):
            start, stop = axis[i][0], min(axis[i][0] + k, n + p)
            inside = (max(start, 0), min(stop, n))
            count *= inside[1] - inside[0] if not count_include_pad else stop - start
            total.append(slice(inside[0], max(inside)))
        sums = x[tuple(total)].sum(axis=tuple(range(2, x.ndim)))
        y[(..., *place)] = sums / count if count else np.nan
    return y


def _params(window):
    return dict(zip(("kernel", "stride", "padding", "dilation", "ceil_mode"), window, strict=True))


@pytest.fixture(params=WINDOWS, ids=str)
def case(request):
    shape, *window = request.param
    return np.random.default_rng(3).normal(size=shape), window


def test_max_pool_is_the_definition(case, close):
    x, window = case
    values, indices = kernels.max_pool(np, x, **_params(window))
    expected, places = naive_max_pool(x, *window)
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(indices, places)
    assert indices.dtype == np.int64


def test_blocks_do_not_show(case, monkeypatch):
    x, window = case
    values, indices = kernels.max_pool(np, x, **_params(window))
    monkeypatch.setattr(kernels, "_BLOCK_BYTES", 1)
    again, places = kernels.max_pool(np, x, **_params(window))
    np.testing.assert_array_equal(again, values)
    np.testing.assert_array_equal(places, indices)


def test_first_of_equal_maxima_wins(case):
    x, window = case
    x = np.round(x).clip(-1, 1)
    values, indices = kernels.max_pool(np, x, **_params(window))
    expected, places = naive_max_pool(x, *window)
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(indices, places)


def test_max_pool_passes_over_nan_and_infinity(case):
    x, window = case
    draw = np.random.default_rng(4).random(x.shape)
    x = np.where(
        draw < 0.5, np.nan, np.where(draw < 0.7, -np.inf, np.where(draw > 0.95, np.inf, x))
    )
    values, indices = kernels.max_pool(np, x, **_params(window))
    expected, places = naive_max_pool(x, *window)
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(indices, places)


def test_large_windows_count_taps_beyond_a_byte():
    x = np.arange(800.0).reshape(1, 2, 20, 20)
    window = ((17, 18), (1, 2), (0, 0), (1, 1), False)
    values, indices = kernels.max_pool(np, x, **_params(window))
    np.testing.assert_array_equal(values, x[:, :, 16:, 17::2])
    np.testing.assert_array_equal(indices[0, 1], x[0, 0, 16:, 17::2])


def test_max_pool_gradient_goes_to_the_maxima(case, close):
    x, window = case
    values, indices = kernels.max_pool(np, x, **_params(window))
    g = np.random.default_rng(6).normal(size=values.shape)
    expected = np.zeros((*x.shape[:2], int(np.prod(x.shape[2:]))))
    for place in np.ndindex(*g.shape):
        if indices[place] >= 0:
            expected[(*place[:2], indices[place])] += g[place]
    close(kernels.max_pool_gradient(np, g, indices, size=x.shape[2:]), expected.reshape(x.shape))


@pytest.mark.parametrize("count_include_pad", [True, False])
def test_avg_pool_is_the_definition_and_its_gradient_the_adjoint(case, close, count_include_pad):
    x, (kernel, stride, padding, _, ceil_mode) = case
    params = {"kernel": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    params["count_include_pad"] = count_include_pad
    window = (kernel, stride, padding, (1,) * len(kernel), ceil_mode)
    y = average_pooling.avg_pool(np, x, **params)
    expected = naive_avg_pool(x, *window, count_include_pad=count_include_pad)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)
    g = np.random.default_rng(6).normal(size=y.shape)
    gx = average_pooling.avg_pool_gradient(np, g, size=x.shape[2:], **params)
    assert gx.shape == x.shape
    finite = np.isfinite(y)
    assert (x * gx).sum() == pytest.approx((y * g)[finite].sum(), rel=1e-10, abs=1e-10)


def test_windows_behind_the_image_follow_torch7():
    x = np.arange(1.0, 5.0).reshape(1, 1, 2, 2)
    params = {"kernel": (1, 1), "stride": (3, 3), "padding": (0, 0), "ceil_mode": True}
    values, indices = kernels.max_pool(np, x, dilation=(1, 1), **params)
    np.testing.assert_array_equal(values[0, 0], [[1, -np.inf], [-np.inf, -np.inf]])
    np.testing.assert_array_equal(indices[0, 0], [[0, -1], [-1, -1]])
    # The last window starts at 3 and ends at 2: a count of -1 divides a sum of 0.
    np.testing.assert_array_equal(average_pooling.avg_pool(np, x, **params)[0, 0], [[1, 0], [0, 0]])
    # It starts and ends at 2: nothing over nothing.
    params["stride"] = (2, 2)
    y = average_pooling.avg_pool(np, np.ones((1, 1, 2, 3)), **params)
    assert y.shape == (1, 1, 2, 2)
    np.testing.assert_array_equal(y[0, 0], [[1, 1], [np.nan, np.nan]])


def test_unpooling_puts_back_what_pooling_took(case, close):
    x, window = case
    values, indices = kernels.max_pool(np, x, **_params(window))
    if (indices < 0).any():
        with pytest.raises(BoundsError, match="max_unpool: indices run from 0"):
            kernels.max_unpool(np, values, indices, size=x.shape[2:])
        return
    back = kernels.max_unpool(np, values, indices, size=x.shape[2:])
    planes = (*x.shape[:2], int(np.prod(x.shape[2:])))
    places = indices.reshape(*x.shape[:2], int(np.prod(indices.shape[2:])))
    chosen = np.zeros(planes, bool)
    np.put_along_axis(chosen, places, True, axis=2)
    np.testing.assert_array_equal(back, np.where(chosen.reshape(x.shape), x, 0))
    g = np.random.default_rng(1).normal(size=x.shape)
    gradient = kernels.max_unpool_gradient(np, g, indices)
    for plane, row, got in zip(
        *(a.reshape(-1, a.shape[-1]) for a in (g.reshape(planes), places)),
        gradient.reshape(-1, places.shape[-1]),
        strict=True,
    ):
        last = {place: i for i, place in enumerate(row.tolist())}
        read = [plane[p] if last[p] == i else 0 for i, p in enumerate(row.tolist())]
        np.testing.assert_array_equal(got, read)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_keeps_the_dtype_and_takes_any_strides(case, close, dtype):
    x, window = case
    x = x.astype(dtype)
    image = np.asfortranarray(x)[..., ::-1]
    image.flags.writeable = False
    exact = np.ascontiguousarray(image).astype(np.float64)
    values, indices = kernels.max_pool(np, image, **_params(window))
    expected, places = kernels.max_pool(np, exact, **_params(window))
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(indices, places)
    assert values.dtype == dtype
    params = _params(window)
    del params["dilation"]
    y = average_pooling.avg_pool(np, image, **params)
    wanted = average_pooling.avg_pool(np, exact, **params)
    finite = np.isfinite(wanted)
    close(y[finite], wanted[finite], dtype)
    gx = average_pooling.avg_pool_gradient(np, y, size=x.shape[2:], **params)
    assert gx.dtype == dtype
    assert kernels.max_pool_gradient(np, values, indices, size=x.shape[2:]).dtype == dtype


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": (2, 3)}, "max_pool takes an input of shape"),
        ({"kernel": (2,)}, "kernel is 2 integers"),
        ({"kernel": (0, 2)}, "kernel is 2 integers .* each 1 or more"),
        ({"stride": (1, 0)}, "stride is 2 integers"),
        ({"padding": (2, 0)}, "padding is at most half the kernel size"),
        ({"padding": (-1, 0)}, "padding is 2 integers"),
        ({"dilation": (0, 1)}, "dilation is 2 integers"),
        ({"kernel": (6, 2)}, r"max_pool: an image of size \(5, 5\) .* too small"),
        ({"dilation": (1, 5)}, "too small"),
    ],
)
def test_says_what_does_not_fit(change, message):
    given = {"shape": (1, 2, 5, 5), "kernel": (2, 2), "stride": (2, 2), "padding": (0, 0)}
    given |= {"dilation": (1, 1)} | change
    with pytest.raises(ShapeError, match=message):
        kernels.max_pool(np, np.zeros(given.pop("shape")), **given)


def test_other_errors():
    x = np.zeros((1, 1, 4, 4))
    with pytest.raises(DtypeError, match="avg_pool takes floating arrays"):
        average_pooling.avg_pool(np, x.astype(int), kernel=(2, 2), stride=(2, 2), padding=(0, 0))
    with pytest.raises(ShapeError, match=r"indices has shape \(1, 1, 4, 3\)"):
        kernels.max_unpool(np, x, np.zeros((1, 1, 4, 3), int), size=(8, 8))
    with pytest.raises(BoundsError, match=r"indices run from -1 to 3; given 4 to 4"):
        kernels.max_pool_gradient(np, x, np.full(x.shape, 4), size=(2, 2))
    with pytest.raises(BoundsError, match=r"given -2 to -2"):
        kernels.max_pool_gradient(np, x, np.full(x.shape, -2), size=(2, 2))
    with pytest.raises(ShapeError, match="avg_pool_gradient: g has shape"):
        average_pooling.avg_pool_gradient(
            np, x, size=(9, 4), kernel=(1, 1), stride=(1, 1), padding=(0, 0)
        )


def _module_params(module, axes):
    stride = tuple(module.get(f"d{a}", 1) for a in axes)
    return {
        "kernel": tuple(module[f"k{a}"] for a in axes),
        "stride": stride,
        "padding": tuple(module.get(f"pad{a}", 0) for a in axes),
        "ceil_mode": bool(module.get("ceil_mode", False)),
    }


@pytest.mark.parametrize(
    "name",
    [
        *(f"SpatialMaxPooling__0{i}" for i in (2, 3, 4, 5, 6)),
        *(f"SpatialDilatedMaxPooling__0{i}" for i in (1, 2)),
    ],
)
def test_max_pooling_of_torch7(recorded, close, name):
    record = recorded(name, spatial=2)
    dilation = tuple(record.module.get(f"dilation{a}", 1) for a in "HW")
    params = _module_params(record.module, "HW")
    values, indices = kernels.max_pool(np, record.input, dilation=dilation, **params)
    close(values, record.output)
    np.testing.assert_array_equal(indices + 1, record.after["indices"].reshape(indices.shape))
    gradient = kernels.max_pool_gradient(
        np, record.gradOutput, indices, size=record.input.shape[2:]
    )
    close(gradient, record.gradInput)


@pytest.mark.parametrize(
    "name",
    [
        *(f"VolumetricMaxPooling__0{i}" for i in (1, 3)),
        *(f"VolumetricDilatedMaxPooling__0{i}" for i in (1, 2)),
    ],
)
def test_volumetric_max_pooling_of_torch7(recorded, close, name):
    record = recorded(name, spatial=3)
    dilation = tuple(record.module.get(f"dilation{a}", 1) for a in "THW")
    params = _module_params(record.module, "THW")
    values, indices = kernels.max_pool(np, record.input, dilation=dilation, **params)
    close(values, record.output)
    gradient = kernels.max_pool_gradient(
        np, record.gradOutput, indices, size=record.input.shape[2:]
    )
    close(gradient, record.gradInput)


@pytest.mark.parametrize("name", ["TemporalMaxPooling__01", "TemporalMaxPooling__02"])
def test_temporal_max_pooling_of_torch7(recorded, close, name):
    record = recorded(name, spatial=1)
    module, x = record.module, record.input.swapaxes(1, 2)
    values, indices = kernels.max_pool(
        np, x, kernel=(module["kW"],), stride=(module["dW"],), padding=(0,), dilation=(1,)
    )
    close(values.swapaxes(1, 2), record.output)
    # Torch7 keeps the place in the window here, from 0.
    inside = indices - np.arange(indices.shape[2]) * module["dW"]
    np.testing.assert_array_equal(
        inside.swapaxes(1, 2), record.after["indices"].reshape(record.output.shape)
    )


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        *((f"SpatialAveragePooling__0{i}", "HW") for i in (1, 2, 3, 6, 7)),
        *((f"VolumetricAveragePooling__0{i}", "THW") for i in (1, 2)),
    ],
)
def test_average_pooling_of_torch7(recorded, close, name, axes):
    record = recorded(name, spatial=len(axes))
    params = _module_params(record.module, axes)
    params["count_include_pad"] = bool(record.module.get("count_include_pad", True))
    close(average_pooling.avg_pool(np, record.input, **params), record.output)
    size = record.input.shape[2:]
    close(
        average_pooling.avg_pool_gradient(np, record.gradOutput, size=size, **params),
        record.gradInput,
    )


@pytest.mark.parametrize("name", ["SpatialMaxUnpooling__01", "SpatialMaxUnpooling__02"])
def test_max_unpooling_of_torch7(recorded, close, name):
    record = recorded(name, spatial=2)
    indices = record.after["indices"].reshape(record.input.shape) - 1
    size = record.output.shape[2:]
    close(kernels.max_unpool(np, record.input, indices, size=size), record.output)
    close(kernels.max_unpool_gradient(np, record.gradOutput, indices), record.gradInput)
