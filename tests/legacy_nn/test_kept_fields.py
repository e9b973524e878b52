"""What the way back reads of the last forward pass, by Torch7's formulas in NumPy.

Each module runs forward on x, its weights change, and it goes back with another input x2: the
formulas say which numbers are of x and of the old weights, and which are of now.
Source: the updateGradInput and accGradParameters of each class in torch/nn.
"""

import math

import numpy as np
import pytest

from rekindle import legacy_nn as nn
from rekindle.core.checkpoint import Table
from rekindle.core.creation import tensor
from rekindle.core.errors import RekindleError

RNG = np.random.default_rng(12)
EPS = 1e-12


def normal(*shape):
    return RNG.normal(size=shape)


def positive(*shape):
    return RNG.uniform(0.2, 2, size=shape)


def plain(value):
    return [plain(v) for v in value.array()] if isinstance(value, Table) else value.numpy().copy()


def tensors(value):
    return Table([tensors(v) for v in value]) if isinstance(value, list) else tensor(value)


def close(found, expected):
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            close(f, e)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def forward(module, x):
    """Run a module, then change its weights; return its output and the weights before."""
    y = plain(module.forward(tensors(x)))
    before = [p.numpy().copy() for p in module.parameters()[0]]
    for p in module.parameters()[0]:
        p.detach().mul_(1.5)
    module.zeroGradParameters()
    return y, before


def gradient(module, x, g):
    return plain(module.updateGradInput(tensors(x), tensors(g)))


# -- activations --------------------------------------------------------------------------

READ_OUTPUT = [
    (nn.Sigmoid, lambda x, y, g: g * y * (1 - y)),
    (nn.Tanh, lambda x, y, g: g * (1 - y**2)),
    (nn.Exp, lambda x, y, g: g * y),
    (nn.ELU, lambda x, y, g: g * np.where(y <= 0, y + 1, 1)),
    (nn.SoftPlus, lambda x, y, g: g * (1 - np.exp(-y))),
    (nn.SoftMax, lambda x, y, g: y * (g - (g * y).sum())),
    (nn.SoftMin, lambda x, y, g: -y * (g - (g * y).sum())),
    (nn.LogSoftMax, lambda x, y, g: g - np.exp(y) * g.sum()),
    (nn.SoftSign, lambda x, y, g: g / (1 + abs(x)) ** 2),
    (nn.Square, lambda x, y, g: 2 * g * x),
    (nn.Abs, lambda x, y, g: g * np.sign(x)),
    (nn.Log, lambda x, y, g: g / x),
]


@pytest.mark.parametrize(("make", "rule"), READ_OUTPUT, ids=lambda v: getattr(v, "__name__", ""))
def test_activations(make, rule):
    x, x2, g = positive(5), positive(5), normal(5)
    module = make()
    y, _ = forward(module, x)
    close(gradient(module, x2, g), rule(x2, y, g))


def test_square_roots_and_shrunken_tangents():
    x, x2, g = positive(5), positive(5), normal(5)
    root, shrink = nn.Sqrt(), nn.TanhShrink()
    y, _ = forward(root, x)
    close(gradient(root, x2, g), g * 0.5 / y)
    forward(shrink, x)
    close(gradient(shrink, x2, g), g * np.tanh(x) ** 2)


# -- lengths and distances ----------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 3), (3,)])
@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 4, math.inf])
def test_normalize(p, shape):
    x, x2, g = normal(*shape), normal(*shape), normal(*shape)
    module = nn.Normalize(p)
    forward(module, x)
    rows = [v.reshape(-1, 3) for v in (x, x2, g)]
    if p == math.inf:
        norm = abs(rows[0]).max(1, keepdims=True) + 1e-10
        normp = norm
        slope = np.where(abs(rows[0]) == norm - 1e-10, rows[1] / norm, 0)
    else:
        normp = (abs(rows[0]) ** p).sum(1, keepdims=True) + 1e-10
        norm = normp ** (1 / p)
        size = abs(rows[1]) + (1e-10 if p < 2 else 0)
        slope = rows[1] * (1 if p == 2 else size ** (p - 2))
    cross = (rows[1] * rows[2]).sum(1, keepdims=True)
    expected = (normp * rows[2] - slope * cross) / (normp * norm)
    close(gradient(module, x2, g), expected.reshape(shape))


