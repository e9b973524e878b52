"""Losses against SciPy and plain loops, their reductions, and their derivatives."""

import numpy as np
import pytest
from scipy import special, stats

from rekindle.core import ops
from rekindle.core.autograd import check_grads
from rekindle.core.creation import tensor
from rekindle.core.errors import BoundsError, ShapeError
from rekindle.core.ops.losses import ReductionError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(2, 4, 3)) * 2
P, Q = RNG.uniform(0.05, 0.95, (2, 4, 3))
SIGNS = np.where(RNG.normal(size=(4, 3)) > 0, 1.0, -1.0)
COUNTS = RNG.integers(0, 5, (4, 3)).astype(np.float64)
CLASSES = np.array([2, 0, 1, 2])


def huber(x, y, delta):
    return special.huber(delta, x - y)


# name, operands, parameters, the loss of each element
ELEMENTWISE = [
    ("mse_loss", (X, Y), {}, (X - Y) ** 2),
    ("l1_loss", (X, Y), {}, np.abs(X - Y)),
    ("huber_loss", (X, Y), {"delta": 1.5}, huber(X, Y, 1.5)),
    ("smooth_l1_loss", (X, Y), {"beta": 0.5}, huber(X, Y, 0.5) / 0.5),
    ("smooth_l1_loss", (X, Y), {"beta": 0}, np.abs(X - Y)),
    ("kl_div", (np.log(P), Q), {}, special.rel_entr(Q, P)),
    ("kl_div", (np.log(P), np.log(Q)), {"log_target": True}, special.rel_entr(Q, P)),
    (
        "poisson_nll_loss",
        (np.log(P), COUNTS),
        {},
        -stats.poisson.logpmf(COUNTS, P) - special.gammaln(COUNTS + 1),
    ),
    (
        "poisson_nll_loss",
        (P, COUNTS),
        {"log_input": False, "eps": 0.0},
        -stats.poisson.logpmf(COUNTS, P) - special.gammaln(COUNTS + 1),
    ),
    (
        "gaussian_nll_loss",
        (X, Y, Q),
        {"full": True},
        -stats.norm.logpdf(Y, X, np.sqrt(Q)),
    ),
    ("bernoulli_nll", (P, Q), {}, -special.xlogy(Q, P) - special.xlog1py(1 - Q, -P)),
    ("binary_cross_entropy", (P, Q), {}, -special.xlogy(Q, P) - special.xlog1py(1 - Q, -P)),
    (
        "binary_cross_entropy_with_logits",
        (X, Q),
        {},
        -Q * special.log_expit(X) - (1 - Q) * special.log_expit(-X),
    ),
    (
        "binary_cross_entropy_with_logits",
        (X, Q, Y, P),
        {},
        Y * (-P * Q * special.log_expit(X) - (1 - Q) * special.log_expit(-X)),
    ),
    (
        "multilabel_soft_margin_loss",
        (X, Q),
        {},
        (-Q * special.log_expit(X) - (1 - Q) * special.log_expit(-X)).mean(axis=1),
    ),
    ("margin_ranking_loss", (X, Y, SIGNS), {"margin": 0.5}, np.maximum(SIGNS * (Y - X) + 0.5, 0)),
    (
        "hinge_embedding_loss",
        (X, SIGNS),
        {"margin": 0.5},
        np.where(SIGNS == 1, X, np.maximum(0.5 - X, 0)),
    ),
    ("soft_margin_loss", (X, SIGNS), {}, -special.log_expit(SIGNS * X)),
]
REAL = {"mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"}  # in both operands


@pytest.mark.parametrize(("name", "operands", "params", "expected"), ELEMENTWISE)
def test_losses_of_elements(name, operands, params, expected):
    loss = getattr(ops, name)
    given = [tensor(a) for a in operands]
    plain = {} if name == "bernoulli_nll" else {"reduction": "none"}
    np.testing.assert_allclose(
        loss(*given, **params, **plain).numpy(), expected, rtol=1e-10, atol=1e-13
    )
    if plain:
        np.testing.assert_allclose(loss(*given, **params).item(), expected.mean(), rtol=1e-10)
        total = loss(*given, **params, reduction="sum")
        np.testing.assert_allclose(total.item(), expected.sum(), rtol=1e-10)


@pytest.mark.parametrize(("name", "operands", "params", "expected"), ELEMENTWISE)
def test_derivatives_of_losses(name, operands, params, expected):
    loss = getattr(ops, name)
    rest = [tensor(a) for a in operands[1:]]
    check_grads(lambda x: loss(x, *rest, **params), [tensor(operands[0])])
    if name in REAL:
        check_grads(lambda y: loss(tensor(X), y, **params), [tensor(Y)])


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize(("name", "operands", "params", "expected"), ELEMENTWISE)
def test_losses_keep_the_dtype(name, operands, params, expected, dtype):
    given = [tensor(a, dtype) for a in operands]
    given[0].requires_grad = True
    y = getattr(ops, name)(*given, **params)
    assert y.dtype == dtype
    y.sum().backward()
    assert given[0].grad.dtype == dtype


