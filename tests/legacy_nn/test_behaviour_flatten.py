"""getParameters, clone and share against what Torch7 did."""

import numpy as np
import pytest
from recorded import FIXTURES, assert_close

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint, dtypes, ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import arange, empty, tensor, zeros
from rekindle.core.tensor import Parameter, Tensor
from rekindle.legacy_nn.errors import ArgumentError
from rekindle.legacy_nn.flatten import flatten
from rekindle.legacy_nn.torch7 import random


def recorded(name):
    return checkpoint.load(FIXTURES / "behaviour" / f"{name}.t7")


def fill(tensor, value):
    tensor.detach().fill_(value)


def drawn(module, seed):
    """Draw all parameters from [-1, 1) in order, as the recording did."""
    random.manual_seed(seed)
    for p in module.parameters()[0]:
        random.uniform(p, -1, 1)
    module.zeroGradParameters()
    return module


def range64(n):
    return arange(1, n + 1, dtype="float64")


def offsets(*tensors):
    """Return where tensors are in their storage, from 1."""
    return Table([t.storage_offset() + 1 for t in tensors])


def tied(module):
    """Return whether each gradient field is the `grad` of its Parameter, all the way down."""
    return all(
        isinstance(p := vars(m)[field], Parameter) and p.grad is vars(m)[gradient]
        for _, m in module.named_modules()
        for field, gradient in m.parameter_fields
        if vars(m).get(field) is not None
    )


@pytest.mark.parametrize("i", [1, 2, 3, 4])
def test_parameters_of_one_storage_keep_its_order_and_lose_its_holes(i):
    expected = recorded("getParameters_existing_order").results[i]
    weights, gradients = range64(20), zeros(20, "float64")
    model = nn.Sequential().add(nn.Linear(2, 2)).add(nn.Linear(2, 2))
    for layer, start in zip(model.modules.array(), expected.at.array(), strict=True):
        for names, memory in (("weight", "bias"), weights), (("gradWeight", "gradBias"), gradients):
            getattr(layer, names[0]).set_(memory.storage(), start - 1, (2, 2))
            getattr(layer, names[1]).set_(memory.storage(), start + 3, (2,))
    flat, _ = model.getParameters()
    first, second = model.modules.array()
    assert_close(flat, expected.flat)
    found = offsets(first.weight, first.bias, second.weight, second.bias)
    assert found.equals(expected.offsets)
    assert flat.storage().size == expected.storageSize
    assert_close(first.weight.detach(), expected.w1)
    assert_close(second.weight.detach(), expected.w2)
    assert tied(model)


def test_views_that_overlap_still_do():
    expected = recorded("getParameters_overlap").results
    numbers, gradients = range64(10), zeros(10, "float64")
    model = nn.Sequential().add(nn.Add(4)).add(nn.Add(4))
    first, second = model.modules.array()
    first.bias, second.bias = ops.narrow(numbers, 0, 0, 4), ops.narrow(numbers, 0, 2, 4)
    first.gradBias, second.gradBias = gradients[0:4], gradients[2:6]
    flat, flat_gradients = model.getParameters()
    assert_close(flat, expected.flat)
    assert (flat.size, flat_gradients.size) == (expected.n, expected.ng)
    assert_close(first.bias.detach(), expected.b1)
    assert_close(second.bias.detach(), expected.b2)
    assert offsets(first.bias, second.bias).equals(expected.off)
    assert tied(model)


def test_transposed_parameters_keep_their_strides():
    expected = recorded("getParameters_overlap").results
    layer = nn.Linear(3, 2)
    layer.weight = range64(6).reshape(3, 2).T
    fill(layer.bias, 9)
    flat, _ = layer.getParameters()
    assert_close(flat, expected.noncontig_flat)
    assert layer.weight.stride() == tuple(expected.noncontig_stride.array())
    assert_close(layer.weight.detach(), expected.noncontig_weight)


