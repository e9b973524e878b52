"""Modules of core in legacy containers, and legacy modules in modules of core."""

import copy
import pickle

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn
from rekindle.core import nn, random
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.core_module import CoreModule, LegacyModule


def draw(*shape, seed=0):
    return Tensor(np.random.default_rng(seed).normal(size=shape))


def twins():
    """Return the same network, all of it legacy, and with the middle in core."""
    rekindle.torch_seed(1)
    first, middle, last = legacy_nn.Linear(3, 4), legacy_nn.Linear(4, 5), legacy_nn.Linear(5, 2)
    plain = legacy_nn.Sequential().add(first).add(middle).add(legacy_nn.Tanh()).add(last)
    inner = nn.Linear(4, 5, dtype="float64")
    inner.load_state_dict({"weight": middle.weight, "bias": middle.bias})
    core = nn.Sequential(inner, nn.Tanh())
    mixed = legacy_nn.Sequential().add(first.clone()).add(core).add(last.clone())
    return plain, mixed, core


# -- core in legacy ---------------------------------------------------------------------


def test_both_protocols_compute_what_the_legacy_network_does():
    plain, mixed, core = twins()
    x, g = draw(6, 3), draw(6, 2, seed=1)
    assert np.array_equal(mixed.forward(x).numpy(), plain.forward(x).numpy())
    plain.zeroGradParameters()
    mixed.zeroGradParameters()
    expected = plain.backward(x, g)
    assert np.allclose(mixed.backward(x, g).numpy(), expected.numpy(), rtol=0, atol=1e-14)
    (weights, gradients), (others, wanted) = mixed.parameters(), plain.parameters()
    assert [w.shape for w in weights] == [w.shape for w in others]
    for a, b in zip(gradients, wanted, strict=True):
        assert np.allclose(a.numpy(), b.numpy(), rtol=0, atol=1e-14)
    # twice, and each half alone, add up as they do in Torch7
    mixed.updateGradInput(x, g)
    mixed.accGradParameters(x, g, 0.5)
    for a, b in zip(gradients, wanted, strict=True):
        assert np.allclose(a.numpy(), 1.5 * b.numpy(), rtol=0, atol=1e-14)

    leaf = draw(6, 3).requires_grad_()
    core.zero_grad()
    (mixed(leaf) * g).sum().backward()
    assert np.allclose(leaf.grad.numpy(), expected.numpy(), rtol=0, atol=1e-14)
    assert np.allclose(core[0].weight.grad.numpy(), wanted[2].numpy(), rtol=0, atol=1e-14)


def test_backward_after_weights_changed_uses_the_new_ones():
    plain = legacy_nn.Linear(3, 2)
    inner = nn.Linear(3, 2, dtype="float64")
    inner.load_state_dict({"weight": plain.weight, "bias": plain.bias})
    mixed = CoreModule(inner)
    x, g = draw(6, 3), draw(6, 2, seed=1)
    for net in (plain, mixed):
        net.forward(x)
        net.parameters()[0][0].detach().mul_(2)
    assert np.allclose(mixed.backward(x, g).numpy(), plain.backward(x, g).numpy(), atol=1e-14)


def test_dropout_goes_back_through_what_it_drew():
    net = legacy_nn.Sequential().add(nn.Dropout(0.5))
    x = Tensor(np.ones((4, 50)))
    y = net.forward(x).numpy().copy()
    assert np.array_equal(net.backward(x, x).numpy(), y)
    assert set(np.unique(y)) == {0.0, 2.0}
    net.evaluate()
    assert np.array_equal(net.forward(x).numpy(), x.numpy())
    net.training()
    assert net.get(1).core.training


def test_batch_norm_moves_its_moments_once():
    norm = nn.BatchNorm1d(3, dtype="float64")
    net = legacy_nn.Sequential().add(norm)
    x = draw(6, 3)
    net.forward(x)
    net.backward(x, x)
    assert int(norm.num_batches_tracked) == 1


def test_get_parameters_training_and_update():
    plain, mixed, core = twins()
    flat, gradient = mixed.getParameters()
    expected, wanted = plain.getParameters()
    assert np.array_equal(flat.numpy(), expected.numpy())
    x, g = draw(6, 3), draw(6, 2, seed=1)
    for net, p, d in ((mixed, flat, gradient), (plain, expected, wanted)):
        for _ in range(3):
            d.zero_()
            net.forward(x)
            net.backward(x, g)
            p.sub_(d * 0.1)
        net.zeroGradParameters()
        net.forward(x)
        net.backward(x, g)
        net.updateParameters(0.1)
        net.forward(x)
        net.updateGradInput(x, g)
        net.accUpdateGradParameters(x, g, 0.2)
    assert np.allclose(flat.numpy(), expected.numpy(), rtol=0, atol=1e-13)
    assert core[0].weight.storage() is flat.storage()
    assert core[0].weight.grad.storage() is gradient.storage()


