"""What Torch-like code can look at is contiguous where it is in Torch7."""

import copy

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn as nn
from rekindle.core import ops
from rekindle.core.autograd import no_grad
from rekindle.core.creation import tensor
from rekindle.core.kernels.dispatch import fast_wanted, missing, using
from rekindle.core.ops.owing import owed_values
from rekindle.legacy_nn.nngraph import gModule
from rekindle.legacy_nn.values import tensors_in


def convolutional():
    model = nn.Sequential().add(nn.SpatialConvolution(3, 16, 3, 3))
    model.add(nn.SpatialBatchNormalization(16)).add(nn.ReLU(True))
    return model.add(nn.SpatialMaxPooling(2, 2)).float()


@pytest.fixture
def images():
    return tensor(np.random.default_rng(0).normal(size=(2, 3, 20, 20)).astype(np.float32))


@pytest.mark.parametrize("mode", ["training", "evaluate"])
def test_fields_are_contiguous(images, mode):
    model = convolutional()
    getattr(model, mode)()
    for _ in range(3):
        output = model.forward(images)
        if mode == "training":
            model.backward(images, output.clone())
        modules = model.modules.array()
        assert all(m.output.is_contiguous() for m in modules)
        assert all(m.gradInput.is_contiguous() for m in modules)
        assert modules[-1].indices.is_contiguous()
        assert output.storage().size == output.size


@pytest.mark.parametrize("recorded", [False, True])
def test_results_of_calls_are_contiguous(images, recorded):
    model = convolutional()
    with no_grad():
        expected = model.forward(images)
    if recorded:
        found = model(images)
        found.sum().backward()
        assert model.get(1).weight.grad is not None
    else:
        with no_grad():
            found = model(images)
    assert found.is_contiguous()
    assert np.allclose(found.detach().numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)


def test_tables_and_graphs(images):
    both = nn.ConcatTable().add(nn.SpatialConvolution(3, 8, 3, 3)).add(nn.Identity()).float()
    first, second = both(images).array()
    assert first.is_contiguous()
    assert second is images
    entry = nn.Identity()()
    graph = gModule([entry], [nn.SpatialConvolution(3, 8, 3, 3).float()(entry)])
    assert graph.float()(images).is_contiguous()


def test_views_stay_views(images):
    turned = nn.Transpose([2, 3]).float()(images)
    assert not turned.is_contiguous()
    assert np.shares_memory(turned.numpy(), images.numpy())


# -- what the fields owe -------------------------------------------------------------------


def residual():
    """Return blocks as fb.resnet.torch has them, with everything in place that can be."""
    branch = nn.Sequential().add(nn.SpatialConvolution(16, 16, 3, 3, 1, 1, 1, 1).noBias())
    branch.add(nn.SpatialBatchNormalization(16)).add(nn.ReLU(True))
    branch.add(nn.SpatialConvolution(16, 16, 3, 3, 1, 1, 1, 1))
    branch.add(nn.SpatialBatchNormalization(16))
    both = nn.ConcatTable().add(branch).add(nn.Identity())
    model = convolutional().add(both).add(nn.CAddTable(True)).add(nn.ReLU(True))
    return model.float()


@pytest.fixture
def turning(monkeypatch):
    """Have convolutions return channels-last results, as with the extra fast; give the others."""
    plain = ops.convolution.forward

    def turned(xp, *args, **params):
        y = plain(xp, *args, **params)
        moved = np.moveaxis(y, 1, -1).copy()
        return np.moveaxis(moved, -1, 1).copy(order="K")

    monkeypatch.setattr(ops.convolution, "forward", turned)
    return plain


def leaves(model):
    return [m for m in model.listModules() if not hasattr(m, "modules")]


def looked_at(model, x, g, look, steps=3):
    """Return all that training leaves in the fields, looking at them in between or not."""
    found = []
    for step in range(steps):
        model.zeroGradParameters()
        model.forward(x)
        look(model, "output", step)
        model.backward(x, g.clone())  # in place modules write into it
        look(model, "gradInput", step)
        model.updateParameters(0.05)
    for module in leaves(model):
        for name in ("output", "gradInput", "indices", "weight", "gradWeight", "running_var"):
            values = getattr(module, name, None)
            for t in tensors_in(values):
                assert t.is_contiguous()
                assert t.storage().size >= t.size
                found.append(t.numpy().copy())
    return found


def everywhere(model, name, step):
    for module in leaves(model):
        for t in tensors_in(getattr(module, name)):
            t.storage().tolist()


HELD = []


def and_keeps(model, name, step):
    HELD.extend(t.numpy() for m in leaves(model) for t in tensors_in(getattr(m, name)))


