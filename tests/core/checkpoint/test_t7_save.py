"""What is written: Python values, layouts, extents of storages, whole files."""

import io
import os
import threading
from collections import OrderedDict

import numpy as np
import pytest

from rekindle.core.checkpoint import (
    LuaFunction,
    T7Error,
    Table,
    TdsHash,
    TdsVec,
    TorchObject,
    dump_all,
    dumps,
    load,
    load_all,
    loads,
    register,
    save,
)
from rekindle.core.storage import Storage
from rekindle.core.tensor import Parameter, Tensor

FORMATS = ("binary", "ascii")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("value", "back"),
    [
        (None, None),
        (True, True),
        (5, 5),
        (5.0, 5),
        (-0.0, -0.0),
        (0.1, 0.1),
        (float("inf"), float("inf")),
        (2**60, 2.0**60),
        ("naïve \udcff", "naïve \udcff"),
        (b"raw", "raw"),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.str_("s"), "s"),
    ],
)
def test_plain_values(value, back, format):
    found = loads(dumps(value, format))
    assert found == back
    assert type(found) is type(back)
    assert str(found) == str(back)


def test_containers_become_tables():
    value = {"list": [1, (2, 3)], "dict": OrderedDict(a=1), 5: {}, "hole": [1, None, 3]}
    found = loads(dumps(value))
    assert found.equals(
        Table({"list": Table([1, Table([2, 3])]), "dict": Table({"a": 1}), 5: Table(),
               "hole": Table({1: 1, 3: 3})})
    )  # fmt: skip
    shared = [1]
    found = loads(dumps([shared, shared, [1]]))
    assert found[1] is found[2]
    assert found[1] is not found[3]
    cycle = []
    cycle.append({"me": cycle})
    found = loads(dumps(cycle))
    assert found[1].me is found


def test_every_kind_of_object_survives(tmp_path):
    hashed, vector = TdsHash({"a": 1, True: 2}), TdsVec([1, "two", Table()])
    function = LuaFunction(b"code", Table([Table({"name": "x", "id": 1, "value": 5})]))
    value = Table(
        {
            "h": hashed,
            "v": vector,
            "f": function,
            "again": function,
            "old": LuaFunction(b"x", Table(), 7),
            "oldest": LuaFunction(b"y", Table([1]), 6),
            "o": TorchObject("nn.X", 3, Table({"w": 1})),
            "s": Storage(np.arange(3)),
            "g": TorchObject("torch.Generator", 1, payload=bytes(5048)),
            "t": TorchObject("torch.Timer"),
            "n": TorchObject("tds.AtomicCounter", 0, payload=-7),
        }
    )
    for format in FORMATS:
        save(value, tmp_path / "x.t7", format)
        found = load(tmp_path / "x.t7")
        assert found.equals(value)
        assert found.f is found.again
        assert type(found.h) is TdsHash
        assert type(found.v) is TdsVec


