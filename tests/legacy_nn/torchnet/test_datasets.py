"""torchnet's data sets in Python against those of the Lua package, on the same samples."""

import numpy as np
import pytest

from rekindle import tensor
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import torchnet as tnt
from rekindle.legacy_nn.bridge import Runtime
from rekindle.legacy_nn.torch7 import random

INPUTS = np.random.default_rng(3).normal(size=(11, 2, 3))

LUA = """
    tnt = require 'torchnet'
    function base(inputs)
      local list = {}
      for i = 1, inputs:size(1) do list[i] = {input = inputs[i]:clone(), target = i} end
      return tnt.TableDataset {data = list}
    end
    function all(made)
      local found = {}
      local iterator = torch.isTypeOf(made, 'tnt.DatasetIterator') and made or made:iterator()
      for sample in iterator() do
        for _, field in ipairs {sample.input, sample.target} do
          if torch.isTensor(field) then
            for _, x in ipairs(field:view(-1):totable()) do found[#found + 1] = x end
          else
            for _, x in ipairs(type(field) == 'table' and field or {field}) do
              if torch.isTensor(x) then x = x:sum() end
              found[#found + 1] = x
            end
          end
        end
      end
      return torch.Tensor(found)
    end
"""


@pytest.fixture(scope="module")
def lua():
    made = Runtime()
    made.execute(LUA)
    yield made
    made.close()


def base():
    return tnt.TableDataset(
        [{"input": tensor(x), "target": i} for i, x in enumerate(INPUTS, start=1)]
    )


def numbers(value):
    if isinstance(value, Tensor):
        return value.numpy().ravel().tolist()
    if isinstance(value, list):
        return [x.numpy().sum() if isinstance(x, Tensor) else x for x in value]
    return [value]


def everything(dataset):
    found = []
    for sample in dataset if isinstance(dataset, tnt.DatasetIterator) else dataset.iterator():
        found += numbers(sample["input"]) + numbers(sample["target"])
    return found


def ragged(x, i):
    return tensor(np.arange(float(i % 3 + 1)))


