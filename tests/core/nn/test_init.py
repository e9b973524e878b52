"""Starting values: formulas, distributions, generators."""

import numpy as np
import pytest
from scipy import stats

from rekindle.core import nn, random
from rekindle.core.creation import empty
from rekindle.core.nn import init


def generator(seed=0):
    return random.Generator(seed)


def test_gains_and_fans_are_pytorchs():
    theirs = pytest.importorskip("torch").nn.init
    names = "linear conv1d conv2d conv3d conv_transpose2d sigmoid tanh relu selu leaky_relu"
    for name in names.split():
        assert init.calculate_gain(name) == pytest.approx(theirs.calculate_gain(name), rel=1e-15)
    assert init.calculate_gain("leaky_relu", 0.3) == theirs.calculate_gain("leaky_relu", 0.3)


def test_gains_and_fans():
    assert init.calculate_gain("relu") == 2**0.5
    assert init.calculate_gain("leaky_relu", 1.0) == 1.0
    assert init.calculate_fan_in_and_fan_out(empty((5, 3, 2, 4))) == (24, 40)
    with pytest.raises(ValueError, match=r"a gain is known for linear, .*; given 'gelu'"):
        init.calculate_gain("gelu")
    with pytest.raises(
        ValueError, match=r"fans need a weight \(out, in, ...\); given shape \(3,\)"
    ):
        init.xavier_uniform_(empty(3))


UNIFORM = {
    "uniform_": ({"a": -2.0, "b": 3.0}, -2.0, 3.0),
    "xavier_uniform_": ({"gain": 2.0}, -2 * (6 / 500) ** 0.5, 2 * (6 / 500) ** 0.5),
    "kaiming_uniform_": ({"nonlinearity": "relu"}, -((6 / 200) ** 0.5), (6 / 200) ** 0.5),
}
NORMAL = {
    "normal_": ({"mean": 1.0, "std": 2.0}, 1.0, 2.0),
    "xavier_normal_": ({}, 0.0, (2 / 500) ** 0.5),
    "kaiming_normal_": ({"mode": "fan_out", "a": 1.0}, 0.0, (1 / 300) ** 0.5),
}


@pytest.mark.parametrize("name", UNIFORM)
def test_uniform(name):
    options, low, high = UNIFORM[name]
    x = getattr(init, name)(empty((300, 200), "float64"), **options, generator=generator())
    assert stats.kstest(x.numpy().ravel(), stats.uniform(low, high - low).cdf).pvalue > 0.01


@pytest.mark.parametrize("name", NORMAL)
def test_normal(name):
    options, mean, std = NORMAL[name]
    x = getattr(init, name)(empty((300, 200), "float64"), **options, generator=generator())
    assert stats.kstest(x.numpy().ravel(), stats.norm(mean, std).cdf).pvalue > 0.01


def test_truncated_normal():
    x = init.trunc_normal_(empty(50000, "float64"), 0.5, 2.0, -1.0, 2.0, generator()).numpy()
    expected = stats.truncnorm((-1 - 0.5) / 2, (2 - 0.5) / 2, 0.5, 2.0)
    assert stats.kstest(x, expected.cdf).pvalue > 0.01
    assert x.min() >= -1
    assert x.max() <= 2


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (4, 2, 3)])
def test_orthogonal(shape):
    x = init.orthogonal_(empty(shape, "float64"), 2.0, generator()).numpy().reshape(shape[0], -1)
    product = x @ x.T if x.shape[0] <= x.shape[1] else x.T @ x
    assert np.allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_constants_and_patterns():
    assert (init.constant_(empty(3), 2.5).numpy() == 2.5).all()
    assert (init.ones_(empty(3)).numpy() == 1).all()
    assert (init.zeros_(empty(3)).numpy() == 0).all()
    assert np.array_equal(init.eye_(empty((2, 3))).numpy(), np.eye(2, 3))
    weight = init.dirac_(empty((4, 2, 3, 3), "float64"), groups=2)
    x = np.random.default_rng(0).normal(size=(1, 4, 5, 5))
    y = nn.functional.conv2d(nn.Parameter(x), weight, padding=1, groups=2).detach()
    assert np.array_equal(y.numpy(), x)
    sparse = init.sparse_(empty((10, 6), "float64"), 0.25, generator=generator()).numpy()
    assert ((sparse == 0).sum(0) == 3).all()
    for bad in (lambda: init.eye_(empty(3)), lambda: init.dirac_(empty((3, 2))),
                lambda: init.sparse_(empty(2), 0.1), lambda: init.orthogonal_(empty(2)),
                lambda: init.kaiming_normal_(empty((2, 2)), mode="fan")):  # fmt: skip
        with pytest.raises(ValueError, match=r"takes|mode is"):
            bad()


def test_equal_seeds_give_equal_values_and_nothing_is_recorded():
    layer = nn.Linear(3, 3)
    init.normal_(layer.weight, generator=generator(5))
    first = layer.weight.numpy().copy()
    init.normal_(layer.weight, generator=generator(5))
    assert np.array_equal(layer.weight.numpy(), first)
    assert layer.weight.is_leaf
    with random.using(generator(9)):
        a = nn.LSTM(2, 3)
    with random.using(generator(9)):
        b = nn.LSTM(2, 3)
    assert np.array_equal(a.weight_hh_l0.numpy(), b.weight_hh_l0.numpy())


@pytest.mark.parametrize(
    ("layer", "bound"),
    [
        (lambda: nn.Linear(100, 300), 0.1),
        (lambda: nn.Conv2d(8, 300, (2, 5)), 80**-0.5),
        (lambda: nn.ConvTranspose2d(300, 8, (2, 5)), 80**-0.5),
        (lambda: nn.GRU(100, 64), 0.125),
        (lambda: nn.Bilinear(25, 30, 40), 0.2),
    ],
)
def test_layers_start_within_the_bounds_of_pytorchs(layer, bound):
    with random.using(generator()):
        made = layer()
    for p in made.parameters():
        values = p.numpy()
        assert np.abs(values).max() <= bound * (1 + 1e-6)
        if values.size > 1000:
            uniform = stats.uniform(-bound, 2 * bound)
            assert stats.kstest(values.ravel(), uniform.cdf).pvalue > 0.001


def test_other_starts():
    with random.using(generator()):
        table = nn.Embedding(500, 50, padding_idx=3).weight.numpy()
        attention = nn.MultiheadAttention(64, 4, add_bias_kv=True)
    assert not table[3].any()
    assert stats.kstest(np.delete(table, 3, 0).ravel(), "norm").pvalue > 0.01
    bound = (6 / (64 * 4)) ** 0.5
    weights = attention.in_proj_weight.numpy().ravel()
    assert stats.kstest(weights, stats.uniform(-bound, 2 * bound).cdf).pvalue > 0.01
    assert not attention.in_proj_bias.numpy().any()
    assert not attention.out_proj.bias.numpy().any()


def test_skipped_layers_draw_nothing():
    with random.using(generator(3)):
        layer = nn.utils.skip_init(nn.Conv2d, 3, 4, 3)
        first = nn.Linear(3, 2).weight.tolist()
    with random.using(generator(3)):
        assert nn.Linear(3, 2).weight.tolist() == first
    assert layer.weight.shape == (4, 3, 3, 3)
    assert layer.bias.requires_grad