def test_writes_through_the_flat_tensors_are_seen_in_the_modules():
    record = recorded("flat_views")
    expected, model = record.results, record.inputs.mlp
    x, grad_output = record.inputs.x, record.inputs.gradOutput
    weight = model.get(1).weight
    p, g = model.getParameters()
    assert model.get(1).weight is weight
    assert_close(p, expected.p0)
    fill(p, 0.5)
    assert_close(weight.detach(), expected.w)
    fill(model.get(3).bias, -1)
    assert_close(p, expected.p1)
    model.forward(x)
    model.backward(x, grad_output)
    assert_close(g, expected.g)
    assert_close(weight.grad, expected.gW1)
    g.zero_()
    assert_close(model.get(1).gradWeight, expected.gW1_zero)
    again, _ = model.getParameters()
    fill(again, 2)
    assert (again.storage() is p.storage()) == expected.second_shares_first
    assert_close(p, expected.p_after_second)
    assert_close(weight.detach(), expected.w_after_second)
    assert tied(model)


def test_gradients_of_the_framework_accumulate_in_the_flat_gradient():
    model = nn.Sequential().add(nn.Linear(3, 2)).add(nn.Tanh())
    _, g = model.getParameters()
    g.zero_()
    x = range64(3)
    model(x).sum().backward()
    by_graph = g.clone()
    g.zero_()
    model.forward(x)
    model.backward(x, tensor([1.0, 1.0], "float64"))
    assert_close(by_graph, g)
    assert tied(model)


def test_tensors_of_a_list_are_flattened_by_themselves():
    a, b = tensor(np.arange(6.0).reshape(2, 3)), tensor(np.ones(2))
    flat = nn.Module.flatten(Table([a, b]))
    assert flat.tolist() == [0, 1, 2, 3, 4, 5, 1, 1]
    flat.fill_(7)
    assert (a.numpy() == 7).all()
    assert (b.numpy() == 7).all()


def test_a_model_without_parameters_has_none_to_flatten():
    p, g = nn.Sequential().add(nn.Tanh()).getParameters()
    assert p.shape == g.shape == (0,)
    assert p.dtype == dtypes.float64


def test_weights_shared_without_their_gradients_are_not_flattened():
    model = nn.Sequential().add(nn.Linear(2, 2)).add(nn.Linear(2, 2))
    model.get(2).share(model.get(1), "weight", "bias")
    with pytest.raises(ArgumentError, match="check that you are sharing parameters"):
        model.getParameters()


def test_gradients_at_other_places_are_not_flattened():
    model = nn.Sequential().add(nn.Add(2)).add(nn.Add(2))
    memory = zeros(4, "float64")
    model.get(1).gradBias, model.get(2).gradBias = memory[2:], memory[:2]
    with pytest.raises(ArgumentError, match="misaligned parameter at 1"):
        model.getParameters()


def test_tensors_of_two_types_are_not_gathered():
    with pytest.raises(ArgumentError, match=r"float64 on cpu and float32 on cpu: convert"):
        flatten([zeros(2, "float64"), zeros(2, "float32")])


def test_tensors_with_gaps_inside_are_not_gathered():
    with pytest.raises(ArgumentError, match="not compact"):
        flatten([range64(10)[::2], empty(0, "float64")])


def naive_flatten(tensors):
    """Return values and offsets as Torch7 has them, element by element."""
    storages = {}
    for t in tensors:
        storages.setdefault(id(t.storage()), t.storage())
    reached = {
        (id(t.storage()), int(t.storage_offset() + sum(i * s for i, s in zip(index, t.stride()))))  # noqa: B905
        for t in tensors
        for index in np.ndindex(*t.shape)
    }
    places = [(key, i) for key, s in storages.items() for i in range(s.size) if (key, i) in reached]
    where = {place: n for n, place in enumerate(places)}
    return (
        [storages[key].array[i] for key, i in places],
        [where[id(t.storage()), t.storage_offset()] for t in tensors],
    )


@pytest.mark.parametrize("seed", range(20))
def test_any_views_are_gathered_as_by_a_loop(seed):
    rng = np.random.default_rng(seed)
    memories = [tensor(rng.standard_normal(rng.integers(8, 30))) for _ in range(3)]
    views = []
    for _ in range(rng.integers(1, 7)):
        memory = memories[rng.integers(3)]
        start, n = sorted(rng.integers(0, memory.size, 2))
        part = memory[start : n + 1]
        views.append(part.reshape(2, -1).T if part.size % 2 == 0 else part)
    values, starts = naive_flatten(views)
    before = [v.numpy().copy() for v in views]
    flat = flatten(views)
    np.testing.assert_array_equal(flat.numpy(), values)
    assert [v.storage_offset() for v in views] == starts
    for view, values in zip(views, before, strict=True):
        assert view.storage() is flat.storage()
        np.testing.assert_array_equal(view.numpy(), values)


