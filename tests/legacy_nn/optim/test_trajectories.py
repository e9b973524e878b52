"""Optimisers against the trajectories that torch/optim took."""

from pathlib import Path

import numpy as np
import pytest

import rekindle
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import optim

FILES = sorted((Path(__file__).parents[2] / "fixtures" / "optim").glob("*.t7"))
LASSO = [p for p in FILES if p.stem.startswith("fista")]
TOLERANCE = {"double": 1e-9, "float": 1e-4}
"""Relative. 20 steps amplify differences in rounding: 1e-10 and 1e-5 hold for the first."""


UNSET = ("tmp", "tmp1", "df3", "ro")
"""State that Torch7 never sets, or not as a whole."""


def rosenbrock(x):
    v = x.numpy()
    d = v[1:] - v[:-1] ** 2
    f = float((100 * d**2 + (1 - v[:-1]) ** 2).sum())
    g = np.zeros_like(v)
    g[:-1] = -400 * d * v[:-1] - 2 * (1 - v[:-1])
    g[1:] += 200 * d
    return f, Tensor(g)


def logistic(data):
    features, labels = data["X"].numpy(), data["Y"].numpy()

    def f(x):
        margins = labels * (features @ x.numpy())
        slope = -labels / (1 + np.exp(margins))
        g = (features * slope[:, None]).mean(axis=0)
        return float(np.log1p(np.exp(-margins)).mean()), Tensor(g.astype(x.dtype))

    return f


def assert_close(ours, theirs, tolerance):
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    assert ours.shape == theirs.shape
    bound = tolerance * np.abs(theirs).max(initial=0)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=bound)


def listed(value):
    return value.array() if isinstance(value, Table) else [value]


@pytest.mark.parametrize("path", [p for p in FILES if p not in LASSO], ids=lambda p: p.stem)
def test_trajectory(path):
    recorded = rekindle.load(path)
    tolerance = TOLERANCE[recorded.dtype]
    opfunc = rosenbrock if recorded.problem == "rosenbrock" else logistic(recorded.data)
    config = Table(dict(recorded.config.items()))
    if "lswolfe" in path.stem or "ncorr3" in path.stem:  # files hold no functions
        config["lineSearch"] = optim.lswolfe
    state = config if recorded.get("onetable") else Table()
    x = recorded.x0.clone()
    method = getattr(optim, recorded.optimizer)
    rekindle.torch_seed(recorded.seed or 123)
    for x_after, fs in zip(recorded.xs.array(), recorded.fs.array(), strict=True):
        result = method(opfunc, x, config, state)
        assert_close(result[0].numpy(), x_after.numpy(), tolerance)
        assert_close(listed(result[1])[: len(listed(fs))], listed(fs), tolerance)
    for name, value in recorded.state.items():
        if isinstance(value, Tensor) and name not in UNSET:
            assert_close(state[name].numpy(), value.numpy(), tolerance)
        elif isinstance(value, (int, float)):
            assert_close(state[name], value, tolerance)


@pytest.mark.parametrize("path", LASSO, ids=lambda p: p.stem)
def test_fista(path):
    recorded = rekindle.load(path)
    a, b, strength = recorded.A.numpy(), recorded.b.numpy(), recorded["lambda"]

    def smooth(x, mode=None):
        r = a @ x.numpy() - b
        value = float(0.5 * r @ r)
        return (value, Tensor(a.T @ r)) if mode else value

    def shrink(x, rate):
        v = x.numpy()
        x.copy_(np.sign(v) * np.maximum(np.abs(v) - strength / rate, 0))

    config = dict(recorded.config.items())
    x, history = optim.FistaLS(
        smooth, lambda x: strength * float(abs(x).sum()), shrink, recorded.x0.clone(), config
    )
    assert_close(x.numpy(), recorded.x.numpy(), 1e-9)
    assert config["L"] == recorded.L
    assert len(history) == len(recorded.history)
    for ours, theirs in zip(history.array(), recorded.history.array(), strict=True):
        for name, value in theirs.items():
            assert ours[name] == pytest.approx(value, rel=1e-9)


def test_checkgrad_finds_a_wrong_gradient():
    x = Tensor(np.array([0.3, -0.7, 1.1]))
    difference, given, estimated = optim.checkgrad(rosenbrock, x, 1e-6)
    assert difference < 1e-8
    assert_close(given.numpy(), estimated.numpy(), 1e-6)
    assert x.tolist() == [0.3, -0.7, 1.1]
    wrong = optim.checkgrad(lambda x: (rosenbrock(x)[0], rosenbrock(x)[1] * 1.01), x)[0]
    assert wrong > 1e-3


def test_parameters_that_require_gradients_are_trained():
    x = rekindle.Parameter(np.array([-1.2, 1.0, 0.5]))
    optim.sgd(rosenbrock, x, {"learningRate": 1e-4})
    assert x.requires_grad
    assert x.is_leaf


@pytest.mark.parametrize(
    ("method", "config", "message"),
    [
        ("sgd", {"nesterov": True}, "Nesterov momentum requires a momentum and zero dampening"),
        ("nag", {"momentum": -1}, "Momentum must be positive"),
    ],
)
def test_options_that_make_no_sense(method, config, message):
    with pytest.raises(optim.OptimError, match=message):
        getattr(optim, method)(rosenbrock, Tensor(np.ones(3)), config)
