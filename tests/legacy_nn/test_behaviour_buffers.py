"""What modules keep between calls, overwrite in place, let go of, convert and save."""

import pytest
from recorded import FIXTURES, assert_close

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.core.creation import ones, zeros
from rekindle.core.dtypes import float16, float32, float64, int64
from rekindle.core.storage import Storage
from rekindle.core.tensor import Parameter, Tensor
from rekindle.legacy_nn.torch7 import random
from rekindle.legacy_nn.values import map_tensors

ALL = ("weight", "bias", "gradWeight", "gradBias")

CLEARED = {
    "Linear": lambda: nn.Linear(4, 3),
    "Tanh": nn.Tanh,
    "ReLU_inplace": lambda: nn.ReLU(True),
    "Dropout": lambda: nn.Dropout(0.5),
    "BatchNormalization": lambda: nn.BatchNormalization(4),
    "SpatialConvolution": lambda: nn.SpatialConvolution(2, 3, 3, 3),
    "SpatialMaxPooling": lambda: nn.SpatialMaxPooling(2, 2),
    "SpatialFullConvolution": lambda: nn.SpatialFullConvolution(2, 3, 3, 3),
    "CAddTable": nn.CAddTable,
    "ConcatTable": lambda: nn.ConcatTable().add(nn.Linear(4, 2)).add(nn.Identity()),
    "Concat": lambda: nn.Concat(2).add(nn.Linear(4, 2)).add(nn.Identity()),
    "Sequential": lambda: nn.Sequential().add(nn.Linear(4, 2)),
    "LogSoftMax": nn.LogSoftMax,
    "View": lambda: nn.View(8),
    "JoinTable": lambda: nn.JoinTable(2),
}

WORKSPACES = {"addBuffer", "finput", "fgradInput", "ones"}
"""Fields in which Torch7 keeps the work of its kernels; here kernels keep none."""


def recorded(name):
    record = checkpoint.load(FIXTURES / "behaviour" / f"{name}.t7")
    return record.inputs, record.results


def sizes(module):
    """Return the size of each tensor field, () for empty ones."""
    return {k: v.shape if v.size else () for k, v in vars(module).items() if isinstance(v, Tensor)}


@pytest.mark.parametrize("name", CLEARED)
def test_clear_state(name):
    _, expected = recorded("clearState_fields")
    expected = expected[name].after
    module = CLEARED[name]().training()
    random.manual_seed(1)
    x = random.normal(zeros((2, 4), "float64"), 0, 1)
    image = random.normal(zeros((1, 2, 6, 6), "float64"), 0, 1)
    given = image if name.startswith("Spatial") else x
    if name in ("CAddTable", "JoinTable"):
        given = Table([x, x.clone()])
    output = module.forward(given)
    module.zeroGradParameters()
    module.backward(given, map_tensors(lambda t: t.clone(), output))
    before = {k: v for k, v in vars(module).items() if isinstance(v, Tensor)}
    assert module.clearState() is module
    assert set(vars(module)) | WORKSPACES >= set(expected.keys())
    found = sizes(module)
    for field, wanted in expected.items():
        if "size" in wanted and field not in WORKSPACES and "Tensor" in wanted.type:
            assert found[field] == tuple(wanted.size.array()), field
        if wanted.type == "table" and field != "modules":
            assert vars(module)[field].count() == 0
    leaf = "modules" not in vars(module)
    if leaf:  # Torch7 empties the tensors themselves
        assert all(vars(module)[k] is v for k, v in before.items())
    assert x.size == 8


def test_clearing_leaves_the_tensors_of_others_alone():
    x = ones((2, 2), "float64")
    model = nn.Sequential().add(nn.Identity()).add(nn.SelectTable(1))
    model.get(1).forward(x)
    model.get(2).forward([x])
    model.clearState()
    assert x.shape == (2, 2)
    assert model.get(1).output.size == model.get(2).output.size == 0


