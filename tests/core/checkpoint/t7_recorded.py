"""Comparing what was read with what Torch7 said of the same file (fixtures/serialization)."""

import json
import struct
from pathlib import Path

import numpy as np

from rekindle.core.checkpoint import LuaFunction, Table, TdsHash, TdsVec, TorchObject
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

FIXTURES = Path(__file__).parents[2] / "fixtures"
FOLDER = FIXTURES / "serialization"
GPU = FIXTURES / "gpu"
INDEX = json.loads((FOLDER / "index.json").read_text())

DTYPES = {
    "Byte": np.uint8, "Char": np.int8, "Short": np.int16, "Int": np.int32, "Long": np.int64,
    "Half": np.float16, "Float": np.float32, "Double": np.float64,
}  # fmt: skip


def expectation(file):
    return json.loads((FOLDER / file.replace(".t7", ".json")).read_text())


def dtype_named(typename, kind):
    return np.dtype(DTYPES[typename.removeprefix("torch.").removesuffix(kind)])


class Checker:
    """Checks one object; objects with the same id must be one, others must not be."""

    def __init__(self):
        self.met = {}

    def check(self, expect, value):
        if not isinstance(expect, dict):  # older notes give values as they are
            assert value == expect
            return
        if "ref" in expect:
            assert value is self.met[expect["ref"]]
            return
        if "id" in expect:
            assert all(value is not other for other in self.met.values())
            self.met[expect["id"]] = value
        getattr(self, expect["type"].replace(".", "_"))(expect, value)

    def nil(self, expect, value):
        assert value is None

    def boolean(self, expect, value):
        assert value is expect["value"]

    def number(self, expect, value):
        assert type(value) in (int, float)
        assert struct.pack(">d", value).hex() == expect["bits"] or value != value
        whole = float(value).is_integer() and abs(value) <= 2**53 and expect["value"] != "-0"
        assert isinstance(value, int) == whole

    def string(self, expect, value):
        raw = value.encode("utf-8", "surrogateescape")
        assert raw == bytes.fromhex(expect["hex"])
        assert len(raw) == expect["length"]

    def entries(self, expect, table):
        assert table.count() == len(expect)
        plain = (str, int, float, bool)
        objects = [key for key in table if not isinstance(key, plain)]
        for key_expect, value_expect in expect:  # Lua's order is arbitrary, and not the file's
            key = self.plain_key(key_expect)
            if key is None:
                key = objects.pop(0)
                self.check(key_expect, key)
            self.check(value_expect, table[key])

    @staticmethod
    def plain_key(expect):
        if not isinstance(expect, dict):
            return expect
        if expect.get("type") == "string":
            return bytes.fromhex(expect["hex"]).decode("utf-8", "surrogateescape")
        return expect["value"] if expect.get("type") in ("number", "boolean") else None

    def table(self, expect, value):
        assert type(value) is Table
        self.entries(expect["entries"], value)
        assert len(value) == expect["length"]

    def tds_Hash(self, expect, value):
        assert type(value) is TdsHash
        self.entries(expect["entries"], value)

    def tds_Vec(self, expect, value):
        assert type(value) is TdsVec
        assert len(value) == value.count() == expect["size"]
        for item, found in zip(expect["items"], value.array(), strict=True):
            self.check(item, found)

    def object(self, expect, value):
        assert type(value) is TorchObject
        assert value.t7_typename == expect["class"]
        assert value.t7_version == expect.get("version", 1)
        self.entries(expect["entries"], value.t7_fields())

    def function(self, expect, value):
        assert type(value) is LuaFunction
        assert value.tag == expect.get("legacy", 8)
        assert value.bytecode.startswith(b"\x1bLJ")
        assert value.bytecode.hex().startswith(expect.get("luajit_bytecode_hex_head", ""))
        found = [
            u if value.tag != 8 else (u["name"], u.get("value")) for u in value.upvalues.array()
        ]
        assert len(found) == len(expect["upvalues"])
        for upvalue, captured in zip(expect["upvalues"], found, strict=True):
            if "name" in upvalue:
                assert captured[0] == upvalue["name"]
                self.check(upvalue["value"], captured[1])
            else:
                self.check(upvalue["value"], captured)

    def storage(self, expect, value):
        assert type(value) is Storage
        dtype = dtype_named(expect["class"], "Storage")
        assert value.dtype == dtype
        assert len(value) == expect["size"]
        assert_values(expect["data"], value.array, dtype)

    def tensor(self, expect, value):
        assert type(value) is Tensor
        dtype = dtype_named(expect["class"], "Tensor")
        assert value.dtype == dtype
        assert list(value.shape) == (expect["size"] or [0])
        if expect["size"]:
            assert list(value.stride()) == expect["stride"]
        assert value.storage_offset() == expect["storageOffset"] - 1
        assert value.size == expect["nElement"]
        storage = value.storage()
        if expect["storage"]["type" if "type" in expect["storage"] else "ref"] == "nil":
            assert storage.size == 0
        else:
            self.check(expect["storage"], storage)
        assert_values(expect["data"], value.numpy().reshape(-1), dtype)


def assert_values(data, found, dtype):
    """Compare bit for bit, but for nans, of which JSON knows only one."""
    if dtype == np.float16:
        expected = np.array([int(x, 16) for x in data], np.uint16).view(np.float16)
    elif dtype.kind == "f":
        expected = np.array([float(x) for x in data], dtype)
    else:
        expected = np.array([int(x) for x in data], dtype)
    found = np.ascontiguousarray(found)
    assert found.dtype == dtype
    nan = np.isnan(expected) if dtype.kind == "f" else np.zeros(expected.shape, bool)
    assert (np.isnan(found[nan])).all()
    np.testing.assert_array_equal(found[~nan].view(np.uint8), expected[~nan].view(np.uint8))
