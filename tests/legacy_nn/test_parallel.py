"""GPU wrappers on one processor: fields, texts and what is written. See also test_models."""

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

from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table, TorchObject
from rekindle.core.creation import tensor
from rekindle.legacy_nn import DataParallel, DataParallelTable, Linear, ModelParallel, Tanh

RECORDS = records("GPU")
X = tensor(np.random.default_rng(0).normal(size=(4, 3)))


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_gpu(path):
    check_forward(path)
    check_constructor(path)


def test_text_of_gpu():
    lua = "nn.GPU(nn.Linear(2,2),1)"
    assert repr(construct(lua)) == tostring_texts()[lua]


def test_data_parallel_table_takes_one_module_and_gpus():
    inner = Linear(3, 2)
    one_by_one = DataParallelTable(1).add(inner, 1).add(Linear(3, 2), 2)
    at_once = DataParallelTable(1, True).add(inner, [1, 2])
    for model in (one_by_one, at_once):
        assert model.modules.array() == [inner]
        assert model.gpuAssignments.array() == [1, 2]
        np.testing.assert_array_equal(model(X).numpy(), inner(X).numpy())
        assert repr(model) == "DataParallelTable: 2 x nn.Linear(3 -> 2)"


def test_copies_of_the_module_are_neither_counted_nor_written():
    loaded = checkpoint.load(FIXTURES / "gpu" / "dpt_v1_replicas.t7")
    model = loaded.model
    assert loaded.tail == "after"
    assert len(model.modules) == 2
    assert [path for path, _ in model.children()] == ["modules[1]"]
    assert len(model.parameters()[0]) == len(model.modules[1].parameters()[0])
    again = checkpoint.loads(checkpoint.dumps(model))
    assert len(again.modules) == 1
    expected = checkpoint.load(FIXTURES / "gpu" / "dpt_v1_replicas.expect.t7")
    assert_close(again.evaluate()(expected.input), expected.output, "output", 1e-4)


def saved_as(typename, **fields):
    """Return what is read of an object of this class with these fields, version 1."""
    return checkpoint.loads(checkpoint.dumps(TorchObject(typename, 1, Table(fields))))


def test_the_first_files_call_the_assignments_otherwise():
    fields = {"dimension": 1, "modules": Table([Tanh()]), "gpu_assignments": Table([1, 2])}
    model = saved_as("nn.DataParallelTable", **fields)
    assert model.gpuAssignments.array() == [1, 2]
    np.testing.assert_array_equal(model(X).numpy(), np.tanh(X.numpy()))


def test_parallel_modules_of_fbcunn():
    fields = {"dimension": 2, "gpu_assignments": Table([1, 2])}
    data = saved_as("nn.DataParallel", modules=Table([Tanh(), Tanh()]), **fields)
    assert type(data) is DataParallel
    np.testing.assert_array_equal(data(X).numpy(), np.tanh(X.numpy()))
    model = saved_as("nn.ModelParallel", modules=Table([Tanh(), Tanh()]), **fields)
    assert type(model) is ModelParallel
    np.testing.assert_array_equal(model(X).numpy(), np.tanh(np.hstack([X.numpy(), X.numpy()])))
