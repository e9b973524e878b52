"""Elementwise, reduction, shape, indexing and matrix operations against PyTorch.

Values, gradients and gradients of gradients, also at kinks and ties: there the same subgradient.
"""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.autograd import grad
from rekindle.core.creation import tensor

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
F = torch.nn.functional


def normal(*shape):
    return np.random.default_rng(sum(shape) * len(shape) + 1).normal(size=shape)


KINKS = np.array([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 40.0, -40.0])
REAL = np.concatenate([KINKS, normal(6)])
POSITIVE = np.abs(normal(7)) + 0.1
UNIT = np.tanh(normal(7))
X, Y = normal(3, 4, 2), normal(3, 4, 2)
ZEROS = np.where(np.arange(24).reshape(3, 4, 2) % 5 == 1, 0, X)
TIES = np.round(X)
MASK = normal(3, 4, 2) > 0
INDEX = np.array([[[2, 0], [1, 1]], [[0, 3], [3, 1]], [[1, 2], [0, 0]]])
SQUARE = normal(2, 3, 3) + 3 * np.eye(3)
DEFINITE = SQUARE @ SQUARE.mT + np.eye(3)

# name, operands that have gradients, ours, PyTorch's
CASES = [
    *[(n, (REAL,), getattr(ops, n), getattr(torch, n)) for n in (
        "abs", "sin", "cos", "atan", "asinh", "square", "tanh", "sigmoid", "erf", "erfc", "sign",
        "exp2",
    )],
    *[(n, (REAL / 10,), getattr(ops, n), getattr(torch, n)) for n in ("sinh", "cosh", "expm1")],
    *[(n, (UNIT,), getattr(ops, n), getattr(torch, n)) for n in (
        "tan", "asin", "acos", "atanh", "erfinv",
    )],
    *[(n, (POSITIVE,), getattr(ops, n), getattr(torch, n)) for n in (
        "sqrt", "rsqrt", "reciprocal", "log", "log1p", "log2", "log10", "lgamma", "digamma",
    )],
    *[(n, (REAL,), getattr(ops, n), getattr(F, n)) for n in (
        "relu", "silu", "gelu", "mish", "hardswish", "softsign", "logsigmoid", "hardtanh",
         "leaky_relu", "hardshrink", "softshrink", "softplus",
    )],
    # their second derivative at 0 is ours from below, PyTorch's from above
    *[(n, (REAL[REAL != 0],), getattr(ops, n), getattr(F, n)) for n in ("elu", "celu", "selu")],
    ("acosh", (POSITIVE + 1,), ops.acosh, torch.acosh),
    ("gelu tanh", (REAL[:7],), lambda x: ops.gelu(x, approximate="tanh"),
     lambda x: F.gelu(x, approximate="tanh")),
    ("clamp", (REAL,), lambda x: ops.clamp(x, min=-0.5, max=1), lambda x: x.clamp(-0.5, 1)),
    ("polygamma", (POSITIVE,), lambda x: ops.polygamma(x, n=2), lambda x: x.polygamma(2)),
    ("atan2", (X, Y), ops.atan2, torch.atan2),
    ("hypot", (X, Y), ops.hypot, torch.hypot),
    ("logaddexp", (X, Y), ops.logaddexp, torch.logaddexp),
    ("maximum", (TIES, np.round(Y)), ops.maximum, torch.maximum),
    ("minimum", (TIES, np.round(Y)), ops.minimum, torch.minimum),
    ("power", (POSITIVE, normal(7)), ops.power, torch.pow),
    ("power 0", (REAL[:7],), lambda x: x**0, lambda x: x**0),
    ("power 3", (REAL[:7],), lambda x: x**3, lambda x: x**3),
    ("remainder", (X, np.abs(Y) + 0.3), ops.remainder, torch.remainder),
    # reductions
    ("amax", (TIES,), lambda x: ops.max(x, axis=(0, 2)), lambda x: x.amax((0, 2))),
    ("amin", (TIES,), lambda x: ops.min(x, axis=1), lambda x: x.amin(1)),
    ("prod", (ZEROS,), lambda x: ops.prod(x, axis=1), lambda x: x.prod(1)),
    ("prod of all", (ZEROS,), ops.prod, torch.prod),
    ("cumprod", (ZEROS,), lambda x: ops.cumprod(x, axis=1), lambda x: x.cumprod(1)),
    ("cumsum", (X,), lambda x: ops.cumsum(x, axis=-1), lambda x: x.cumsum(-1)),
    ("std", (X,), lambda x: ops.std(x, axis=1, correction=1), lambda x: x.std(1)),
    ("norm 3", (X,), lambda x: ops.norm(x, p=3, axis=1), lambda x: x.norm(3, 1)),
    ("norm 1", (ZEROS,), lambda x: ops.norm(x, p=1, axis=1), lambda x: x.norm(1, 1)),
    ("sort", (TIES,), lambda x: ops.sort(x, axis=1, descending=True)[0],
     lambda x: x.sort(stable=True, dim=1, descending=True)[0]),
    ("median", (X,), lambda x: ops.median(x, axis=0)[0], lambda x: x.median(0)[0]),
    ("median of all", (X,), lambda x: ops.median(x)[0], lambda x: x.median()),
    ("topk", (X,), lambda x: ops.topk(x, 2, axis=1)[0], lambda x: x.topk(2, 1)[0]),
    # shapes
    ("tile", (X,), lambda x: x.tile(2, 1, 3), lambda x: x.tile(2, 1, 3)),
    ("repeat", (X,), lambda x: ops.repeat(x, 3, axis=1), lambda x: x.repeat_interleave(3, 1)),
    ("unfold", (X,), lambda x: x.unfold(1, 3, 1), lambda x: x.unfold(1, 3, 1)),
    ("roll", (X,), lambda x: x.roll((1, -3), axis=(0, 1)), lambda x: x.roll((1, -3), (0, 1))),
    ("diagonal", (X,), lambda x: x.diagonal(offset=1), lambda x: x.diagonal(1, -2, -1)),
    ("diag_embed", (X,), lambda x: ops.diag_embed(x, offset=-1), lambda x: x.diag_embed(-1)),
    ("tril", (X,), lambda x: x.tril(k=-1), lambda x: x.tril(-1)),
    ("split", (X,), lambda x: x.split(3, axis=1)[1], lambda x: x.split(3, 1)[1]),
    ("chunk", (X,), lambda x: x.chunk(3, axis=1)[-1], lambda x: x.chunk(3, 1)[-1]),
    # indices
    ("take", (X,), lambda x: x.take([3, 0, 3], axis=1),
     lambda x: x.index_select(1, torch.tensor([3, 0, 3]))),
    ("gather", (X,), lambda x: ops.gather(x, INDEX, axis=1),
     lambda x: x.gather(1, torch.tensor(INDEX))),
    ("scatter", (X, normal(3, 1, 2)), lambda x, s: ops.scatter(x, INDEX[:, :1], s, axis=1),
     lambda x, s: x.scatter(1, torch.tensor(INDEX[:, :1]), s)),
    ("masked_select", (X,), lambda x: x.masked_select(MASK),
     lambda x: x.masked_select(torch.tensor(MASK))),
    ("masked_fill", (X, normal()), lambda x, v: x.masked_fill(MASK, v),
     lambda x, v: x.masked_fill(torch.tensor(MASK), v)),
    ("masked_scatter", (X, normal(25)), lambda x, s: x.masked_scatter(MASK, s),
     lambda x, s: x.masked_scatter(torch.tensor(MASK), s)),
    # matrices
    ("einsum", (X, SQUARE[0, :2]), lambda x, y: ops.einsum("abc,cd,abd->bd", x, y, x[..., :1]),
     lambda x, y: torch.einsum("abc,cd,abd->bd", x, y, x[..., :1])),
    ("tensordot", (X, Y), lambda x, y: ops.tensordot(x, y, axes=([0, 1], [0, 1])),
     lambda x, y: torch.tensordot(x, y, dims=([0, 1], [0, 1]))),
    ("solve", (SQUARE, normal(3, 2)), ops.solve, torch.linalg.solve),
    ("solve a vector", (SQUARE[0], normal(3)), ops.solve, torch.linalg.solve),
    ("inv", (SQUARE,), ops.inv, torch.linalg.inv),
    ("det", (SQUARE,), ops.det, torch.linalg.det),
    ("slogdet", (SQUARE,), lambda x: ops.slogdet(x)[1], lambda x: torch.linalg.slogdet(x)[1]),
    ("cholesky", (SQUARE,), lambda x: ops.cholesky(x @ x.mT),
     lambda x: torch.linalg.cholesky(x @ x.mT)),
    ("cholesky upper", (SQUARE,), lambda x: ops.cholesky(x @ x.mT, upper=True),
     lambda x: torch.linalg.cholesky(x @ x.mT, upper=True)),
    *[(f"qr {part}", (normal(*shape),), lambda x, part=part: ops.qr(x)[part] ** 2,
       lambda x, part=part: torch.linalg.qr(x)[part] ** 2)
      for part in (0, 1) for shape in ((3, 3), (4, 3))],
    ("qr wide", (normal(2, 4),), lambda x: ops.qr(x)[1] ** 2,
     lambda x: torch.linalg.qr(x)[1] ** 2),
    *[(f"svd {part} {shape}", (normal(*shape),), lambda x, part=part: ops.svd(x)[part] ** 2,
       lambda x, part=part: torch.linalg.svd(x, full_matrices=False)[part] ** 2)
      for part in (0, 1, 2) for shape in ((3, 3), (4, 3), (2, 4))],
    *[(f"eigh {part}", (SQUARE,), lambda x, part=part: ops.eigh(x + x.mT)[part] ** 2,
       lambda x, part=part: torch.linalg.eigh(x + x.mT)[part] ** 2) for part in (0, 1)],
    *[(f"matrix_norm {order}", (X,), lambda x, order=order: ops.matrix_norm(x, ord=order),
       lambda x, order=order: torch.linalg.matrix_norm(x, ord=order))
      for order in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)],
]  # fmt: skip