CASES = {
    "table": ("base(x)", base),
    "batch": ("base(x):batch(4)", lambda: base().batch(4)),
    "skip": ("base(x):batch(4, 'skip-last')", lambda: base().batch(4, policy="skip-last")),
    "perm": (
        "tnt.BatchDataset {dataset = base(x), "
        "batchsize = 3, perm = function(i, n) return n + 1 - i end}",
        lambda: base().batch(3, perm=lambda i, n: n + 1 - i),
    ),
    "filter": (
        "tnt.BatchDataset {dataset = base(x), "
        "batchsize = 3, filter = function(s) return s.target % 3 ~= 1 end}",
        lambda: base().batch(3, filter=lambda s: s["target"] % 3 != 1),
    ),
    "merge": (
        "tnt.BatchDataset {dataset = base(x), "
        "batchsize = 5, merge = function(t) return {input = t.input[1], "
        "target = #t.target} end}",
        lambda: base().batch(
            5, merge=lambda t: {"input": t["input"][0], "target": len(t["target"])}
        ),
    ),
    "ragged": (
        "base(x):transform(function(_, i) return torch.range(0, i % 3) end, 'input'):batch(3)",
        lambda: base().transform(ragged, "input").batch(3),
    ),
    "key": (
        "base(x):transform(function(z) return -z end, 'input')",
        lambda: base().transform(lambda z: -z, "input"),
    ),
    "fields": (
        "base(x):transform {input = function(z) return z * 2 end, "
        "target = function(t) return t + 1 end}",
        lambda: base().transform({"input": lambda z: z * 2, "target": lambda t: t + 1}),
    ),
    "sample": (
        "base(x):transform(function(s, i) s.target = s.target * i; return s end)",
        lambda: base().transform(lambda s, i: {**s, "target": s["target"] * i}),
    ),
    "concat": (
        "tnt.ConcatDataset {datasets = {base(x), base(x:narrow(1, 3, 1)), base(x)}}",
        lambda: tnt.ConcatDataset(
            [base(), tnt.TableDataset([{"input": tensor(INPUTS[2]), "target": 1}]), base()]
        ),
    ),
    "resample": (
        "base(x):sample(function(d, i) return d:size() - 2 * i end, 5)",
        lambda: base().sample(lambda d, i: d.size() - 2 * i, 5),
    ),
    "split": (
        "base(x):split({b = 0.4, a = 0.5}, 'b')",
        lambda: base().split({"b": 0.4, "a": 0.5}, "b"),
    ),
    "split sizes": (
        "base(x):split({train = 3, valid = 6, test = 1}, 'valid')",
        lambda: base().split({"train": 3, "valid": 6, "test": 1}, "valid"),
    ),
    "shuffle": ("base(x):shuffle()", lambda: base().shuffle()),
    "some": ("base(x):shuffle(4)", lambda: base().shuffle(4)),
    "again": ("base(x):shuffle(20, true)", lambda: base().shuffle(20, True)),
    "iterator": (
        "tnt.DatasetIterator {dataset = base(x), perm = function(i) return 12 - i end, "
        "filter = function(s) return s.target ~= 14 end, "
        "transform = function(s) s.target = s.target * 2; return s end}"
        ":filter(function(s) return s.target > 4 end)"
        ":transform(function(s) s.target = -s.target; return s end)",
        lambda: (
            base()
            .iterator(
                perm=lambda i: 12 - i,
                filter=lambda s: s["target"] != 14,
                transform=lambda s: {**s, "target": s["target"] * 2},
            )
            .filter(lambda s: s["target"] > 4)
            .transform(lambda s: {**s, "target": -s["target"]})
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_samples_are_those_of_the_lua_dataset(lua, case):
    code, make = CASES[case]
    random.manual_seed(5)
    expected = lua.execute(f"return function(x) return all({code}) end")(tensor(INPUTS))
    random.manual_seed(5)
    np.testing.assert_allclose(everything(make()), expected.numpy(), rtol=1e-14)


def test_lists(tmp_path):
    (tmp_path / "names.txt").write_text("a\nb\nc\n", encoding="utf-8")
    lines = tnt.ListDataset(str(tmp_path / "names.txt"), load=str.upper, maxload=2, path="x")
    assert [lines.get(i) for i in (1, 2)] == ["X/A", "X/B"]
    assert lines.size() == 2
    longs = tnt.ListDataset(tensor([4, 5, 6]), lambda i: i * 2)
    assert [*longs.iterator()()] == [8, 10, 12]


def test_samples_of_a_table_are_copies():
    dataset = base()
    sample = dataset.get(1)
    sample["input"].fill_(0)
    assert dataset.get(1)["input"].numpy().any()


def test_methods_of_the_datasets_below():
    split = base().split({"a": 0.5, "b": 0.5})
    split.select("a")
    iterator = split.shuffle().iterator()
    before = [s["target"] for s in iterator]
    iterator.exec("select", "b")
    assert {s["target"] for s in iterator} == {6, 7, 8, 9, 10}
    assert set(before) == {1, 2, 3, 4, 5}
    with pytest.raises(tnt.TorchnetError, match="no method 'absent'"):
        iterator.exec("absent")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: base().get(0), "from 1 to 11"),
        (lambda: base().get(1.5), "integers"),
        (lambda: base().sample(lambda d, i: 12).get(1), "from 1 to 11"),
        (lambda: base().batch(4, policy="divisible-only"), "not divisible"),
        (lambda: base().batch(4, policy="other"), "policy should be"),
        (lambda: base().batch(0.5), "positive integer"),
        (lambda: base().shuffle(12), "without replacement"),
        (lambda: base().split({"a": 1}), "two partitions"),
        (lambda: base().split({"a": 1.5, "b": 2}), "integers"),
        (lambda: base().split({"a": 10, "b": 2}), "more than the 11"),
        (lambda: base().split({"a": 1, "b": 2}).size(), "select a partition"),
        (lambda: base().transform(abs, "absent").get(1), "missing key"),
        (lambda: tnt.ConcatDataset([]), "empty"),
        (lambda: tnt.ListDataset([1, 2]), "needs a function"),
    ],
)
def test_what_does_not_fit_is_an_error(call, message):
    with pytest.raises(tnt.TorchnetError, match=message):
        call()
