"""Activation functions against SciPy, and their conventions at the edges."""

import inspect
import math

import numpy as np
import pytest
from scipy import special

from rekindle.core import ops
from rekindle.core.creation import tensor
from rekindle.core.ops import OPERATIONS

X = np.concatenate([np.random.default_rng(3).normal(size=40) * 3, [0.0, -0.0, 30, -30, 900, -900]])

DEFINITIONS = [
    (ops.tanh, {}, np.tanh),
    (ops.sigmoid, {}, special.expit),
    (ops.relu, {}, lambda x: x * (x > 0)),
    (ops.threshold, {"threshold": 0.5, "value": -3.0}, lambda x: np.choose(x > 0.5, [-3.0, x])),
    (ops.leaky_relu, {"negative_slope": 0.2}, lambda x: np.maximum(x, 0.2 * x)),
    (ops.elu, {"alpha": 0.7}, lambda x: np.choose(x > 0, [0.7 * np.expm1(np.minimum(x, 0)), x])),
    (ops.softplus, {}, lambda x: np.logaddexp(0, x)),
    (ops.softplus, {"beta": 2.0}, lambda x: np.logaddexp(0, 2 * x) / 2),
    (
        ops.celu,
        {"alpha": 0.7},
        lambda x: np.choose(x > 0, [0.7 * np.expm1(np.minimum(x, 0) / 0.7), x]),
    ),
    (
        ops.selu,
        {},
        lambda x: (
            1.0507009873554805
            * np.choose(x > 0, [1.6732632423543773 * np.expm1(np.minimum(x, 0)), x])
        ),
    ),
    (ops.softsign, {}, lambda x: x / (1 + np.abs(x))),
    (ops.logsigmoid, {}, special.log_expit),
    (ops.silu, {}, lambda x: x * special.expit(x)),
    (ops.gelu, {}, lambda x: x * special.ndtr(x)),
    (
        ops.gelu,
        {"approximate": "tanh"},
        lambda x: x * special.expit(np.sqrt(8 / np.pi) * (x + 0.044715 * x**3)),
    ),
    (ops.mish, {}, lambda x: x * np.tanh(np.logaddexp(0, x))),
    (ops.hardswish, {}, lambda x: x * np.clip(x + 3, 0, 6) / 6),
    (ops.clamp, {"min": -0.5, "max": 0.7}, lambda x: np.clip(x, -0.5, 0.7)),
    (ops.hardtanh, {"min": -0.5, "max": 0.7}, lambda x: np.clip(x, -0.5, 0.7)),
    (ops.hardshrink, {"lambd": 0.5}, lambda x: x * (np.abs(x) > 0.5)),
    (ops.softshrink, {"lambd": 0.5}, lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0)),
]


def named(value):
    """Name an operation and its parameters; a function's text has its address in it."""
    return "definition" if inspect.isfunction(value) else str(value)


@pytest.mark.parametrize(("op", "params", "definition"), DEFINITIONS, ids=named)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_definition(op, params, definition, dtype):
    x = tensor(X, dtype)
    y = op(x, **params)
    assert y.dtype == x.dtype
    expected = definition(X)
    tolerance = 1e-12 if dtype == "float64" else 1e-6
    # softplus is x itself beyond its threshold, 20: 2e-9 from the exact value
    tolerance = max(tolerance, 3e-9 if op is ops.softplus else 0)
    np.testing.assert_allclose(y.numpy(), expected, rtol=tolerance, atol=tolerance)


def test_every_activation_has_a_definition_here():
    here = {op.name for op, _, _ in DEFINITIONS} | {"prelu"}
    modules = {op.forward.__module__ for op in (ops.relu, ops.gelu)}
    family = {n for n, op in OPERATIONS.items() if op.forward.__module__ in modules}
    assert family == here


def test_prelu_has_a_slope_for_each_plane():
    x = np.random.default_rng(1).normal(size=(2, 3, 4))
    slopes = np.array([0.1, 0.2, 0.3])
    y = ops.prelu(tensor(x), tensor(slopes[:, None])).numpy()
    for i, slope in enumerate(slopes):
        np.testing.assert_allclose(y[:, i], np.maximum(x[:, i], slope * x[:, i]), rtol=1e-15)


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (ops.relu, math.nan),
        (ops.clamp, math.nan),
        (ops.leaky_relu, math.nan),
        (ops.elu, math.nan),
        (ops.softplus, math.nan),
        (ops.celu, math.nan),
        (ops.selu, math.nan),
        (ops.softsign, math.nan),
        (ops.logsigmoid, math.nan),
        (ops.silu, math.nan),
        (ops.gelu, math.nan),
        (ops.mish, math.nan),
        (ops.hardswish, math.nan),
        (ops.threshold, 0.0),
        (ops.hardtanh, 1.0),
        (ops.hardshrink, 0.0),
        (ops.softshrink, 0.0),
    ],
)
def test_nan(op, expected):
    params = {"min": -1, "max": 1} if op is ops.clamp else {}
    np.testing.assert_equal(op(tensor([math.nan]), **params).item(), expected)


@pytest.mark.parametrize("op", [o for o, _, _ in DEFINITIONS], ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_slopes_far_out_are_those_of_a_line(op, dtype):
    near, far = (20.0, 60.0) if dtype == "float16" else (60.0, 900.0)
    x = tensor([-far, -near, near, far], dtype, requires_grad=True)
    params = {"min": -1, "max": 1} if op is ops.clamp else {}
    y = op(x, **params)
    y.sum().backward()
    slope = x.grad.numpy().astype(float)
    assert x.grad.dtype == dtype
    assert np.isfinite(slope).all()
    secants = np.diff(y.detach().numpy().astype(float))[[0, 2]] / (far - near)
    np.testing.assert_allclose(slope[[0, 3]], secants, atol=1e-3)