@pytest.mark.parametrize("shape", [(4, 3), (3,)])
def test_cosine(shape):
    x, x2 = normal(*shape), normal(*shape)
    g = normal(*shape[:-1], 5)
    module = nn.Cosine(3, 5)
    y, (w,) = forward(module, x)
    now = module.weight.numpy()
    of_w = np.linalg.norm(w, axis=1) + EPS
    of_x = np.linalg.norm(x, axis=-1, keepdims=True) + EPS
    towards = (g / of_w) @ now / of_x
    close(gradient(module, x2, g), towards - x2 * (g * y).sum(-1, keepdims=True) / of_x**2)
    module.accGradParameters(tensor(x2), tensor(g), 0.7)
    scale = 0.7 if len(shape) == 1 else 1  # batches are not scaled, nor is the second term
    rows = [np.atleast_2d(v) for v in (g, x2 / of_x, g * y)]
    first = rows[0].T @ rows[1] / of_w[:, None] * scale
    close(plain(module.gradWeight), first - now * (rows[2].sum(0) / of_w**2)[:, None])


@pytest.mark.parametrize("shape", [(4, 3), (3,)])
def test_cosine_distance(shape):
    x, x2 = [normal(*shape), normal(*shape)], [normal(*shape), normal(*shape)]
    g = normal(*shape[:-1] or (1,))
    module = nn.CosineDistance()
    forward(module, x)

    def sums(a, b):
        return (a * b).sum(-1, keepdims=True)

    inverse = [1 / (sums(v, v) + EPS) for v in x]
    scale = np.sqrt(inverse[0] * inverse[1]) * g.reshape(*shape[:-1], 1)
    dot = sums(*x)
    a, b = x2
    expected = [(b - dot * inverse[0] * a) * scale, (a - dot * inverse[1] * b) * scale]
    close(gradient(module, x2, g), expected)


@pytest.mark.parametrize("shape", [(4, 3), (3,)])
def test_euclidean(shape):
    x, x2 = normal(*shape), normal(*shape)
    g, g2 = normal(*shape[:-1], 5), normal(*shape[:-1], 5)
    module = nn.Euclidean(3, 5)
    y, (w,) = forward(module, x)
    along = (x[..., None] - w) * (g / (y + 1e-7))[..., None, :]
    close(gradient(module, x2, g), along.sum(-1))
    module.accGradParameters(tensor(x2), tensor(g2), 0.5)  # of the last updateGradInput
    close(plain(module.gradWeight), -0.5 * along.reshape(-1, 3, 5).sum(0))
    module.fastBackward = False
    now = module.weight.numpy()
    difference = x2[..., None] - now
    distance = np.sqrt((difference**2).sum(-2))
    found = gradient(module, x2, g)
    close(found, (difference * (g / (distance + 1e-7))[..., None, :]).sum(-1))


@pytest.mark.parametrize("shape", [(4, 3), (3,)])
def test_weighted_euclidean(shape):
    x, x2, g = normal(*shape), normal(*shape), normal(*shape[:-1], 5)
    module = nn.WeightedEuclidean(3, 5)
    module.diagCov.detach().copy_(tensor(positive(3, 5)))
    forward(module, x)
    module.fastBackward = True
    y, (w, c) = forward(module, x)
    now = module.diagCov.numpy()
    weighted = (x[..., None] - w) * c
    factor = (g / (y + 1e-7))[..., None, :]
    along = weighted * factor * now
    close(gradient(module, x2, g), along.sum(-1))
    module.accGradParameters(tensor(x2), tensor(g), 0.5)
    close(plain(module.gradWeight), -0.5 * along.reshape(-1, 3, 5).sum(0))
    squared = (weighted / now) ** 2 * now
    scale = 1 if len(shape) == 1 else 0.5
    first = scale * (squared * factor).reshape(-1, 3, 5).sum(0)
    close(plain(module.gradDiagCov), first)
    # The memory is used up: without another updateGradInput the squares are squared again.
    module.accGradParameters(tensor(x2), tensor(g), 0.5)
    left = squared if len(shape) == 1 else squared * factor
    second = scale * ((left / now) ** 2 * now * factor).reshape(-1, 3, 5).sum(0)
    close(plain(module.gradDiagCov), first + second)


# -- images -------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2, 5, 2, 3), (5, 2, 3)])
def test_response_across_maps(shape):
    x, x2, g = normal(*shape), normal(*shape), normal(*shape)
    module = nn.SpatialCrossMapLRN(3, 0.5, 0.75, 2)
    y, _ = forward(module, x)

    def near(v):
        pad = np.pad(v, [(0, 0)] * (v.ndim - 3) + [(1, 1), (0, 0), (0, 0)])
        return sum(pad[..., i : i + 5, :, :] for i in range(3))

    scale = 2 + 0.5 / 3 * near(x**2)
    close(y, x * scale**-0.75)
    seen = near(g * y / scale)
    close(gradient(module, x2, g), g * scale**-0.75 - 2 * 0.5 * 0.75 / 3 * x2 * seen)


