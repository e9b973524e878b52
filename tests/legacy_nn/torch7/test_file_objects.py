"""readObject, writeObject, save, load, serialize: Torch7's files, and what it said of errors."""

import gc
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.core.checkpoint import LuaFunction, T7Error, Table, dumps, load_all, register
from rekindle.core.checkpoint import load as load_file
from rekindle.core.checkpoint.registry import CLASSES
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.torch7.errors import BadArgument, TorchError
from rekindle.legacy_nn.torch7.files import (
    FUNCTIONS,
    DiskFile,
    FileClasses,
    MemoryFile,
    PipeFile,
    deserialize,
    deserializeFromStorage,
    load,
    save,
    serialize,
    serializeToStorage,
)
from rekindle.legacy_nn.torch7.files.classes import Foreign

FIXTURES = Path(__file__).parents[2] / "fixtures"
RECORDED = FIXTURES / "serialization"
INDEX = json.loads((RECORDED / "index.json").read_text())
SPECIAL = ("rawfile", "class_", "multi_objects", "legacy_tds", "oldnn", "legacy_v0")
FORMS = {
    "bin": lambda f: f.binary(),
    "ascii": lambda f: f.ascii(),
    "b32": lambda f: f.binary().longSize(4),
    "be": lambda f: f.binary().bigEndianEncoding(),
    "unref": lambda f: f.binary().referenced(False),
}
FILES = sorted(
    entry["file"]
    for entry in INDEX
    if not entry["case"].startswith(SPECIAL) and entry["mode"] in FORMS
)


@pytest.mark.parametrize("name", FILES)
def test_what_torch7_wrote_is_read_and_written_byte_for_byte(name, tmp_path):
    form = FORMS[name.split(".")[-2]]
    file = form(DiskFile(str(RECORDED / name)))
    value = file.readObject()
    assert file.quiet().readString("*a") == ""
    copy = form(DiskFile(str(tmp_path / "copy"), "w"))
    copy.writeObject(value)
    copy.close()
    written = (tmp_path / "copy").read_bytes()
    if ".unref." in name:  # an object that came twice is two now, each with its number
        assert len(written) == (RECORDED / name).stat().st_size
        return
    assert written == (RECORDED / name).read_bytes()
    again = form(DiskFile(str(tmp_path / "copy"))).readObject()
    if hasattr(value, "t7_payload"):
        assert again.t7_payload == value.t7_payload
        return
    assert Table([again]).equals(Table([value]))


def test_more_than_a_hundred_files_are_tried():
    assert len(FILES) > 200


def test_objects_refer_to_each_other_across_calls():
    recorded = load_file(FIXTURES / "behaviour" / "two_objects.t7", encoding="latin-1")
    results = recorded["results"]
    file = MemoryFile("w").binary()
    table = Table([1])
    file.writeObject(table)
    file.writeObject(Table([table, "second"]))
    file.writeObject("tail")
    raw = file.storage().array.tobytes()
    assert raw == results["bytes"].encode("latin-1")
    assert len(load_all(raw[:-1])) == 3

    file = MemoryFile(Storage(np.frombuffer(raw, np.int8).copy()), "r").binary()
    first, second, third = file.readObject(), file.readObject(), file.readObject()
    assert second[1] is first
    assert third == "tail"
    with pytest.raises(TorchError) as caught:
        file.readObject()
    assert results["eof"]["message"].endswith(": " + str(caught.value))
    assert deserialize(raw).equals(first)


class Unwritable:
    """What Lua has and a file has no place for."""


