"""Derivative rules in single and half precision: the dtype stays, in both directions."""

import numpy as np
import pytest

from rekindle.core.autograd.parts import Parts
from rekindle.core.ops import OPERATIONS
from rekindle.core.tensor import Tensor


def floating(value):
    return hasattr(value, "dtype") and value.dtype.kind == "f"


def ones(tensor):
    return np.ones(tensor.shape, tensor.dtype) if floating(tensor) else None


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("name", [name for name, op in OPERATIONS.items() if op.vjp_rules])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # halves overflow
def test_rules_keep_the_dtype(name, dtype):
    op = OPERATIONS[name]
    for sample in op.samples(np.random.default_rng(11)):
        if sample.params.get("dtype") is not None:
            continue
        given = [
            Tensor(a.astype(dtype), requires_grad=True)
            if floating(a)
            else Tensor(a)
            if hasattr(a, "dtype")
            else a
            for a in (sample.arrays[0] if op.variadic else sample.arrays)
        ]
        result = op(given, **sample.params) if op.variadic else op(*given, **sample.params)
        results = result if isinstance(result, tuple) else (result,)
        node = next((y.grad_fn for y in results if y.requires_grad), None)
        if node is None:
            continue
        gradients = {j: ones(y) for j, y in enumerate(results) if floating(y)}
        several = Parts(gradients, node.shape, node.dtype)
        pulled = op.pullback(node, several if op.outputs != 1 else gradients[0], False, None)
        tangents = [Tensor(ones(x)) if floating(x) else None for x in given]
        pushed = op.pushforward(node, tangents)
        for value in (*pulled, *(pushed if op.outputs != 1 else [pushed])):
            assert value is None or value.dtype == dtype