def nll(scores, target, weight=None, ignore=-100):
    """Return loss and weight of each target, scores having their classes last."""
    losses, weights = [], []
    for row, t in zip(scores.reshape(-1, scores.shape[-1]), target.ravel(), strict=True):
        w = 0.0 if t == ignore else 1.0 if weight is None else weight[t]
        losses.append(0.0 if t == ignore else -w * row[t])
        weights.append(w)
    return np.array(losses).reshape(target.shape), np.array(weights).reshape(target.shape)


@pytest.mark.parametrize("weight", [None, np.array([0.5, 2.0, 3.0])])
@pytest.mark.parametrize("ignore", [-100, 0])
@pytest.mark.parametrize("spatial", [(), (2,), (2, 5)])
def test_classes(spatial, ignore, weight):
    x = RNG.normal(size=(4, 3, *spatial))
    target = RNG.integers(0, 3, (4, *spatial))
    scores = special.log_softmax(np.moveaxis(x, 1, -1), axis=-1)
    losses, weights = nll(scores, target, weight, ignore)
    given = [tensor(x), tensor(target), None if weight is None else tensor(weight)]
    each = ops.cross_entropy(*given, ignore_index=ignore, reduction="none")
    np.testing.assert_allclose(each.numpy(), losses, rtol=1e-10)
    total = ops.cross_entropy(*given, ignore_index=ignore, reduction="sum")
    np.testing.assert_allclose(total.item(), losses.sum(), rtol=1e-10)
    mean = ops.cross_entropy(*given, ignore_index=ignore)
    np.testing.assert_allclose(mean.item(), losses.sum() / weights.sum(), rtol=1e-10)
    given[0] = tensor(np.moveaxis(scores, -1, 1))
    direct = ops.nll_loss(*given, ignore_index=ignore)
    np.testing.assert_allclose(direct.item(), mean.item(), rtol=1e-10)
    check_grads(
        lambda x: ops.cross_entropy(x, *given[1:], ignore_index=ignore, label_smoothing=0.1),
        [tensor(x)],
    )


def test_smoothed_classes_are_probabilities():
    onehot = np.eye(3)[CLASSES]
    x, classes, one = tensor(X), tensor(CLASSES), tensor(onehot)
    for reduction in ("mean", "sum", "none"):
        options = {"label_smoothing": 0.2, "reduction": reduction}
        y = ops.cross_entropy(x, classes, **options)
        np.testing.assert_allclose(
            y.numpy(), ops.cross_entropy(x, one, **options).numpy(), rtol=1e-12
        )
    expected = -(special.log_softmax(X, axis=1) * (onehot * 0.8 + 0.2 / 3)).sum(axis=1)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12)
    weight = tensor(np.array([0.5, 2.0, 3.0]))
    y = ops.cross_entropy(x, one, weight, reduction="none")
    np.testing.assert_allclose(
        y.numpy(), nll(special.log_softmax(X, 1), CLASSES, weight.numpy())[0]
    )


def test_one_row_of_classes():
    x = tensor(X[0])
    y = ops.cross_entropy(x, tensor(np.array(2)))
    np.testing.assert_allclose(y.item(), -special.log_softmax(X[0])[2], rtol=1e-12)


def test_what_is_ignored_may_be_impossible():
    scores = tensor(np.array([[-np.inf, 0], [np.log(0.5)] * 2]), requires_grad=True)
    y = ops.nll_loss(scores, tensor(np.array([-100, 1])))
    y.backward()
    np.testing.assert_allclose(y.item(), np.log(2))
    assert scores.grad.tolist() == [[0, 0], [0, -1]]


def test_certainty_that_is_wrong_costs_a_hundred():
    x = tensor(np.array([0.0, 1.0, 0.0, 1.0]), requires_grad=True)
    y = ops.binary_cross_entropy(x, tensor(np.array([1.0, 0.0, 0.0, 1.0])), reduction="none")
    assert y.tolist() == [100, 100, 0, 0]
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [-1e12, 1e12, 0, 0])


def test_multi_margin():
    for p in (1, 2):
        lacks = [
            sum(max(0, 0.5 - row[t] + row[i]) ** p for i in range(3) if i != t) / 3
            for row, t in zip(X.tolist(), CLASSES.tolist(), strict=True)
        ]
        operands = tensor(X), tensor(CLASSES)
        y = ops.multi_margin_loss(*operands, p=p, margin=0.5, reduction="none")
        np.testing.assert_allclose(y.numpy(), lacks, rtol=1e-12, atol=1e-14)
        weight = np.array([0.5, 2.0, 3.0])
        y = ops.multi_margin_loss(*operands, tensor(weight), p=p, margin=0.5)
        np.testing.assert_allclose(y.item(), np.mean(lacks * weight[CLASSES]), rtol=1e-12)
    one = ops.multi_margin_loss(operands[0][0], operands[1][0], p=2, margin=0.5)
    np.testing.assert_allclose(one.item(), lacks[0], rtol=1e-12)
    check_grads(lambda x: ops.multi_margin_loss(x, operands[1], p=2), [operands[0]])


