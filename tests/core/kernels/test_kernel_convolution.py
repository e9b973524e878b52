"""Convolution against its definition, SciPy, the adjoint identity, and recorded Torch7 runs."""

import itertools

import numpy as np
import pytest
import scipy.signal

from rekindle.core.dtypes import DtypeError
from rekindle.core.errors import ShapeError
from rekindle.core.kernels import convolution as kernels
from rekindle.core.kernels.windows import transposed_size

# input, filters, stride, padding, dilation, groups
CASES = [
    ((2, 3, 9), (4, 3, 3), (1,), (0,), (1,), 1),
    ((2, 4, 10), (6, 2, 4), (3,), (2,), (2,), 2),
    ((1, 1, 1, 1), (1, 1, 1, 1), (1, 1), (0, 0), (1, 1), 1),
    ((2, 3, 5, 6), (4, 3, 1, 1), (1, 1), (0, 0), (1, 1), 1),
    ((2, 4, 5, 6), (6, 2, 1, 1), (2, 3), (0, 1), (1, 1), 2),
    ((2, 3, 5, 6), (4, 3, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    ((3, 2, 8, 7), (5, 2, 3, 2), (2, 1), (0, 2), (1, 3), 1),
    ((2, 6, 7, 9), (9, 2, 2, 5), (3, 2), (1, 0), (2, 1), 3),
    ((2, 4, 6, 5), (8, 1, 3, 3), (1, 2), (1, 1), (1, 1), 4),
    ((2, 4, 6, 5), (4, 1, 3, 2), (2, 1), (2, 0), (1, 2), 4),
    ((1, 2, 3, 3), (2, 2, 5, 5), (4, 4), (2, 2), (1, 1), 1),
    ((2, 2, 4, 5, 6), (3, 2, 2, 3, 1), (1, 2, 1), (1, 0, 2), (2, 1, 1), 1),
    ((1, 4, 5, 4, 4), (4, 2, 3, 2, 2), (2, 1, 2), (0, 1, 1), (1, 2, 1), 2),
    ((0, 3, 5, 6), (4, 3, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    ((0, 3, 5, 6), (4, 3, 1, 1), (1, 1), (0, 0), (1, 1), 1),
    ((2, 0, 5, 6), (4, 0, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    ((2, 3, 5, 6), (0, 3, 3, 3), (1, 1), (1, 1), (1, 1), 1),
]


def naive_convolution(x, w, stride, padding, dilation, groups):
    """Follow the definition, one output element at a time."""
    x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    kernel = w.shape[2:]
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    out = [(n - r) // s + 1 for n, r, s in zip(x.shape[2:], reach, stride, strict=True)]
    y = np.zeros((x.shape[0], w.shape[0], *out))
    per_group, channels = w.shape[0] // groups, w.shape[1]
    for n, o in itertools.product(range(x.shape[0]), range(w.shape[0])):
        first = o // per_group * channels
        for place in np.ndindex(*out):
            window = tuple(
                slice(i * s, i * s + r, d)
                for i, s, r, d in zip(place, stride, reach, dilation, strict=True)
            )
            y[(n, o, *place)] = (x[(n, slice(first, first + channels), *window)] * w[o]).sum()
    return y


@pytest.fixture(params=CASES, ids=str)
def case(request):
    shape, filters, stride, padding, dilation, groups = request.param
    rng = np.random.default_rng(7)
    params = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return rng.normal(size=shape), rng.normal(size=filters), params


def test_forward_is_the_definition(case, close):
    x, w, params = case
    close(kernels.convolution(np, x, w, **params), naive_convolution(x, w, *params.values()))


def test_gradients_are_the_adjoints(case):
    x, w, params = case
    y = kernels.convolution(np, x, w, **params)
    g = np.random.default_rng(8).normal(size=y.shape)
    gx = kernels.convolution_input_gradient(np, g, w, size=x.shape[2:], **params)
    gw = kernels.convolution_weight_gradient(np, x, g, kernel=w.shape[2:], **params)
    assert gx.shape == x.shape
    assert gw.shape == w.shape
    # Convolution is linear in x and in w: <conv(x, w), g> = <x, gx> = <w, gw>, for any x and w.
    for v in (x, np.ones_like(x)):
        dot = (kernels.convolution(np, v, w, **params) * g).sum()
        assert (v * gx).sum() == pytest.approx(dot, rel=1e-10, abs=1e-10)
    for v in (w, np.ones_like(w)):
        dot = (kernels.convolution(np, x, v, **params) * g).sum()
        assert (v * gw).sum() == pytest.approx(dot, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("columns", [1, 900, 5000])
def test_pieces_do_not_show(case, close, columns, monkeypatch):
    x, w, params = case
    y = kernels.convolution(np, x, w, **params)
    gx = kernels.convolution_input_gradient(np, y, w, size=x.shape[2:], **params)
    gw = kernels.convolution_weight_gradient(np, x, y, kernel=w.shape[2:], **params)
    monkeypatch.setattr(kernels, "_COLUMN_BYTES", columns)
    close(kernels.convolution(np, x, w, **params), y)
    close(kernels.convolution_input_gradient(np, y, w, size=x.shape[2:], **params), gx)
    close(kernels.convolution_weight_gradient(np, x, y, kernel=w.shape[2:], **params), gw)


def test_single_channel_agrees_with_scipy(close):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(31, 17)), rng.normal(size=(6, 5))
    ones = {"stride": (1, 1), "dilation": (1, 1)}
    valid = kernels.convolution(np, x[None, None], w[None, None], padding=(0, 0), **ones)
    close(valid[0, 0], scipy.signal.correlate(x, w, mode="valid"))
    full = kernels.convolution(np, x[None, None], w[None, None], padding=(5, 4), **ones)
    close(full[0, 0], scipy.signal.correlate(x, w, mode="full")[: full.shape[2], : full.shape[3]])
    transposed = kernels.convolution_input_gradient(
        np, x[None, None], w[None, None], size=(36, 21), padding=(0, 0), **ones
    )
    close(transposed[0, 0], scipy.signal.convolve(x, w, mode="full"))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_keeps_the_dtype(case, close, dtype):
    x, w, params = case
    y = kernels.convolution(np, x.astype(dtype), w.astype(dtype), **params)
    exact_x, exact_w = x.astype(dtype).astype(float), w.astype(dtype).astype(float)
    exact = kernels.convolution(np, exact_x, exact_w, **params)
    close(y, exact, dtype)
    g = exact.astype(dtype)
    gx = kernels.convolution_input_gradient(np, g, w.astype(dtype), size=x.shape[2:], **params)
    assert gx.dtype == dtype
    gw = kernels.convolution_weight_gradient(np, x.astype(dtype), g, kernel=w.shape[2:], **params)
    assert gw.dtype == dtype


def test_any_strides_and_no_operand_is_written(case, close):
    x, w, params = case
    expected = kernels.convolution(np, x, w, **params)
    last = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]))[..., ::-2]
    wide[...] = x
    filters = np.asfortranarray(w)
    for image in (last, wide):
        image.flags.writeable = filters.flags.writeable = False
        close(kernels.convolution(np, image, filters, **params), expected)
        y = np.asfortranarray(expected)
        y.flags.writeable = False
        close(
            kernels.convolution_input_gradient(np, y, filters, size=x.shape[2:], **params),
            kernels.convolution_input_gradient(np, expected, w, size=x.shape[2:], **params),
        )
        close(
            kernels.convolution_weight_gradient(np, image, y, kernel=w.shape[2:], **params),
            kernels.convolution_weight_gradient(np, x, expected, kernel=w.shape[2:], **params),
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": (2, 3)}, r"convolution takes an input of shape \(N, C, \*spatial\)"),
        ({"w": (4, 3, 3)}, "filters of as many dimensions"),
        ({"w": (4, 2, 3, 3)}, "need 2 input channels"),
        ({"groups": 2}, "need 6 input channels"),
        ({"groups": 0}, "with 0 groups"),
        ({"w": (4, 1, 3, 3), "groups": 3}, "number of filters divisible"),
        ({"stride": (1,)}, "stride is 2 integers"),
        ({"stride": (0, 1)}, "stride is 2 integers .* each 1 or more"),
        ({"padding": (0, -1)}, "padding is 2 integers .* each 0 or more"),
        ({"dilation": (1, 0)}, "dilation is 2 integers"),
        ({"w": (4, 3, 9, 3)}, "too small for a kernel of size"),
        ({"w": (4, 3, 0, 3)}, "kernel is 2 integers"),
    ],
)
def test_says_what_does_not_fit(change, message):
    given = {"x": (2, 3, 8, 8), "w": (4, 3, 3, 3), "stride": (1, 1), "padding": (0, 0)}
    given |= {"dilation": (1, 1), "groups": 1} | change
    x, w = np.zeros(given.pop("x")), np.zeros(given.pop("w"))
    with pytest.raises(ShapeError, match=message):
        kernels.convolution(np, x, w, **given)


def test_gradients_say_what_does_not_fit():
    x, w, g = np.zeros((2, 3, 8, 8)), np.zeros((4, 3, 3, 3)), np.zeros((2, 4, 6, 6))
    params = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}
    with pytest.raises(ShapeError, match=r"g has shape \(2, 4, 6, 6\), expected \(2, 4, 7, 6\)"):
        kernels.convolution_input_gradient(np, g, w, size=(9, 8), **params)
    with pytest.raises(ShapeError, match="size is 2 integers"):
        kernels.convolution_input_gradient(np, g, w, size=(8,), **params)
    with pytest.raises(ShapeError, match="convolution_weight_gradient: g has shape"):
        kernels.convolution_weight_gradient(np, x, g, kernel=(2, 3), **params)
    with pytest.raises(ShapeError, match="with 0 groups"):
        kernels.convolution_weight_gradient(np, x, g, kernel=(3, 3), **params | {"groups": 0})


def test_takes_floats_of_one_dtype():
    params = {"stride": (1,), "padding": (0,), "dilation": (1,)}
    x, w = np.zeros((1, 1, 4)), np.zeros((1, 1, 2))
    with pytest.raises(DtypeError, match="given float64, float32"):
        kernels.convolution(np, x, w.astype(np.float32), **params)
    with pytest.raises(DtypeError, match="given int64, int64"):
        kernels.convolution(np, x.astype(np.int64), w.astype(np.int64), **params)


def _axes(names, module, prefix, missing=0):
    return tuple(module.get(f"{prefix}{name}", missing) for name in names)


def _params(module, names):
    return {
        "stride": _axes(names, module, "d", 1),
        "padding": _axes(names, module, "pad"),
        "dilation": _axes(names, module, "dilation", 1),
    }


def _grad_weight(record):
    index = 1 if record.gradParams[1].ndim > 1 else 2
    return record.gradParams[index]


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        *((f"SpatialConvolution__0{i}", "HW") for i in (1, 3, 4, 5, 6, 8)),
        *((f"SpatialConvolutionMM__0{i}", "HW") for i in (1, 3, 4)),
        *((f"SpatialDilatedConvolution__0{i}", "HW") for i in (2, 3, 4)),
        *((f"VolumetricConvolution__0{i}", "THW") for i in (1, 3, 4)),
        *((f"VolumetricDilatedConvolution__0{i}", "THW") for i in (1, 2)),
    ],
)
def test_convolution_of_torch7(recorded, close, name, axes):
    record = recorded(name, spatial=len(axes))
    module, x, g = record.module, record.input, record.gradOutput
    params = _params(module, axes)
    kernel = _axes(axes, module, "k")
    weight = module["weight"].reshape(module["nOutputPlane"], module["nInputPlane"], *kernel)
    y = kernels.convolution(np, x, weight, **params)
    bias = module.get("bias")
    close(y if bias is None else y + bias.reshape(-1, *(1,) * len(axes)), record.output)
    close(
        kernels.convolution_input_gradient(np, g, weight, size=x.shape[2:], **params),
        record.gradInput,
    )
    close(
        kernels.convolution_weight_gradient(np, x, g, kernel=kernel, **params),
        _grad_weight(record).reshape(weight.shape),
    )


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        *((f"SpatialFullConvolution__0{i}", "HW") for i in (1, 3, 4)),
        *((f"VolumetricFullConvolution__0{i}", "THW") for i in (1, 2)),
    ],
)
def test_full_convolution_of_torch7(recorded, close, name, axes):
    record = recorded(name, spatial=len(axes))
    module, x, g = record.module, record.input, record.gradOutput
    params = _params(module, axes)
    kernel, extra = _axes(axes, module, "k"), _axes(axes, module, "adj")
    size = transposed_size("full", x.shape[2:], kernel, *params.values(), extra)
    y = kernels.convolution_input_gradient(np, x, module["weight"], size=size, **params)
    bias = module.get("bias")
    close(y if bias is None else y + bias.reshape(-1, *(1,) * len(axes)), record.output)
    close(kernels.convolution(np, g, module["weight"], **params), record.gradInput)
    close(
        kernels.convolution_weight_gradient(np, g, x, kernel=kernel, **params),
        _grad_weight(record),
    )


