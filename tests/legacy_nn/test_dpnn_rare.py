"""dpnn's rarer classes against their definitions in NumPy and differences of their outputs."""

import math

import numpy as np
import pytest
from scipy.special import digamma

import rekindle
from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table, registry
from rekindle.legacy_nn import Linear, Sequential, Tanh, dpnn
from rekindle.legacy_nn.dpnn.alias_multinomial import AliasMultinomial
from rekindle.legacy_nn.torch7 import random

RNG = np.random.default_rng(5)


def seeded():
    random.manual_seed(123)


def differences(f, x, step=1e-6):
    g = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[at] += sign * step
            ends.append(f(moved))
        g[at] = (ends[0] - ends[1]) / (2 * step)
    return g


def close(found, expected, tolerance=1e-10):
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance * max(np.abs(expected).max(), 1e-300)


# -- noise contrastive estimation -----------------------------------------------------------------


def nce(**fields):
    seeded()
    module = dpnn.NCEModule(3, 20, 5, rekindle.tensor(RNG.integers(1, 9, 20).astype(float)), 15)
    for name, value in fields.items():
        setattr(module, name, value)
    x = rekindle.tensor(RNG.normal(size=(4, 3)))
    return module, x, rekindle.tensor(np.array([2, 20, 1, 2]))


@pytest.mark.parametrize("shared", [True, False])
def test_nce_is_its_definition(shared):
    module, x, target = nce(batchnoise=shared)
    parts = module.forward([x, target])
    drawn = module.sampleidx.numpy()
    if shared:
        classes = np.concatenate([drawn[5:, None], np.tile(drawn[:5], (4, 1))], axis=1)
    else:
        classes = drawn
    assert np.array_equal(classes[:, 0], target.numpy())
    weight, bias = module.weight.detach().numpy(), module.bias.detach().numpy()
    scores = np.exp(np.einsum("nd,nkd->nk", x.numpy(), weight[classes - 1]) + bias[classes - 1])
    noise = module.unigrams.numpy()[classes - 1]
    assert module.unigrams.numpy().sum() == pytest.approx(1)
    for part, expected in zip(
        parts.array(),
        (scores[:, 0] / 15, scores[:, 1:] / 15, noise[:, 0], noise[:, 1:]),
        strict=True,
    ):
        close(part.detach().numpy(), expected)


@pytest.mark.parametrize("shared", [True, False])
def test_nce_goes_back(shared):
    module, x, target = nce(batchnoise=shared)
    criterion = dpnn.NCECriterion()
    module.zeroGradParameters()
    parts = module.forward([x, target])
    loss = criterion.forward(parts, target)
    gradient = module.backward([x, target], criterion.backward(parts, target))
    drawn = module.sampleidx

    def again(_input):
        module.sampleidx = drawn

    module.prepare = again
    weight = module.weight.detach().numpy()

    def loss_at(value):
        return criterion.forward(module.forward([rekindle.tensor(value), target]), target)

    def loss_with(value):
        kept = weight.copy()
        weight[...] = value
        found = loss_at(x.numpy())
        weight[...] = kept
        return found

    assert loss == loss_at(x.numpy())
    close(gradient[1].numpy(), differences(loss_at, x.numpy()), 2e-4)  # its small numbers
    close(module.gradWeight.numpy(), differences(loss_with, weight.copy()), 2e-4)
    assert not gradient[2].numpy().any()


def test_nce_normalised_in_evaluation():
    module, x, target = nce(normalized=True)
    scores = module.evaluate().forward([x, target]).numpy().copy()
    raw = x.numpy() @ module.weight.detach().numpy().T + module.bias.detach().numpy()
    close(scores, np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True))
    module.logsoftmax = True
    close(module.forward([x, target]).numpy(), np.log(scores))


def test_nce_estimates_z_once_and_stays_double_where_it_draws(capsys):
    module, x, target = nce()
    module.Z[0] = -1
    parts = module.forward([x, target])
    assert parts[2].numpy().mean() == pytest.approx(1 / 20)
    assert "normalization constant Z approximated to" in capsys.readouterr().out
    module.float()
    assert (module.unigrams.dtype, module.weight.dtype) == ("float64", "float32")
    assert module.forward([x.astype("float32"), target])[4].dtype == "float32"
    assert "approximated" not in capsys.readouterr().out


