"""The rules called directly: vjp, jvp and pull against finite differences and the engine."""

import numpy as np
import pytest

from rekindle import ops
from rekindle.core.autograd import grad, no_grad
from rekindle.core.errors import UseError
from rekindle.core.ops import OPERATIONS
from rekindle.core.tensor import Tensor

STEP = 1e-6


def floating(value):
    return hasattr(value, "dtype") and value.dtype.kind == "f"


class Case:
    """A sample of an operation in float64, with a direction and a gradient."""

    def __init__(self, op, sample):
        self.op, self.params = op, sample.params
        self.given = [
            a.astype(np.float64) if floating(a) else a
            for a in (sample.arrays[0] if op.variadic else sample.arrays)
        ]
        names = op.operands * len(self.given) if op.variadic else op.operands
        self.names = names[: len(self.given)]
        self.moving = [
            i
            for i, a in enumerate(self.given)
            if floating(a) and a.size and self.names[i] in op.vjp_rules
        ]
        rng = np.random.default_rng(3)
        self.tangents = [
            rng.normal(size=np.shape(a)) if i in self.moving else None
            for i, a in enumerate(self.given)
        ]
        self.results = self.call(self.given)
        self.g = [rng.normal(size=r.shape) if floating(r) else None for r in self.results]

    def arguments(self, arrays):
        operands = [Tensor(a) if hasattr(a, "dtype") else a for a in arrays]
        return (operands,) if self.op.variadic else tuple(operands)

    def call(self, arrays):
        result = self.op(*self.arguments(arrays), **self.params)
        return [r.numpy() for r in (result if isinstance(result, tuple) else (result,))]

    def difference(self):
        """Return the derivative of the floating results along the tangents, None for others."""
        ends = []
        for step in (STEP, -STEP):
            moved = [
                a if t is None else a + step * t
                for a, t in zip(self.given, self.tangents, strict=True)
            ]
            ends.append(self.call(moved))
        return [
            (a - b) / (2 * STEP) if floating(r) else None
            for a, b, r in zip(*ends, self.results, strict=True)
        ]


def cases():
    for name, op in OPERATIONS.items():
        if not op.vjp_rules:
            continue
        for k, sample in enumerate(op.samples(np.random.default_rng(11))):
            operands = sample.arrays[0] if op.variadic else sample.arrays
            differentiable = any(floating(a) and a.size for a in operands)
            if differentiable and sample.params.get("dtype") is None:
                yield pytest.param(op, sample, id=f"{name}-{k}")


every_case = pytest.mark.parametrize(("op", "sample"), list(cases()))


def inner(ones, others):
    both = [(a, b) for a, b in zip(ones, others, strict=True) if a is not None and b is not None]
    return sum(float(np.sum(a * b)) for a, b in both)


def numbers(tensors):
    return [None if t is None else t.numpy() for t in tensors]


def near(a, b, size):
    return abs(a - b) <= 1e-6 * max(size, 1)


@every_case
def test_vjp_and_jvp_are_the_derivative(op, sample):
    case = Case(op, sample)
    if not case.moving:
        pytest.skip("no operand of this sample has a gradient")
    expected = case.difference()
    tangent = op.jvp(case.tangents, *case.arguments(case.given), **case.params)
    tangents = numbers(tangent if isinstance(tangent, tuple) else (tangent,))
    for t, e in zip(tangents, expected, strict=True):
        if e is not None:
            np.testing.assert_allclose(
                t, e, rtol=1e-6, atol=1e-6 * max(1, np.abs(e).max(initial=0))
            )
    along = inner(case.g, expected)
    g = [Tensor(x) for x in case.g if x is not None]
    found = op.vjp(g if len(case.results) > 1 else g[0], *case.arguments(case.given), **case.params)
    assert len(found) == len(case.given)
    for i, (x, a) in enumerate(zip(found, case.given, strict=True)):
        if i in case.moving:
            assert x.shape == np.shape(a)
        elif not floating(a):
            assert x is None
    back = inner(numbers(found), case.tangents)
    size = sum(np.abs(a * b).sum() for a, b in zip(case.g, expected, strict=True) if b is not None)
    assert near(back, along, size)


