"""Data sets, samplers and batches."""

from collections import Counter, namedtuple

import numpy as np
import pytest

import rekindle
from rekindle.core import data

Pair = namedtuple("Pair", "x y")


def test_tensor_datasets_and_parts_of_them():
    x, y = rekindle.tensor(np.arange(12.0).reshape(6, 2)), rekindle.arange(6)
    whole = data.TensorDataset(x, y)
    assert len(whole) == 6
    assert [t.tolist() for t in whole[2]] == [[4, 5], 2]
    some = data.Subset(whole, [5, 0])
    assert [pair[1].item() for pair in some] == [5, 0]
    joined = whole + some + [("last",)]
    assert len(joined) == 9
    assert [joined[i][1].item() for i in (0, 5, 6, 7, -2)] == [0, 5, 5, 0, 0]
    assert joined[-1] == ("last",)
    for index in (9, -10):
        with pytest.raises(IndexError):
            joined[index]
    with pytest.raises(data.DataError, match=r"\[6, 5\]"):
        data.TensorDataset(x, y[1:])
    with pytest.raises(data.DataError, match="given none"):
        data.ConcatDataset([])


def test_random_split():
    parts = data.random_split(range(10), [7, 3], rekindle.Generator(1))
    assert [len(p) for p in parts] == [7, 3]
    assert sorted([*parts[0], *parts[1]]) == list(range(10))
    again = data.random_split(range(10), [7, 3], rekindle.Generator(1))
    assert list(again[0]) == list(parts[0])
    assert [len(p) for p in data.random_split(range(10), [0.5, 0.25, 0.25])] == [6, 2, 2]
    assert [len(p) for p in data.random_split(range(100), [0.7, 0.3])] == [70, 30]
    for lengths in ([5, 4], [0.5, 0.4], [11, -1]):
        with pytest.raises(data.DataError):
            data.random_split(range(10), lengths)


def test_samplers_in_order_and_at_random():
    assert list(data.SequentialSampler("abc")) == [0, 1, 2]
    first = list(data.RandomSampler(range(50), generator=rekindle.Generator(3)))
    assert sorted(first) == list(range(50))
    assert first != list(range(50))
    assert first == list(data.RandomSampler(range(50), generator=rekindle.Generator(3)))
    rounds = list(data.RandomSampler(range(4), num_samples=10))
    assert sorted(rounds[:4]) == sorted(rounds[4:8]) == [0, 1, 2, 3]
    assert len(rounds) == 10
    drawn = list(data.RandomSampler(range(4), replacement=True, num_samples=100))
    assert set(drawn) == {0, 1, 2, 3}
    assert sorted(data.SubsetRandomSampler([5, 9, 7])) == [5, 7, 9]
    with pytest.raises(data.DataError):
        data.RandomSampler([])


def test_weights_decide_how_often():
    sampler = data.WeightedRandomSampler([0, 1, 3], 8000, generator=rekindle.Generator(0))
    counts = Counter(sampler)
    assert counts[0] == 0
    assert counts[2] / counts[1] == pytest.approx(3, rel=0.1)
    once = data.WeightedRandomSampler(rekindle.tensor([0.0, 0.2, 9.0]), 2, replacement=False)
    assert sorted(once) == [1, 2]
    for weights, count, replacement in ([], 1, True), ([-1, 2], 1, True), ([0, 1], 2, False):
        with pytest.raises(data.DataError):
            data.WeightedRandomSampler(weights, count, replacement)


def test_batches_of_numbers():
    assert list(data.BatchSampler(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(data.BatchSampler(range(5), 2, drop_last=True)) == [[0, 1], [2, 3]]
    assert len(data.BatchSampler(range(5), 2)) == 3
    assert len(data.BatchSampler(range(5), 2, drop_last=True)) == 2


def test_collate_keeps_the_form():
    samples = [
        {"a": (np.full((2,), i, np.float32), i), "b": [i > 0, 1.5], "c": Pair(f"s{i}", b"")}
        for i in range(3)
    ]
    batch = data.collate(samples)
    assert batch["a"][0].tolist() == [[0, 0], [1, 1], [2, 2]]
    assert batch["a"][0].dtype == np.float32
    assert batch["a"][1].dtype == np.int64
    assert batch["b"][0].tolist() == [False, True, True]
    assert batch["b"][1].dtype == np.float32
    assert isinstance(batch["c"], Pair)
    assert batch["c"].x == ["s0", "s1", "s2"]
    assert data.collate([1, 2.5]).tolist() == [1, 2.5]
    assert data.collate([rekindle.ones(()), rekindle.zeros(())]).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([{"x": [np.zeros(2)]}, {"x": [np.zeros(3)]}], r"sample\['x'\]\[0\] has shape \(2,\)"),
        ([(1, 2), (1,)], "has 2 elements in sample 0 and 1 in sample 1"),
        ([{"x": 1}, {"y": 1}], r"keys \['x'\]"),
        ([1, "a"], "is a int in sample 0 and a str in sample 1"),
        ([object(), object()], "collate_fn"),
    ],
)
def test_what_makes_no_batch_is_named(samples, message):
    with pytest.raises(data.CollateError, match=message):
        data.collate(samples)