def test_draws_follow_their_probabilities():
    seeded()
    probabilities = np.array([0.1, 0.0, 0.6, 0.05, 0.25])
    drawer = AliasMultinomial(rekindle.tensor(probabilities))
    drawn = drawer.batchdraw(rekindle.tensor(np.zeros(40000, np.int64))).numpy()
    assert np.abs(np.bincount(drawn, minlength=6)[1:] / 40000 - probabilities).max() < 0.01
    again = checkpoint.loads(checkpoint.dumps(drawer))
    assert np.array_equal(again.J.numpy(), drawer.J.numpy())


# -- criterions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("average", [True, False])
def test_logistic_regression(average):
    x, y = RNG.normal(size=6), RNG.choice([-1.0, 1.0], size=6)
    losses = np.log1p(np.exp(-y * x))
    criterion = dpnn.BinaryLogisticRegression(average)
    loss = criterion.forward(rekindle.tensor(x[:, None]), rekindle.tensor(y))
    assert loss == pytest.approx(losses.mean() if average else losses.sum())
    slope = -y / (1 + np.exp(y * x)) / (6 if average else 1)
    close(
        criterion.backward(rekindle.tensor(x[:, None]), rekindle.tensor(y)).numpy(), slope[:, None]
    )


@pytest.mark.parametrize("average", [True, False])
def test_logistic_regression_of_pixels(average):
    x, y = RNG.normal(size=(3, 1, 4, 5)), RNG.choice([-1.0, 1.0], size=(3, 1, 4, 5))
    criterion = dpnn.SpatialBinaryLogisticRegression()
    criterion.sizeAverage = average
    total = np.log1p(np.exp(-y * x)).sum() / (2 * 20) / (3 if average else 1)
    assert criterion.forward(rekindle.tensor(x), rekindle.tensor(y)) == pytest.approx(total)
    found = criterion.backward(rekindle.tensor(x), rekindle.tensor(y)).numpy()
    close(found, -y / (1 + np.exp(y * x)) / 40 / (3 if average else 1))


# -- modules ---------------------------------------------------------------------------------------


def test_entropy_is_added_on_the_way_back():
    p = RNG.uniform(size=(5, 4))
    p /= p.sum(axis=1, keepdims=True)
    g = RNG.normal(size=(5, 4))
    module = dpnn.CategoricalEntropy(0.7)
    assert np.array_equal(module.forward(rekindle.tensor(p)).numpy(), p)
    found = module.backward(rekindle.tensor(p), rekindle.tensor(g)).numpy()

    def entropy(value):
        share = value.sum(axis=0) / p.sum()  # what they sum to is a constant
        return -(share * np.log(share + 1e-6)).sum()

    assert module.entropy == pytest.approx(entropy(p))
    close(found, g - 0.7 * differences(entropy, p) / 5, 1e-8)
    quiet = dpnn.CategoricalEntropy(1, 0.01)
    assert np.array_equal(quiet.backward(rekindle.tensor(p), rekindle.tensor(g)).numpy(), g)


def test_gamma_draws_and_learns_from_rewards():
    seeded()
    shape = rekindle.tensor(np.full((200, 50), 250.0))
    module = dpnn.ReinforceGamma(2)
    drawn = module.forward(shape).numpy().copy()
    assert abs(drawn.mean() - 500) < 2
    assert abs(drawn.std() - math.sqrt(1000)) < 1
    reward = RNG.normal(size=200)
    module.reinforce(rekindle.tensor(reward))
    gradient = module.updateGradInput(shape, shape).numpy()
    expected = -(np.log(drawn) - digamma(250.0) - math.log(2)) * reward[:, None]
    close(gradient, expected)
    assert np.array_equal(module.evaluate().forward(shape).numpy(), 2 * shape.numpy())
    both = dpnn.ReinforceGamma()
    scale = rekindle.tensor(np.full((200, 50), 3.0))
    y = both.forward([shape, scale]).numpy().copy()
    both.reinforce(rekindle.tensor(reward))
    found = both.updateGradInput([shape, scale], shape)
    close(found[2].numpy(), -(y / 9 - 250 / 3) * reward[:, None])