def test_in_place_modules_overwrite():
    given, expected = recorded("inplace_relu_input")
    module = nn.ReLU(True)
    output = module.forward(given.x)
    assert_close(given.x, expected.input_after)
    assert (output is given.x) == expected.output_is_input
    assert (output.storage() is given.x.storage()) == expected.shares
    gradient = ones((2, 3), "float64")
    found = module.backward(given.x, gradient)
    assert_close(gradient, expected.gradOutput_after)
    assert (found.storage() is gradient.storage()) == expected.gradInput_shares


@pytest.mark.parametrize(
    ("name", "factor"), [("Tanh", 3), ("Sigmoid", 3), ("Square", 3), ("Exp", 3)]
)
def test_values_overwritten_before_they_are_needed(name, factor):
    given, expected = recorded("inplace_then_needed")
    for inplace, wanted in ((True, expected[name].inplace), (False, expected[name].plain)):
        model = nn.Sequential().add(getattr(nn, name)()).add(nn.MulConstant(factor, inplace))
        assert_close(model.forward(given.x.clone()), wanted.output)
        found = model.backward(given.x.clone(), ones(3, "float64"))
        assert_close(found, wanted.gradInput)
        assert_close(model.get(1).output, wanted.first_output)


def test_in_place_modules_inside_containers():
    given, expected = recorded("inplace_then_needed")
    x = given.x.clone()
    nn.Sequential().add(nn.Identity()).add(nn.ReLU(True)).forward(x)
    assert_close(x, expected.identity_relu_input)
    output = nn.ConcatTable().add(nn.ReLU(True)).add(nn.Identity()).forward(given.x.clone())
    assert_close(output, expected.concat_inplace)
    x = given.x.clone()
    output = nn.ConcatTable().add(nn.MulConstant(1)).add(nn.ReLU(True)).forward(x)
    assert_close(Table([*output.array(), x]), expected.concat_inplace_last)


def test_gradients_given_are_not_kept_as_ones_own():
    module, x = nn.CAddTable(), ones(2, "float64")
    first, second = ones(2, "float64"), zeros(2, "float64")
    module.forward([x, x])
    module.backward([x, x], first)
    module.backward([x, x], second)
    assert first.tolist() == [1, 1]


# -- types --------------------------------------------------------------------------------


def test_a_change_of_type_keeps_what_is_shared():
    model = nn.Sequential().add(nn.Linear(2, 2)).add(nn.Linear(2, 2))
    flat, _ = model.getParameters()
    model.get(2).share(model.get(1), *ALL)
    model.get(1).extra = Table({"views": Table([flat]), "sizes": Storage(flat.array.astype("i8"))})
    assert model.type() == "torch.DoubleTensor"
    assert model.float() is model
    first, second = model.modules.array()
    memory = first.weight.storage()
    assert memory is second.weight.storage()
    assert memory is first.bias.storage()
    assert memory is first.extra.views[1].storage()
    assert first.weight.dtype == float32
    assert first.extra.sizes.dtype == int64
    assert first.weight.grad is first.gradWeight
    assert isinstance(second.weight, Parameter)
    assert flat.dtype == float64
    assert model.type() == first.type() == "torch.FloatTensor"
    assert_close(first.weight.detach(), flat[0:4].reshape(2, 2).astype("float32"))


def test_tensors_of_the_type_already_stay_the_same():
    module = nn.Linear(2, 2)
    weight = module.weight
    assert module.double().weight is weight
    assert module.float().weight is not weight
    assert module.half().weight.dtype == float16


def test_a_cache_keeps_two_models_tied():
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    second.share(first, *ALL)
    for cache in ({}, Table()):
        a, b = first.clone(*ALL), second
        a.type("torch.FloatTensor", cache)
        c = b.clone(*ALL).type("torch.FloatTensor", cache)
        assert a.weight.storage() is c.weight.storage()
    assert first.clone().float().weight.storage() is not first.clone().float().weight.storage()


def test_gpu_types_mean_the_cpu_where_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr("rekindle.legacy_nn.conversion.cuda_available", lambda: False)
    module = nn.Linear(2, 2).cuda()
    assert module.type() == "torch.FloatTensor"
    assert module.weight.dtype == float32
    assert module.forward(ones(2, "float32")).dtype == float32
    assert nn.Linear(2, 2).cudaDouble().weight.dtype == float64