def test_clone_share_and_types():
    _, mixed, core = twins()
    x = draw(2, 3)
    y = mixed.forward(x).numpy().copy()
    copied = mixed.clone()
    core[0].weight.detach().zero_()
    assert np.array_equal(copied.forward(x).numpy(), y)
    names = ("weight", "bias", "gradWeight", "gradBias")
    shared = mixed.clone(*names)
    inner = shared.get(2).core[0]
    core[0].weight.detach().fill_(3)
    assert (inner.weight.numpy() == 3).all()
    mixed.backward(x, mixed.forward(x))
    assert np.array_equal(inner.weight.grad.numpy(), core[0].weight.grad.numpy())
    assert core[0].weight.grad.numpy().any()

    weight = core[0].weight
    mixed.float()
    assert core[0].weight is weight
    assert weight.dtype == "float32"
    assert mixed.forward(x.astype("float32")).dtype == "float32"
    assert pickle.loads(pickle.dumps(mixed)).get(2).core[0].weight.shape == (5, 4)


def test_tables_are_arguments():
    class Sum(nn.Module):
        def forward(self, a, b):
            return a + b, a * b

    net = legacy_nn.Sequential().add(Sum()).add(legacy_nn.CAddTable())
    a, b = draw(2), draw(2, seed=1)
    expected = a.numpy() + b.numpy() + a.numpy() * b.numpy()
    assert np.allclose(net.forward(Table([a, b])).numpy(), expected, atol=1e-15)
    ones = Tensor(np.ones(2))
    back = net.backward(Table([a, b]), ones)
    assert np.allclose(back[1].numpy(), 1 + b.numpy(), atol=1e-15)
    assert np.allclose(back[2].numpy(), 1 + a.numpy(), atol=1e-15)


def test_saving_says_what_cannot_be_written(tmp_path):
    _, mixed, _ = twins()
    with pytest.raises(RuntimeError, match=r"core.nn, Sequential, cannot be written to a .t7 file"):
        rekindle.save(mixed, tmp_path / "m.t7")
    assert not (tmp_path / "m.t7").exists()


def test_text_and_wrong_modules():
    _, mixed, _ = twins()
    assert "(2): core.nn.Sequential(\n" in repr(mixed)
    assert "(0): Linear(in_features=4, out_features=5, bias=True)" in repr(mixed)
    with pytest.raises(ValueError, match=r"CoreModule takes a module of rekindle.core.nn"):
        CoreModule(legacy_nn.Tanh())
    frozen = CoreModule(nn.Linear(2, 2).requires_grad_(False))
    assert frozen.parameters() == ([], [])


def test_other_places_take_what_is_wrapped():
    x = draw(2, 4, 3)
    with pytest.raises(RuntimeError, match=r"Linear is a module of core.nn: add\(\) it to a"):
        legacy_nn.Bottle(nn.Linear(3, 2)).forward(x)
    inner = nn.Linear(3, 2, dtype="float64")
    expected = x.numpy() @ inner.weight.numpy().T + inner.bias.numpy()
    assert np.allclose(legacy_nn.Bottle(CoreModule(inner)).forward(x).numpy(), expected, atol=1e-14)
    node = legacy_nn.Identity()()
    joined = legacy_nn.CAddTable()([CoreModule(inner)(node), CoreModule(inner)(node)])
    graph = legacy_nn.nngraph.gModule([node], [joined])
    flat = draw(5, 3)
    y = graph.forward(flat)
    assert np.allclose(y.numpy(), 2 * (flat.numpy() @ inner.weight.numpy().T + inner.bias.numpy()))
    graph.zeroGradParameters()
    ones = Tensor(np.ones((5, 2)))
    assert np.allclose(graph.backward(flat, ones).numpy(), 2 * ones.numpy() @ inner.weight.numpy())
    assert np.allclose(inner.bias.grad.numpy(), 10)


def test_reset_draws_again():
    module = CoreModule(nn.Linear(3, 3))
    before = module.core.weight.numpy().copy()
    with random.using(random.Generator(2**40)):
        module.reset()
    assert not np.array_equal(module.core.weight.numpy(), before)
    with random.using(random.Generator(2**40)):
        assert np.array_equal(nn.Linear(3, 3).weight.numpy(), module.core.weight.numpy())


# -- legacy in core ---------------------------------------------------------------------


class Ported(nn.Module):
    def __init__(self):
        super().__init__()
        self.old = (
            legacy_nn.Sequential()
            .add(legacy_nn.Linear(3, 4))
            .add(legacy_nn.BatchNormalization(4))
            .add(legacy_nn.Dropout(0.5))
        )
        self.new = nn.Linear(4, 2, dtype="float64")

    def forward(self, x):
        return self.new(self.old(x))


