"""Every operation's rules against finite differences: both modes, second order."""

import numpy as np
import pytest

from rekindle.core.autograd import check_grads
from rekindle.core.ops import OPERATIONS
from rekindle.core.tensor import Tensor

WITHOUT = {
    "all", "any", "argmax", "argmin", "argsort", "argwhere", "bitwise_and", "bitwise_invert",
    "bitwise_or", "bitwise_xor", "ceil", "count_nonzero", "equal", "floor", "floor_divide",
    "greater", "greater_equal", "isfinite", "isinf", "isnan", "less", "less_equal", "not_equal",
    "round", "sign", "trunc", "zeros_of",
}  # fmt: skip
"""Piecewise constant operations, and those whose results are no floats."""


def cases():
    for name, op in OPERATIONS.items():
        if op.vjp_rules:
            for k, sample in enumerate(op.samples(np.random.default_rng(11))):
                yield pytest.param(op, sample, id=f"{name}-{k}")


def floating(value):
    return hasattr(value, "dtype") and value.dtype.kind == "f"


def test_every_operation_has_rules_or_a_reason():
    without = {name for name, op in OPERATIONS.items() if not op.vjp_rules}
    assert without <= WITHOUT, f"operations without rules: {sorted(without - WITHOUT)}"
    for name, op in OPERATIONS.items():
        assert op.vjp_rules.keys() == op.jvp_rules.keys(), name


@pytest.mark.parametrize(("op", "sample"), list(cases()))
def test_derivatives(op, sample):
    if sample.params.get("dtype") is not None:
        pytest.skip("finite differences need float64 throughout")
    given = [
        a.astype(np.float64) if floating(a) else a
        for a in (sample.arrays[0] if op.variadic else sample.arrays)
    ]
    names = op.operands * len(given) if op.variadic else op.operands
    moving = [i for i, a in enumerate(given) if floating(a) and a.size and names[i] in op.vjp_rules]

    def f(*tensors):
        operands = [Tensor(a) if hasattr(a, "dtype") else a for a in given]
        for i, t in zip(moving, tensors, strict=True):
            operands[i] = t
        result = op(operands, **sample.params) if op.variadic else op(*operands, **sample.params)
        results = result if isinstance(result, tuple) else (result,)
        return tuple(r for r in results if floating(r))

    if moving:
        check_grads(f, [Tensor(given[i]) for i in moving])