def at_every_other(model, name, step):
    for module in leaves(model)[step % 2 :: 2]:
        for t in tensors_in(getattr(module, name)):
            t.reshape(-1).numpy()


@pytest.mark.parametrize("look", [everywhere, and_keeps, at_every_other])
def test_looking_changes_nothing(images, turning, monkeypatch, look):
    rekindle.torch_seed(3)
    model = residual()
    others = model.clone(), model.clone()
    channels_last = ops.convolution.forward
    g = tensor(np.random.default_rng(1).normal(size=(2, 16, 9, 9)).astype(np.float32))
    with using("reference"):
        monkeypatch.setattr(ops.convolution, "forward", turning)
        exact = looked_at(others[0], images, g, everywhere)
        monkeypatch.setattr(ops.convolution, "forward", channels_last)
        unseen = looked_at(model, images, g, lambda *_: None)
        seen = looked_at(others[1], images, g, look)
    HELD.clear()
    for a, b, c in zip(exact, unseen, seen, strict=True):
        for found in (b, c):
            assert np.abs(found - a).max() <= 1e-4 * np.abs(a).max()


def test_nothing_is_put_in_order_between_modules(images, turning):
    model = residual()
    for _ in range(3):
        output = model.forward(images)
    owing = [m for m in leaves(model) if owed_values(m.output) is not None]
    with_fast = fast_wanted() and not missing("onednn")
    assert len(owing) >= (10 if with_fast else 7)  # without, pooling lies in row-major order
    assert model.output is output
    relu = model.get(3).output
    storage, before = relu.storage(), relu.numpy().copy()
    model.forward(images)
    model.get(1).weight.detach().zero_()
    model.forward(images)
    assert owed_values(relu) is not None
    assert model.get(3).output is relu
    assert relu.storage() is storage
    assert not np.allclose(relu.numpy(), before)


def test_in_place_modules_share_what_is_owed(images, turning):
    model = residual()
    model.forward(images)
    norm, relu = model.get(2), model.get(3)
    assert owed_values(norm.output) is owed_values(relu.output) is not None
    assert norm.output.storage() is relu.output.storage()
    relu.output.fill_(3)
    assert (norm.output.numpy() == 3).all()


def test_copies_conversions_and_files_have_the_values(images, turning, tmp_path):
    model = residual()
    exact = model.forward(images).clone().numpy()
    model.forward(images)
    rekindle.save(model, tmp_path / "model.t7")
    for other in (model.clone(), copy.deepcopy(model), rekindle.load(tmp_path / "model.t7")):
        np.testing.assert_allclose(other.output.numpy(), exact, rtol=1e-5, atol=1e-6)
    model.forward(images)
    np.testing.assert_allclose(model.double().output.numpy(), exact, rtol=1e-5, atol=1e-6)
    model.float().forward(images)
    model.clearState()
    assert model.output.size == 0
    np.testing.assert_allclose(model.forward(images).numpy(), exact, rtol=1e-5, atol=1e-6)


def test_a_module_of_ones_own_is_given_contiguous_tensors(images, turning):
    seen = []

    class Looking(nn.Module):
        def updateOutput(self, input):
            seen.append((input.is_contiguous(), input.array.flags.c_contiguous, input.stride()))
            self.output = input
            return input

    class Doubling(nn.ReLU):
        def compute(self, input):
            seen.append((input.is_contiguous(), input.array.flags.c_contiguous, input.stride()))
            return input * 2

    model = convolutional().add(Looking()).add(Doubling().float())
    model.forward(images)
    model.forward(images)
    assert [s[:2] for s in seen] == [(True, True)] * 4
    assert {s[2] for s in seen} == {(16 * 81, 81, 9, 1)}


def generator():
    model = nn.Sequential().add(nn.SpatialFullConvolution(3, 16, 4, 4, 2, 2, 1, 1))
    model.add(nn.SpatialBatchNormalization(16)).add(nn.LeakyReLU(0.2, True))
    return model.add(nn.SpatialConvolution(16, 8, 3, 3)).add(nn.Tanh())


def inception():
    first = nn.Sequential().add(nn.SpatialConvolution(16, 8, 1, 1)).add(nn.ReLU(True))
    second = nn.Sequential().add(nn.SpatialMaxPooling(3, 3, 1, 1, 1, 1)).add(nn.ELU())
    both = nn.Concat(2).add(first).add(second)
    model = nn.Sequential().add(nn.SpatialConvolution(3, 16, 3, 3)).add(nn.PReLU()).add(both)
    model.add(nn.SpatialConvolution(24, 8, 3, 3)).add(nn.SpatialAveragePooling(2, 2, 2, 2))
    return model.add(nn.SpatialUpSamplingNearest(2)).add(nn.HardTanh())


