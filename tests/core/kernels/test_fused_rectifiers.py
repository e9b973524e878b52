"""relu and threshold by numba, and their gradients, against NumPy."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.creation import tensor
from rekindle.core.kernels import dispatch, using

CASES = [
    (ops.relu, {}),
    (ops.threshold, {"threshold": 0.5, "value": -2.0}),
    (ops.threshold, {"threshold": 0.0, "value": 0.0}),
]


@pytest.mark.parametrize("second", ["channels first", "channels last", "gaps"])
@pytest.mark.parametrize("first", ["channels first", "channels last", "turned"])
@pytest.mark.parametrize(("op", "params"), CASES)
def test_values_and_gradients(fused, rng, layouts, op, params, first, second):
    x = layouts[first](rng.normal(size=(4, 16, 9, 9)).astype(np.float32))
    g = layouts[second](rng.normal(size=x.shape).astype(np.float32))
    x[0, 0, 0, :3] = np.nan, np.inf, -np.inf
    kernel = dispatch.KERNELS[op.name + "_gradient"]
    before = kernel.calls
    results = []
    for which in ("fast", "reference"):
        leaf = tensor(0)
        leaf = type(leaf)._wrap(x).requires_grad_()
        with using(which):
            y = op(leaf, **params)
            y.backward(type(leaf)._wrap(g))
        results.append((y.detach().numpy(), leaf.grad.numpy()))
    assert kernel.calls == before + 1
    for found, expected in zip(*results, strict=True):
        assert np.array_equal(found, expected, equal_nan=True)
    assert results[0][0].strides == x.strides or first == "turned"
