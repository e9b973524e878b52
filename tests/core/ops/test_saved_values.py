"""What recorded calls keep: nothing that lives too long, and nothing that is spoilt unnoticed."""

import gc
import weakref

import numpy as np
import pytest

from rekindle.core.autograd import grad, no_grad
from rekindle.core.autograd.errors import VersionError
from rekindle.core.errors import UseError
from rekindle.core.ops import OPERATIONS
from rekindle.core.tensor import Tensor


def floating(value):
    return hasattr(value, "dtype") and value.dtype.kind == "f"


def cases():
    for name, op in OPERATIONS.items():
        for k, sample in enumerate(op.samples(np.random.default_rng(11))):
            operands = sample.arrays[0] if op.variadic else sample.arrays
            if op.vjp_rules and any(floating(a) and a.size for a in operands):
                yield pytest.param(op, sample, id=f"{name}-{k}")


every_case = pytest.mark.parametrize(("op", "sample"), list(cases()))


class Call:
    """A recorded call; its operands are results, so that they can be written to."""

    def __init__(self, op, sample):
        arrays = sample.arrays[0] if op.variadic else sample.arrays
        self.leaves = [Tensor(a.copy(), requires_grad=True) for a in arrays if floating(a)]
        leaves = iter(self.leaves)
        self.operands = [
            next(leaves) * 1 if floating(a) else Tensor(a.copy()) if hasattr(a, "dtype") else a
            for a in arrays
        ]
        operands = (self.operands,) if op.variadic else self.operands
        result = op(*operands, **sample.params)
        results = result if isinstance(result, tuple) else (result,)
        self.written = [t for t in (*self.operands, *results) if isinstance(t, Tensor) and t.size]
        self.outputs = [y for y in results if y.requires_grad]
        rng = np.random.default_rng(1)
        self.gradients = [Tensor(rng.normal(size=y.shape).astype(y.dtype)) for y in self.outputs]

    def pull(self):
        if not self.outputs:
            return []
        found = grad(self.outputs, self.leaves, self.gradients, allow_unused=True)
        return [None if g is None else g.numpy() for g in found]


def overwrite(tensor):
    """Write something else into memory that others may hold, unrecorded but counted."""
    with no_grad():
        if tensor.dtype.kind == "b":
            tensor.copy_(tensor == 0)
        else:
            tensor.copy_(tensor * 0)


@every_case
def test_a_write_raises_or_changes_nothing(op, sample):
    expected = Call(op, sample).pull()
    for k in range(len(Call(op, sample).written)):
        call = Call(op, sample)
        try:
            overwrite(call.written[k])
        except UseError:
            assert op.name in ("expand", "unfold")  # elements that are one in memory
            continue
        try:
            found = call.pull()
        except VersionError as error:
            assert f"the gradient of {op.name} needs a value that copy_ has" in str(error)  # noqa: PT017
            continue
        for a, b in zip(found, expected, strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                np.testing.assert_array_equal(a, b)


@every_case
def test_a_call_is_freed_without_the_collector(op, sample):
    gc.disable()
    try:
        call = Call(op, sample)
        nodes = [weakref.ref(y.grad_fn) for y in call.outputs]
        outputs = [weakref.ref(y) for y in call.outputs]
        del call
        assert not [r() for r in nodes + outputs if r() is not None]
        call = Call(op, sample)
        nodes = [weakref.ref(y.grad_fn) for y in call.outputs]
        call.pull()
        del call
        assert not [r() for r in nodes if r() is not None]
    finally:
        gc.enable()