DTYPES = ["uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_tensors_of_every_type_and_layout(dtype, format):
    base = (np.arange(24).reshape(2, 3, 4) * 5 - 40).astype(dtype)
    swapped = base.astype(base.dtype.newbyteorder(">"))
    for array in (base, base.T, base[:, ::2], base[1:], swapped, base[..., 0], base[:0]):
        for value in (array, Tensor(array)):
            found = loads(dumps(value, format))
            assert found.dtype == dtype
            np.testing.assert_array_equal(found.numpy(), array.reshape(found.shape))
            if array.size:
                assert found.shape == array.shape
                assert found.stride() == tuple(s // base.itemsize for s in array.strides)
            else:
                assert found.shape == (0,)


def test_layouts_that_torch_lacks():
    scalar = loads(dumps(Tensor(np.float64(5))))
    assert (scalar.shape, scalar.item()) == ((1,), 5.0)
    mask = loads(dumps(np.array([True, False])))
    assert (mask.dtype, mask.tolist()) == (np.uint8, [1, 0])
    array = np.arange(6.0).reshape(2, 3)
    for value in (array[::-1], array[:, ::-1], Tensor(array[::-1, ::-1])):
        found = loads(dumps(value))
        np.testing.assert_array_equal(found.numpy(), np.asarray(value))
        assert min(found.stride()) > 0
    records = np.zeros(3, [("a", "f8"), ("b", "i1")])
    np.testing.assert_array_equal(loads(dumps(records["a"])).numpy(), np.zeros(3))
    assert type(loads(dumps(Parameter(array)))) is Tensor


def test_shared_storages_and_identity():
    flat = Tensor(np.arange(12.0))
    storage = flat.storage()
    a, b = Tensor.view_of(storage, 2, (2, 2), (4, 1)), Tensor.view_of(storage, 0, (3,), (1,))
    found = loads(dumps([a, b, a, storage]))
    assert found[1] is found[3]
    assert found[1].storage() is found[2].storage() is found[4]
    found[2].numpy()[2] = 99
    assert found[1].numpy()[0, 0] == 99


class TestExtents:
    def make(self, count=1 << 16):
        return Tensor(np.arange(float(count))).storage()

    def test_a_storage_mostly_out_of_reach_is_cut(self):
        storage = self.make()
        a = Tensor.view_of(storage, 1000, (10, 10), (20, 1))
        b = Tensor.view_of(storage, 900, (50,), (1,))
        raw = dumps([a, b])
        assert len(raw) < 4000
        found = loads(raw)
        assert found[1].storage() is found[2].storage()
        assert found[1].storage().size == 1190 - 900
        assert (found[1].storage_offset(), found[1].stride()) == (100, (20, 1))
        np.testing.assert_array_equal(found[1].numpy(), a.numpy())
        np.testing.assert_array_equal(found[2].numpy(), b.numpy())

    def test_unless_little_is_spared_or_it_is_asked_for(self):
        storage = self.make()
        view = Tensor.view_of(storage, 100, (storage.size - 200,), (1,))
        assert loads(dumps(view)).storage().size == storage.size
        small = Tensor.view_of(storage, 100, (5,), (1,))
        assert loads(dumps(small, storages="whole")).storage().size == storage.size
        assert loads(dumps(small)).storage().size == 5
        little = Tensor.view_of(self.make(8000), 100, (5,), (1,))
        assert loads(dumps(little)).storage().size == 8000

    @pytest.mark.parametrize("first", [True, False])
    def test_a_storage_that_is_itself_an_object_is_whole(self, first):
        storage = self.make()
        small = Tensor.view_of(storage, 100, (5,), (1,))
        found = loads(dumps([storage, small] if first else [small, storage]))
        found = found.array() if first else found.array()[::-1]
        assert found[0] is found[1].storage()
        assert found[0].size == storage.size
        np.testing.assert_array_equal(found[1].numpy(), small.numpy())

    def test_tensors_far_into_the_file_count(self):
        storage = self.make()
        small, rest = (Tensor.view_of(storage, n, (5,), (1,)) for n in (0, storage.size - 5))
        value = Table([small, Table([TorchObject("nn.X", 1, Table({"w": rest}))])])
        found = loads(dumps(value))
        assert found[1].storage().size == storage.size
        np.testing.assert_array_equal(found[2][1].w.numpy(), rest.numpy())

    def test_empty_view_of_a_large_storage(self):
        empty = Tensor.view_of(self.make(), 7, (0,), (1,))
        assert len(dumps(empty)) < 200
        assert loads(dumps(empty)).shape == (0,)


def test_a_huge_expanded_view_costs_nothing(tmp_path):
    view = Tensor.view_of(Storage(np.ones(1)), 0, (1 << 20, 1 << 20), (0, 0))
    for format in FORMATS:
        save(view, tmp_path / "x.t7", format)
        assert (tmp_path / "x.t7").stat().st_size < 300
        found = load(tmp_path / "x.t7")
        assert (found.shape, found.stride()) == ((1 << 20, 1 << 20), (0, 0))
        assert "shape=(1048576, 1048576)" in repr(found)
        assert Table([found]).equals(Table([view]))
        other = Tensor.view_of(Storage(np.zeros(1)), 0, (1 << 20, 1 << 20), (0, 0))
        assert not Table([found]).equals(Table([other]))


class Node:
    def __init__(self, value):
        self.value = value


class Slotted:
    __slots__ = ("table",)
    t7_typename = "my.Slotted"
    t7_version = 4

    def t7_restore(self, version, fields):
        self.table = Table({**dict(fields.items()), "version": version})

    def t7_fields(self):
        return Table({"x": 1})


def test_registered_classes():
    register("my.Node", Node)
    register("other.Node", Node)
    node = Node(5)
    node.me = node
    found = loads(dumps(node))
    assert type(found) is Node
    assert (found.value, found.me) == (5, found)
    raw = dumps(TorchObject("other.Node", 7, Table({"value": 1})))
    found = loads(raw)
    assert type(found) is Node
    assert dumps(found) == raw  # name and version are remembered
    register("my.Slotted", Slotted)
    slotted = object.__new__(Slotted)
    assert loads(dumps(slotted)).table.equals(Table({"x": 1, "version": 4}))


def test_what_cannot_be_registered():
    class Bare:
        __slots__ = ()

    with pytest.raises(TypeError, match="t7_restore"):
        register("my.Bare", Bare)
    with pytest.raises(TypeError, match="a class or a reader"):
        register("my.Bare")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": {"b": [1, {2, 3}]}}, r"class set .*in a\.b\[2\].*register"),
        ({"a": 1j}, r"class complex .*in a\)"),
        ({"x": [np.zeros(2, "u4")]}, r"array of uint32 .*in x\[1\]"),
        ({"x": np.zeros(2, "c16")}, "array of complex128"),
        ({"x": np.complex64(1)}, r"scalar of complex64 .*in x"),
        ({"x": np.array(["a"])}, "array of <U1"),
        ({None: 1}, "neither nil nor nan"),
        ({"n": 2**53 + 1}, r"integer 9007199254740993 is not a double.*in n"),
        ({"n": 10**400}, "integer beyond"),
        ({object(): 1}, "class object"),
        ("\udc41", "characters that utf-8 lacks"),
        (TorchObject("nn.ModelParallelTable", 2), "gpuAssignments"),
        (TorchObject("my.Own"), "reader of its record and no writer"),
    ],
)
def test_what_cannot_be_written_is_named_with_its_path(value, message, tmp_path):
    register("my.Own", read=lambda record: record.read_int())
    path = tmp_path / "x.t7"
    with pytest.raises(T7Error, match=message) as caught:
        save(value, path)
    assert str(path) in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_saving_is_all_or_nothing(tmp_path):
    path = tmp_path / "x.t7"
    save([1], path)
    before = path.read_bytes()
    path.chmod(0o640)
    with pytest.raises(T7Error):
        save([2, {3}], path)
    assert path.read_bytes() == before
    save([2], path)
    assert load(path)[1] == 2
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]
    link = tmp_path / "link.t7"
    link.symlink_to(path)
    save([3], link)
    assert link.is_symlink()
    assert load(path)[1] == 3
    with pytest.raises(FileNotFoundError):
        save(1, tmp_path / "missing" / "x.t7")


