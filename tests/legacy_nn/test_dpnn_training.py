"""What dpnn adds to every module, and its modules that draw and learn from rewards."""

import numpy as np
import pytest

from rekindle.core.checkpoint import Table
from rekindle.core.creation import tensor
from rekindle.legacy_nn import BatchNormalization, Linear, Sequential, Tanh, dpnn
from rekindle.legacy_nn.module import ModuleError
from rekindle.legacy_nn.torch7 import random

X = np.random.default_rng(0).normal(size=(4, 3))


@pytest.fixture(autouse=True)
def _seed():
    random.manual_seed(3)


def net():
    return Sequential().add(Linear(3, 5)).add(Tanh()).add(Linear(5, 2))


def values(tensors):
    return [t.detach().numpy().copy() for t in tensors]


def test_shared_clones():
    model = Sequential().add(Linear(3, 4)).add(BatchNormalization(4))
    clone = model.sharedClone()
    assert clone is not model
    for own, other in zip(model.parameters(), clone.parameters(), strict=True):
        assert all(
            a is not b and a.storage() is b.storage() for a, b in zip(own, other, strict=True)
        )
    assert clone.modules[2].running_mean.storage() is model.modules[2].running_mean.storage()
    assert clone.output is not model.output
    apart = model.sharedClone(False, True)
    assert apart.modules[1].weight.storage() is not model.modules[1].weight.storage()
    assert apart.modules[1].gradWeight.storage() is model.modules[1].gradWeight.storage()


def test_modules_in_fields_follow_flat_parameters():
    layer = Linear(3, 4)
    layer.other = layer.sharedClone()
    layer.stranger = Linear(3, 4)
    flat, _ = layer.getParameters()
    assert flat.size == 16
    flat.fill_(2)
    assert (layer.other.weight.numpy() == 2).all()
    assert layer.stranger.weight.storage() is not flat.storage()


def test_outside():
    assert net().outside([7, 3]) == (7, 2)


def test_max_norm():
    model = net()
    model.maxParamNorm(0.2, 0.1)
    for weight in model.parameters()[0]:
        if weight.ndim == 2:
            assert np.linalg.norm(weight.detach().numpy(), axis=1).max() <= 0.2 + 1e-9
            assert np.linalg.norm(weight.detach().numpy(), axis=0).max() <= 0.1 + 1e-9


def test_gradients_are_clipped_decayed_and_moved():
    model = net()
    model.zeroGradParameters()
    model.backward(tensor(X), model.forward(tensor(X)))
    before = values(model.parameters()[1])
    norm = np.sqrt(sum((g * g).sum() for g in before))
    np.testing.assert_allclose(model.gradParamClip(norm / 2), norm)
    for g, b in zip(values(model.parameters()[1]), before, strict=True):
        np.testing.assert_allclose(g, b / 2)
    model.weightDecay(0.1)
    weights = values(model.parameters()[0])
    for w, g, b in zip(weights, values(model.parameters()[1]), before, strict=True):
        np.testing.assert_allclose(g, b / 2 + (0.1 * w if w.ndim > 1 else 0))
    first = values(model.parameters()[1])
    model.updateGradParameters(0.9, 0)
    for g, f in zip(values(model.parameters()[1]), first, strict=True):
        np.testing.assert_allclose(g, 1.9 * f)


def test_bernoulli():
    p = tensor(np.full((5, 4), 0.3))
    module = dpnn.ReinforceBernoulli()
    drawn = module.forward(p).clone()
    assert set(np.unique(drawn.numpy())) <= {0.0, 1.0}
    with pytest.raises(ModuleError, match="no reward"):
        module.backward(p, p)
    reward = np.arange(5.0)
    module.reinforce(tensor(reward))
    expected = -(drawn.numpy() - 0.3) / (0.3 * 0.7) * reward[:, None]
    np.testing.assert_allclose(module.backward(p, p).numpy(), expected)
    assert module.evaluate().forward(p).numpy().max() == 0.3


