"""Tables: what is read, what is trained, what is refused; against NumPy."""

import numpy as np
import pytest

from rekindle.core import nn
from rekindle.core.nn import functional as F
from rekindle.core.tensor import Tensor

TABLE = np.random.default_rng(0).normal(size=(5, 3))
INDEX = np.array([1, 4, 4, 0, 2, 1])


def test_a_given_table():
    layer = nn.Embedding.from_pretrained(Tensor(TABLE), padding_idx=-1)
    assert np.array_equal(layer(Tensor(INDEX)).numpy(), TABLE[INDEX])
    assert layer.padding_idx == 4
    assert not layer.weight.requires_grad
    assert nn.EmbeddingBag.from_pretrained(Tensor(TABLE), freeze=False, mode="sum").mode == "sum"


def test_the_row_of_padding_is_not_trained():
    layer = nn.Embedding.from_pretrained(Tensor(TABLE), freeze=False, padding_idx=4)
    layer(Tensor(INDEX)).sum().backward()
    assert layer.weight.grad.numpy()[:, 0].tolist() == [1, 2, 1, 0, 0]


def test_long_rows_that_are_read_are_shortened_in_the_table():
    table = TABLE.copy()
    y = F.embedding(Tensor(INDEX[:3]), Tensor(table), max_norm=0.5)
    norms = np.linalg.norm(TABLE, axis=1, keepdims=True)
    expected = np.where(norms > 0.5, TABLE * 0.5 / (norms + 1e-7), TABLE)
    assert np.allclose(table[[1, 4]], expected[[1, 4]], atol=1e-15)
    assert np.array_equal(table[[0, 2, 3]], TABLE[[0, 2, 3]])
    assert np.array_equal(y.numpy(), table[INDEX[:3]])


@pytest.mark.parametrize(
    ("mode", "function"), [("sum", np.sum), ("mean", np.mean), ("max", np.max)]
)
def test_bags_between_offsets(mode, function):
    layer = nn.EmbeddingBag.from_pretrained(Tensor(TABLE), mode=mode)
    y = layer(Tensor(INDEX), Tensor(np.array([0, 2, 2]))).numpy()
    expected = [function(TABLE[[1, 4]], 0), np.zeros(3), function(TABLE[[4, 0, 2, 1]], 0)]
    assert np.allclose(y, expected, atol=1e-15)
    ended = nn.EmbeddingBag.from_pretrained(
        Tensor(TABLE), mode=mode, include_last_offset=True, padding_idx=4
    )
    y = ended(Tensor(INDEX), Tensor(np.array([0, 2, 2, 6]))).numpy()
    expected = [TABLE[1], np.zeros(3), function(TABLE[[0, 2, 1]], 0)]
    assert np.allclose(y, expected, atol=1e-15)


def test_bags_of_weighed_rows():
    weights = np.arange(6.0)
    y = F.embedding_bag(
        Tensor(INDEX), Tensor(TABLE), Tensor(np.array([0, 3])), mode="sum",
        per_sample_weights=Tensor(weights),
    )  # fmt: skip
    rows = TABLE[INDEX] * weights[:, None]
    assert np.allclose(y.numpy(), [rows[:3].sum(0), rows[3:].sum(0)], atol=1e-15)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "min"}, r'mode is "mean", "sum" or "max"'),
        ({}, r"indices \(B, n\) without offsets, or \(m,\) with"),
        ({"per_sample_weights": Tensor(np.ones(6))}, r'belong to mode="sum"'),
    ],
)
def test_what_bags_refuse(options, message):
    with pytest.raises(ValueError, match=message):
        F.embedding_bag(Tensor(INDEX), Tensor(TABLE), **options)


def test_gradients_by_frequency():
    for layer in (
        nn.Embedding(5, 3, scale_grad_by_freq=True),
        nn.EmbeddingBag(5, 3, mode="sum", scale_grad_by_freq=True),
    ):
        layer(Tensor(INDEX.reshape(2, 3))).sum().backward()
        assert layer.weight.grad.numpy()[:, 1].tolist() == [1, 1, 1, 0, 1]


def test_one_hot():
    assert np.array_equal(F.one_hot(Tensor(INDEX)).numpy(), np.eye(5, dtype=int)[INDEX])
    assert F.one_hot(Tensor(INDEX), 7).shape == (6, 7)
    assert F.one_hot(Tensor(INDEX)).dtype == "int64"