def test_multilabel_margin():
    targets = np.array([[2, -1, 0], [0, 1, -1], [1, 1, 2], [-1, 0, 1]])
    named = [[2], [0, 1], [1, 1, 2], []]
    lacks = [
        sum(max(0, 1 - row[j] + row[i]) for j in right for i in range(3) if i not in right) / 3
        for row, right in zip(X.tolist(), named, strict=True)
    ]
    y = ops.multilabel_margin_loss(tensor(X), tensor(targets), reduction="none")
    np.testing.assert_allclose(y.numpy(), lacks, rtol=1e-12)
    assert y.numpy().any()
    one = ops.multilabel_margin_loss(tensor(X[0]), tensor(targets[0]))
    np.testing.assert_allclose(one.item(), lacks[0], rtol=1e-12)
    check_grads(lambda x: ops.multilabel_margin_loss(x, tensor(targets)), [tensor(X)])


def test_cosine_embedding():
    cosines = (X * Y).sum(1) / np.linalg.norm(X, axis=1) / np.linalg.norm(Y, axis=1)
    signs = SIGNS[:, 0]
    expected = np.where(signs == 1, 1 - cosines, np.maximum(cosines - 0.1, 0))
    target = tensor(signs)
    y = ops.cosine_embedding_loss(tensor(X), tensor(Y), target, margin=0.1, reduction="none")
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-10)
    check_grads(lambda x, y: ops.cosine_embedding_loss(x, y, target), [tensor(X), tensor(Y)])


@pytest.mark.parametrize("p", [1, 2, 3])
def test_triplet_margin(p):
    def distance(a, b):
        return (np.abs(a - b + 1e-6) ** p).sum(axis=1) ** (1 / p)

    operands = [tensor(a) for a in (X, Y, P)]
    far = distance(X, P)
    y = ops.triplet_margin_loss(*operands, p=p, margin=0.7, reduction="none")
    np.testing.assert_allclose(y.numpy(), np.maximum(distance(X, Y) - far + 0.7, 0), rtol=1e-10)
    y = ops.triplet_margin_loss(*operands, p=p, margin=0.7, swap=True, reduction="none")
    far = np.minimum(far, distance(Y, P))
    np.testing.assert_allclose(y.numpy(), np.maximum(distance(X, Y) - far + 0.7, 0), rtol=1e-10)
    check_grads(lambda *a: ops.triplet_margin_loss(*a, p=p), operands)


def test_batchmean_is_the_divergence():
    y = ops.kl_div(tensor(np.log(P)), tensor(Q), reduction="batchmean")
    np.testing.assert_allclose(y.item(), special.rel_entr(Q, P).sum() / 4, rtol=1e-12)
    y = ops.kl_div(tensor(np.log(P)), tensor(np.zeros((4, 3))))
    assert y.item() == 0


def test_stirling_and_least_variances():
    y = ops.poisson_nll_loss(tensor(X), tensor(COUNTS), full=True, reduction="none").numpy()
    plain = ops.poisson_nll_loss(tensor(X), tensor(COUNTS), reduction="none").numpy()
    many = COUNTS[COUNTS > 1]
    np.testing.assert_allclose((y - plain)[COUNTS > 1], special.gammaln(many + 1), rtol=0.1)
    np.testing.assert_array_equal((y - plain)[COUNTS <= 1], 0)
    y = ops.gaussian_nll_loss(tensor(X), tensor(Y), tensor(np.zeros(3)), eps=0.5)
    z = ops.gaussian_nll_loss(tensor(X), tensor(Y), tensor(np.full(3, 0.5)))
    assert y.item() == z.item()


def test_errors_name_the_problem():
    x, classes = tensor(X), tensor(CLASSES)
    with pytest.raises(ReductionError, match='"none", "mean" or "sum"; given \'avg\''):
        ops.mse_loss(x, x, reduction="avg")
    with pytest.raises(ShapeError, match=r"input \(4, 3\), target \(4,\)"):
        ops.l1_loss(x, x[:, 0])
    with pytest.raises(ShapeError, match=r"given \(4, 3\) and \(3,\)"):
        ops.cross_entropy(x, classes[:3])
    with pytest.raises(BoundsError, match="indices run from 0 to 2; given 0 to 3"):
        ops.nll_loss(x, tensor(np.array([0, 1, 2, 3])))
    with pytest.raises(ShapeError, match="p of 1 or 2"):
        ops.multi_margin_loss(x, classes, p=3)
    with pytest.raises(ShapeError, match="one target for each pair"):
        ops.cosine_embedding_loss(x, x, x)


def test_softmax_nll_is_the_loss_of_each_row():
    rng = np.random.default_rng(3)
    x, classes = rng.normal(size=(6, 4)) * 4, np.array([0, 3, -1, 2, 2, 1])
    expected = -special.log_softmax(x, axis=1)[np.arange(6), classes]
    expected[2] = 0
    y = ops.softmax_nll(x, classes, ignore_index=-1)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12)