def averages(v, kernel):
    """Return the average around each pixel over all planes, and how much of the kernel counts."""
    n = kernel.shape[0] // 2
    planes, height, width = v.shape
    padded = np.pad(v, [(0, 0), (n, n), (n, n)]).sum(0)
    inside = np.pad(np.full((height, width), float(planes)), n)
    places = [(i, j) for i in range(2 * n + 1) for j in range(2 * n + 1)]
    return [
        sum(kernel[i, j] * a[i : i + height, j : j + width] for i, j in places)
        for a in (padded, inside)
    ]


def test_subtractive_normalisation():
    x, x2, g = normal(2, 5, 6), normal(2, 5, 6), normal(2, 5, 6)
    ones = np.ones((3, 3))
    module = nn.SpatialSubtractiveNormalization(2, tensor(ones))
    y, _ = forward(module, x)
    total, inside = averages(x, ones / 18)
    close(y, x - total / inside)
    back, _ = averages(np.stack([-g.sum(0) / inside, 0 * inside]), ones / 18)
    close(gradient(module, x2, g), g + back)


def test_divisive_normalisation():
    x, x2, g = normal(2, 5, 6), normal(2, 5, 6), normal(2, 5, 6)
    ones = np.ones((3, 3))
    module = nn.SpatialDivisiveNormalization(2, tensor(ones))
    y, _ = forward(module, x)
    squares, inside = averages(x**2, ones / 18)
    deviation = np.sqrt(squares)
    thresholded = deviation / inside
    close(y, x / thresholded)
    of_deviation = (-g * x2 / thresholded**2).sum(0) / inside
    of_squares = of_deviation / (2 * deviation)
    back, _ = averages(np.stack([of_squares, 0 * inside]), ones / 18)
    close(gradient(module, x2, g), g / thresholded + 2 * x2 * back)


# -- mixtures and linear maps -------------------------------------------------------------


def test_mixtures():
    gates, other = positive(4, 2), positive(4, 2)
    experts, others = [normal(4, 3), normal(4, 3)], [normal(4, 3), normal(4, 3)]
    g = normal(4, 3)
    module = nn.MixtureTable()
    forward(module, [gates, experts])
    of_gates = np.stack([(g * e).sum(1) for e in others], axis=1)
    of_experts = [gates[:, [i]] * g for i in range(2)]
    close(gradient(module, [other, others], g), [of_gates, of_experts])
    module = nn.MixtureTable()
    forward(module, [gates, np.stack(experts, axis=1)])
    expected = [of_gates, np.stack(of_experts, axis=1)]
    close(gradient(module, [other, np.stack(others, axis=1)], g), expected)


def test_partial_linear():
    x, x2, g, g2 = normal(4, 3), normal(4, 3), normal(4, 2), normal(4, 2)
    module = nn.PartialLinear(3, 5)
    module.setPartition(tensor([4.0, 2.0]))
    y, (w, b) = forward(module, x)
    close(y, x @ w[[3, 1]].T + b[0, [3, 1]])
    close(gradient(module, x2, g), g @ w[[3, 1]])
    module.accGradParameters(tensor(x2), tensor(g2), 0.5)
    rows, bias = (plain(t) for t in module.parameters()[1])
    expected = np.zeros((5, 3))
    expected[[3, 1]] = 0.5 * g.T @ x  # rows: of the last passes; bias: of now
    close(rows, expected)
    close(bias[0, [3, 1]], 0.5 * g2.sum(0))


def test_linear_weight_norm():
    x, x2, g = normal(4, 3), normal(4, 3), normal(4, 2)
    module = nn.LinearWeightNorm(3, 2)
    _, (v, lengths, _) = forward(module, x)
    norm = np.linalg.norm(v, axis=1, keepdims=True)
    scale, now = lengths / norm, module.v.numpy()
    close(gradient(module, x2, g), g @ (v * scale))
    module.gradV.detach().fill_(1)
    module.accGradParameters(tensor(x2), tensor(g), 0.5)
    of_v = 1 + 0.5 * g.T @ x2
    of_g = (of_v * now / norm).sum(1, keepdims=True)
    lost = now * scale / norm * of_g
    close(plain(module.gradG), of_g)
    close(plain(module.gradV), of_v * scale - lost)
    # Torch7 computes in the weight's memory.
    close(gradient(module, x2, g), g @ lost)