def of_cudnn():
    model = nn.Sequential().add(nn.cudnn.SpatialConvolution(3, 16, 3, 3))
    model.add(nn.cudnn.SpatialBatchNormalization(16)).add(nn.cudnn.ReLU(True))
    model.add(nn.cudnn.SpatialMaxPooling(2, 2)).add(nn.cudnn.SpatialConvolution(16, 8, 3, 3))
    return model.add(nn.cudnn.SpatialAveragePooling(2, 2, 2, 2)).add(nn.Mean(4)).add(nn.Mean(3))


def trained(model, x):
    """Return all that three steps leave in the fields."""
    generator = np.random.default_rng(4)
    for _ in range(3):
        model.zeroGradParameters()
        output = model.forward(x)
        g = generator.normal(size=output.shape).astype(np.float32).astype(x.dtype)
        model.backward(x, tensor(g))
        model.updateParameters(0.01)
    names = ("output", "gradInput", "weight", "gradWeight", "bias", "running_var")
    values = (getattr(m, n, None) for m in leaves(model) for n in names)
    return [t.detach().numpy() for v in values for t in tensors_in(v)]


@pytest.mark.parametrize("build", [generator, inception, of_cudnn])
def test_training_is_that_of_the_references_in_double_precision(images, build):
    rekindle.torch_seed(4)
    model = build()
    exact = model.clone().double()
    with using("reference"):
        wanted = trained(exact, images.astype("float64"))
    found = trained(model.float(), images)
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype == np.float32
        assert np.abs(a - b).max() <= 1e-4 * max(np.abs(b).max(), 1e-2)
    assert all(t.is_contiguous() for m in leaves(model) for t in tensors_in(m.output))


ALONE = {
    "convolution": lambda: nn.SpatialConvolution(16, 4, 1, 1),
    "full convolution": lambda: nn.SpatialFullConvolution(16, 4, 1, 1),
    "batch normalisation": lambda: nn.SpatialBatchNormalization(16),
    "without scale": lambda: nn.SpatialBatchNormalization(16, 1e-5, 0.1, False).evaluate(),
    "max pooling": lambda: nn.SpatialMaxPooling(1, 1),
    "average pooling": lambda: nn.SpatialAveragePooling(1, 1),
    "upsampling": lambda: nn.SpatialUpSamplingNearest(1),
    "mean": lambda: nn.Mean(1),
    "sum": lambda: nn.Sum(2),
    "threshold": lambda: nn.Threshold(-1e9, 0),
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky relu": lambda: nn.LeakyReLU(1.0),
    "elu": nn.ELU,
    "prelu": nn.PReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "hard tanh": lambda: nn.HardTanh(-1e9, 1e9),
    "cudnn relu": nn.cudnn.ReLU,
    "cudnn clipped relu": lambda: nn.cudnn.ClippedReLU(1e9),
    "cudnn pooling": lambda: nn.cudnn.SpatialMaxPooling(1, 1),
    "cudnn average": lambda: nn.cudnn.SpatialAveragePooling(1, 1),
    "sum of a table": lambda: nn.Sequential().add(one_of_each()).add(nn.CAddTable()),
    "sum of one": lambda: nn.Sequential().add(one_of_each(1)).add(nn.CAddTable()),
    "join": lambda: nn.Sequential().add(one_of_each()).add(nn.JoinTable(2)),
    "join of one": lambda: nn.Sequential().add(one_of_each(1)).add(nn.JoinTable(2)),
    "concat": lambda: nn.Concat(2).add(nn.Identity()),
}


def one_of_each(count=2):
    both = nn.ConcatTable()
    for _ in range(count):
        both.add(nn.Identity())
    return both


@pytest.mark.parametrize("kind", ALONE)
@pytest.mark.parametrize("way", ["call", "forward", "backward"])
def test_results_share_no_memory_with_what_is_owed(images, turning, kind, way):
    first = nn.SpatialConvolution(3, 16, 3, 3).float()
    module = ALONE[kind]().float()
    x = first.forward(images)
    exact = x.detach().clone().numpy()
    x = first.forward(images)
    values = owed_values(x)
    assert values is not None
    with no_grad():
        y = module(x) if way == "call" else module.forward(x)
        if way == "backward":
            g = first.forward(images) if y.shape == x.shape else y.clone()
            y = module.backward(x, g)
        aliases = way == "call" and kind == "sum of one"
        assert np.shares_memory(values, y.array) is False
        assert aliases or not np.shares_memory(x.array, y.array)
        if not aliases:
            y.fill_(7)
    np.testing.assert_array_equal(x.numpy(), exact)