@pytest.mark.parametrize("name", [f"SpatialDepthWiseConvolution__0{i}" for i in (1, 2, 4)])
def test_depthwise_convolution_of_torch7(recorded, close, name):
    record = recorded(name, spatial=2)
    module, x, g = record.module, record.input, record.gradOutput
    params = _params(module, "HW") | {"groups": module["nInputPlane"]}
    # Torch7 orders filters as (multiplier, channel), but outputs as (channel, multiplier).
    window = (module["kH"], module["kW"])
    weight = module["weight"].reshape(-1, module["nInputPlane"], *window)
    weight = weight.swapaxes(0, 1).reshape(-1, 1, *window)
    y = kernels.convolution(np, x, weight, **params)
    bias = module.get("bias")
    close(y if bias is None else y + bias.T.reshape(-1, 1, 1), record.output)
    close(
        kernels.convolution_input_gradient(np, g, weight, size=x.shape[2:], **params),
        record.gradInput,
    )


@pytest.mark.parametrize("name", [f"TemporalConvolution__0{i}" for i in (1, 2, 3)])
def test_temporal_convolution_of_torch7(recorded, close, name):
    record = recorded(name, spatial=1)
    module, x = record.module, record.input.swapaxes(1, 2)
    planes, width = module["inputFrameSize"], module["kW"]
    weight = module["weight"].reshape(-1, width, planes).swapaxes(1, 2)
    y = kernels.convolution(np, x, weight, stride=(module["dW"],), padding=(0,), dilation=(1,))
    close((y + module["bias"][:, None]).swapaxes(1, 2), record.output)
