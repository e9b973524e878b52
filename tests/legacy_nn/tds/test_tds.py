"""tds.Hash, Vec and AtomicCounter: as torch/tds documents them, and in Torch7's files."""

import copy
import pickle
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from rekindle.core.checkpoint import Table, TdsHash, TdsVec, dumps, loads
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.lualib import (
    LuaError,
    index,
    invoke,
    ipairs,
    length,
    newindex,
    pairs,
    tostring,
    type_of,
)
from rekindle.legacy_nn.tds import CLASSES, FUNCTIONS, AtomicCounter, Hash, Vec
from rekindle.legacy_nn.torch7.files import deserialize, load, serialize

RECORDED = Path(__file__).parents[2] / "fixtures" / "serialization"


def test_a_hash_counts_all_entries():
    hashed = Hash(Table({"k": 2.5, 1: "one"}))
    newindex(hashed, True, False)
    assert length(hashed) == len(hashed) == 3
    newindex(hashed, "new", 5)
    newindex(hashed, "k", None)
    assert length(hashed) == 3
    assert list(pairs(hashed)) == [(1, "one"), (True, False), ("new", 5)]
    assert [index(hashed, key) for key in ("new", "k", 1, True)] == [5, None, "one", False]
    assert type_of(hashed) == "cdata"


def test_tables_inside_become_containers():
    hashed = Hash(Table({"v": Table([1, Table(["x"])]), "h": Table({"a": Table()})}))
    assert type(hashed["v"]) is TdsVec
    assert type(hashed["v"][2]) is TdsVec
    assert type(hashed["h"]) is TdsHash
    vec = Vec(Table([Table({"a": 1})]))
    assert type(vec[1]) is TdsHash


def test_what_is_not_taken():
    for make in (lambda: Hash(5), lambda: Hash(Table(), Table()), lambda: Vec(Table({"a": 1}))):
        with pytest.raises(LuaError, match="lua table"):
            make()
    with pytest.raises(LuaError, match=r"unsupported key/value type <function> \(set\)"):
        newindex(Hash(), "f", print)
    with pytest.raises(LuaError, match="hash index is nil"):
        newindex(Hash(), None, 1)
    for key in (0, -1, "x"):
        with pytest.raises(LuaError, match="positive number expected as key"):
            newindex(Vec(), key, 1)
    with pytest.raises(LuaError, match=r"invalid key \(number\) or method name"):
        index(Vec(), "none")


def test_a_vector_keeps_nil():
    vec = Vec(4, 5, None, "x", None)
    assert length(vec) == 5
    assert list(pairs(vec)) == list(ipairs(vec)) == [(1, 4), (2, 5), (3, None), (4, "x"), (5, None)]
    newindex(vec, 8, "far")
    assert vec.array() == [4, 5, None, "x", None, None, None, "far"]
    newindex(vec, 8, None)
    assert length(vec) == 8
    assert index(vec, 8) is None
    invoke(vec, "resize", 2)
    assert vec.array() == [4, 5]
    invoke(vec, "resize", 3)
    assert vec.array() == [4, 5, None]
    assert index(vec, 99) is None


def test_insert_and_remove_are_those_of_a_list():
    rng = np.random.default_rng(3)
    vec, expected = Vec(), []
    for step in range(300):
        place = int(rng.integers(1, len(expected) + 2))
        choice = rng.integers(4)
        if choice == 0:
            invoke(vec, "insert", step)
            expected.append(step)
        elif choice == 1:
            value = None if step % 5 == 0 else step
            invoke(vec, "insert", place, value)
            expected.insert(place - 1, value)
        elif choice == 2 and expected:
            invoke(vec, "remove")
            expected.pop()
        elif choice == 3:
            invoke(vec, "remove", place)
            del expected[place - 1 : place]
        assert vec.array() == expected


def test_sort_and_concat():
    vec = Vec(3, 1, 2.5)
    invoke(vec, "sort", lambda a, b: a > b)
    assert vec.array() == [3, 2.5, 1]
    assert invoke(vec, "concat") == "32.51"
    assert invoke(vec, "concat", ", ", 2, 3) == "2.5, 1"
    assert invoke(vec, "concatstorage", "-").array.tobytes() == b"3-2.5-1"
    with pytest.raises(LuaError, match="compare function must be a lua or C function"):
        invoke(vec, "sort")


def test_text():
    """The layout of the README's example."""
    vec = Vec(4, 5, None, Hash(), "hello world")
    vec[4]["foo"] = "bar"
    vec[4][6] = 0.5
    vec[4]["stuff"] = Vec("how", "are")
    assert tostring(vec) == (
        "tds.Vec[5]{\n"
        "    1 : 4\n"
        "    2 : 5\n"
        "    3 : nil\n"
        "    4 : tds.Hash[3]{\n"
        "        foo   : bar\n"
        "        6     : 0.5\n"
        "        stuff : tds.Vec[2]{\n"
        "                    1 : how\n"
        "                    2 : are\n"
        "                }\n"
        "        }\n"
        "    5 : hello world\n"
        "}"
    )
    many = tostring(Vec(Table(list(range(50)))))
    assert many.startswith("tds.Vec[50]{\n    1 : 0\n")
    assert many.endswith("\n   20 : 19\n...\n}")


@pytest.mark.parametrize("mode", ["bin", "ascii"])
@pytest.mark.parametrize(
    "name", ["tds_hash", "tds_hash_empty", "tds_vec", "tds_vec_empty", "tds_vec_nested"]
)
def test_files_of_torch7(name, mode):
    path = RECORDED / f"{name}.{mode}.t7"
    form = "ascii" if mode == "ascii" else "binary"
    found = load(path, form)
    assert serialize(found, form).encode("latin-1") == path.read_bytes()
    assert type(found) is CLASSES[found.t7_typename]
    assert length(found) == {"tds_hash": 4, "tds_vec": 4, "tds_vec_nested": 2}.get(name, 0)
    if name == "tds_vec":
        assert index(found, 4).tolist() == [4]
        invoke(found, "insert", "methods work")
        assert length(found) == 5


def test_nil_survives_files_and_copies():
    vec = Vec(1, None, "x", None)
    for found in (
        deserialize(serialize(vec)),
        loads(dumps(vec)),
        copy.deepcopy(vec),
        pickle.loads(pickle.dumps(vec)),
    ):
        assert type(found) is TdsVec
        assert found.array() == [1, None, "x", None]
        invoke(found, "insert", Tensor(np.ones(1)))
        assert length(found) == 5


def test_an_atomic_counter():
    counter = AtomicCounter()
    assert [counter.inc(), counter.inc(), counter.get()] == [0, 1, 2]
    counter.set(100)
    assert repr(counter) == "tds.AtomicCounter=100"

    def count():
        for _ in range(2000):
            counter.inc()

    threads = [Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.get() == 8100
    assert deserialize(serialize(Table([counter])))[1].get() == 8100
    path = RECORDED / "tds_atomic.bin.t7"
    assert load(path).get() == 0
    assert serialize(load(path)).encode("latin-1") == path.read_bytes()
    assert dumps(load(path)) == path.read_bytes()
    assert FUNCTIONS["atomic_counter"] is AtomicCounter
