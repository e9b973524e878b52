"""Torch7's tensor library through the bridge: calls, errors and random streams as recorded."""

import gc
import re

import pytest
from agreement import differences, without_positions
from recorded import FIXTURES

from rekindle.core.checkpoint import load
from rekindle.legacy_nn.bridge import Runtime

FOLDER = FIXTURES / "tensor_api"
SPELLED_OUT = {
    "after_700": """for i = 1, 700 do torch.random() end
        local t = {} for i = 1, 10 do t[i] = torch.random() end return torch.Tensor(t)""",
    "rngstate": """torch.normal() local state = torch.getRNGState() torch.random(100)
        torch.setRNGState(state)
        return torch.Tensor{torch.normal(), torch.uniform(), torch.random()}""",
    "generator": """local g = torch.Generator() torch.manualSeed(g, 123)
        local t = {} for i = 1, 5 do t[i] = torch.random(g) end return torch.Tensor(t)""",
}
"""Code for records that describe in words what ran."""

FAMILIES = ("shape", "indexing", "pointwise", "reduction", "linalg", "misc")

RUN = r"""
local function pack(...) return {n = select('#', ...), ...} end

function run(expr, ...)
  local code = 'local a,b,c,d=...; return ' .. expr
  if not loadstring(code) then code = 'local a,b,c,d=...; ' .. expr end
  torch.manualSeed(123)
  return pack(pcall(assert(loadstring(code)), ...))
end

function stream(expr, calls, seed)
  torch.manualSeed(seed)
  local f = assert(loadstring('return ' .. expr))
  if calls == 1 then
    local result = f()
    local following = torch.random()
    return torch.isTensor(result) and result:clone() or result, following
  end
  local values = {}
  for i = 1, calls do values[i] = f() end
  return torch.Tensor(values), torch.random()
end
"""


@pytest.fixture(scope="module")
def lua():
    runtime = Runtime()
    runtime.require("nn")
    runtime.execute(RUN)
    yield runtime
    del runtime
    gc.collect()


def records(family):
    return [
        pytest.param(r, id=f"{family}-{r['name']}") for r in load(FOLDER / f"{family}.t7").array()
    ]


@pytest.mark.parametrize("record", [r for family in FAMILIES for r in records(family)])
def test_call(lua, record):
    args = [record["args"].get(i) for i in range(1, record["nargs"] + 1)]
    results = lua.globals.run(record["expr"], *args)
    if "error" in record:
        assert results[1] is False
        assert without_positions(results[2]).startswith(without_positions(record["error"]))
        return
    assert results[1] is True, results[2]
    assert results["n"] - 1 == record["nresults"]
    for i in range(1, record["nresults"] + 1):
        assert [*differences(results.get(i + 1), record["result"].get(i), f"result {i}")] == []


STREAMS = records("random")


@pytest.mark.parametrize("record", [p for p in STREAMS if "next_random" in p.values[0]])
def test_random(lua, record):
    calls = record.get("calls", 1)
    result, following = lua.globals.stream(record["expr"], calls, record["seed"])
    assert [*differences(result, record["result"])] == []
    assert following == record["next_random"]


@pytest.mark.parametrize("record", [p for p in STREAMS if "next_random" not in p.values[0]])
def test_random_in_words(lua, record):
    code = SPELLED_OUT.get(record["name"])
    if code is None:
        seeding, count, draw = re.match(r"(.+) ; (\d+) x (.+)", record["expr"]).groups()
        draws = ", ".join([draw] * int(count))
        code = f"{seeding} return torch.Tensor{{{draws}}}"
    lua.execute("torch.manualSeed(123)")
    assert [*differences(lua.execute(code), record["result"])] == []