def test_errors_are_torch7s(tmp_path, monkeypatch):
    recorded = load_file(FIXTURES / "behaviour" / "unserialisable.t7", encoding="latin-1")
    expected = {k: v["message"] for k, v in recorded["results"].items() if isinstance(v, Table)}
    monkeypatch.chdir(tmp_path)

    class Lua(Foreign):
        def type_of(self, value):
            return "function" if callable(value) else value.kind

    classes = FileClasses(Lua())
    thread, cdata = Unwritable(), Unwritable()
    thread.kind, cdata.kind = "thread", "cdata"
    calls = {
        "thread": lambda: serialize(thread, classes=classes),
        "cfunction": lambda: serialize(Table([print]), classes=classes),
        "cdata": lambda: serialize(cdata, classes=classes),
        "load_bad": lambda: deserialize("\x09\0\0\0"),
        "load_empty": lambda: deserialize(""),
        "load_missing": lambda: load("does_not_exist.t7"),
        "unknown_class": lambda: deserialize("\4\0\0\0\1\0\0\0\3\0\0\0V 1\7\0\0\0no.Such"),
    }
    assert set(expected) == set(calls)
    for name, call in calls.items():
        with pytest.raises(TorchError) as caught:
            call()
        assert expected[name].split(": ", 1)[-1] == str(caught.value), name


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(st.characters(max_codepoint=255), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4).map(Table)
        | st.dictionaries(
            st.text(st.characters(max_codepoint=255), max_size=5) | st.integers(1, 9),
            inner,
            max_size=4,
        ).map(Table)
    ),
    max_leaves=12,
)


@settings(max_examples=80)
@given(
    st.lists(VALUES, min_size=1, max_size=4),
    st.sampled_from(["bin", "ascii", "be", "b32", "unref"]),
)
def test_any_values_come_back(tmp_path_factory, values, form):
    path = str(tmp_path_factory.mktemp("any") / "file")
    file = FORMS[form](DiskFile(path, "rw"))
    for value in values:
        file.writeObject(value)
        file.writeInt(7)
    file.seek(1)
    for value in values:
        found = file.readObject()
        assert Table({1: found}).equals(Table({1: value}))
        assert file.readInt() == 7


def test_save_writes_what_the_checkpoint_writer_does(tmp_path):
    value = Table({"t": Tensor(np.arange(6.0).reshape(2, 3)), "name": "caf\xe9", 1: True})
    for mode in ("binary", "ascii"):
        save(tmp_path / "x.t7", value, mode)
        expected = dumps(value, mode, encoding="latin-1", storages="whole")
        assert (tmp_path / "x.t7").read_bytes() == expected
        assert load(tmp_path / "x.t7", mode).equals(value)
        assert serialize(value, mode).encode("latin-1") == expected
        assert serializeToStorage(value, mode).array.tobytes() == expected
        assert deserializeFromStorage(serializeToStorage(value, mode), mode).equals(value)
    assert [path.name for path in tmp_path.iterdir()] == ["x.t7"]
    assert FUNCTIONS["saveobj"] is save


def test_sizes_of_long(tmp_path):
    name = "tensor_long_2x3"
    expected = load(RECORDED / f"{name}.bin.t7").numpy()
    short = load(RECORDED / f"{name}.b32.t7", "b32").numpy()  # Torch7 drops the upper half
    np.testing.assert_array_equal(short, expected.astype(np.int32))
    np.testing.assert_array_equal(load(RECORDED / f"{name}.b64.t7", "b64").numpy(), expected)
    file = MemoryFile().binary().longSize(4)
    file.writeLong(2**32 + 5)
    assert file.seek(1).readLong() == 5
    for mode in ("b32", "text"):
        with pytest.raises(TorchError, match=r'"binary" or "ascii" \(or nil\) expected for mode'):
            save(tmp_path / "x", 1, mode)
    with pytest.raises(TorchError, match='"b32", "b64" or "ascii"'):
        load(tmp_path / "x", "text")


def test_a_saved_file_replaces_one_that_is_mapped(tmp_path):
    path = tmp_path / "big.t7"
    values = np.arange(400_000.0)
    save(path, Tensor(values))
    mapped = load_file(path)
    save(path, Tensor(np.zeros(3)))
    np.testing.assert_array_equal(mapped.numpy(), values)
    assert load(path).tolist() == [0, 0, 0]