@every_case
def test_pull_is_what_the_engine_computes(op, sample):
    case = Case(op, sample)
    leaves = [
        Tensor(a, requires_grad=i in case.moving) if hasattr(a, "dtype") else a
        for i, a in enumerate(case.given)
    ]
    result = op(leaves, **case.params) if op.variadic else op(*leaves, **case.params)
    results = result if isinstance(result, tuple) else (result,)
    pairs = [(y, Tensor(g)) for y, g in zip(results, case.g, strict=True) if floating(y)]
    reached = [(y, g) for y, g in pairs if y.requires_grad]
    if not reached:
        pytest.skip("no operand of this sample has a gradient")
    wanted = [leaves[i] for i in case.moving]
    expected = grad(*map(list, zip(*[(y,) for y, _ in reached], strict=True)), wanted,
                    [g for _, g in reached], allow_unused=True)  # fmt: skip
    values = dict(zip(op.operands, [case.given] if op.variadic else case.given, strict=False))
    values |= dict(zip(op.output_names, case.results, strict=True)) | case.params
    g = case.g if op.outputs > 1 else case.g[0]
    for i, e in zip(case.moving, expected, strict=True):
        pulled = op.pull(case.names[i], g, i=i, **values)
        assert pulled is None or isinstance(pulled, (np.ndarray, np.generic))
        if e is None:
            assert pulled is None
        else:
            scale = max(1.0, float(np.abs(e.numpy()).max(initial=0)))
            np.testing.assert_allclose(
                np.broadcast_to(pulled, e.shape), e.numpy(), rtol=0, atol=1e-12 * scale
            )


def test_vjp_can_be_differentiated_again():
    x = Tensor(np.array([0.3, -1.2]), requires_grad=True)
    (first,) = ops.tanh.vjp(Tensor(np.ones(2)), x)
    (second,) = grad(first.sum(), x)
    t = np.tanh(x.detach().numpy())
    np.testing.assert_allclose(second.numpy(), -2 * t * (1 - t * t), rtol=1e-12)
    with no_grad():
        (plain,) = ops.tanh.vjp(Tensor(np.ones(2)), x)
    assert not plain.requires_grad


def test_jvp_can_be_differentiated_again():
    x = Tensor(np.array([0.3, -1.2]), requires_grad=True)
    (second,) = grad(ops.exp.jvp([Tensor(np.ones(2))], x).sum(), x)
    np.testing.assert_allclose(second.numpy(), np.exp(x.detach().numpy()), rtol=1e-12)


def test_what_has_no_gradient_gets_none():
    x = Tensor(np.array([1.0, 2.0]))
    gx, gy = ops.multiply.vjp(Tensor(np.ones(2)), x, 3.0)
    np.testing.assert_array_equal(gx.numpy(), [3, 3])
    assert gy is None
    assert ops.floor.vjp(Tensor(np.ones(2)), x) == (None,)


def test_a_gradient_of_broadcasting_is_summed():
    x, y = np.ones((2, 3)), np.array([1.0, 2.0, 3.0])
    pulled = ops.multiply.pull("y", np.full((2, 3), 5.0), x=x, y=y)
    np.testing.assert_array_equal(pulled, [10, 10, 10])
    np.testing.assert_array_equal(
        ops.multiply.pull("y", np.full((2, 3), 5.0), x=x, y_shape=(3,)), [10, 10, 10]
    )


def test_pull_says_what_is_missing():
    with pytest.raises(UseError, match="multiply for x needs y"):
        ops.multiply.pull("x", np.ones(2), x=np.ones(2))
    with pytest.raises(UseError, match="no gradient for 'z'; for"):
        ops.multiply.pull("z", np.ones(2))
    with pytest.raises(UseError, match="no gradient for 'x'"):
        ops.floor.pull("x", np.ones(2))
