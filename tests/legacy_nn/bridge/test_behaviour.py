"""Recorded runs of Lua code on nn, optim, nngraph and files, run again through the bridge."""

import gc
import re

import pytest
from agreement import differences
from recorded import FIXTURES

from rekindle.core.checkpoint import load
from rekindle.legacy_nn.bridge import Runtime

FOLDER = FIXTURES / "behaviour"

HELPERS = r"""
-- A deep copy of tensors and tables.
function dump(v)
  if torch.isTensor(v) then return v:clone() end
  if torch.type(v) ~= 'table' then return v end
  local copy = {}
  for k, x in pairs(v) do copy[k] = dump(x) end
  return copy
end

-- False, or the error of a call, without its traceback.
function err(f)
  local ok, message = pcall(f)
  if ok then return false end
  return {message = (tostring(message):gsub('\nstack traceback.*', ''))}
end

-- Parameters between -1 and 1 in order, no gradients.
function set(module, seed)
  torch.manualSeed(seed)
  local parameters, gradients = module:parameters()
  for i, p in ipairs(parameters) do
    p:uniform(-1, 1)
    gradients[i]:zero()
  end
  return module
end

function same(a, b) return torch.pointer(a) == torch.pointer(b) end

function share(a, b) return torch.pointer(a:storage()) == torch.pointer(b:storage()) end

-- Type, size and value of each field.
function fields(object)
  local found = {}
  for k, v in pairs(object) do
    local field = {type = torch.type(v)}
    if torch.isTensor(v) then
      field.size = v:size():totable()
    elseif type(v) ~= 'table' and type(v) ~= 'userdata' then
      field.value = v or nil
    end
    found[k] = field
  end
  return found
end

function run(code, name, inputs) return assert(loadstring(code, '=' .. name))(inputs) end
"""


DIFFERENT = {
    # fields that only Torch7's code in C needs
    "clearState_fields": r"\.\w+\.(before|after)\.(addBuffer|finput|fgradInput)",
    # errors in Rekindle's words
    "errors": r"\.(nil_input|type_mismatch(_conv)?)",
    "backward_without_forward": r"\.(conv|dropout|logsoftmax|mlp)",
    "sanitised_module": r"\.backward",
    "unserialisable": r"\.thread",
    # no error: gradients of 0, and buffers that were removed are made again
    "accGradParameters_alone": r"\.seq_error",
}
LENIENT = {"sanitised_module": r"\.(forward_without_output|module_without_output\.output)"}


def expected_differences(name):
    return re.compile("|".join(d[name] for d in (DIFFERENT, LENIENT) if name in d) or "$^")


@pytest.mark.parametrize("name", sorted(p.stem for p in FOLDER.glob("*.t7")))
def test_chunk(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = load(FOLDER / f"{name}.t7")
    lua = Runtime()
    for package in ("nn", "nngraph", "optim"):
        lua.require(package)
    lua.execute(HELPERS)
    found = lua.globals.run(record["code"], name, record["inputs"])
    known = expected_differences(name)
    places = differences(found, record["results"])
    assert [d for d in places if not known.match(d)] == []
    del lua, found
    gc.collect()
