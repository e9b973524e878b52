"""Damaged and hostile files: one clear error, quickly, and without much memory."""

import random
import struct
import time
import tracemalloc

import pytest
from t7_recorded import FOLDER, GPU

from rekindle.core.checkpoint import T7Error, Table, TorchObject, dumps, load_all, loads, register

FEW = [
    "tensor_double_special", "storage_long", "tab_nested", "tab_as_key", "class_self_reference",
    "func_tensor_upvalue", "tds_hash", "share_two_tensors_one_storage", "str_nul", "multi_objects",
]  # fmt: skip
BINARY = [f"{name}.bin.t7" for name in FEW] + [
    "tensor_long_2x3.be32.t7",
    "tensor_5d.be.t7",
    "tds_vec.b32.t7",
    "legacy_func6.bin.t7",
    "legacy_v0_tensor.bin.t7",
    "tab_same_twice.unref.t7",
]
ASCII = [f"{name}.ascii.t7" for name in FEW]


def attempt(raw):
    """Return what is read, or the error; anything but T7Error goes up."""
    start = time.process_time()
    try:
        result = load_all(raw)
        repr(result)
    except T7Error as error:
        result = error
    assert time.process_time() - start < 2  # 0.1 s, with room for a busy machine
    if isinstance(result, T7Error):
        assert str(result)
        assert result.offset is None or 0 <= result.offset <= len(raw)
    return result


@pytest.mark.parametrize("file", BINARY)
def test_truncated_at_every_byte(file):
    raw = (FOLDER / file).read_bytes()
    boundaries = 0
    for length in range(len(raw)):
        result = attempt(raw[:length])
        if not isinstance(result, T7Error):
            boundaries += 1
            assert len(result) < len(load_all(raw))  # between two objects
    assert boundaries <= 2


@pytest.mark.parametrize("file", ASCII)
def test_ascii_truncated_at_every_byte(file):
    """A number cut short is a number, and a last newline is no loss; all else is noticed."""
    raw = (FOLDER / file).read_bytes()
    for length in range(len(raw)):
        result = attempt(raw[:length])
        if not isinstance(result, T7Error) and file != "multi_objects.ascii.t7":
            cut = raw[: len(raw) - 1].rpartition(b"\n")[0]
            assert length > len(cut)


def test_gpu_file_truncated():
    raw = (GPU / "nn_gpu.t7").read_bytes()
    for length in range(0, len(raw), 13):
        assert isinstance(attempt(raw[:length]), T7Error)


WORDS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1, 255, 1 << 16, 1 << 20, 2**31 - 1, -(2**31)]
LONGS = [0, 1, -1, 1000, 2**31, 2**32, 2**40, 2**61, 2**62, 2**63 - 1, -(2**63), -5]


@pytest.mark.parametrize("file", BINARY)
def test_every_field_replaced_by_nasty_values(file):
    raw = (FOLDER / file).read_bytes()
    order = ">" if ".be" in file else "<"
    step = 1 if len(raw) < 200 else 3
    for position in range(0, len(raw) - 3, step):
        for value in WORDS:
            attempt(raw[:position] + struct.pack(order + "i", value) + raw[position + 4 :])
    for position in range(0, len(raw) - 7, step):
        for value in LONGS:
            attempt(raw[:position] + struct.pack(order + "q", value) + raw[position + 8 :])


@pytest.mark.parametrize("file", ASCII)
def test_every_ascii_token_replaced(file):
    lines = (FOLDER / file).read_bytes().split(b"\n")
    for index in range(len(lines)):
        for value in [b"-1", b"0", b"99999999999", b"", b"x", b"1e9", b"3", b"-nan", b"9" * 30,
                      b"1 2 3", b"1_0", b"\xff", b"9" * 5000]:  # fmt: skip
            attempt(b"\n".join([*lines[:index], value, *lines[index + 1 :]]))


def test_random_damage():
    generator = random.Random(7)
    files = [*(FOLDER / name for name in BINARY + ASCII), GPU / "nngraph_gmodule.t7"]
    for _ in range(2000):
        raw = bytearray(generator.choice(files).read_bytes())
        for _ in range(generator.randrange(1, 6)):
            position = generator.randrange(len(raw))
            kind = generator.random()
            if kind < 0.6:
                raw[position] = generator.randrange(256)
            elif kind < 0.8:
                del raw[position : position + generator.randrange(1, 9)]
            else:
                raw[position:position] = generator.randbytes(generator.randrange(1, 9))
            if not raw:
                break
        attempt(bytes(raw))


def i(*values):
    return struct.pack(f"<{len(values)}i", *values)


def q(*values):
    return struct.pack(f"<{len(values)}q", *values)


def name(text):
    return i(len(text)) + text.encode()


def tensor(shape, strides, offset, storage=(1.0, 2.0, 3.0)):
    head = i(4, 1) + name("V 1") + name("torch.DoubleTensor") + i(len(shape))
    body = q(*shape, *strides, offset)
    if storage is None:
        return head + body + i(0)
    values = struct.pack(f"<{len(storage)}d", *storage)
    return (
        head + body + i(4, 2) + name("V 1") + name("torch.DoubleStorage") + q(len(storage)) + values
    )