def test_crops():
    seeded()
    x = RNG.normal(size=(2, 3, 9, 8))
    module = dpnn.SpatialUniformCrop(4, 3)
    crop = module.forward(rekindle.tensor(x)).numpy().copy()
    g = RNG.normal(size=crop.shape)
    back = module.backward(rekindle.tensor(x), rekindle.tensor(g)).numpy()
    for i, (top, left) in enumerate(module.coord.numpy()):
        part = (i, slice(None), slice(top - 1, top + 3), slice(left - 1, left + 2))
        assert np.array_equal(crop[i], x[part])
        assert np.array_equal(back[part], g[i])
        back[part] = 0
    assert not back.any()
    middle = module.evaluate().forward(rekindle.tensor(x[0])).numpy()
    assert np.array_equal(middle, x[0, :, 2:6, 2:5])


def test_crops_of_several_sizes():
    seeded()
    x = np.broadcast_to(np.linspace(0, 1, 20), (2, 1, 20, 20)).copy()
    module = dpnn.SpatialUniformCrop(5, 5, [0.8, 1.3])
    crop = module.forward(rekindle.tensor(x)).numpy()
    assert np.allclose(np.diff(crop, axis=3, n=2), 0, atol=1e-12)  # a ramp stays one
    assert np.allclose(np.diff(crop, axis=2), 0)
    back = module.backward(rekindle.tensor(x), rekindle.tensor(np.ones_like(crop))).numpy()
    assert back.sum() == pytest.approx(50)


def test_regions():
    seeded()
    module, seen = dpnn.SpatialRegionDropout(0.4), set()
    for _ in range(20):
        y = module.forward(rekindle.tensor(np.ones((2, 3, 5, 7)))).numpy()
        kept = y[0, 0] != 0
        assert (y == y[:1, :1]).all()
        assert np.allclose(y[y != 0], 1 / 0.6)
        assert kept.sum() == (21 if module.regionType < 3 else 25)
        corners = kept[0, 0], kept[0, -1], kept[-1, 0]
        seen.add((module.regionType, *map(bool, corners)))
    assert seen == {(1, False, False, True), (2, True, True, False), (3, False, True, False),
                    (4, True, False, True)}  # fmt: skip
    assert repr(module) == "nn.SpatialRegionDropout p: 0.400000"
    with pytest.raises(rekindle.RekindleError, match="training"):
        module.evaluate().backward(rekindle.tensor(np.ones((3, 5, 7))), rekindle.tensor(y[0]))


def test_colours():
    seeded()
    x = RNG.normal(size=(2, 3, 4, 4))
    simple = dpnn.SimpleColorTransform(3, rekindle.tensor([0.1, 0.2, 0.0]))
    added = simple.forward(rekindle.tensor(x)).numpy() - x
    assert np.ptp(added, axis=(2, 3)).max() < 1e-12
    assert (np.abs(added).max(axis=(0, 2, 3)) <= [0.1, 0.2, 1e-12]).all()
    assert np.abs(added[0, 0, 0, 0] - added[1, 0, 0, 0]) > 1e-6
    assert np.array_equal(simple.evaluate().forward(rekindle.tensor(x)).numpy(), x)
    vectors, values = RNG.normal(size=(3, 3)), np.array([2.0, 0.0, 0.0])
    pca = dpnn.PCAColorTransform(3, rekindle.tensor(vectors), rekindle.tensor(values), 0.5)
    added = pca.forward(rekindle.tensor(x[0])).numpy() - x[0]
    across = np.cross(added[:, 0, 0], vectors[:, 0])
    assert np.abs(across).max() < 1e-12 < np.abs(added).max()
    assert repr(pca) == "nn.PCAColorTransform channels: 3, std: 0.500000"


def test_binary_convolution():
    seeded()
    module = dpnn.SpatialBinaryConvolution(2, 3, 3, 3, 1, 1, 1, 1)
    weight = module.weight.detach().numpy()
    signs = np.where(weight >= 0, 1.0, -1.0)
    plain = rekindle.legacy_nn.SpatialConvolution(2, 3, 3, 3, 1, 1, 1, 1).noBias()
    plain.weight.detach().copy_(rekindle.tensor(signs))
    x, g = (
        rekindle.tensor(RNG.normal(size=(2, 2, 5, 6))),
        rekindle.tensor(RNG.normal(size=(2, 3, 5, 6))),
    )
    for m in (module, plain):
        m.zeroGradParameters()
    sizes = np.abs(weight).mean(axis=(1, 2, 3))[None, :, None, None]
    close(module.forward(x).numpy(), plain.forward(x).numpy() * sizes)
    back = np.abs(weight).mean(axis=(0, 2, 3))[None, :, None, None]
    close(module.backward(x, g).numpy(), plain.backward(x, g).numpy() * back)
    close(module.gradWeight.numpy(), plain.gradWeight.numpy())
    assert repr(module).startswith("Binary Convolution: nn.SpatialBinaryConvolution(2 -> 3, 3x3")
    y = module(x)
    y.sum().backward()
    assert module.weight.grad is module.gradWeight


