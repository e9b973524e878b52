"""What holds for every class: copies, types, clearing, sharing, flat parameters, saving, slopes.

Modules come from the recorded runs, as they were right before forward; for each class the
first record and the last.
"""

import json

import numpy as np
import pytest
from recorded import FIXTURES, SEED, assert_close, set_mode

from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.core.dtypes import float32, float64, is_floating
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.torch7 import random
from rekindle.legacy_nn.values import as_input, detached_copy, map_tensors, tensors_in

MODULES = FIXTURES / "modules"
SHARED = ("weight", "bias", "gradWeight", "gradBias")

NOT_RUN = {"Sequential__02": "empty"}
NO_FLAT_GRADIENT = {
    "nn.IndexLinear": "its gradients are a table",
    "nn.SparseLinear": "it steps, and sets gradients to zero, where its last input was",
}
OWN_TYPE = {
    "nn.DontCast": "it does not change type",
    "nn.FlattenTable": "nor does it",
    "nn.Copy": "its output has a type of its own",
}
DRAWN_AGAIN = {
    "nn.SpatialFractionalMaxPooling": "clearing lets go of the regions that were kept",
    "nn.VolumetricFractionalMaxPooling": "clearing lets go of the regions that were kept",
}
OWN_CLEARING = ("nn.Collapse", "nn.Convert", "nn.Kmeans", "nn.OneHot", "nn.WhiteNoise")
"""Classes whose clearState leaves their output alone in Torch7."""

PACKED = {"nn.VolumetricMaxUnpooling": "indices with garbage in them are no float32 numbers"}
LOWERED = 2e-4
"""How far single precision may be from double."""


def cases():
    """Return the first and the last record of each class."""
    by_class = {}
    for entry in json.loads((MODULES / "index.json").read_text()):
        name = entry["file"][:-3]
        if entry["kind"] == "module" and name not in NOT_RUN and (MODULES / entry["file"]).exists():
            by_class.setdefault(entry["class"], []).append(name)
    return {name: cls for cls, names in by_class.items() for name in (names[0], names[-1])}


CASES = cases()


def without(*exceptions):
    left_out = {cls for group in exceptions for cls in group}
    return pytest.mark.parametrize("case", [c for c, cls in CASES.items() if cls not in left_out])


def load(case):
    record = checkpoint.load(MODULES / f"{case}.t7")
    module = set_mode(record.module, record.train)
    module.zeroGradParameters()
    return module, record


def forward(module, input):
    random.manual_seed(SEED)
    return module.updateOutput(input)


def run(module, record):
    """Run a module forward and back; return copies of what it leaves."""
    output = detached_copy(forward(module, record.input))
    gradients = None
    if "gradOutput" in record and not refuses(module):
        module.backward(record.input, record.gradOutput, record.get("scale", 1))
        gradients = detached_copy(module.gradInput)
    return output, gradients, detached_copy(Table(module.parameters()[1]))


def refuses(module):
    drops = ("nn.SpatialDropout", "nn.VolumetricDropout", "nn.WhiteNoise")
    return module.t7_typename in drops and not module.train


def assert_same_run(module, case):
    expected = run(*load(case))
    for found, wanted in zip(run(module, load(case)[1]), expected, strict=True):
        if wanted is not None:
            assert_close(found, wanted, case)


def test_all_classes_with_records_are_here():
    assert len(set(CASES.values())) > 140


@without()
def test_clones_compute_the_same_and_share_nothing(case):
    module, record = load(case)
    clone = module.clone()
    assert type(clone) is type(module)
    own = {t.storage() for t in module.parameters()[0]}
    assert own.isdisjoint(t.storage() for t in clone.parameters()[0])
    run(module, record)
    assert_same_run(clone, case)


