"""Longs of 4 bytes and the other byte order are noticed in files of every content."""

import io
import struct

import numpy as np
import pytest
from t7_recorded import FOLDER, GPU, INDEX

from rekindle.core.checkpoint import T7Error, Table, TdsHash, TdsVec, dumps, load, load_all, loads
from rekindle.core.checkpoint.encoder import BinaryEncoder
from rekindle.core.checkpoint.extent import Whole
from rekindle.core.checkpoint.writer import ObjectWriter
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor


class OtherEncoder(BinaryEncoder):
    """What Torch7 writes after `file:longSize(4)` or `file:bigEndianEncoding()`."""

    def __init__(self, file, order, long):
        super().__init__(file)
        self.order, self.long = order, long

    def pack(self, kinds, *values):
        self.put(struct.pack(self.order + kinds, *values))

    def write_int(self, value):
        self.pack("i", value)

    def write_header(self, tag, argument):
        self.pack("ii", tag, argument)

    def write_number(self, tag, value):
        self.pack("id", tag, value)

    def write_longs(self, values):
        self.pack(f"{len(values)}{self.long}", *values)

    def write_values(self, values):
        dtype = values.dtype
        if dtype == np.int64 and self.long == "i":
            dtype = np.dtype(np.int32)
            if (values != values.astype(dtype)).any():
                pytest.skip("holds int64 beyond 32 bits")
        self.write_in_chunks(values, dtype.newbyteorder(self.order))


def written(value, order, long):
    file = io.BytesIO()
    encoder = OtherEncoder(file, order, long)
    ObjectWriter(encoder, "utf-8", Whole()).write(value)
    encoder.flush()
    return file.getvalue()


MODES = [("<", "i"), (">", "q"), (">", "i")]


def paths():
    names = {e["case"] for e in INDEX} - {"rawfile", "class_custom_io", "multi_objects"}
    # An empty tensor or container alone is taken for a cut one; see longsize.py.
    alone = ("empty", "size0", "0arg", "then_emptied", "tds_atomic")
    return [
        FOLDER / f"{name}.bin.t7" for name in sorted(names) if not name.endswith(alone)
    ] + sorted(GPU.glob("*.t7"))


@pytest.mark.parametrize("mode", MODES, ids=["b32", "be", "be32"])
@pytest.mark.parametrize("path", paths(), ids=lambda p: p.name)
def test_recorded_objects_in_other_modes(path, mode):
    value = load(path)
    assert dumps(load_all(written(value, *mode))[0]) == dumps(value)


CONTENTS = {
    "zeros first": Table([np.zeros(5, "f4"), 1, np.zeros((2, 3)), "x"]),
    "empty first": Table({"output": np.zeros(0, "f4"), "n": 3, "w": np.ones(4, "f4")}),
    "only an empty one": Table([np.zeros(0), 5]),
    "bare storage": Storage(np.arange(1, 7, dtype=np.int32)),
    "zeros": Storage(np.zeros(6)),
    "doubles": Storage(np.arange(6) / 3),
    "whole doubles": Storage(np.arange(6.0)),
    "longs": Storage(np.array([5, -1, 0, 70000])),
    "storage in a table": Table([Storage(np.zeros(3, "i4")), 2, Storage(np.zeros(2, "u1"))]),
    "tds of numbers": TdsVec([1, 2, 3]),
    "tds of tds": TdsHash({"a": TdsVec([TdsVec(["x"]), True]), 4: TdsVec([1])}),
    "large sizes": np.zeros((4, 4, 4, 4), "f4"),
    "size 4 by 4": np.zeros((4, 4), "f8"),
    "expanded": Tensor.view_of(Storage(np.ones(4)), 3, (4, 1, 4), (0, 0, 0)),
}


@pytest.mark.parametrize("mode", [("<", "q"), *MODES], ids=["bin", "b32", "be", "be32"])
@pytest.mark.parametrize("case", CONTENTS)
def test_contents_that_could_mislead(case, mode):
    value = CONTENTS[case]
    assert dumps(loads(written(value, *mode))) == dumps(value)


@pytest.mark.parametrize("mode", [("<", "q"), *MODES], ids=["bin", "b32", "be", "be32"])
@pytest.mark.parametrize("case", sorted(set(CONTENTS) - {"zeros"}))
def test_cut_files_are_not_taken_for_other_modes(case, mode):
    raw = written(CONTENTS[case], *mode)
    for length in range(len(raw)):
        with pytest.raises(T7Error):
            load_all(raw[:length])