def test_what_was_loaded_does_not_follow_the_file(tmp_path):
    path = str(tmp_path / "big.t7")
    save(path, Tensor(np.arange(400_000.0)))
    file = DiskFile(path, "rw").binary()
    tensor = file.readObject()
    file.seek(1).writeString("\0" * 3_000_000)
    file.close()
    assert tensor.numpy()[-1] == 399_999


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.t7"
    save(path, 5)
    with pytest.raises(TorchError, match=r"Unwritable object <function> at <\?>\.deep\.1"):
        save(path, Table({"deep": Table([print])}))
    assert load(path) == 5
    with pytest.raises(TorchError, match=r"^cannot open <.*/none/x> in mode  w at torch7"):
        save(tmp_path / "none" / "x", 5)


def test_a_file_goes_on_after_an_error():
    file = MemoryFile().binary()
    with pytest.raises(TorchError):
        file.writeObject(Table({"a": Table([print])}))
    start = file.position()
    file.writeObject(Table([1, 2]))
    assert file.seek(start).readObject().array() == [1, 2]


def test_without_references():
    shared = Table([1])
    file = MemoryFile().binary().referenced(False)
    assert not file.isReferenced()
    file.writeObject(Table([shared, shared]))
    found = file.seek(1).readObject()
    assert found[1].equals(found[2])
    assert found[1] is not found[2]
    endless = Table()
    endless["self"] = endless
    with pytest.raises(TorchError, match="stack overflow"):
        file.writeObject(endless)


class Counter:
    """A class that writes its own record, as `write` and `read` of a Lua class do."""

    t7_typename = "fx.Counter"
    t7_version = 3

    def __init__(self, count=0, items=None, owner=None):
        self.count, self.items, self.owner = count, items, owner

    def write(self, file):
        file.writeInt(self.count)
        file.writeObject(self.items)
        file.writeObject(self.owner)
        file.writeString("end")

    def read(self, file, version):
        assert version == 3
        self.count = file.readInt()
        self.items = file.readObject()
        self.owner = file.readObject()
        assert file.readChar(3).array.tobytes() == b"end"


@pytest.fixture
def counter_class():
    register("fx.Counter", Counter)
    yield
    del CLASSES["fx.Counter"]


@pytest.mark.parametrize("mode", ["binary", "ascii"])
@pytest.mark.usefixtures("counter_class")
def test_a_class_reads_and_writes_its_own_record(mode):
    owner = Table({"name": "owner"})
    inner = Counter(1, Table(["a"]))
    outer = Counter(2, Table([inner, Tensor(np.ones(2)), inner]))
    outer.owner = outer
    owner["counter"], owner["after"] = outer, "after"
    found = deserialize(serialize(owner, mode), mode)
    assert (found.name, found.after) == ("owner", "after")
    counter = found.counter
    assert type(counter) is Counter
    assert counter.owner is counter
    assert counter.items[1] is counter.items[3]
    assert counter.items[1].items.array() == ["a"]
    assert counter.items[2].tolist() == [1, 1]


@pytest.mark.usefixtures("counter_class")
def test_a_class_reads_its_record_from_a_pipe(tmp_path):
    save(tmp_path / "x.t7", Table([Counter(4, Table(["x"])), 5]))
    file = PipeFile(f"cat {tmp_path / 'x.t7'}").binary()
    found = file.readObject()
    assert (found[1].count, found[1].items.array(), found[2]) == (4, ["x"], 5)
    file.close()


