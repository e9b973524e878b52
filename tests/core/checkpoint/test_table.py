import copy
import pickle

import numpy as np
import pytest

from rekindle.core.checkpoint import LuaFunction, Table, TdsHash, TorchObject
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor


def test_keys_are_luas():
    t = Table()
    t[1], t[True], t[2.0], t["1"], t[0], t[False], t[-0.5] = (
        "int",
        "true",
        "two",
        "s",
        "zero",
        "f",
        "h",
    )
    assert (t[1], t[True], t[2], t["1"]) == ("int", "true", "two", "s")
    assert (t[0.0], t[-0.0], t[False], t[-0.5]) == ("zero", "zero", "f", "h")
    assert t[np.int64(1)] == t[np.float64(1.0)] == "int"
    assert t[np.True_] == "true"
    assert [type(k) for k in t] == [int, bool, int, str, int, bool, float]
    assert dict(zip("abcdefg", t.values(), strict=True))["b"] == "true"
    assert list(t) == list(t.keys()) == [k for k, _ in t.items()]
    assert t.count() == 7
    assert True in t
    assert 3 not in t


def test_large_whole_floats_are_one_key_with_the_equal_int():
    t = Table({2.0**60: "x"})
    assert t[2**60] == "x"
    assert 2**53 not in t


def test_nil_and_nan_are_no_keys():
    t = Table({"a": 1})
    with pytest.raises(KeyError, match="neither nil nor nan"):
        t[float("nan")] = 1
    with pytest.raises(KeyError, match="neither nil nor nan"):
        t[None] = 1
    assert t.get(None) is None
    t[None] = None  # deletes nothing
    assert t.count() == 1


def test_none_deletes():
    t = Table({"a": 1, "b": None})
    assert "b" not in t
    t["a"] = None
    t["a"] = None
    assert t.count() == 0
    with pytest.raises(KeyError, match="no entry 'a'"):
        del t["a"]
    with pytest.raises(KeyError, match="no entry 'a'"):
        t["a"]
    assert t.get("a") is None
    assert t.get("a", 5) == 5


def test_length_is_a_border_and_truth_is_lua():
    assert len(Table([1, 2, 3])) == 3
    assert len(Table({1: 1, 3: 3, 5: 5})) == 1
    assert len(Table({"x": 1})) == 0
    assert bool(Table())
    t = Table(range(1000))
    assert len(t) == 1000
    t[500] = None
    border = len(t)
    assert border in t
    assert border + 1 not in t
    assert len(t.array()) == 499


def test_fields_and_methods():
    t = Table({"name": "x", "items": "field", "weight": 5})
    assert t.name == "x"
    assert callable(t.items)
    assert t["items"] == "field"
    t.name = "y"
    t.other = 3
    assert (t["name"], t["other"]) == ("y", 3)
    del t.other
    with pytest.raises(AttributeError, match="no field 'other'"):
        t.other  # noqa: B018
    with pytest.raises(AttributeError, match=r"t\['items'\]"):
        t.items = 3
    assert not hasattr(t, "__array__")
    assert Table({b"raw": 1}).raw == 1


def test_equality_is_identity_and_tables_are_keys():
    a, b = Table([1]), Table([1])
    assert a != b
    assert a == a
    t = Table({a: "a", b: "b"})
    assert (t[a], t[b]) == ("a", "b")
    tensor = Tensor(np.zeros(3))
    t[tensor] = "tensor"
    assert t[tensor] == "tensor"
    assert Tensor(np.zeros(3)) not in t


def test_equals_goes_all_the_way_down():
    def build(last):
        inner = Table({"x": [1], 1: 1.5})
        inner[True] = "t"
        inner["x"] = Table([Tensor(np.arange(3.0)), Storage(np.arange(2)), last])
        return Table({"inner": inner, "again": inner})

    a, b = build(float("nan")), build(float("nan"))
    assert a.equals(b)
    assert not a.equals(build(1))
    assert not build(1).equals(build(True))
    assert build(1).equals(build(1.0))
    assert not a.equals(None)
    b.inner.x[1].numpy()[0] = 5
    assert not a.equals(b)


def test_equals_takes_tables_of_a_subclass_as_tables():
    class Other(Table):
        __slots__ = ()

    one, other = Table([1]), Other([1])
    assert one.equals(other)
    assert other.equals(one)


def test_equals_ends_on_cycles_and_pairs_object_keys_in_order():
    def cycle(value):
        t = Table({"value": value})
        t["self"] = t
        t[Table([value])] = Table([t])
        return t

    assert cycle(1).equals(cycle(1))
    assert not cycle(1).equals(cycle(2))
    assert not Table({Table(): 1}).equals(Table({"x": 1}))
    assert not Table({1: "a"}).equals(TdsHash({1: "a"}))


def test_equals_knows_objects_and_functions():
    def make(version=1, code=b"code"):
        return Table([TorchObject("nn.X", version, Table({"a": 1})), LuaFunction(code, Table([5]))])

    assert make().equals(make())
    assert not make().equals(make(version=2))
    assert not make().equals(make(code=b"other"))
    assert make()[1].equals(make()[1])
    assert make()[2].equals(make()[2])


def test_repr_is_bounded():
    t = Table()
    t["self"] = t
    deep = Table()
    for _ in range(10_000):
        deep = Table([deep])
    wide = Table(range(10_000))
    for value in (t, deep, wide, Table(["x" * 10_000]), TorchObject("nn.X", 1, wide)):
        assert len(repr(value)) < 700
    huge = np.lib.stride_tricks.as_strided(np.zeros(1), (1 << 20, 1 << 20), (0, 0))
    assert (
        repr(Table([Tensor(huge)])) == "Table({1: Tensor(shape=(1048576, 1048576), dtype=float64)})"
    )
    assert repr(Table({True: 1, "a": Storage(np.arange(3))})) == (
        "Table({True: 1, 'a': Storage(size=3, dtype=int64)})"
    )
    assert repr(LuaFunction(b"abc", Table([Table({"name": "x"})]))) == (
        "LuaFunction(3 bytes, upvalues=[x])"
    )


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))]
)
def test_copies(copied):
    t = Table({"a": 1, 1: Table([3])})
    t[True] = 2
    other = copied(t)
    assert other is not t
    assert other.equals(t)
    other["a"] = 5
    assert t.a == 1
    value = TorchObject("nn.X", 3, Table({"a": 1}), payload=b"p")
    assert copied(value).equals(value)


def test_torch_object():
    value = TorchObject("nn.X", 2, Table({"weight": 5, "t7_version": "field"}))
    assert (value.weight, value["weight"], value.t7_version, value["t7_version"]) == (
        5,
        5,
        2,
        "field",
    )
    value.weight = 6
    value["bias"] = 7
    assert dict(value.t7_fields().items()) == {"weight": 6, "t7_version": "field", "bias": 7}
    assert "bias" in value
    with pytest.raises(AttributeError, match="no field 'x'"):
        value.x  # noqa: B018
    with pytest.raises(AttributeError, match=r"object\['t7_version'\]"):
        value.t7_version = 3
    assert TorchObject("nn.X") != TorchObject("nn.X")
    assert repr(TorchObject("torch.Generator", payload=b"12")) == (
        "TorchObject('torch.Generator', payload=b'12')"
    )
