import json

import numpy as np
import pytest
import safetensors.numpy

from rekindle.core.dtypes import SUPPORTED
from rekindle.core.export import (
    ExportError,
    Weights,
    format_of,
    read_shapes,
    read_weights,
    write_weights,
)

FORMATS = [".safetensors", ".npz", ".pt", ".pth"]


@pytest.fixture(params=FORMATS)
def extension(request):
    if request.param in (".pt", ".pth"):
        pytest.importorskip("torch")
    return request.param


def example():
    generator = np.random.default_rng(0)
    arrays = {f"a.{d}": generator.integers(0, 2, (2, 3)).astype(d) for d in SUPPORTED}
    base = generator.standard_normal((4, 6)).astype(np.float32)
    arrays |= {
        "transposed": base.T,
        "strided": base[::2, ::3],
        "repeated": np.broadcast_to(base[:1], (5, 6)),
        "swapped": base.astype(">f4"),
        "fortran": np.asfortranarray(base),
        "empty": np.zeros((0, 3)),
        "file": np.arange(3),  # a keyword of numpy.savez
    }
    return Weights(arrays, {"b": "a.float32"}, {"source": "x.t7", "note": 'ü "quoted"'})


def test_every_type_and_layout_comes_back(tmp_path, extension):
    path = tmp_path / f"w{extension}"
    weights = example()
    write_weights(path, weights, extension)
    back = read_weights(path)
    for name in [*weights.arrays, "b"]:
        assert back[name].dtype == weights[name].dtype.newbyteorder("=")
        np.testing.assert_array_equal(back[name], weights[name])
    assert format_of(path) == (".pt" if extension == ".pth" else extension)
    shapes = read_shapes(path)
    assert {n: shapes[n] for n in weights.arrays} == {n: a.shape for n, a in weights.arrays.items()}


@pytest.mark.parametrize("extension", [".safetensors", ".npz"])
def test_metadata_and_aliases_come_back(tmp_path, extension):
    path = tmp_path / f"w{extension}"
    weights = example()
    write_weights(path, weights, extension)
    back = read_weights(path)
    assert back.metadata == weights.metadata
    assert back.aliases == {"b": "a.float32"}
    assert "b" in back
    assert "c" not in back


def test_other_libraries_read_the_files(tmp_path):
    weights = example()
    write_weights(tmp_path / "w.safetensors", weights, ".safetensors")
    loaded = safetensors.numpy.load_file(tmp_path / "w.safetensors")
    np.testing.assert_array_equal(loaded["transposed"], weights["transposed"])
    with safetensors.safe_open(tmp_path / "w.safetensors", "np") as file:
        assert json.loads(file.metadata()["aliases"]) == {"b": "a.float32"}
    write_weights(tmp_path / "w.npz", weights, ".npz")
    with np.load(tmp_path / "w.npz") as archive:
        np.testing.assert_array_equal(archive["fortran"], weights["fortran"])
        assert json.loads(str(archive["__metadata__"]))["source"] == "x.t7"


def test_equal_weights_give_equal_npz_files(tmp_path):
    for name in ("a", "b"):
        write_weights(tmp_path / name, example(), ".npz")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_tied_weights_are_one_tensor_for_pytorch(tmp_path):
    torch = pytest.importorskip("torch")
    write_weights(tmp_path / "w.pt", example(), ".pt")
    state = torch.load(tmp_path / "w.pt", weights_only=True)
    assert state["b"].data_ptr() == state["a.float32"].data_ptr()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\x10\0\0\0\0\0\0\0{not json at all}",
        b"\xff\xff\xff\xff\xff\xff\xff\xff{}",
        b"PK\x03\x04 but no archive",
    ],
)
def test_what_is_no_file_of_weights_is_refused(tmp_path, content):
    path = tmp_path / "w"
    path.write_bytes(content)
    with pytest.raises(ExportError, match=str(path)):
        read_weights(path)
    with pytest.raises(ExportError, match=str(path)):
        read_shapes(path)


@pytest.mark.parametrize("cut", [10, 100, -100, -1])
def test_a_truncated_file_is_refused(tmp_path, cut):
    for extension in (".safetensors", ".npz"):
        path = tmp_path / f"w{extension}"
        write_weights(path, example(), extension)
        path.write_bytes(path.read_bytes()[:cut])
        with pytest.raises(ExportError):
            read_weights(path)


def test_a_pickle_in_an_npz_is_never_loaded(tmp_path):
    np.savez(tmp_path / "w.npz", a=np.array([{"x": 1}], dtype=object))
    with pytest.raises(ExportError, match="allow_pickle=False"):
        read_weights(tmp_path / "w.npz")


def test_a_type_that_numpy_lacks_is_named(tmp_path):
    header = json.dumps({"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    path = tmp_path / "w.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0\0\0")
    assert read_shapes(path) == {"w": (2,)}
    with pytest.raises(ExportError, match=r"w is of type BF16, which NumPy does not have"):
        read_weights(path)


def test_pytorch_is_asked_for_by_name(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(ExportError, match=r"pip install 'rekindle\[parity\]'"):
        write_weights(tmp_path / "w.pt", example(), ".pt")