@without()
def test_what_was_saved_computes_the_same(case):
    module, record = load(case)
    run(module, record)
    again = checkpoint.loads(checkpoint.dumps(module))
    assert set(vars(again)) >= set(vars(module)) - {"weight", "gradWeight"}
    fresh = checkpoint.loads(checkpoint.dumps(load(case)[0]))
    fresh.zeroGradParameters()
    assert_same_run(fresh, case)


@without(DRAWN_AGAIN)
def test_cleared_modules_compute_the_same(case):
    module, record = load(case)
    run(module, record)
    assert module.clearState() is module
    for inner in module.listModules():
        if inner.t7_typename in OWN_CLEARING:
            break
        assert not any(t.size for t in tensors_in(inner.output))
        assert not any(t.size for t in tensors_in(inner.gradInput))
    module = load(case)[0]
    module.clearState()
    assert_same_run(module, case)


@without(OWN_TYPE, PACKED)
def test_single_precision_and_back(case):
    module, record = load(case)
    if module.type() != "torch.DoubleTensor":
        return
    expected = run(*load(case))[0]
    single = map_tensors(lambda t: t.astype(float32) if is_floating(t.dtype) else t, record.input)
    assert module.float() is module
    output = detached_copy(forward(module, single))
    if "gradOutput" in record and not refuses(module):
        given = as_input(record.gradOutput)
        module.backward(single, map_tensors(lambda t: t.astype(float32), given))
    for inner in module.listModules():
        assert inner.type() == "torch.FloatTensor"
        found = [t for value in vars(inner).values() for t in tensors_in(value)]
        assert not [t for t in found if t.dtype == float64]
    for y, wanted in zip(tensors_in(output), tensors_in(expected), strict=True):
        if is_floating(wanted.dtype):
            assert_close(y.astype(float64), wanted, case, LOWERED)
    module.double()
    assert all(inner.type() == "torch.DoubleTensor" for inner in module.listModules())
    again = forward(module, load(case)[1].input)
    for y, wanted in zip(tensors_in(again), tensors_in(expected), strict=True):
        assert_close(y, wanted, case, LOWERED)


@without()
def test_sharing(case):
    module, _ = load(case)
    other = module.clone().share(module, *SHARED)
    for inner, twin in zip(module.listModules(), other.listModules(), strict=True):
        for name in SHARED:
            if isinstance(vars(inner).get(name), Tensor):
                assert vars(twin)[name].storage() is vars(inner)[name].storage(), name
    assert_same_run(other, case)


@without(NO_FLAT_GRADIENT)
def test_parameters_stay_views_of_the_flat_ones(case):
    module, record = load(case)
    parameters, gradients = module.getParameters()
    found = run(module, record)
    for wanted, got in zip(run(*load(case)), found, strict=True):
        if wanted is not None:
            assert_close(got, wanted, case)
    weights, grads = module.parameters()
    assert all(p.storage() is parameters.storage() for p in weights)
    assert all(g.storage() is gradients.storage() for g in grads)
    gradients.fill_(1)
    parameters.fill_(0.5)
    module.updateParameters(0.25)
    assert (parameters.numpy() == 0.25).all()
    module.zeroGradParameters()
    assert not gradients.numpy().any()


@without()
def test_walks(case):
    module, _ = load(case)
    listed = module.listModules()
    assert listed[0] is module
    visited = []
    module.apply(visited.append)
    assert [id(m) for m in visited] == [id(m) for m in listed]
    found, containers = module.findModules(module.t7_typename)
    assert found[0] is containers[0] is module
    named = {id(m) for _, m in module.named_modules()}
    assert named >= {id(m) for m in listed}
    assert module.replace(lambda m: m) is module
    assert [id(m) for m in module.listModules()] == [id(m) for m in listed]
    module.training()
    assert all(m.train for m in listed)
    module.evaluate()
    assert not any(m.train for m in listed)
    assert isinstance(repr(module), str)


# -- the same tensors at every call -------------------------------------------------------