def test_normal_and_categorical():
    mean, deviation = tensor(X), tensor(np.full_like(X, 0.5))
    module = dpnn.ReinforceNormal()
    away = module.forward(Table([mean, deviation])).numpy() - X
    module.reinforce(tensor(np.ones(4)))
    of_mean, of_deviation = module.backward(Table([mean, deviation]), mean).array()
    np.testing.assert_allclose(of_mean.numpy(), -away / 0.25)
    np.testing.assert_allclose(of_deviation.numpy(), -(away**2 - 0.25) / 0.125, rtol=1e-6)
    p = np.array([[0.2, 0.8], [1.0, 0.0]])
    chooser = dpnn.ReinforceCategorical()
    chosen = chooser.forward(tensor(p)).numpy().copy()
    np.testing.assert_array_equal(chosen.sum(axis=1), 1)
    assert chosen[1, 0] == 1
    chooser.reinforce(tensor([2.0, 3.0]))
    found = chooser.backward(tensor(p), tensor(p)).numpy()
    np.testing.assert_allclose(found, -chosen / (p + 1e-8) * [[2], [3]])


def test_class_reward():
    learner = dpnn.ReinforceNormal(1.0)
    criterion = dpnn.VRClassReward(learner, 2)
    scores = tensor([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6]])
    baseline = tensor([0.5, 0.0, 1.0])
    input = Table([scores, baseline])
    np.testing.assert_allclose(criterion.forward(input, tensor([2.0, 2.0, 2.0])), -4 / 3)
    of_scores, of_baseline = criterion.backward(input, tensor([2.0, 2.0, 2.0])).array()
    assert not of_scores.numpy().any()
    np.testing.assert_allclose(of_baseline.numpy(), 2 * np.array([-1.5, 0, -1]) / 3)
    np.testing.assert_allclose(learner.reward.numpy(), np.array([1.5, 0, 1]) / 3)


def test_glimpse():
    image = np.arange(64.0).reshape(1, 1, 8, 8)
    module = dpnn.SpatialGlimpse(2, 2)
    place = tensor(np.array([[-1.0, -1.0]]))
    output = module.forward(Table([tensor(image), place])).numpy()
    assert output.shape == (1, 2, 2, 2)
    np.testing.assert_array_equal(output[0, 0], image[0, 0, :2, :2])
    padded = np.pad(image[0, 0], 1)[:4, :4]
    np.testing.assert_allclose(output[0, 1], padded.reshape(2, 2, 2, 2).mean(axis=(1, 3)))
    g = np.random.default_rng(1).normal(size=output.shape)
    found, of_place = module.backward(Table([tensor(image), place]), tensor(g)).array()
    assert not of_place.numpy().any()
    np.testing.assert_allclose((found.numpy() * image).sum(), (g * output).sum())


def test_arg_max():
    module = dpnn.ArgMax(1, 1)
    x = tensor(X)
    np.testing.assert_array_equal(module.forward(x).numpy(), X.argmax(axis=1) + 1)
    assert module.output.dtype.name == "int64"
    assert not module.backward(x, module.output).numpy().any()


def test_fire_module():
    module = dpnn.FireModule(3, 2, 4, 5, "Tanh")
    x = tensor(np.random.default_rng(2).normal(size=(2, 3, 6, 6)))
    squeezed = np.tanh(module.squeeze.forward(x).numpy())
    expected = [np.tanh(m.forward(tensor(squeezed)).numpy()) for m in module.expand.modules.array()]
    output = module.forward(x)
    np.testing.assert_allclose(output.numpy(), np.concatenate(expected, axis=1), atol=1e-12)
    assert module.backward(x, output).shape == x.shape
    assert len(module.parameters()[0]) == 6


def test_feature_normalization():
    mean, deviation = np.array([1.0, 2.0]), np.array([0.5, 4.0])
    module = dpnn.SpatialFeatNormalization(tensor(mean), tensor(deviation))
    x = np.random.default_rng(2).normal(size=(3, 2, 4, 5))
    expected = (x - mean[:, None, None]) / deviation[:, None, None]
    np.testing.assert_allclose(module.forward(tensor(x)).numpy(), expected)
    np.testing.assert_allclose(module.forward(tensor(x[0])).numpy(), expected[0])
    g = np.ones_like(x)
    found = module.backward(tensor(x), tensor(g)).numpy()
    np.testing.assert_allclose(found, g / deviation[:, None, None])
