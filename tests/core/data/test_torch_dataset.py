"""TorchDataset: the forms that data sets have in old checkpoints."""

import mmap
import pickle

import numpy as np
import pytest

import rekindle
from rekindle import Table
from rekindle.core import data
from rekindle.core.checkpoint import TdsHash, TdsVec

X = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
LABELS = [3, 1, 2, 3]


def saved(tmp_path, value):
    rekindle.save(value, tmp_path / "data.t7")
    return tmp_path / "data.t7"


def samples(dataset):
    return [(np.asarray(x).tolist(), y) for x, y in dataset]


EXPECTED = [(x.tolist(), y) for x, y in zip(X, LABELS, strict=True)]

FORMS = {
    "data, labels": {"data": X, "labels": np.array(LABELS, np.int64)},
    "data, label of doubles": {"data": X, "label": np.array(LABELS, np.float64)},
    "data, column of labels": {"data": X, "labels": np.array(LABELS, np.uint8)[:, None]},
    "X, y": {"X": X, "y": np.array(LABELS, np.uint8)},
    "inputs, targets, tables": {"inputs": list(X), "targets": LABELS},
    "two tensors": [X, np.array(LABELS)],
    "pairs": [[x, y] for x, y in zip(X, LABELS, strict=True)],
    "named pairs": [{"input": x, "target": y} for x, y in zip(X, LABELS, strict=True)],
    "tds": {"data": TdsVec(rekindle.tensor(x) for x in X), "labels": TdsVec(LABELS)},
    "tds.Hash of pairs": TdsHash(
        {i: TdsVec([rekindle.tensor(x), y]) for i, (x, y) in enumerate(zip(X, LABELS), 1)}  # noqa: B905
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(tmp_path, form):
    dataset = data.TorchDataset(saved(tmp_path, FORMS[form]))
    assert len(dataset) == 4
    assert samples(dataset) == EXPECTED
    shifted = data.TorchDataset(saved(tmp_path, FORMS[form]), zero_based=True)
    assert [y for _, y in samples(shifted)] == [2, 0, 1, 2]
    assert all(type(y) is int for _, y in shifted)
    assert np.asarray(dataset[-1][0]).tolist() == X[3].tolist()
    with pytest.raises(IndexError):
        dataset[4]
    batch = next(iter(data.DataLoader(shifted, 4)))
    assert batch[0].numpy().tolist() == X.tolist()
    assert batch[1].dtype == np.int64


def test_parts(tmp_path):
    train, test = {"data": X, "labels": np.array(LABELS)}, {"data": X[:1], "labels": np.array([1])}
    path = saved(tmp_path, {"train": train, "test": test, "mean": 3})
    assert len(data.TorchDataset(path, "train")) == 4
    assert samples(data.TorchDataset(path, "test")) == [(X[0].tolist(), 1)]
    with pytest.raises(data.DataError, match="choose one of train, test as split"):
        data.TorchDataset(path)
    with pytest.raises(data.DataError, match="no part 'val'; choose one of train, test"):
        data.TorchDataset(path, "val")
    plain = saved(tmp_path, train)
    with pytest.raises(data.DataError, match="it has no parts"):
        data.TorchDataset(plain, "train")


def test_inputs_alone():
    assert [x.tolist() for x in data.TorchDataset(rekindle.tensor(X))] == X.tolist()
    assert len(data.TorchDataset(Table({"data": rekindle.tensor(X)}))) == 4
    several = data.TorchDataset(Table([rekindle.zeros(2), rekindle.zeros(3), rekindle.zeros(1)]))
    assert [len(x) for x in several] == [2, 3, 1]


def test_samples_of_tables():
    table = Table([Table([Table({"a": rekindle.ones(2), "b": Table([1, 2])}), 1])])
    (x, y) = data.TorchDataset(table, zero_based=True)[0]
    assert (x["a"].tolist(), x["b"], y) == ([1, 1], (1, 2), 0)


def test_the_files_of_cifar_have_samples_in_columns(tmp_path):
    columns = np.arange(3072 * 5, dtype=np.uint8).reshape(3072, 5) % 251
    path = saved(tmp_path, {"data": columns, "labels": np.arange(5, dtype=np.uint8)[None]})
    dataset = data.TorchDataset(path, transform=lambda x: x.reshape(3, 32, 32))
    image, label = dataset[3]
    assert label == 3
    assert image.numpy().ravel().tolist() == columns[:, 3].tolist()


def test_names_of_images(tmp_path):
    names = ["cat/1.png", "dog/two.png"]
    rows = np.zeros((2, 12), np.int8)
    for row, name in zip(rows, names, strict=True):
        row[: len(name)] = np.frombuffer(name.encode(), np.int8)
    part = {"imagePath": rows, "imageClass": np.array([1, 2], np.int64)}
    path = saved(
        tmp_path, {"basedir": "/images", "classList": ["cat", "dog"], "train": part, "val": part}
    )
    dataset = data.TorchDataset(path, "val", zero_based=True)
    assert dataset.classes == ["cat", "dog"]
    assert list(dataset) == [("/images/val/cat/1.png", 0), ("/images/val/dog/two.png", 1)]
    moved = data.TorchDataset(path, "train", root=tmp_path, transform=len)
    assert moved[0] == (len(f"{tmp_path}/train/cat/1.png"), 1)


def is_mapped(array):
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(getattr(array, "obj", array), mmap.mmap)


@pytest.mark.parametrize("columns", [False, True])
def test_large_data_are_mapped_and_workers_map_them_themselves(tmp_path, columns):
    big = np.arange(600_000, dtype=np.float64).reshape(300, 2000)
    value = {"data": big, "labels": np.arange(1, 301)}
    if columns:
        value = {"data": np.ascontiguousarray(big.T), "labels": value["labels"][None]}
    path = saved(tmp_path, value)
    dataset = data.TorchDataset(path, zero_based=True)
    assert dataset[7][0].tolist() == big[7].tolist()
    table = rekindle.load(path)
    again = data.TorchDataset(table)
    for _ in again:
        pass
    assert is_mapped(table["data"].storage().raw)
    assert len(pickle.dumps(dataset)) < 2000
    for context in ("fork", "spawn"):
        loader = data.DataLoader(dataset, 100, num_workers=2, multiprocessing_context=context)
        for i, (x, y) in enumerate(loader):
            assert np.array_equal(x.numpy(), big[100 * i : 100 * i + 100])
            assert y.tolist() == list(range(100 * i, 100 * i + 100))


def test_transforms_and_targets_that_are_no_classes(tmp_path):
    table = Table({"X": rekindle.tensor(X), "y": rekindle.tensor([0.5, 1.0, 2.0, 3.0])})
    dataset = data.TorchDataset(
        table, transform=lambda x: x.sum().item(), target_transform=lambda y: -y
    )
    assert dataset[0] == (15, -0.5)
    shifted = data.TorchDataset(table, zero_based=True)
    assert shifted[1][1] == 0
    with pytest.raises(data.DataError, match=r"target of sample 0 is 0\.5"):
        shifted[0]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Table({"weights": 3}), "a table of weights is no data set"),
        (Table(), "a table of nothing"),
        (rekindle.tensor(3.0), "one number"),
        (Table({"data": rekindle.zeros((3, 2)), "labels": rekindle.zeros(2)}), "3 inputs and 2"),
        (Table({"data": rekindle.zeros(3), "labels": 5}), "given a int"),
    ],
)
def test_what_is_no_data_set(value, message):
    with pytest.raises(data.DataError, match=message):
        data.TorchDataset(value)
