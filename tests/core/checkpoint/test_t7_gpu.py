"""Checkpoints of CUDA, cuDNN and OpenCL machines load on a CPU, with their values."""

import json
import re
import warnings

import numpy as np
import pytest
from t7_recorded import GPU

from rekindle.core.checkpoint import Table, TorchObject, dumps, load
from rekindle.core.checkpoint.torch_types import STORAGE_CLASSES, TENSOR_CLASSES
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

INDEX = json.loads((GPU / "index.json").read_text())
GPU_CLASS = re.compile(rb"torch\.(Cuda|Cl)(\w*)(Tensor|Storage)")


def below(value):
    """Yield everything inside a loaded value, each object once."""
    pending, seen = [value], set()
    while pending:
        item = pending.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        if isinstance(item, Table):
            pending += [*item.keys(), *item.values()]
        elif isinstance(item, TorchObject):
            pending.append(item.t7_fields())


@pytest.mark.parametrize("entry", INDEX, ids=lambda e: e["file"])
def test_loads_with_the_classes_that_the_index_counts(entry):
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for item in below(load(GPU / entry["file"])):
            if isinstance(item, TorchObject):
                found[item.t7_typename] = found.get(item.t7_typename, 0) + 1
            elif isinstance(item, Tensor):
                assert np.isfinite(item.numpy().astype(np.float64)).all()
    torch_types = {*TENSOR_CLASSES, *STORAGE_CLASSES}
    assert found == {name: n for name, n in entry["classes"].items() if name not in torch_types}


def as_cpu_classes(raw, format):
    """Return the file with the classes of GPU tensors and storages renamed to the CPU's."""

    def rename(match):
        name = re.sub(GPU_CLASS, lambda m: b"torch.%s%s" % (m[2] or b"Float", m[3]), match[2])
        if format == "ascii":
            return b"V 1\n%d\n%s\n" % (len(name), name)
        return b"V 1" + len(name).to_bytes(4, "little") + name

    if format == "ascii":
        return re.sub(rb"V 1\n(\d+)\n(torch\.\w+)\n", rename, raw)
    return re.sub(rb"V 1(....)(torch\.(?:Cuda|Cl)\w*?(?:Tensor|Storage))", rename, raw, flags=re.S)


@pytest.mark.parametrize("entry", INDEX, ids=lambda e: e["file"])
def test_written_back_byte_for_byte_but_for_the_class_names(entry):
    path = GPU / entry["file"]
    assert dumps(load(path), entry["format"]) == as_cpu_classes(path.read_bytes(), entry["format"])


def test_values_of_every_type():
    found, expect = load(GPU / "all_types.t7"), load(GPU / "all_types.expect.t7")
    compared = 0
    for name, value in expect.items():
        if isinstance(value, Tensor):
            np.testing.assert_array_equal(found[name].numpy(), value.numpy(), name)
            assert found[name].dtype == value.dtype
            compared += 1
    assert compared >= 7


def test_values_of_storages():
    found, expect = load(GPU / "storages_shared.t7"), load(GPU / "storages_shared.expect.t7")
    for name in ("byte", "long", "int", "f"):
        assert isinstance(found[name], Storage)
        assert found[name].tolist() == expect[name].array()
    for name in ("a", "b", "st"):
        value = found[name]
        values = value.array if isinstance(value, Storage) else value.numpy()
        np.testing.assert_array_equal(values, expect[name].numpy())
    assert found.a.storage() is found.b.storage() is found.st


def test_parameters_of_a_training_checkpoint():
    found, expect = load(GPU / "checkpoint_table.t7"), load(GPU / "checkpoint_table.expect.t7")
    np.testing.assert_array_equal(found.params.numpy(), expect.params.numpy())
    np.testing.assert_array_equal(found.gradParams.numpy(), expect.gradParams.numpy())
    np.testing.assert_array_equal(found.optimState.dfdx.numpy(), expect.dfdx.numpy())
    assert found.model.modules[1].weight.storage() is found.params.storage()


@pytest.mark.parametrize("name", ["convnet_convert", "resnet_blocks_convert", "cudadouble_mlp"])
def test_parameters_equal_those_of_the_nn_twin(name):
    found, twin = load(GPU / f"{name}.t7"), load(GPU / f"{name}.expect.t7").model_nn
    tensors = [[v for v in below(model) if isinstance(v, Tensor)] for model in (found, twin)]
    weights = [
        sorted((v.shape, v.numpy().astype(np.float64).sum()) for v in side if v.ndim == 2)
        for side in tensors
    ]
    assert weights[0]
    assert weights[0] == weights[1]


def test_records_of_data_parallel_tables_are_consumed():
    for name in ("dpt_v2", "dpt_v3_flat"):
        table = load(GPU / f"{name}.t7")
        assert table["tail"] == "after"
        assert table.model.gpuAssignments.count() >= 2
        assert len(table.model.modules) == 1
    flat = load(GPU / "dpt_v3_flat.t7").model
    weight = flat.modules[1].modules[1].weight
    assert weight.storage() is flat.flattenedParams[1][1].storage()


def test_record_of_nn_gpu():
    table = load(GPU / "nn_gpu.t7")
    assert table["tail"] == "after"
    first = table.model.modules[1]
    assert (first.t7_typename, first.device, first.outdevice) == ("nn.GPU", 1, 2)
    assert first.modules[1].t7_typename in ("nn.Linear", "nn.Sequential")


def test_record_of_a_model_parallel_table():
    model = load(GPU / "model_parallel_table.t7")
    assert model.gpuAssignments.array() == [1, 2]
    assert [m.t7_typename for m in model.modules.array()] == ["nn.SpatialConvolution"] * 2
    assert model.dimension == 2
