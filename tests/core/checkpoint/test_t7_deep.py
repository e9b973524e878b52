"""Trees 100,000 levels deep: read, written, compared and shown without recursion."""

import sys
import time

import pytest

from rekindle.core.checkpoint import LuaFunction, T7Error, Table, TdsVec, TorchObject, dumps, loads

DEPTH = 100_000


def tables(depth, last="leaf"):
    top = Table({"value": last})
    for _ in range(depth):
        top = Table({1: top})
    return top


def objects(depth, last="leaf"):
    top = Table({"value": last})
    for _ in range(depth):
        top = TorchObject("nn.Container", 1, Table({"modules": Table([top])}))
    return top


def keys(depth, last="leaf"):
    top = Table({"value": last})
    for _ in range(depth):
        top = Table({top: True})
    return top


def functions(depth, last="leaf"):
    top = Table({"value": last})
    for _ in range(depth):
        top = LuaFunction(b"code", Table([top]))
    return top


def vectors(depth, last="leaf"):
    top = Table({"value": last})
    for _ in range(depth):
        top = TdsVec([top])
    return top


@pytest.fixture(autouse=True)
def shallow():
    """Python's usual room for recursion, which the runtime of translated programs extends."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(limit)


@pytest.mark.parametrize("format", ["binary", "ascii"])
@pytest.mark.parametrize("build", [tables, objects, keys, functions, vectors])
def test_deep_trees(build, format):
    depth = DEPTH if build in (tables, objects) and format == "binary" else DEPTH // 10
    tree = build(depth)
    raw = dumps(tree, format)
    found = loads(raw)
    assert found.equals(tree)
    assert not found.equals(build(depth, last="other"))
    assert len(repr(found)) < 500


def test_an_error_deep_down_has_a_short_path():
    raw = dumps(objects(DEPTH // 4))
    start = time.process_time()
    with pytest.raises(T7Error) as caught:
        loads(raw[:-3])
    assert time.process_time() - start < 20  # 1 s; for ever where each level copies the path
    assert caught.value.path.startswith("modules[1].modules[1]")
    assert caught.value.path.endswith("value")
    assert "levels" in caught.value.path
    assert len(str(caught.value)) < 500