def test_classes_of_one_file_only():
    recorded = RECORDED / "class_custom_io.bin.t7"

    class Custom:
        t7_typename = "fx.CustomIO"

    def read(value, file, version):
        value.parts = [file.readObject(), file.readInt(), file.readObject()]

    def write(value, file):
        file.writeObject(value.parts[0])
        file.writeInt(value.parts[1])
        file.writeObject(value.parts[2])

    classes = FileClasses()
    classes.register("fx.CustomIO", lambda file: Custom(), read=read, write=write)
    value = load(recorded, classes=classes)
    assert [value.parts[0].array(), *value.parts[1:]] == [[1, 2], 77, "tail"]
    assert serialize(value, classes=classes).encode("latin-1") == recorded.read_bytes()
    with pytest.raises(TorchError, match=r"^unknown Torch class <fx.CustomIO>$"):
        load(recorded)
    classes.forget("fx.CustomIO")
    with pytest.raises(TorchError, match=r"^unknown Torch class <fx.CustomIO>$"):
        load(recorded, classes=classes)


def test_a_made_object_gets_its_fields(capsys):
    recorded = RECORDED / "class_unwritable_field.ascii.t7"

    class Plain:
        t7_typename = "fx.Unwritable"

        def t7_fields(self):
            return Table(vars(self))

    classes = FileClasses()
    classes.register("fx.Unwritable", lambda file: Plain())
    value = load(recorded, "ascii", classes=classes)
    assert vars(value) == {"ok": 1}
    value.co = iter([])
    again = serialize(value, "ascii", classes=classes).encode("latin-1")
    assert again == recorded.read_bytes()
    assert capsys.readouterr().out == (
        "$ Warning: cannot write object field <co> of <fx.Unwritable> <?>\n"
    )


def test_functions_of_a_foreign_language():
    class Script:
        def __init__(self, code):
            self.code, self.captured = code, None

    class Scripts(Foreign):
        def dump(self, value, memory):
            if isinstance(value, Script):
                return LuaFunction(value.code.encode(), value.captured)
            return None

        def load(self, bytecode):
            return Script(bytecode.decode())

        def capture(self, function, upvalues, tag, memory):
            assert tag == 8
            function.captured = upvalues

    classes = FileClasses(Scripts())
    script = Script("return me")
    script.captured = Table([Table({"name": "me", "id": 1, "value": script})])
    found = deserialize(serialize(Table([script, script]), classes=classes), classes=classes)
    assert found[1] is found[2]
    assert found[1].code == "return me"
    assert found[1].captured[1].value is found[1]
    assert isinstance(deserialize(serialize(LuaFunction(b"x", Table()))), LuaFunction)


def test_a_hook_puts_one_object_in_the_place_of_another():
    old, new = Table({"old": True}), Table({"new": True})
    file = MemoryFile().binary()
    file.writeObject(Table([old, old, "x"]), None, lambda v: new if v is old else v)
    found = file.seek(1).readObject()
    assert found[1].new is True
    assert found[2] is found[1]
    assert found[3] == "x"


def test_what_can_be_written():
    file = MemoryFile()
    numbers = [file.isWritableObject(v) for v in (None, 1, "s", Table(), Tensor(np.ones(1)), True)]
    assert numbers == [0, 1, 2, 3, 4, 5]
    assert file.isWritableObject(LuaFunction(b"")) == 8
    assert file.isWritableObject(print) is None
    with pytest.raises(TorchError, match="Unwritable object <userdata>"):
        file.writeObject(file)


def test_a_damaged_file_is_no_crash():
    raw = serialize(Table({"a": Table([Tensor(np.ones(3))])}))
    for cut in range(4, len(raw)):
        with pytest.raises((T7Error, TorchError)):
            deserialize(raw[:cut])


def test_files_nobody_has_are_closed(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gc.disable()
        try:
            DiskFile(str(tmp_path / "x"), "w").writeObject(Table([1]))
            assert load(tmp_path / "x", "ascii").array() == [1]
        finally:
            gc.enable()


def test_an_empty_string_is_no_object():
    with pytest.raises(BadArgument, match="dimension 1 out of range of 0D tensor"):
        deserialize("")