def test_parameters_buffers_and_modes_of_a_legacy_module_are_seen():
    model = Ported()
    assert isinstance(model.old, LegacyModule)
    assert [name for name, _ in model.named_parameters()] == [
        "old.0.weight", "old.0.bias", "old.1.weight", "old.1.bias", "new.weight", "new.bias",
    ]  # fmt: skip
    assert [name for name, _ in model.named_buffers()] == [
        "old.1.running_mean",
        "old.1.running_var",
    ]
    inside = model.old.legacy
    assert dict(model.named_parameters())["old.0.weight"] is inside.get(1).weight
    assert model.eval().old.legacy.get(3).train is False
    assert model.train().old.legacy.get(3).train is True
    assert "nn.Sequential {" in repr(model)


def test_a_legacy_module_is_trained_with_the_rest():
    model = Ported().eval()
    x, g = draw(6, 3), draw(6, 2, seed=1)
    flat, gradient = model.old.legacy.getParameters()

    def loss():
        return float((model(x) * g).sum().detach())

    before = loss()
    (model(x) * g).sum().backward()
    assert model.old.legacy.get(1).gradWeight is model.old.legacy.get(1).weight.grad
    assert gradient.numpy().any()
    steps = {name: p.grad.numpy().copy() for name, p in model.named_parameters()}
    slope = sum((s**2).sum() for s in steps.values())
    for p in model.parameters():
        p.detach().sub_(p.grad.detach() * 1e-6)
    assert np.isclose((before - loss()) / 1e-6, slope, rtol=1e-3)
    assert flat.storage() is model.old.legacy.get(1).weight.storage()


@pytest.mark.parametrize("when", ["before", "between"])
def test_gradients_that_an_optimiser_dropped_are_tied_again(when):
    model = Ported().eval()
    x = draw(6, 3)
    _, flat = model.old.legacy.getParameters()
    model(x).sum().backward()
    expected = flat.numpy().copy()
    if when == "before":
        for p in model.parameters():
            p.grad = None
        model(x).sum().backward()
    else:
        y = model(x)
        for p in model.parameters():
            p.grad = None
        y.sum().backward()
        model(x)
    weight = model.old.legacy.get(1).weight
    assert weight.grad is model.old.legacy.get(1).gradWeight
    assert weight.grad.storage() is flat.storage()
    assert np.allclose(flat.numpy(), expected, rtol=0, atol=1e-14)
    model.zero_grad()
    assert weight.grad is model.old.legacy.get(1).gradWeight
    assert not flat.numpy().any()
    assert model.new.weight.grad is None


def test_conversion_keeps_parameters_and_ties():
    model = Ported()
    model.old.legacy.getParameters()
    model(draw(6, 3)).sum().backward()
    weight = model.old.legacy.get(1).weight
    expected = weight.grad.numpy().astype("float32")
    model.float().eval()
    assert model.old.legacy.get(1).weight is weight
    assert weight.dtype == model.old.legacy.get(2).running_mean.dtype == "float32"
    assert weight.grad is model.old.legacy.get(1).gradWeight
    assert np.array_equal(weight.grad.numpy(), expected)
    assert model(draw(6, 3).astype("float32")).dtype == "float32"
    assert model.old.legacy.type() == "torch.FloatTensor"


def test_state_copies_and_pickles():
    model, other = Ported(), Ported()
    other.load_state_dict(model.state_dict())
    x = draw(2, 3)
    expected = model.eval()(x).detach().numpy()
    assert np.array_equal(other.eval()(x).detach().numpy(), expected)
    for made in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert np.array_equal(made(x).detach().numpy(), expected)
        assert made.old.legacy.get(1).weight is not model.old.legacy.get(1).weight


def test_containers_take_legacy_modules():
    net = nn.Sequential(legacy_nn.Linear(2, 3), nn.Tanh(), legacy_nn.JoinTable(1))
    assert isinstance(net[0], LegacyModule)
    a, b = draw(2), draw(3, seed=1)
    assert np.array_equal(net[2](a, b).numpy(), np.concatenate([a.numpy(), b.numpy()]))
    split = nn.Sequential(legacy_nn.SplitTable(1))
    assert [t.numpy().tolist() for t in split(Tensor(np.eye(2)))] == [[1, 0], [0, 1]]


def test_core_in_legacy_in_core():
    inner = nn.BatchNorm1d(3, dtype="float64")
    model = nn.Sequential(legacy_nn.Sequential().add(legacy_nn.Linear(3, 3)).add(inner))
    assert [name for name, _ in model.named_parameters()] == [
        "0.0.weight", "0.0.bias", "0.1.weight", "0.1.bias",
    ]  # fmt: skip
    assert "0.1.running_mean" in model.state_dict()
    assert model.eval()[0].legacy.get(2).core.training is False