def test_frozen_parameters_stay_frozen():
    module = nn.Linear(2, 2)
    module.weight.requires_grad = False
    module.float()
    assert (module.weight.requires_grad, module.bias.requires_grad) == (False, True)


@pytest.mark.parametrize("module", [nn.Max(1), nn.JoinTable(1), nn.LookupTable(3, 2)], ids=repr)
def test_indices_survive_a_change_of_type(module):
    given = ones((2, 3), "float64") if not isinstance(module, nn.LookupTable) else ones(2, "int64")
    given = Table([given, given]) if isinstance(module, nn.JoinTable) else given
    before = module.forward(given).clone()
    module.float()
    after = module.forward(
        map_tensors(lambda t: t.astype("f4") if t.dtype == float64 else t, given)
    )
    assert_close(after, before.astype("float32"))


# -- walking ------------------------------------------------------------------------------


def tree():
    shared = nn.Tanh()
    inner = nn.Sequential().add(nn.Linear(2, 2)).add(shared)
    return nn.Sequential().add(inner).add(nn.ConcatTable().add(shared).add(nn.Linear(2, 1)))


def test_walks():
    model = tree()
    inner, table = model.modules.array()
    order = [model, inner, *inner.modules.array(), table, *table.modules.array()]
    assert model.listModules() == order
    seen = []
    assert model.apply(seen.append) is None
    assert seen == order
    assert model.findModules("nn.Linear") == ([inner.get(1), table.get(2)], [inner, table])
    assert model.findModules("nn.Sequential") == ([model, inner], [model, model])
    assert inner.get(1).findModules("nn.Linear") == ([inner.get(1)], [inner.get(1)])


def test_replace():
    model = tree()
    swapped = model.replace(lambda m: nn.ReLU() if isinstance(m, nn.Tanh) else m)
    assert swapped is model
    assert model.findModules("nn.Tanh") == ([], [])
    assert len(model.findModules("nn.ReLU")[0]) == 2


def test_training_asks_each_module():
    class Counting(nn.Module):
        calls = 0

        def evaluate(self):
            type(self).calls += 1
            return super().evaluate()

    model = nn.Sequential().add(nn.Sequential().add(Counting()))
    model.evaluate()
    assert Counting.calls == 1
    assert not any(m.train for m in model.listModules())
    assert all(m.train for m in model.training().listModules())


def test_reset_and_length():
    model = nn.Sequential().add(nn.BatchNormalization(2)).add(nn.Tanh()).add(nn.Linear(2, 2))
    random.manual_seed(4)
    model.reset(0.1)
    random.manual_seed(4)
    again = model.clone()
    again.reset(0.1)
    assert_close(again.get(3).weight.detach(), model.get(3).weight.detach())
    assert nn.Tanh().reset() is None
    assert len(model) == model.size() == 3
    assert len(nn.Sequential()) == 0
    assert nn.Sequential()


# -- saving -------------------------------------------------------------------------------


def test_parts_of_a_flattened_model_write_all_of_it():
    _, expected = recorded("part_of_flattened")

    def size(value):
        return len(checkpoint.dumps(value, storages="whole"))

    model = nn.Sequential().add(nn.Linear(50, 40)).add(nn.Linear(4, 4))
    assert size(model.get(2)) == expected.part_before
    assert size(model) == expected.whole_before
    model.getParameters()
    assert size(model.get(2)) == expected.part_after
    assert size(model) == expected.whole_after
    assert size(model.get(2).clone()) == expected.clone
    assert model.get(2).weight.storage().size == expected.storage
    assert model.get(2).weight.storage_offset() + 1 == expected.offset
    model.float()
    assert size(model.get(2)) == expected.part_float


def test_saved_models_keep_what_they_share():
    model = nn.Sequential().add(nn.Linear(2, 2)).add(nn.Linear(2, 2))
    flat, _ = model.getParameters()
    loaded = checkpoint.loads(checkpoint.dumps(Table({"model": model, "flat": flat})))
    weight = loaded.model.get(2).weight
    assert weight.storage() is loaded.flat.storage()
    assert weight.grad is loaded.model.get(2).gradWeight
    loaded.flat.fill_(7)
    assert weight.tolist() == [[7, 7], [7, 7]]