def test_weight_norm_uses_the_memory_of_the_weight():
    x, g = normal(4, 3), normal(4, 2)
    inner = nn.Linear(3, 2)
    module = nn.WeightNorm(inner)
    module.forward(tensor(x))
    module.zeroGradParameters()
    v, lengths = module.v.numpy().copy(), module.g.numpy().copy()
    module.backward(tensor(x), tensor(g))
    norm = np.sqrt((v**2).sum(1, keepdims=True) + 10e-5)
    of_g = ((g.T @ x) * v / norm).sum(1, keepdims=True)
    lost = v * lengths / norm / norm * of_g
    close(plain(inner.weight), lost)
    close(gradient(module, x, g), g @ lost)
    module.forward(tensor(x))
    close(plain(inner.weight), v * lengths / norm)


# -- criterions ---------------------------------------------------------------------------


def test_cosine_embedding():
    x, x2 = [normal(6, 3), normal(6, 3)], [normal(6, 3), normal(6, 3)]
    y, y2 = np.array([1.0, -1, 1, -1, -1, 1]), np.array([-1.0, -1, 1, 1, -1, 1])
    criterion = nn.CosineEmbeddingCriterion(0.1)
    criterion.forward(tensors(x), tensor(y))
    dot = (x[0] * x[1]).sum(1)
    squares = [(v**2).sum(1) + EPS for v in x]
    scale = 1 / np.sqrt(squares[0] * squares[1])
    losses = np.where(y == 1, 1 - dot * scale, np.maximum(dot * scale - 0.1, 0))
    factor = np.where(losses <= 0, 0, np.where(y2 == 1, -1, 1)) * scale / 6
    a, b = x2
    expected = [
        (b - (dot / squares[0])[:, None] * a) * factor[:, None],
        (a - (dot / squares[1])[:, None] * b) * factor[:, None],
    ]
    close(plain(criterion.backward(tensors(x2), tensor(y2))), expected)


def test_distance_ratio():
    x, x2 = [positive(4), positive(4)], [positive(4), positive(4)]
    criterion = nn.DistanceRatioCriterion()
    criterion.forward(tensors(x))
    exps = [np.exp(-v) for v in x]
    total = exps[0] + exps[1]
    expected = [(1 - exps[0] / total) / 4, -exps[1] / total / 4]
    close(plain(criterion.backward(tensors(x2))), expected)


def test_margins_of_several_labels():
    x = normal(3, 4)
    t, t2 = np.array([[1.0, 3, 0, 0]] * 3), np.array([[2.0, 0, 0, 0]] * 3)
    criterion = nn.MultiLabelMarginCriterion()
    criterion.forward(tensor(x), tensor(t))
    expected = np.zeros((3, 4))
    for n in range(3):
        for d in (1, 3):  # what was no target then, against the target of now
            if 1 - x[n, 1] + x[n, d] > 0:
                expected[n, 1] -= 1 / 12
                expected[n, d] += 1 / 12
    close(plain(criterion.backward(tensor(x), tensor(t2))), expected)


def test_likelihoods_divide_by_the_weights_of_the_last_loss():
    x = normal(4, 3)
    weights = positive(3)
    t, t2 = np.array([1.0, 2, 3, 1]), np.array([3.0, 3, 2, 1])
    criterion = nn.ClassNLLCriterion(tensor(weights))
    criterion.forward(tensor(x), tensor(t))
    expected = np.zeros((4, 3))
    index = t2.astype(int) - 1
    expected[range(4), index] = -weights[index] / weights[t.astype(int) - 1].sum()
    close(plain(criterion.backward(tensor(x), tensor(t2))), expected)


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (nn.Normalize(2), (3,)),
        (nn.Cosine(3, 3), (3,)),
        (nn.Euclidean(3, 3), (3,)),
        (nn.SpatialCrossMapLRN(3), (4, 2, 2)),
        (nn.SpatialSubtractiveNormalization(1), (1, 9, 9)),
    ],
    ids=lambda v: getattr(v, "t7_typename", ""),
)
def test_without_a_forward_pass_there_is_no_way_back(module, shape):
    with pytest.raises(RekindleError, match=r"call updateOutput first|output"):
        module.updateGradInput(tensor(normal(*shape)), tensor(normal(*shape)))
