"""torchfile, an independent reader, finds the same in every file that it can read."""

import numpy as np
import pytest
import torchfile
from t7_recorded import FOLDER, GPU, INDEX

from rekindle.core.checkpoint import LuaFunction, Table, TdsHash, TorchObject, load
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

# What torchfile cannot read, or reads wrongly.
MISREAD = (
    "tds_",  # reads the count as an int
    "legacy_",  # takes the first word of an old function for its index
    "_half",
    "class_custom_io",
    "generator",
    "rawfile",
    "tab_tensor_key",  # has no tensors as keys
    "multi_objects",  # reads the first of several
    "nc_zero_stride",  # reads beyond a storage of one row
)
FILES = [
    FOLDER / e["file"]
    for e in INDEX
    if e["mode"] in ("bin", "unref") and not any(word in e["case"] for word in MISREAD)
]
GPU_FILES = [
    path
    for path in sorted(GPU.glob("*.t7"))
    if path.read_bytes()[1:2] != b"\n"
    and not any(
        w in path.name for w in ("nn_gpu", "model_parallel", "dpt_v2", "dpt_v3", "dpt_feat")
    )
    and not any(w in path.read_bytes() for w in (b"HalfTensor", b"torch.Cl", b"CudaLong"))
]


def same(ours, theirs, met):
    """Compare a pair of objects; `met` says which of theirs each of ours is."""
    if isinstance(ours, (Table, TorchObject, LuaFunction)):
        if id(ours) in met:
            assert met[id(ours)] is theirs
            return
        met[id(ours)] = theirs
    if isinstance(ours, TorchObject):
        assert theirs.torch_typename() == ours.t7_typename.encode()
        same(ours.t7_fields(), theirs._obj, met)
    elif isinstance(ours, LuaFunction):
        assert theirs.dumped == ours.bytecode
        same(ours.upvalues, theirs.upvalues, met)
    elif isinstance(ours, Table):
        assert len(theirs) == ours.count()
        for (key, value), (their_key, their_value) in zip(
            ours.items(), theirs.items(), strict=True
        ):
            same(key, their_key, met)
            same(value, their_value, met)
    elif isinstance(ours, Tensor):
        np.testing.assert_array_equal(ours.numpy(), theirs)
        assert ours.dtype == theirs.dtype
    elif isinstance(ours, Storage):
        np.testing.assert_array_equal(ours.array, theirs)
    elif isinstance(ours, str):
        assert ours.encode("utf-8", "surrogateescape") == theirs
    else:
        assert ours == theirs or (ours != ours and theirs != theirs)


@pytest.mark.parametrize("path", FILES + GPU_FILES, ids=lambda p: p.name)
def test_torchfile_agrees(path):
    with open(path, "rb") as file:
        theirs = torchfile.T7Reader(file, use_list_heuristic=False).read_obj()
    same(load(path), theirs, {})


def test_the_comparison_can_fail():
    with pytest.raises(AssertionError):
        same(Table({"a": TdsHash()}), {b"a": {1: 2}}, {})
    with pytest.raises(AssertionError):
        same(Tensor(np.zeros(3)), np.ones(3), {})


def test_most_files_are_compared():
    assert len(FILES) > 80
    assert len(GPU_FILES) > 60