CASES = {
    "view past the end": (tensor([4], [1], 1), "needs elements 0 to 3 of a storage of 3"),
    "stride past the end": (tensor([2], [3], 1), "needs elements 0 to 3"),
    "offset past the end": (tensor([1], [1], 5), "needs elements 4 to 4"),
    "offset before the start": (tensor([1], [1], 0), "needs elements -1"),
    "negative stride": (tensor([2], [-1], 1), "needs elements -1 to 0"),
    "negative size": (tensor([-1], [1], 1), r"tensor of sizes \[-1\]"),
    "negative dimensions": (i(4, 1) + name("torch.IntTensor") + i(-1) + bytes(9), "of -1 dim"),
    "many dimensions": (i(4, 1) + name("torch.IntTensor") + i(10**6) + bytes(40), "of 1000000 dim"),
    "product overflows": (tensor([2**32, 2**32], [0, 0], 1), "beyond any memory"),
    "product overflows with a zero": (tensor([2**62, 0, 2**62], [0, 0, 0], 1), "beyond any memory"),
    "huge stride of a single element": (tensor([1], [2**61], 1), "beyond any memory"),
    "sizes without a storage": (tensor([3], [1], 1, None), "without a storage"),
    "storage of another type": (
        tensor([1], [1], 1).replace(b"DoubleStorage", b"DoubleTensor_"), "DoubleTensor_ where"
    ),
    "storage of other elements": (
        i(4, 1) + name("torch.IntTensor") + i(1) + q(1, 1, 1) + i(4, 2) + name("torch.LongStorage")
        + q(1, 5), "storage of int64 where a int32 tensor"
    ),
    "a table for a storage": (
        i(4, 1) + name("torch.IntTensor") + i(1) + q(1, 1, 1) + i(3, 2, 0), "record of type 3 where"
    ),
    "storage of negative size": (
        i(4, 1) + name("torch.IntStorage") + q(-1), "storage of -1 elements"
    ),
    "storage of huge size": (
        i(4, 1) + name("torch.IntStorage") + q(2**62), "only 0 bytes are left"
    ),
    "table of huge size": (i(3, 1, 2**31 - 1), "table of 2147483647 entries, but only 0 bytes"),
    "table of negative size": (i(3, 1, -1), "table of -1 entries"),
    "string of huge length": (i(2, 2**31 - 1) + b"abc", "string of 2147483647 bytes, but only 3"),
    "string of negative length": (i(2, -1), "string of -1 bytes"),
    "function of huge length": (i(8, 1, 2**30), "function of 1073741824 bytes"),
    "class of no name": (i(4, 1) + name("V 1") + name(""), "name of a class is expected"),
    "class of binary name": (i(4, 1) + name("V 1") + name("\0\1"), "name of a class is expected"),
    "version that is no number": (i(4, 1) + name("V x") + name("nn.A"), "class of version b'x'"),
    "version beyond numbers": (i(4, 1) + name("V 1e999") + name("nn.A"), "class of version"),
    "class without a table": (i(4, 1) + name("V 1") + name("my.A") + i(5, 1), "own record"),
    "key nil": (i(3, 1, 1) + i(0) + i(5, 1) + bytes(4), "key nil"),
    "key nan": (i(3, 1, 1) + i(1) + struct.pack("<d", float("nan")) + i(5, 1), "key nan"),
    "unknown type": (i(3, 1, 1) + i(9, 0, 0, 0), r"record of type 9; types are 0 to 8"),
    "tds.Vec of huge size": (i(4, 1) + name("tds.Vec") + q(2**40), "1099511627776 elements"),
    "tds.Hash with key nil": (
        i(4, 1) + name("tds.Hash") + q(1) + i(0) + i(5, 1), "key nil"
    ),
    "data parallel without tables": (
        i(4, 1) + name("V 3") + name("nn.DataParallelTable") + i(5, 1, 5, 1), "a bool where"
    ),
    "empty record of a class that is cut": (
        i(3, 7, 2, 2, 1) + b"a" + i(4, 8) + name("V 1") + name("torch.Timer") + i(2, 1) + b"b"
        + i(4, 9) + name("V 1") + i(99) + b"torch.Timer", "string of 99 bytes, but only 11"
    ),
    "generator cut short": (i(4, 1) + name("torch.Generator") + bytes(100), "ends inside"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_hostile_fields(case):
    raw, message = CASES[case]
    with pytest.raises(T7Error, match=message):
        loads(raw)
    # Also deep inside, and in a big-endian file where that is easy to make.
    with pytest.raises(T7Error, match=r"model\.layers\[1\]"):
        loads(i(3, 100, 1) + i(2) + name("model") + i(3, 101, 1) + i(2) + name("layers")
              + i(3, 102, 1) + i(1) + struct.pack("<d", 1) + raw)  # fmt: skip


def test_error_names_byte_and_path(tmp_path):
    good = dumps({"model": {"modules": [1, {"weight": "x" * 10}]}})
    raw = good.replace(name("x" * 10), i(1000) + b"x" * 10)
    path = tmp_path / "bad.t7"
    path.write_bytes(raw)
    with pytest.raises(T7Error) as caught:
        load_all(path)
    error = caught.value
    assert error.path == "model.modules[2].weight"
    assert error.offset == raw.index(b"\xe8\x03\0\0")
    assert str(error).startswith(f"{path}: a string of 1000 bytes")
    assert isinstance(error, ValueError)


def test_a_class_that_writes_its_own_record_is_diagnosed_inside_a_table():
    """Its second object shifts all that follow: keys become values. Nothing is guessed."""
    two = i(4, 2) + name("V 1") + name("my.Two") + dumps(Table())[:4] + i(3, 0) + i(3, 4, 0)
    raw = i(3, 1, 2) + i(2) + name("a") + two + i(2) + name("b") + i(5, 1)
    with pytest.raises(T7Error, match=r"my\.Two may write its own record"):
        loads(raw)

    def read(record):
        first = yield
        second = yield
        return first, second

    register("my.Two", read=read)
    table = loads(raw)
    assert table.b is True
    assert [type(t) for t in table.a] == [Table, Table]


def test_a_class_declared_ordinary_only_warns_of_trailing_bytes():
    raw = dumps(TorchObject("my.Plain")) + dumps(5)
    with pytest.raises(T7Error, match=r"register\('my.Plain', TorchObject\)"):
        loads(raw)
    register("my.Plain", TorchObject)
    with pytest.warns(UserWarning, match="bytes follow"):
        assert loads(raw).t7_typename == "my.Plain"


def test_fields_that_a_class_cannot_use():
    class Strict:
        def t7_restore(self, version, fields):
            self.half = fields["size"] / 2

    register("my.Strict", Strict)
    good = TorchObject("my.Strict", 1, Table({"size": 4}))
    assert loads(dumps([good]))[1].half == 2
    good.size = "four"
    with pytest.raises(T7Error, match=r"my\.Strict: cannot be made .*TypeError") as caught:
        loads(dumps([good]))
    assert isinstance(caught.value.__cause__, TypeError)


def many(count, record):
    return i(3, 1, count) + b"".join(record(k) for k in range(2, count + 2))


def dense(n):
    """Return files of many small things, binary and ascii, side by side and in each other."""
    return {
        "tables": many(n, lambda k: i(1) + struct.pack("<d", k) + i(3, k, 0)),
        "tables as keys": many(n, lambda k: i(3, k, 0) + i(5, 1)),
        "nested tables": b"".join(i(3, k, 1) + i(5, 1) for k in range(1, n)) + i(5, 1),
        "nested keys": b"".join(i(3, k, 1) for k in range(1, n)) + i(3, n, 0) + i(5, 1) * (n - 1),
        "objects": many(n, lambda k: i(4, 2 * k) + name("x") + i(3, 2 * k + 1, 0) + i(5, 1)),
        "tensors": many(
            n, lambda k: i(4, k) + name("torch.ClTensor") + i(0) + q(1) + i(0) + i(5, 1)
        ),
        "nested tds": b"".join(i(4, k) + name("tds.Vec") + q(1) for k in range(1, n)) + i(5, 1),
        "nested functions": i(6, 0) * n + i(5, 1),
        "ascii functions": b"6\n0\n" * n + b"5\n1\n",
        "ascii tables": b"".join(b"3\n%d\n1\n5\n1\n" % k for k in range(1, n)) + b"5\n1\n",
        "ascii numbers": b"4\n1\n19\ntorch.DoubleStorage\n%d\n" % n + b"0 " * n,
        "ascii nans": b"4\n1\n19\ntorch.DoubleStorage\n%d\n" % n + b"-nan " * n,
        "wide text": i(2, 4 * n) + b"a" * (4 * n - 4) + "\U0001f600".encode(),
    }


DENSE = dense(6_000)


@pytest.mark.parametrize("case", DENSE)
def test_memory_is_bounded(case):
    raw = DENSE[case]
    tracemalloc.start()
    try:
        assert load_all(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 * len(raw) + (1 << 19)


@pytest.mark.parametrize("case", DENSE)
def test_a_dense_file_with_an_error_at_its_end(case):
    raw = DENSE[case]
    tracemalloc.start()
    try:
        with pytest.raises(T7Error):
            load_all(raw + i(77) + b"x")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 * len(raw) + (1 << 19)


@pytest.mark.parametrize("case", DENSE)
def test_time_grows_with_the_size_alone(case):
    """Ten times the file takes some ten times as long, where a square would take a hundred."""

    def seconds(n):
        raw = dense(n)[case]
        start = time.process_time()
        assert load_all(raw)
        return time.process_time() - start

    seconds(2_000)
    assert seconds(20_000) < 40 * max(seconds(2_000), seconds(2_000))