def test_scaling():
    x = rekindle.tensor(RNG.normal(size=(1, 2, 3, 5)))
    module = dpnn.SpatialReSampling(owidth=9, oheight=5)
    y = module.forward(x).numpy()
    close(y[..., ::2, ::2], x.numpy())
    close(y[..., 1, 0], x.numpy()[..., :2, 0].mean(axis=-1))
    assert dpnn.SpatialReSampling(Table({"rwidth": 2, "rheight": 3})).forward(x).shape == (
        1,
        2,
        9,
        10,
    )


def test_serial_writes_without_buffers():
    net = Sequential().add(Linear(3, 4)).add(Tanh())
    serial = net.Serial().mediumSerial()
    serial.tensortype = "torch.FloatTensor"
    x = rekindle.tensor(RNG.normal(size=(5, 3)))
    y = serial.forward(x).numpy().copy()
    for copied in (checkpoint.loads(checkpoint.dumps(serial)), serial.clone()):
        inner = copied.modules[1]
        assert inner.output.size == inner.get(1).output.size == 0
        assert inner.get(1).weight.dtype == "float32"
        assert inner.get(1).gradWeight.shape == (4, 3)
        close(copied.forward(x.astype("float32")).numpy(), y, 1e-6)
    serial.lightSerial()
    assert checkpoint.loads(checkpoint.dumps(serial)).modules[1].get(1).gradWeight.size == 0
    assert net.output.numpy().shape == (5, 4)  # the module itself stays whole


class OnTwoDevices:
    """A tensor that is written as torchx writes a torch.MultiCudaTensor."""

    def __init__(self, whole):
        self.parts = [whole[:, :2], whole[:, 2:]]


def write_parts(tensor, record):
    yield Table({"catdim": 2, "_size": Table([20, 3])})
    yield 2
    for device, part in enumerate(tensor.parts, start=1):
        yield device
        yield part


def test_nce_of_two_devices_runs_on_one(monkeypatch):
    module, x, target = nce(train=False, normalized=True)
    expected = module.forward([x, target]).numpy().copy()
    apart = module.clone()
    with monkeypatch.context() as patched:
        known = registry.TorchClass("torch.MultiCudaTensor", OnTwoDevices, write=write_parts)
        patched.setitem(registry.CLASSES, known.typename, known)
        patched.setitem(registry._TYPENAMES, OnTwoDevices, known.typename)
        for name in ("weight", "gradWeight"):
            vars(apart)[name] = OnTwoDevices(getattr(module, name).detach())
        stored = checkpoint.dumps(apart)
    assert b"torch.MultiCudaTensor" in stored
    loaded = checkpoint.loads(stored)
    close(loaded.forward([x, target]).numpy(), expected)
    assert loaded.gradWeight.shape == (20, 3)
    seeded()
    loaded.training()
    module.training()
    outputs = []
    for m in (module, loaded):
        seeded()
        outputs.append(m.forward([x, target])[2].numpy().copy())
    close(outputs[1], outputs[0])
    assert module.multicuda(1, 2).weight.dtype == "float32"


@pytest.mark.parametrize("record", [[Table(), 1, 1, 5], [Table({"catdim": 2}), 0]])
def test_damaged_parts_are_an_error(monkeypatch, record):
    with monkeypatch.context() as patched:
        known = registry.TorchClass(
            "torch.MultiCudaTensor", OnTwoDevices, write=lambda value, r: iter(record)
        )
        patched.setitem(registry.CLASSES, known.typename, known)
        patched.setitem(registry._TYPENAMES, OnTwoDevices, known.typename)
        stored = checkpoint.dumps(OnTwoDevices(rekindle.tensor([[1.0, 2.0, 3.0]])))
    with pytest.raises(checkpoint.T7Error, match="without its dimension and parts"):
        checkpoint.loads(stored)
