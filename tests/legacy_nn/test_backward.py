"""Gradients of every recorded module, in both protocols."""

import json

import pytest
from recorded import FIXTURES, check_backward, check_graph, set_mode

from rekindle import legacy_nn
from rekindle.core import checkpoint
from rekindle.legacy_nn.module import ModuleError

MODULES = FIXTURES / "modules"
INDEX = json.loads((MODULES / "index.json").read_text())

FORWARD_ONLY = {
    "Sequential__02": "an empty Sequential is an error in Torch7",
    "IndexLinear__04": "recorded for what its forward pass writes into the weight",
    "Kmeans__01": "recorded without a backward pass",
}
REFUSED = ("SpatialDropout__02", "VolumetricDropout__04", "WhiteNoise__02")
"""In evaluation mode."""

SKIPPED = {
    # The bytes of these indices above the lowest three are what the memory held before.
    "nn.VolumetricMaxPooling": ("indices",),
    "nn.VolumetricDilatedMaxPooling": ("indices",),
}
ANOTHER_DERIVATIVE = {
    "Dropout__09": "a mask drawn in evaluation, which updateGradInput passes over",
    "SparseLinear__04": "a gradient of pairs for all numbers, the zeros too",
    "IndexLinear__01": "a gradient for all keys, and a table of gradients",
    "IndexLinear__02": "a gradient for all keys, and a table of gradients",
}
SINGLE = {"DontCast__02": 1e-5}
"""Records in double precision of modules that compute in single."""

CASES = {
    e["file"][:-3]: e["class"]
    for e in INDEX
    if e["kind"] == "module" and hasattr(legacy_nn, e["class"].removeprefix("nn."))
}
RECORDS = [case for case in CASES if case not in FORWARD_ONLY and case not in REFUSED]


@pytest.mark.parametrize("case", RECORDS)
def test_backward(case):
    skip = SKIPPED.get(CASES[case], ())
    check_backward(MODULES / f"{case}.t7", skip, SINGLE.get(case, 0))


@pytest.mark.parametrize("case", REFUSED)
def test_backward_is_refused_in_evaluation(case):
    record = checkpoint.load(MODULES / f"{case}.t7")
    module = set_mode(record.module, record.train)
    output = module.updateOutput(record.input)
    with pytest.raises(ModuleError, match="only defined while training"):
        module.updateGradInput(record.input, output)


@pytest.mark.parametrize("case", [c for c in RECORDS if c not in ANOTHER_DERIVATIVE])
def test_gradients_of_the_call(case):
    check_graph(MODULES / f"{case}.t7", SINGLE.get(case, 0))
