"""IndexedDataset in Python and in the Lua package read and write the same files."""

import numpy as np
import pytest

from rekindle import tensor
from rekindle.core.checkpoint import Table
from rekindle.legacy_nn import torchnet as tnt
from rekindle.legacy_nn.bridge import Runtime
from rekindle.legacy_nn.torchnet import indexed_files

SHAPES = [(1, 2), (3,), (), (2, 2, 2)]
"""Of the samples; the third has no elements."""


@pytest.fixture(scope="module")
def lua():
    made = Runtime()
    made.execute("tnt = require 'torchnet'")
    yield made
    made.close()


def samples(dtype):
    rng = np.random.default_rng(2)
    return [rng.integers(0, 100, size=s or (0,)).astype(dtype) for s in SHAPES]


def write(folder, kind):
    paths = (folder / f"{kind}.idx", folder / f"{kind}.bin")
    with tnt.IndexedDatasetWriter(*paths, kind) as writer:
        for sample in samples(indexed_files.TYPES[kind]):
            writer.add(tensor(sample))
    return paths


@pytest.mark.parametrize("kind", [k for k in indexed_files.TYPES if k != "table"])
def test_files_are_those_of_the_lua_writer(lua, tmp_path, kind):
    paths = write(tmp_path, kind)
    lua.execute(f"""
        w = tnt.IndexedDatasetWriter('{tmp_path}/lua.idx', '{tmp_path}/lua.bin', '{kind}')
        function add(x) w:add(x:nElement() > 0 and x or x.new()) end
    """)
    for sample in samples(indexed_files.TYPES[kind]):
        lua.globals.add(tensor(sample))
    lua.execute("w:close()")
    for mine, theirs in zip(paths, ("lua.idx", "lua.bin"), strict=True):
        assert mine.read_bytes() == (tmp_path / theirs).read_bytes()
    data = tnt.IndexedDataset([kind], tmp_path, mmap=kind == "int", standalone=True)
    for i, expected in enumerate(samples(indexed_files.TYPES[kind]), start=1):
        found = data.get(i).numpy()
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        assert np.array_equal(found, expected)


def test_tables_of_both(lua, tmp_path):
    with tnt.IndexedDatasetWriter(tmp_path / "t.idx", tmp_path / "t.bin", "table") as writer:
        writer.add({"name": "grün", "x": tensor([1.0, 2.0])})
        writer.add([3, 4])
    lua.execute(f"""
        d = tnt.IndexedDataset {{fields = {{'t'}}, path = '{tmp_path}', standalone = true}}
        assert(d:get(1).name == 'gr\\195\\188n' and d:get(1).x:sum() == 3 and d:get(2)[2] == 4)
        w = tnt.IndexedDatasetWriter('{tmp_path}/t.idx', '{tmp_path}/t.bin')
        w:add {{name = 'from Lua', {{7}}}}
        w:close()
    """)
    data = tnt.IndexedDataset({"t": {"idx": tmp_path / "t.idx", "bin": tmp_path / "t.bin"}})
    assert data.size() == 3
    assert data.get(1)["t"].name == "grün"
    last = data.get(3)["t"]
    assert isinstance(last, Table)
    assert (last.name, last[1][1]) == ("from Lua", 7)


def test_archives_go_on(tmp_path):
    paths = write(tmp_path, "short")
    (tmp_path / "raw").write_bytes(np.arange(5, dtype="<i2").tobytes())
    with tnt.IndexedDatasetWriter(*paths) as writer:
        writer.add(str(tmp_path / "raw"))
        writer.add(tensor(np.int16(9)))
    reader = tnt.IndexedDatasetReader(*paths)
    assert [reader.get(i).shape for i in range(1, reader.size() + 1)] == [
        (1, 2), (3,), (0,), (2, 2, 2), (5,), (1,)]  # fmt: skip
    assert reader.get(5).numpy().tolist() == [0, 1, 2, 3, 4]


def test_several_fields_and_a_limit(tmp_path):
    write(tmp_path, "float")
    write(tmp_path, "long")
    data = tnt.IndexedDataset(["float", "long"], tmp_path, maxload=2)
    assert data.size() == 2
    assert [*data.get(2)] == ["float", "long"]
    assert data.get(2)["long"].shape == (3,)


def test_mapped_samples_are_written_apart_from_the_file(tmp_path):
    paths = write(tmp_path, "double")
    before = paths[1].read_bytes()
    mapped = tnt.IndexedDatasetReader(*paths, mmap=True)
    mapped.get(1).fill_(5)
    assert mapped.get(1).numpy().tolist() == [[5, 5]]
    assert paths[1].read_bytes() == before
    copied = tnt.IndexedDatasetReader(*paths)
    copied.get(1).fill_(5)
    assert copied.get(1).numpy().tolist() != [[5, 5]]


def longs(path, *numbers):
    np.array(numbers, "<i8").tofile(path)


def cut(index, data):
    data.write_bytes(data.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda i, d: i.write_bytes(b"no index"), "is no index"),
        (lambda i, d: longs(i, indexed_files.MARK, 1), "ends within its head"),
        (lambda i, d: longs(i, indexed_files.MARK, 2, 6, 4, 0, 0), "version 2"),
        (lambda i, d: longs(i, indexed_files.MARK, 1, 9, 4, 0, 0), "unknown type"),
        (lambda i, d: longs(i, indexed_files.MARK, 1, 6, 8, 0, 0), "8 bytes"),
        (lambda i, d: longs(i, indexed_files.MARK, 1, 6, 4, 1 << 40, 0, 0, 0), "should have"),
        (lambda i, d: longs(i, indexed_files.MARK, 1, 6, 4, 1, 1, 0, 1, 0, 4, 5), "sample 1"),
        (cut, "bytes, and"),
    ],
)
def test_damaged_files_are_an_error(tmp_path, damage, message):
    paths = write(tmp_path, "float")
    damage(*paths)
    with pytest.raises(tnt.TorchnetError, match=message):
        tnt.IndexedDatasetReader(*paths)


def test_what_does_not_fit_is_an_error(tmp_path):
    paths = write(tmp_path, "float")
    write(tmp_path, "int")
    with tnt.IndexedDatasetWriter(*paths) as writer:
        for sample, message in (
            (tensor([1]), "of the type 'float'"),
            ({"a": 1}, "archives of tables"),
            (1.5, "expected, got 1.5"),
        ):
            with pytest.raises(tnt.TorchnetError, match=message):
                writer.add(sample)
        writer.add(tensor([1.0]))
    for make, message in (
        (lambda: tnt.IndexedDatasetWriter(*paths, "half"), "got 'half'"),
        (lambda: tnt.IndexedDataset(["float", "int"], tmp_path), "one size"),
        (lambda: tnt.IndexedDataset([], tmp_path), "not be empty"),
        (lambda: tnt.IndexedDataset("float", tmp_path), "list of names"),
        (lambda: tnt.IndexedDataset(["float"]), "map names"),
        (lambda: tnt.IndexedDataset(["float"], tmp_path).get(6), "from 1 to 5"),
    ):
        with pytest.raises(tnt.TorchnetError, match=message):
            make()
