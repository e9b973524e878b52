"""Products, norms and distances against recorded Torch7 runs and NumPy."""

import math

import numpy as np
import pytest
from recorded import (
    FIXTURES,
    assert_close,
    check_constructor,
    check_forward,
    construct,
    records,
    tostring_texts,
)

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError
from rekindle.legacy_nn.module import ArgumentError
from rekindle.legacy_nn.torch7 import random

RECORDS = records(
    *("MM", "MV", "DotProduct", "Normalize", "PairwiseDistance", "CosineDistance"),
    *("Cosine", "Euclidean", "WeightedEuclidean"),
)


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_forward(path):
    check_forward(path)


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


@pytest.mark.parametrize("name", ["Cosine", "Euclidean"])
def test_initial_parameters_are_torch7s(name):
    record = checkpoint.load(FIXTURES / "behaviour" / f"init_{name}.t7")
    random.manual_seed(7)
    module = construct(record.inputs.ctor)
    assert_close(Table(module.parameters()[0]), record.results.params)
    assert random.default.words(1)[0] == record.results.next_random
    random.manual_seed(8)
    module.reset(0.1)
    assert_close(Table(module.parameters()[0]), record.results.reset_01)


def doubles(*shape, seed=0):
    return tensor(np.random.default_rng(seed).normal(size=shape))


@pytest.mark.parametrize("transposed", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("batch", [(), (5,)])
def test_matrix_products(transposed, batch):
    a, b = doubles(*batch, 3, 4), doubles(*batch, 4, 2, seed=1)
    expected = a.numpy() @ b.numpy()
    given = [x.transpose(-1, -2) if t else x for x, t in zip((a, b), transposed, strict=True)]
    np.testing.assert_allclose(nn.MM(*transposed)(given).numpy(), expected, rtol=1e-12)
    v = doubles(*batch, 4, seed=2)
    product = nn.MV(transposed[0])([given[0], v]).numpy()
    np.testing.assert_allclose(product, (a.numpy() @ v.numpy()[..., None])[..., 0], rtol=1e-12)


@pytest.mark.parametrize("p", [1, 2, 3, 4, 0.5, 2.5, math.inf])
def test_rows_are_divided_by_their_norm(p):
    x, eps = doubles(3, 4), 1e-3
    if p == math.inf:
        norm = np.abs(x.numpy()).max(1) + eps
    else:
        norm = ((np.abs(x.numpy()) ** p).sum(1) + eps) ** (1 / p)
    expected = x.numpy() / norm[:, None]
    np.testing.assert_allclose(nn.Normalize(p, eps)(x).numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(nn.Normalize(p, eps)(x[1]).numpy(), expected[1], rtol=1e-12)


@pytest.mark.parametrize("p", [1, 2, 3, 2.5])
def test_distances_of_rows(p):
    a, b = doubles(3, 4), doubles(3, 4, seed=1)
    expected = np.linalg.norm(a.numpy() - b.numpy(), ord=p, axis=1)
    np.testing.assert_allclose(nn.PairwiseDistance(p)([a, b]).numpy(), expected, rtol=1e-12)
    one = nn.PairwiseDistance(p)([a[1], b[1]])
    np.testing.assert_allclose(one.numpy(), expected[1:2], rtol=1e-12)


def test_the_cosine_of_nothing_is_0():
    zero = tensor(np.zeros(3))
    assert nn.CosineDistance()([zero, doubles(3)]).tolist() == [0.0]
    assert nn.Cosine(3, 2)(zero).tolist() == [0.0, 0.0]


def test_learned_points_with_weights():
    m, x = nn.WeightedEuclidean(4, 3), doubles(2, 4)
    m.diagCov.detach().copy_(doubles(4, 3, seed=1))
    difference = (x.numpy()[:, :, None] - m.weight.numpy()) * m.diagCov.numpy()
    np.testing.assert_allclose(m(x).numpy(), np.linalg.norm(difference, axis=1), rtol=1e-12)
    assert m.parameters() == ([m.weight, m.diagCov], [m.gradWeight, m.gradDiagCov])


@pytest.mark.parametrize(
    ("module", "input", "words"),
    [
        (nn.MM(), [doubles(2, 3), doubles(2, 3)], "matrix sizes do not match"),
        (nn.MM(), [doubles(2, 3), doubles(5, 3, 2)], "two batches of as many"),
        (nn.MM(), [doubles(4, 2, 3), doubles(5, 3, 2)], "two batches of as many"),
        (nn.MV(), [doubles(2, 3), doubles(2)], "matrix row count and vector length do not match"),
        (nn.MV(), [doubles(2, 3), doubles(3, 1)], "matrix and a vector"),
        (nn.DotProduct(), [doubles(2, 3), doubles(2, 4)], "of one shape"),
        (
            nn.PairwiseDistance(2),
            [doubles(2, 3, 4), doubles(2, 3, 4)],
            "input must be vector or matrix",
        ),
        (nn.Normalize(2), doubles(2, 3, 4), "1-D or 2-D input"),
        (nn.Cosine(4, 3), doubles(2, 3), "takes 4 features"),
        (nn.Euclidean(4, 3), doubles(3), "takes 4 features"),
    ],
)
def test_errors_say_what_was_expected_and_given(module, input, words):
    with pytest.raises(ShapeError, match=words):
        module.updateOutput(input)


def test_normalize_refuses_orders_that_are_none():
    with pytest.raises(ArgumentError, match="above 0"):
        nn.Normalize(0)


def test_texts_are_torch7s():
    texts = tostring_texts()
    assert repr(nn.Normalize(2)) == texts["nn.Normalize(2)"]
    assert repr(nn.Bilinear(2, 3, 4)) == texts["nn.Bilinear(2,3,4)"]
    assert repr(nn.Linear(3, 2)) == texts["nn.Linear(3,2)"]
    assert repr(nn.Linear(3, 2).noBias()) == texts["nn.Linear(3,2):noBias()"]
    assert repr(nn.Normalize(2.5)) == "nn.Normalize(2.500000)"
