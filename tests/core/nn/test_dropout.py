"""Dropout of all kinds, layers that write in place, and what draws its slopes."""

import numpy as np
import pytest

from rekindle.core import nn, random
from rekindle.core.nn import functional as F
from rekindle.core.tensor import Tensor


def ones(*shape):
    return Tensor(np.ones(shape))


@pytest.mark.parametrize(
    ("name", "shape", "together"),
    [
        ("Dropout", (40, 50), (1, 1)),
        ("Dropout1d", (20, 50, 3), (1, 1, 3)),
        ("Dropout1d", (1000, 3), (1, 3)),
        ("Dropout2d", (20, 50, 3, 2), (1, 1, 3, 2)),
        ("Dropout2d", (20, 50, 3), (1, 1, 3)),
        ("Dropout3d", (20, 50, 2, 2, 2), (1, 1, 2, 2, 2)),
        ("Dropout3d", (1000, 2, 2, 2), (1, 2, 2, 2)),
    ],
)
def test_what_is_dropped_together(name, shape, together):
    layer = getattr(nn, name)(0.3)
    x = ones(*shape).requires_grad_()
    with random.using(random.Generator(0)):
        y = layer(x)
    y.sum().backward()
    values = y.detach().numpy()
    assert np.array_equal(x.grad.numpy(), values)
    assert np.allclose(np.unique(values), [0, 1 / 0.7], atol=1e-15)
    blocks = values
    for axis, n in enumerate(together):
        if n > 1:
            assert (np.ptp(blocks, axis=axis) == 0).all()
            blocks = blocks.take([0], axis=axis)
    share = (blocks == 0).mean()
    assert abs(share - 0.3) < 4 * (0.21 / blocks.size) ** 0.5
    assert layer.eval()(x) is x


@pytest.mark.parametrize("name", ["AlphaDropout", "FeatureAlphaDropout"])
def test_alpha_dropout_keeps_mean_and_variance(name):
    x = np.random.default_rng(0).normal(size=(400, 500, 1))
    with random.using(random.Generator(0)):
        y = getattr(nn, name)(0.2)(Tensor(x)).numpy()
    assert abs(y.mean()) < 0.01
    assert abs(y.var() - 1) < 0.02
    counts = np.unique(y.round(9), return_counts=True)[1]
    assert counts.max() / y.size == pytest.approx(0.2, abs=0.01)
    assert (getattr(nn, name)(1.0)(Tensor(x)).numpy() == 0).all()
    assert np.array_equal(getattr(nn, name)(0.2).eval()(Tensor(x)).numpy(), x)
    with pytest.raises(ValueError, match="p is from 0 to 1; given 2"):
        F.alpha_dropout(Tensor(x), 2, True)
    with pytest.raises(ValueError, match=r"p is from 0 to 1; given 1\.5"):
        getattr(nn, name)(1.5)


INPLACE = [
    "ReLU",
    "ReLU6",
    "SELU",
    "SiLU",
    "Mish",
    "Hardswish",
    "Hardsigmoid",
    "Hardtanh",
    "ELU",
    "CELU",
    "LeakyReLU",
]


@pytest.mark.parametrize("name", [*INPLACE, "Threshold", "RReLU", "Dropout", "Dropout2d"])
def test_in_place(name):
    args = (0.1, -1.0) if name == "Threshold" else ()
    x = np.random.default_rng(0).normal(size=(3, 4, 5))
    results = []
    for inplace in (False, True):
        leaf = Tensor(x.copy(), requires_grad=True)
        given = leaf * 1
        with random.using(random.Generator(1)):
            y = getattr(nn, name)(*args, inplace=inplace)(given)
        assert (y is given) == inplace
        y.sum().backward()
        results.append((y.detach().numpy(), leaf.grad.numpy()))
        assert ("inplace=True" in repr(getattr(nn, name)(*args, inplace=inplace))) == inplace
    assert np.array_equal(results[0][0], results[1][0])
    assert np.array_equal(results[0][1], results[1][1])


def test_rrelu_draws_slopes_in_training_only():
    x = Tensor(np.full(10000, -2.0))
    with random.using(random.Generator(0)):
        y = nn.RReLU(0.1, 0.5)(x).numpy()
    assert y.min() >= -1
    assert y.max() <= -0.2
    assert y.mean() == pytest.approx(-0.6, abs=0.01)
    assert np.allclose(nn.RReLU(0.1, 0.5).eval()(x).numpy(), -0.6)


def test_gumbel_softmax_draws_classes_with_their_probabilities():
    logits = Tensor(np.log([[0.1, 0.3, 0.6]] * 5000), requires_grad=True)
    hard = F.gumbel_softmax(logits, hard=True, generator=random.Generator(0))
    values = hard.detach().numpy()
    assert np.allclose(values.sum(1), 1)
    assert np.allclose(values.max(1), 1)
    assert np.allclose(values.mean(0), [0.1, 0.3, 0.6], atol=0.02)
    (hard[:, 0]).sum().backward()
    assert logits.grad.numpy().any()
    soft = F.gumbel_softmax(logits, tau=5.0, generator=random.Generator(0)).detach().numpy()
    assert np.allclose(soft.sum(1), 1)
    assert soft.max() < 0.99


def test_recurrent_dropout_is_between_layers_only():
    layer = nn.GRU(3, 40, 2, dropout=0.5).double()
    x = Tensor(np.random.default_rng(0).normal(size=(5, 2, 3)))
    seen = set()
    for seed in range(2):
        with random.using(random.Generator(seed)):
            y, h = layer(x)
        assert np.array_equal(y[-1].detach().numpy(), h[-1].detach().numpy())
        seen.add(y.detach().numpy().tobytes())
    assert len(seen) == 2
    first = nn.GRU(3, 40).double()
    first.load_state_dict({k: v for k, v in layer.state_dict().items() if "_l0" in k})
    assert np.allclose(h[0].detach().numpy(), first(x)[1][0].detach().numpy(), atol=1e-14)
