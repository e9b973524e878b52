"""Paths, file objects, pipes, mapping, and files that are something else."""

import gzip
import io
import os
import pickle
import threading
import zipfile

import numpy as np
import pytest
from t7_recorded import FOLDER

from rekindle.core.checkpoint import (
    RekindleWarning,
    T7Error,
    Table,
    TorchObject,
    dump_all,
    dumps,
    load,
    load_all,
    load_lua,
    loads,
    register,
    save,
)

SAMPLE = FOLDER / "tab_nested.bin.t7"


def test_every_way_in_gives_the_same():
    raw = SAMPLE.read_bytes()
    expect = loads(raw)
    assert load(SAMPLE).equals(expect)
    assert load(str(SAMPLE)).equals(expect)
    assert load(io.BytesIO(raw)).equals(expect)
    assert loads(bytearray(raw)).equals(expect)
    assert loads(memoryview(raw)).equals(expect)
    assert load(gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(raw)))).equals(expect)
    with open(SAMPLE, "rb") as file:
        assert load(file).equals(expect)
    assert load(SAMPLE, mmap=False).equals(expect)


def test_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(SAMPLE.read_bytes()))
    writer.start()
    assert load(pipe).equals(load(SAMPLE))
    writer.join()


def test_text_file_objects_are_refused(tmp_path):
    (tmp_path / "x").write_text("4\n")
    with open(tmp_path / "x") as file, pytest.raises(T7Error, match="text mode"):
        load(file)
    with pytest.raises(TypeError, match="there is loads"):
        load(b"4\n")


def test_what_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing.t7")
    with pytest.raises(T7Error, match="folder"):
        load(tmp_path)
    with pytest.raises(T7Error, match="device"):
        load("/dev/zero")


@pytest.fixture
def large(tmp_path):
    """A file with an unaligned storage that is large enough to be mapped."""
    path = tmp_path / "large.t7"
    values = np.arange(1 << 19, dtype=np.float32)
    save({"x": "odd", "a": values, "b": values[::2]}, path)
    return path, values


@pytest.mark.parametrize("mmap", [True, False])
def test_mapped_storages(large, mmap):
    path, values = large
    before = path.read_bytes()
    table = load(path, mmap=mmap)
    raw = table.a.storage().raw
    base = raw
    while isinstance(base, np.ndarray):
        base = base.base
    assert (base is not None and not isinstance(base, bytes)) == mmap
    path.unlink()
    np.testing.assert_array_equal(table.a.numpy(), values)
    table.a.numpy()[:] = -1  # a private copy: the file, were it still there, stays
    path.write_bytes(before)
    np.testing.assert_array_equal(load(path).a.numpy(), values)


def test_writing_to_a_mapped_tensor_leaves_the_file_alone(tmp_path):
    path = tmp_path / "aligned.t7"
    values = np.arange(1 << 18, dtype=np.float64)
    for pad in range(8):  # one of them makes the storage aligned, so that no copy is made
        save(Table({"pad": "x" * pad, "a": values}), path)
        before = path.read_bytes()
        tensor = load(path).a
        tensor.numpy()[:] = 0
        assert path.read_bytes() == before


def test_mapping_a_file_object_starts_at_its_position(large, tmp_path):
    path, values = large
    moved = tmp_path / "moved.t7"
    moved.write_bytes(b"header" + path.read_bytes())
    with open(moved, "rb") as file:
        file.seek(6)
        table = load(file)
    np.testing.assert_array_equal(table.b.numpy(), values[::2])


def test_big_endian_storages_are_mapped_too(tmp_path):
    values = np.arange(1 << 19, dtype=np.float32)
    little = dumps(values)
    head = little[: -values.nbytes]
    # The header is ints, longs and names; swap each in its place.
    swapped = bytearray()
    position = 0
    for kind in ["i", "i", "i", 3, "i", 17, "i", "q", "q", "q", "i", "i", "i", 3, "i", 18, "q"]:
        size = {"i": 4, "q": 8}.get(kind, kind)
        part = head[position : position + size]
        swapped += part[::-1] if isinstance(kind, str) else part
        position += size
    assert position == len(head)
    path = tmp_path / "big.t7"
    path.write_bytes(bytes(swapped) + values.astype(">f4").tobytes())
    tensor = load(path)
    assert not tensor.storage().raw.dtype.isnative
    np.testing.assert_array_equal(tensor.numpy(), values)
    assert dumps(load(path)) == little