def test_clone_and_share():
    record = recorded("clone_share")
    expected, model = record.results, record.inputs.mlp
    all_names = ("weight", "bias", "gradWeight", "gradBias")
    clones = {
        "clone": model.clone(),
        "clone_wb": model.clone("weight", "bias"),
        "clone_all": model.clone(*all_names),
    }
    fill(model.get(1).weight, 3)
    fill(model.get(1).gradWeight, 4)
    for name, clone in clones.items():
        layer, original, wanted = clone.get(1), model.get(1), expected[name]
        assert_close(layer.weight.detach(), wanted.w, name)
        assert_close(layer.gradWeight, wanted.g, name)
        assert (layer.weight.storage() is original.weight.storage()) == wanted.shared_w
        assert (layer.gradWeight.storage() is original.gradWeight.storage()) == wanted.shared_g
        assert layer.weight is not original.weight
        assert tied(clone)
    layers = (nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    other = nn.Sequential()
    for layer in layers:
        other.add(layer)
    drawn(other, 77).share(model, "bias")
    shared = [
        getattr(other.get(1), name).storage() is getattr(model.get(1), name).storage()
        for name in ("bias", "weight")
    ]
    assert shared == expected.share_bias.array()
    p, _ = model.getParameters()
    fill(p, 1)
    assert_close(other.get(1).bias.detach(), expected.share_broken_by_getParameters)
    assert model.clone().get(1).weight.storage().size == expected.clone_of_flat_storage
    assert model.get(3).clone().weight.storage().size == expected.clone_of_part_storage


def test_a_clone_shares_inside_what_the_original_does():
    model = nn.Sequential().add(nn.Linear(2, 2)).add(nn.Linear(2, 2))
    model.get(2).share(model.get(1), "weight", "gradWeight")
    model.add(model.get(1))
    clone = model.clone()
    assert clone.get(3) is clone.get(1)
    assert clone.get(2).weight.storage() is clone.get(1).weight.storage()
    assert clone.get(1).weight.storage() is not model.get(1).weight.storage()
    assert clone.get(1).shared


def test_a_clone_keeps_what_is_frozen_and_what_python_added():
    class Scaled(nn.Module):
        def __init__(self, factor):
            super().__init__()
            self.weight = tensor([factor], "float64")
            self.gradWeight = zeros(1, "float64")
            self.layers = [nn.Linear(2, 2)]
            self.function = np.tanh

    module = Scaled(2.0)
    assert isinstance(module.weight, Parameter)
    module.weight.requires_grad = False
    clone = module.clone()
    assert type(clone) is Scaled
    assert clone.function is np.tanh
    assert not clone.weight.requires_grad
    assert clone.weight.grad is clone.gradWeight
    assert clone.layers[0] is not module.layers[0]
    assert tied(clone.layers[0])


def test_clones_of_deep_models():
    model = nn.Sequential()
    for _ in range(5000):
        model = nn.Sequential().add(model)
    clone, depth = model.clone(), 0
    while len(clone):
        clone, depth = clone.get(1), depth + 1
    assert depth == 5000


def test_fields_without_tensors_are_not_shared():
    with pytest.raises(ArgumentError, match="only tensors are shared; field 'train'"):
        nn.Linear(2, 2).training().share(nn.Linear(2, 2).training(), "train")
    with pytest.raises(ArgumentError, match="float64 here and float32 there"):
        nn.Linear(2, 2).share(nn.Linear(2, 2).float(), "weight")


def test_the_gradient_field_is_the_gradient_whichever_comes_first():
    for order in (("weight", "gradWeight"), ("gradWeight", "weight")):
        module = nn.Module()
        for name in order:
            setattr(module, name, zeros(2, "float64"))
        assert isinstance(module.weight, Parameter)
        assert module.weight.grad is module.gradWeight
        assert type(module.gradWeight) is Tensor
        del module.gradWeight
        assert module.weight.grad is None
        assert module.parameters() == ([module.weight], [])