OF_THE_INPUT = {
    *("nn.Identity", "nn.PrintSize", "nn.L1Penalty", "nn.ConcatTable", "nn.SelectTable"),
    *("nn.NarrowTable", "nn.FlattenTable", "nn.ZipTable", "nn.ZipTableOneToMany", "nn.SplitTable"),
}
"""Their output is the input, or has parts of it, or holds an nn.Identity."""

NEW_EVERY_TIME = {
    "nn.CAddTensorTable": "a new table of new tensors, as in CAddTensorTable.lua",
    "nn.SparseLinear": "a gradient of the input's shape, pairs or numbers",
    "nn.IndexLinear": "tables of keys and values",
}


@without(OF_THE_INPUT, NEW_EVERY_TIME)
def test_outputs_and_gradients_are_the_same_tensors_at_every_call(case):
    module, record = load(case)
    if "gradOutput" not in record or refuses(module):
        return
    kept = []
    for _ in range(2):
        record = load(case)[1]
        output = forward(module, record.input)
        found = module.backward(record.input, record.gradOutput)
        kept.append([*tensors_in(output), *tensors_in(found)])
        if isinstance(output, Tensor):
            assert module.output is output
        assert module.gradInput is found
    assert [id(t) for t in kept[0]] == [id(t) for t in kept[1]]


# -- slopes -------------------------------------------------------------------------------

NO_SLOPE = {
    "nn.GradientReversal": "the gradient is turned round",
    "nn.ZeroGrad": "the gradient is 0",
    "nn.L1Penalty": "the penalty is in the gradient alone",
    "nn.SoftPlus": "a line above its threshold, with a slope of 1",
    "nn.Kmeans": "its gradient moves centroids",
    "nn.DontCast": "it computes in single precision",
    "nn.LookupTable": "indices; test_lookup has its gradients",
    "nn.OneHot": "indices",
    "nn.SparseLinear": "indices; test_rare_modules has its gradients",
    "nn.IndexLinear": "indices; test_rare_modules has its gradients",
    "nn.MapTable": "its copies move the memory that they share",
    "nn.CriterionTable": "a target has no gradient",
}
STEP = 1e-6


def along(direction, tensors):
    pairs = zip(direction, tensors, strict=True)
    return sum(float((d * t.numpy().reshape(d.shape)).sum()) for d, t in pairs)


@without(NO_SLOPE)
def test_gradients_are_slopes(case):
    module, record = load(case)
    if "gradOutput" not in record or module.type() != "torch.DoubleTensor" or refuses(module):
        return
    generator = np.random.default_rng(1)
    given = list(tensors_in(as_input(record.gradOutput)))
    inputs = [t for t in tensors_in(record.input) if is_floating(t.dtype)]
    forward(module, load(case)[1].input)  # nn.MapTable has all its copies then
    parameters = {id(p): p.detach() for p in module.parameters()[0]}
    moved = [*inputs, *parameters.values()]
    direction = [generator.normal(size=t.shape) for t in moved]
    kept = [t.numpy().copy() for t in moved]

    def value(step):
        for t, d, before in zip(moved, direction, kept, strict=True):
            t.numpy()[...] = before + step * d
        pairs = zip(tensors_in(forward(module, record.input)), given, strict=False)
        total = sum(float((y.numpy() * g.numpy()).sum()) for y, g in pairs)
        for t, before in zip(moved, kept, strict=True):
            t.numpy()[...] = before
        return total

    slope = (value(STEP) - value(-STEP)) / (2 * STEP)
    module, record = load(case)
    forward(module, record.input)
    module.backward(record.input, record.gradOutput)
    pairs = zip(tensors_in(load(case)[1].input), tensors_in(module.gradInput), strict=False)
    of_inputs = [g for x, g in pairs if is_floating(x.dtype)]
    of_parameters = {id(p): g for p, g in zip(*module.parameters(), strict=True)}
    total = along(direction, [*of_inputs, *of_parameters.values()])
    assert total == pytest.approx(slope, rel=1e-5, abs=1e-6)
