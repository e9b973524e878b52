"""Random object graphs survive; random damage gives a T7Error or an object."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rekindle.core.checkpoint import (
    LuaFunction,
    T7Error,
    Table,
    TdsHash,
    TdsVec,
    TorchObject,
    dump_all,
    dumps,
    load_all,
    loads,
)
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

QUICK = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
DTYPES = ["u1", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]

numbers = st.one_of(
    st.integers(-(2**53), 2**53), st.floats(allow_nan=True).map(lambda x: float(np.float64(x)))
)
texts = st.one_of(st.text(max_size=8), st.binary(max_size=8).map(
    lambda b: b.decode("utf-8", "surrogateescape")))  # fmt: skip
plain = st.one_of(st.booleans(), numbers, texts)
keys = st.one_of(st.booleans(), texts, st.integers(-3, 10), st.floats(-5, 5))


@st.composite
def graphs(draw):
    """A table of objects that refer to each other at random, cycles and sharing included."""
    storages = []
    for _ in range(draw(st.integers(0, 2))):
        dtype = draw(st.sampled_from(DTYPES))
        raw = draw(st.binary(min_size=0, max_size=48))
        count = len(raw) // np.dtype(dtype).itemsize
        values = np.frombuffer(raw, dtype, count).copy()
        if values.dtype.kind == "f":
            values[np.isnan(values)] = np.nan  # text has no room for the other nans
        storages.append(Storage(values))
    objects = list(storages)
    for storage in storages:
        for _ in range(draw(st.integers(0, 2))):
            if storage.size:
                rows = draw(st.integers(1, storage.size))
                offset = draw(st.integers(0, storage.size - rows))
                objects.append(Tensor.view_of(storage, offset, (rows, 2), (1, 0)))
    kinds = st.sampled_from([Table, Table, TdsHash, TdsVec, TorchObject, LuaFunction])
    nodes = []
    for kind in draw(st.lists(kinds, max_size=6)):
        if kind is TorchObject:
            nodes.append(
                TorchObject(draw(st.sampled_from(["nn.A", "my.B"])), draw(st.integers(0, 3)))
            )
        elif kind is LuaFunction:
            nodes.append(
                LuaFunction(draw(st.binary(max_size=5)), None, draw(st.sampled_from([7, 8])))
            )
        else:
            nodes.append(kind())
    everything = [*objects, *nodes]
    values = st.one_of(plain, st.sampled_from(everything)) if everything else plain
    any_key = st.one_of(keys, st.sampled_from(everything)) if everything else keys
    for node in nodes:
        if isinstance(node, LuaFunction):
            node.upvalues = Table(draw(st.lists(values, max_size=3)))
        elif isinstance(node, TdsVec):
            node.update(draw(st.lists(values, max_size=4)))
        else:
            table = node.t7_fields() if isinstance(node, TorchObject) else node
            for key, value in draw(st.lists(st.tuples(any_key, values), max_size=5)):
                table[key] = value
    return Table([*everything, *draw(st.lists(values, max_size=3))])


def shape_of(value):
    """Return a graph as plain data, with numbers for objects: equal for equal graphs only."""
    seen, out, pending = {}, [], [value]
    while pending:
        item = pending.pop()
        if isinstance(item, bool):
            out.append(("bool", item))
        elif isinstance(item, (int, float)):
            sign = math.copysign(1, item) if item == 0 else 0
            out.append(("number", "nan" if item != item else float(item), sign))
        elif isinstance(item, str) or item is None:
            out.append(("text", item))
        elif id(item) in seen:
            out.append(("again", seen[id(item)]))
        else:
            seen[id(item)] = len(seen)
            out.append(describe(item, pending))
    return out


def describe(item, pending):
    if isinstance(item, Storage):
        return ("storage", item.dtype.name, item.array.tobytes())
    if isinstance(item, Tensor):
        pending.append(item.storage())
        return ("tensor", item.shape, item.stride(), item.storage_offset())
    if isinstance(item, LuaFunction):
        pending.append(item.upvalues)
        return ("function", item.bytecode, item.tag)
    if isinstance(item, TorchObject):
        pending.append(item.t7_fields())
        return ("object", item.t7_typename, item.t7_version)
    for key, value in item.items():
        pending += [key, value]
    return (type(item).__name__, item.count())


@QUICK
@given(graphs(), st.sampled_from(["binary", "ascii"]))
def test_graphs_survive(graph, format):
    raw = dumps(graph, format)
    found = loads(raw)
    assert shape_of(found) == shape_of(graph)
    assert dumps(found, format) == raw
    assert found.equals(graph)


@QUICK
@given(st.lists(graphs(), min_size=1, max_size=3), st.sampled_from(["binary", "ascii"]))
def test_several_graphs_in_one_file(several, format):
    several = [*several, several[0]]
    found = load_all(dump_all(several, format))
    assert shape_of(Table(found)) == shape_of(Table(several))
    assert found[-1] is found[0]


@QUICK
@given(graphs(), st.sampled_from(["binary", "ascii"]), st.data())
def test_damage_gives_an_error_or_an_object(graph, format, data):
    raw = bytearray(dumps(graph, format))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(raw)))
        stop = data.draw(st.integers(start, min(len(raw), start + 9)))
        raw[start:stop] = data.draw(st.binary(max_size=9))
    try:
        found = load_all(bytes(raw))
    except T7Error as error:
        found = [error]
    for value in found:
        assert repr(value)


@QUICK
@given(st.binary(max_size=200), st.sampled_from([b"", b"\4\0\0\0\1\0\0\0", b"3\n1\n2\n"]))
def test_noise_gives_an_error_or_an_object(noise, start):
    try:
        assert isinstance(repr(load_all(start + noise)), str)
    except T7Error as error:
        assert len(str(error)) > 10  # noqa: PT017


@QUICK
@given(
    st.lists(
        st.tuples(st.one_of(keys, st.integers(0, 3)), st.one_of(st.none(), plain)), max_size=30
    )
)
def test_table_behaves_as_a_lua_table(assignments):
    """Against a dict keyed by (is it a boolean, key)."""
    table, model = Table(), {}
    for key, value in assignments:
        table[key] = value
        if value is None:
            model.pop((isinstance(key, bool), key), None)
        else:
            model[isinstance(key, bool), key] = value
    assert table.count() == len(model)
    for (_, key), value in model.items():
        assert key in table
        assert table[key] is value
    assert [(isinstance(k, bool), k) for k in table] == list(model)
    border = len(table)
    assert (border == 0 or border in table) and border + 1 not in table  # noqa: PT018


@pytest.mark.parametrize("format", ["binary", "ascii"])
def test_every_double_survives(format):
    generator = np.random.default_rng(5)
    values = generator.integers(0, 2**64, 1000, dtype=np.uint64).view(np.float64)
    values = [*values.tolist(), 2.0**53, 2.0**53 + 2, -(2.0**53), 5e-324, -0.0, 0.0, 1e308]
    found = loads(dumps(Table(values), format)).array()
    assert shape_of(Table(found)) == shape_of(Table(values))