TRIGAMMA = {"lgamma", "digamma"}  # PyTorch's is right to nine digits


def zeros_if_none(gradients, operands):
    """Return arrays: zeros for what does not depend on an operand."""
    return [
        np.zeros(x.shape) if g is None else g.detach().numpy()
        for g, x in zip(gradients, operands, strict=True)
    ]


def derivatives(f, operands, weigh, grad):
    """Return the value of f, its gradients, and theirs along one direction, as arrays."""
    y = f(*operands)
    if not y.requires_grad:
        return [y.numpy()]
    first = grad((y * weigh(y.shape, 1)).sum(), operands)
    along = [(g * weigh(g.shape, 2 + i)).sum() for i, g in enumerate(first) if g.requires_grad]
    second = grad(sum(along), operands) if along else [None] * len(operands)
    return [y.detach().numpy(), *zeros_if_none(first, operands), *zeros_if_none(second, operands)]


def gradients(y, xs):
    found = torch.autograd.grad(y, xs, create_graph=True, allow_unused=True)
    # PyTorch's symbolic zeros are no memory that NumPy can read; sums are.
    return [g if g is None else g + torch.zeros(g.shape, dtype=g.dtype) for g in found]


@pytest.mark.parametrize(
    ("name", "arrays", "ours", "theirs"), CASES, ids=[case[0] for case in CASES]
)
def test_agrees_with_pytorch(name, arrays, ours, theirs):
    mine = derivatives(
        ours,
        [tensor(x, requires_grad=True) for x in arrays],
        lambda shape, seed: tensor(np.random.default_rng(seed).normal(size=shape)),
        lambda y, xs: grad([y], xs, create_graph=True, allow_unused=True),
    )
    expected = derivatives(
        theirs,
        [torch.tensor(x, requires_grad=True) for x in arrays],
        lambda shape, seed: torch.tensor(np.random.default_rng(seed).normal(size=tuple(shape))),
        gradients,
    )
    tolerance = 1e-9 if name in TRIGAMMA else 1e-10
    assert len(mine) in (1, len(expected))  # 1 where PyTorch has slopes of 0 and here are none
    for a, b in zip(mine, expected, strict=False):
        scale = np.abs(b).max(initial=1)
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * scale)
    assert not any(b.any() for b in expected[len(mine) :])