def test_new_files_have_the_usual_permissions(tmp_path):
    (tmp_path / "plain").write_text("")
    save(1, tmp_path / "x.t7")
    assert (tmp_path / "x.t7").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_saving_over_the_file_that_is_mapped(tmp_path):
    path = tmp_path / "x.t7"
    values = np.arange(float(1 << 18))
    save({"pad": "123", "a": values}, path)
    table = load(path)
    save(table, path)
    np.testing.assert_array_equal(table.a.numpy(), values)
    np.testing.assert_array_equal(load(path).a.numpy(), values)


def test_saving_to_streams(tmp_path):
    file = io.BytesIO()
    save([1, 2], file)
    assert file.getvalue() == dumps([1, 2])
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=save, args=([1, 2], pipe))
    writer.start()
    assert load(pipe).equals(Table([1, 2]))
    writer.join()
    assert list(tmp_path.iterdir()) == [pipe]


def test_options_are_checked():
    with pytest.raises(ValueError, match="format is 'binary' or 'ascii'"):
        dumps(1, "json")
    with pytest.raises(ValueError, match="storages is 'reached' or 'whole'"):
        dumps(1, storages="cut")


def test_several_objects_share():
    node = [1]
    first, second = load_all(dump_all([node, {"again": node}]))
    assert second.again is first


def test_a_missing_folder_is_named_as_it_was_given(tmp_path):
    path = tmp_path / "none" / "x.t7"
    with pytest.raises(FileNotFoundError) as caught:
        save(Table(), path)
    assert caught.value.filename == str(path)
