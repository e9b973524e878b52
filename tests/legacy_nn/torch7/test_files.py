"""torch.File: elementary values, positions, flags, errors, in memory, on disk and in pipes."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.core.storage import Storage
from rekindle.legacy_nn.torch7.errors import BadArgument, TorchError
from rekindle.legacy_nn.torch7.files import CLASSES, DiskFile, File, MemoryFile, PipeFile

RECORDED = Path(__file__).parents[2] / "fixtures" / "serialization"

KINDS = {
    "Byte": ("B", np.uint8),
    "Char": ("b", np.int8),
    "Short": ("h", np.int16),
    "Int": ("i", np.int32),
    "Long": ("q", np.int64),
    "Float": ("f", np.float32),
    "Double": ("d", np.float64),
}
WAYS = {
    "bin": lambda f: f.binary(),
    "ascii": lambda f: f.ascii(),
    "b32": lambda f: f.binary().longSize(4),
    "be": lambda f: f.binary().bigEndianEncoding(),
}


def chars(raw):
    return Storage(np.frombuffer(raw + b"\0", np.int8).copy())


def memory(raw):
    return MemoryFile(chars(raw), "r")


def written(file):
    return file.storage().array.tobytes()[:-1]


@pytest.mark.parametrize("way", list(WAYS))
def test_writes_what_torch7_wrote(tmp_path, way):
    recorded = RECORDED / f"rawfile.{way}.t7"
    calls = json.loads(recorded.with_suffix(".json").read_text())["expect"]["sequence"]
    assert len(calls) == 11
    file = WAYS[way](DiskFile(str(tmp_path / "raw"), "w"))
    for value, name in (
        (200, "Byte"),
        (-5, "Char"),
        (-300, "Short"),
        (123456, "Int"),
        (-7, "Long"),
        (0.1, "Float"),
        (0.1, "Double"),
        (True, "Bool"),
        ("raw str", "String"),
        (Storage(np.array([1, 2, 3], np.int32)), "Int"),
        (Storage(np.array([0.5, 1 / 3])), "Double"),
    ):
        getattr(file, f"write{name}")(value)
    file.close()
    assert (tmp_path / "raw").read_bytes() == recorded.read_bytes()


@pytest.mark.parametrize("way", list(WAYS))
def test_reads_what_torch7_wrote(way):
    file = WAYS[way](DiskFile(str(RECORDED / f"rawfile.{way}.t7")))
    names = ("Byte", "Char", "Short", "Int", "Long", "Float", "Double")
    found = [getattr(file, f"read{name}")() for name in names]
    assert found == [200, -5, -300, 123456, -7, float(np.float32(0.1)), 0.1]
    assert file.readBool() is True
    text = file.readChar(7)
    assert text.array.tobytes() == b"raw str"
    assert file.readInt(3).tolist() == [1, 2, 3]
    doubles = Storage(np.zeros(2))
    assert file.readDouble(doubles) == 2
    assert doubles.tolist() == [0.5, 1 / 3]
    with pytest.raises(TorchError, match="read error: read 0 blocks instead of 1 at torch7/lib/TH"):
        file.readByte()


@pytest.mark.parametrize("name", list(KINDS))
@pytest.mark.parametrize("order", ["<", ">"])
def test_binary_is_what_struct_packs(tmp_path, name, order):
    letter, dtype = KINDS[name]
    values = np.array([0, 1, 100, 27, 3], dtype)
    file = DiskFile(str(tmp_path / "x"), "rw").binary()
    file = file.bigEndianEncoding() if order == ">" else file.littleEndianEncoding()
    assert getattr(file, f"write{name}")(Storage(values)) == 5
    assert getattr(file, f"write{name}")(7) is None
    file.synchronize()
    raw = (tmp_path / "x").read_bytes()
    assert raw == struct.pack(f"{order}6{letter}", *values.tolist(), 7)
    file.seek(1)
    assert getattr(file, f"read{name}")(6).tolist() == [0, 1, 100, 27, 3, 7]
    file.quiet().seek(1 + 5 * dtype().itemsize)
    assert getattr(file, f"read{name}")(4).tolist() == [7]
    assert file.hasError()


NUMBERS = {
    "Byte": st.integers(0, 255),
    "Char": st.integers(-128, 127),
    "Short": st.integers(-(2**15), 2**15 - 1),
    "Int": st.integers(-(2**31), 2**31 - 1),
    "Long": st.integers(-(2**53), 2**53),
    "Float": st.floats(width=32),
    "Double": st.floats(),
}


@settings(max_examples=150)
@given(
    st.lists(
        st.sampled_from(list(KINDS)).flatmap(
            lambda name: st.tuples(st.just(name), st.lists(NUMBERS[name], min_size=1, max_size=5))
        ),
        max_size=8,
    ),
    st.booleans(),
)
def test_what_is_written_is_read(runs, binary):
    file = MemoryFile()
    if binary:
        file.binary()
    for name, values in runs:
        write = getattr(file, f"write{name}")
        if len(values) == 1:
            write(values[0])
        else:
            write(Storage(np.array(values, KINDS[name][1])))
    file.seek(1)
    for name, values in runs:
        found = getattr(file, f"read{name}")(len(values))
        np.testing.assert_array_equal(found.array, np.array(values, KINDS[name][1]))
    assert file.position() == len(written(file)) + 1


def test_numbers_as_text():
    file = MemoryFile()
    file.writeDouble(1 / 3)
    file.writeFloat(1 / 3)
    file.writeDouble(1e100)
    file.writeInt(3.99)
    file.writeInt(-3.99)
    file.writeByte(300)
    file.writeInt("12")
    file.writeLong(Storage(np.array([], np.int64)))
    assert written(file) == (
        b"0.33333333333333331\n0.333333343\n1.0000000000000000159e+100\n".replace(
            b"1.0000000000000000159e+100", b"1e+100"
        )
        + b"3\n-3\n,\n12\n"
    )


def test_text_is_taken_as_scanf_takes_it():
    file = memory(b"  12abc 0x1p4 inf\n-nan;7:8")
    assert file.readInt() == 12
    assert file.readString("*l") == "abc 0x1p4 inf"
    file.seek(9)
    assert file.readDouble() == 16
    assert file.readFloat(1).tolist() == [float("inf")]
    assert np.isnan(file.readDouble())
    assert file.readChar() == ord(";")
    assert file.readShort() == 7
    with pytest.raises(TorchError, match=r"read 0 blocks instead of 2 at .*MemoryFile.c:325"):
        file.readShort(2)
    assert file.hasError()
    file.clearError()
    assert not file.hasError()


def test_many_numbers_as_text(tmp_path):
    values = np.random.default_rng(0).normal(size=20_000)
    path = tmp_path / "numbers"
    path.write_text(" ".join(map(repr, values.tolist())) + " " * 100_000 + "\n5")
    file = DiskFile(str(path))
    np.testing.assert_array_equal(file.readDouble(20_000).array, values)
    assert file.readInt() == 5
    assert not file.hasError()


def test_no_spacing():
    file = MemoryFile().noAutoSpacing()
    file.writeInt(Storage(np.array([1, 2], np.int32)))
    file.writeDouble(0.5)
    file.writeChar(65)
    assert written(file) == b"120.5A"
    file.seek(1)
    assert not file.isAutoSpacing()
    assert file.readDouble() == 120.5


def test_strings(tmp_path):
    file = DiskFile(str(tmp_path / "text"), "w")
    assert file.writeString("one\ntwo\n\xe9 three") == 15
    file.close()
    assert (tmp_path / "text").read_bytes() == b"one\ntwo\n\xe9 three"
    file = DiskFile(str(tmp_path / "text"))
    assert [file.readString("*l"), file.readString("*line")] == ["one", "two"]
    assert file.readString("*a") == "\xe9 three"
    with pytest.raises(TorchError, match=r"read error: read 0 blocks instead of 1 at .*:535$"):
        file.readString("*a")
    assert file.quiet().readString("*l") == ""
    with pytest.raises(BadArgument, match=r"#1 to 'readString' \(format must be '\*a' or '\*l'"):
        file.readString("*n")


def test_a_long_line():
    line = b"x" * 100_000
    assert memory(line + b"\nrest").readString("*l") == line.decode()


def test_positions_count_from_one(tmp_path):
    for file in (MemoryFile(), DiskFile(str(tmp_path / "p"), "rw")):
        assert file.position() == 1
        file.writeString("abcdef")
        assert file.position() == 7
        assert file.seek(3).readChar() == ord("c")
        file.seek(2).writeString("X")
        assert file.seekEnd().position() == 7
        assert file.seek(1).readString("*a") == "aXcdef"
        with pytest.raises(BadArgument, match="position has to be greater than 0!"):
            file.seek(0)


def test_seeking_behind_the_end(tmp_path):
    file = MemoryFile()
    with pytest.raises(TorchError, match=r"unable to seek at position 4 at .*MemoryFile.c:255"):
        file.seek(5)
    assert file.quiet().seek(5).position() == 1
    assert DiskFile(str(tmp_path / "s"), "w").seek(5).position() == 5


def test_modes(tmp_path):
    path = str(tmp_path / "m")
    with pytest.raises(
        TorchError, match=rf"^cannot open <{path}> in mode r  at torch7/lib/TH/THDiskFile.c:673$"
    ):
        DiskFile(path)
    DiskFile(path, "rw").close()
    Path(path).write_bytes(b"kept")
    file = DiskFile(path, "rw")
    assert file.readString("*a") == "kept"
    file = DiskFile(path)
    assert (file.isReadable(), file.isWritable(), file.isQuiet()) == (True, False, False)
    with pytest.raises(BadArgument, match="attempt to write in a read-only file"):
        file.writeInt(3)
    with pytest.raises(BadArgument, match="attempt to read in a write-only file"):
        MemoryFile("w").readInt()
    for make in (lambda: DiskFile(path, "a"), lambda: MemoryFile("x")):
        with pytest.raises(BadArgument, match=r"#2 to .*file mode should be 'r','w' or 'rw'"):
            make()


def test_a_closed_file_is_refused(tmp_path):
    for file in (MemoryFile(), DiskFile(str(tmp_path / "c"), "w"), PipeFile("true")):
        assert file.isOpened()
        file.close()
        assert not file.isOpened()
        for call in (file.readInt, file.seekEnd, file.position, file.close, file.readObject):
            with pytest.raises(
                BadArgument, match=r"bad self .attempt to use a closed file at torch7"
            ):
                call()


def test_wrong_arguments():
    file = MemoryFile()
    for value in (None, True, "x", Storage(np.zeros(1)), [1]):
        with pytest.raises(TorchError, match="number, or IntStorage expected"):
            file.writeInt(value)
    with pytest.raises(TorchError, match="nothing, number, or IntStorage expected"):
        file.readInt(Storage(np.zeros(1)))
    with pytest.raises(BadArgument, match="Invalid long size specified"):
        file.longSize(5)
    with pytest.raises(TypeError):
        File()


def test_text_for_people(tmp_path):
    path = str(tmp_path / "f")
    file = DiskFile(path, "w")
    assert repr(file) == f"torch.DiskFile on <{path}> [status: open -- mode  w]"
    assert repr(MemoryFile()) == "torch.MemoryFile [status: open -- mode: rw]"
    assert repr(PipeFile("true").close()) == "torch.PipeFile on <true> [status: closed -- mode: r ]"
    assert set(CLASSES) == {f"torch.{name}File" for name in ("", "Disk", "Memory", "Pipe")}


def test_a_storage_is_shared_with_its_file():
    storage = chars(b"abc")
    file = MemoryFile(storage, "rw")
    file.writeString("X")
    assert storage.array.tobytes() == b"Xbc\0"
    file.seekEnd().writeString("defgh")
    assert file.storage() is storage
    assert storage.array.tobytes() == b"Xbcdefgh\0"
    with pytest.raises(BadArgument, match="must be terminated by 0"):
        MemoryFile(Storage(np.ones(3, np.int8)))


def test_a_pipe_is_read_as_it_comes():
    file = PipeFile("printf 'one\\n12 13\\n'; printf '\\001\\000\\000\\000rest'")
    assert file.readString("*l") == "one"
    assert file.readInt(2).tolist() == [12, 13]
    assert file.binary().readInt() == 1
    assert file.readString("*a") == "rest"
    with pytest.raises(TorchError, match="unable to obtain disk file offset"):
        file.position()
    file.close()


def test_a_pipe_takes_what_is_written(tmp_path):
    file = PipeFile(f"tr a-z A-Z > {tmp_path / 'out'}", "w")
    file.writeString("hello ")
    file.writeInt(5)
    file.close()
    assert (tmp_path / "out").read_text() == "HELLO 5\n"
    with pytest.raises(BadArgument, match="file mode should be 'r','w' at"):
        PipeFile("true", "rw")


def test_an_unbuffered_file_is_written_at_once(tmp_path):
    file = DiskFile(str(tmp_path / "u"), "w").noBuffer()
    file.writeInt(5)
    assert (tmp_path / "u").read_bytes() == b"5\n"
    assert DiskFile.isLittleEndianCPU() != DiskFile.isBigEndianCPU()