def test_trailing_bytes(tmp_path):
    path = tmp_path / "two.t7"
    path.write_bytes(dump_all([1, "two"]))
    with pytest.warns(RekindleWarning, match=r"two\.t7: 11 bytes follow"):
        assert load(path) == 1
    assert load_all(path) == [1, "two"]
    with pytest.warns(RekindleWarning, match="^11 bytes follow"):
        assert loads(path.read_bytes()) == 1
    assert loads(b"1\n5\n\n \n") == 5  # white space at the end of an ascii file is nothing
    with pytest.raises(T7Error, match="a record of type 77"):
        load_all(dumps(1) + (77).to_bytes(4, "little"))


def test_load_lua_names_unknown_classes(tmp_path):
    path = tmp_path / "x.t7"
    save([TorchObject("nn.B"), TorchObject("nn.A")], path)
    with pytest.raises(T7Error, match=r"x\.t7: .* unknown classes: nn\.A, nn\.B\. Register"):
        load_lua(path)
    assert load_lua(path, unknown_classes=True)[2].t7_typename == "nn.A"
    register("nn.A", TorchObject)
    register("nn.B", TorchObject)
    assert load_lua(path)[1].t7_typename == "nn.B"


def test_load_lua_takes_the_size_of_longs():
    path = FOLDER / "tensor_long_2x3.b32.t7"
    assert load_lua(path, long_size=4).tolist() == load_lua(path, False).tolist()
    with pytest.raises(T7Error):
        load_lua(path, long_size=8)


def test_encodings_that_do_not_take_all_bytes():
    with pytest.raises(T7Error, match=r"is not utf-16-le: .*in a\).*latin-1"):
        loads(dumps({"a": "odd"}).replace(b"\1\0\0\0a", b"\2\0\0\0a\0"), encoding="utf-16-le")
    with pytest.raises(LookupError):
        loads(dumps("x"), encoding="no such")


def test_the_other_engine():
    import torchfile

    found = load(SAMPLE, engine="torchfile")
    assert isinstance(found, torchfile.hashable_uniq_dict)
    assert load(io.BytesIO(dumps("x")), engine="torchfile", encoding=None) == b"x"
    with pytest.raises(ValueError, match="engine is 'rekindle' or 'torchfile'"):
        load(SAMPLE, engine="lua")
    with pytest.raises(ValueError, match="torchfile reads strings"):
        load(SAMPLE, engine="torchfile", encoding="latin-1")


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", "x")
    return file.getvalue()


OTHERS = {
    "zip": (zipped(), "zip archive.*torch.load"),
    "pickle": (pickle.dumps({"a": 1}), "pickle"),
    "old pytorch": (pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2), "PyTorch file of before 1.6"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "git lfs pull"),
    "html": (b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>", "HTML page"),
    "xml": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "XML"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(50), "HDF5.*h5py"),
    "npy": (b"\x93NUMPY\x01\x00", "NumPy array"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG"),
    "jpeg": (b"\xff\xd8\xff\xe0", "JPEG"),
    "gzip": (gzip.compress(b"x"), r"gzip.*gzip\.open"),
    "safetensors": ((16).to_bytes(8, "little") + b'{"a":{"dtype":1}}', "safetensors"),
    "tar": (b"name".ljust(257, b"\0") + b"ustar  \0", "tar archive"),
    "lua": (b"require 'nn'\nlocal net = nn.Sequential()\n", "text file .it begins \"require 'nn'"),
    "json": (b'{"a": 1}', "text file"),
    "empty": (b"", "empty file"),
    "short": (b"\x01\x02", "file of 2 bytes"),
    "noise": (bytes(range(200, 256)) * 4, "unknown binary format"),
    "crlf": (b"4\r\n1\r\n3\r\nV 1\r\n", "CR LF.*binary mode"),
    "bytecode": (b"\x1bLJ\x02", "LuaJIT bytecode"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_formats_are_named(name, tmp_path):
    raw, message = OTHERS[name]
    path = tmp_path / f"{name}.t7"
    path.write_bytes(raw)
    for attempt in (lambda: load(path), lambda: load(io.BytesIO(raw)), lambda: loads(raw)):
        with pytest.raises(T7Error, match=message):
            attempt()
    with pytest.raises(T7Error, match=rf"{name}\.t7: "):
        load(path)


def test_an_endless_stream_of_something_else_is_noticed_at_its_start():
    class Endless(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            buffer[:] = b"x" * len(buffer)
            return len(buffer)

    with pytest.raises(T7Error, match="text file"):
        load(Endless())


def test_error_is_pickled_whole():
    with pytest.raises(T7Error) as caught:
        loads(dumps({"a": [1]})[:-3])
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert (again.offset, again.path) == (caught.value.offset, "a[1]")
