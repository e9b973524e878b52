"""resume: core's optimisers go on where torch/optim stopped, on the path that Torch7 recorded."""

from pathlib import Path

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn as nn
from rekindle.core import optim
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Parameter, Tensor
from rekindle.legacy_nn import optim as torch_optim
from rekindle.legacy_nn.resume import METHODS, ResumeError
from rekindle.legacy_nn.torch7 import random

FOLDER = Path(__file__).parents[1] / "fixtures" / "optim"
FILES = [
    p for p in sorted(FOLDER.glob("*.t7")) if p.stem.split("_")[0] in METHODS[:1] + METHODS[2:]
]
NAG = sorted(FOLDER.glob("nag__*.t7"))
TOLERANCE = {"double": 1e-9, "float": 1e-4}
"""As for legacy_nn.optim's own trajectories."""

SPLITS = {3: [(1,), (2, 1)], 4: [(2, 1), (2,)]}
"""The vector cut into parameters of several shapes, as a model has them."""


def rosenbrock(x):
    d = x[1:] - x[:-1] ** 2
    return (100 * d**2 + (1 - x[:-1]) ** 2).sum()


def logistic(data):
    return lambda x: rekindle.ops.log1p(rekindle.ops.exp(-data.Y * (data.X @ x))).mean()


def pieces(x):
    flat, start, found = x.numpy(), 0, []
    for shape in SPLITS[x.size]:
        size = int(np.prod(shape))
        found.append(Parameter(flat[start : start + size].reshape(shape).copy()))
        start += size
    return found


def state_after(recorded, steps):
    """Return the tables of legacy_nn.optim after some steps, which its own tests check."""
    f = rosenbrock if recorded.problem == "rosenbrock" else logistic(recorded.data)

    def opfunc(x):
        with rekindle.enable_grad():  # torch/optim's functions run without
            leaf = x.detach().clone().requires_grad_()
            loss = f(leaf)
            loss.backward()
        return loss.item(), leaf.grad

    config = Table(dict(recorded.config.items()))
    state = config if "onetable" in recorded.name else Table()
    x = recorded.x0.clone()
    for _ in range(steps):
        getattr(torch_optim, recorded.optimizer)(opfunc, x, config, state)
    return f, config, state


@pytest.mark.parametrize("steps", [0, 1, 7])
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_recorded_runs_go_on(path, steps):
    recorded = rekindle.load(path)
    if "name" not in recorded:
        recorded["name"] = path.stem
    f, config, state = state_after(recorded, steps)
    start = recorded.x0 if steps == 0 else recorded.xs[steps]
    parameters = pieces(start)
    method = recorded.optimizer
    optimizer = rekindle.resume(parameters, state, config, method=method if steps == 0 else None)
    for expected in recorded.xs.array()[steps:]:
        optimizer.zero_grad()
        f(rekindle.ops.concat([p.reshape(-1) for p in parameters])).backward()
        optimizer.step()
        ours = np.concatenate([p.numpy().ravel() for p in parameters])
        theirs = expected.numpy()
        bound = TOLERANCE[recorded.dtype] * np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=bound)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_state_that_torch7_saved_is_taken(path):
    recorded = rekindle.load(path)
    config = None if "onetable" in path.stem else recorded.config
    parameters = pieces(recorded.xs[20])
    optimizer = rekindle.resume(parameters, recorded.state, config)
    names = {
        "momentum_buffer": "dfdx",
        "exp_avg": "m",
        "exp_avg_sq": "v",
        "square_avg": "m" if recorded.optimizer == "rmsprop" else "paramVariance",
        "sum": "paramVariance",
        "acc_delta": "accDelta",
    }
    for ours, theirs in names.items():
        found = [s[ours] for s in optimizer.state.values() if ours in s]
        if found:
            flat = np.concatenate([t.numpy().ravel() for t in found])
            assert flat.tolist() == recorded.state[theirs].tolist()
            assert [t.shape for t in found] == [p.shape for p in parameters]
    tensors = [n for n in names.values() if isinstance(recorded.state.get(n), Tensor)]
    assert bool(optimizer.state) >= bool(tensors)


@pytest.mark.parametrize("steps", [0, 1, 7])
@pytest.mark.parametrize("path", NAG, ids=lambda p: p.stem)
def test_recorded_runs_of_nag_go_on(path, steps):
    recorded = rekindle.load(path)
    f, config, state = state_after(recorded, steps)
    parameters = pieces(recorded.x0 if steps == 0 else recorded.xs[steps])
    optimizer = rekindle.resume(parameters, state, config, method="nag")
    for expected, behind in zip(
        recorded.fs.array()[steps:], recorded.xs.array()[steps:], strict=True
    ):
        optimizer.zero_grad()
        loss = f(rekindle.ops.concat([p.reshape(-1) for p in parameters]))
        assert loss.item() == pytest.approx(expected[1], rel=1e-9)
        loss.backward()
        optimizer.step()
        # Torch7 stops behind where the next gradient is taken, by momentum times its velocity.
        velocity = [
            s["momentum_buffer"] * -optimizer.param_groups[0]["lr"]
            for s in optimizer.state.values()
        ]
        momentum = optimizer.param_groups[0]["momentum"]
        back = [p.detach() - v * momentum for p, v in zip(parameters, velocity, strict=True)]
        ours = np.concatenate([p.numpy().ravel() for p in back])
        np.testing.assert_allclose(ours, behind.numpy(), rtol=1e-9)


def test_nag_whose_rate_changes_is_not_continued():
    with pytest.raises(ResumeError, match="learningRateDecay"):
        rekindle.resume(nn.Linear(2, 1), {"learningRateDecay": 0.1}, method="nag")


# -- whole models -----------------------------------------------------------------------------

DRAW = np.random.Generator(np.random.PCG64(0))
X = rekindle.Tensor(DRAW.standard_normal((8, 5)))
Y = rekindle.Tensor(DRAW.integers(1, 3, 8).astype(np.float64))


def network():
    random.manual_seed(3)
    model = nn.Sequential().add(nn.Linear(5, 7)).add(nn.Tanh()).add(nn.BatchNormalization(7))
    return model.add(nn.Linear(7, 2)).add(nn.LogSoftMax())


def torch_steps(model, criterion, name, state, steps):
    flat, grads = model.getParameters()

    def feval(_):
        grads.zero_()
        loss = criterion.forward(model.forward(X), Y)
        model.backward(X, criterion.backward(model.output, Y))
        return loss, grads

    for _ in range(steps):
        getattr(torch_optim, name)(feval, flat, state)
    return flat.numpy().copy()


CONFIGS = {
    "sgd": {"learningRate": 0.1, "momentum": 0.9, "weightDecay": 0.01, "learningRateDecay": 0.1},
    "adam": {"learningRate": 0.05, "learningRateDecay": 0.02},
    "rmsprop": {"learningRate": 0.01},
    "adagrad": {"learningRate": 0.1},
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_saved_model_and_its_state_go_on(tmp_path, name):
    criterion = nn.ClassNLLCriterion()
    model, state = network(), Table(CONFIGS[name])
    torch_steps(model, criterion, name, state, 5)
    rekindle.save({"model": model, "optimState": state}, tmp_path / "checkpoint.t7")
    expected = torch_steps(model, criterion, name, state, 5)

    checkpoint = rekindle.load(tmp_path / "checkpoint.t7")
    resumed = checkpoint["model"]
    optimizer = rekindle.resume(resumed, checkpoint["optimState"])
    for _ in range(5):
        resumed.zeroGradParameters()
        criterion.forward(resumed.forward(X), Y)
        resumed.backward(X, criterion.backward(resumed.output, Y))
        optimizer.step()
    ours = resumed.getParameters()[0].numpy()
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


def test_the_order_is_that_of_the_storage():
    """getParameters on parameters that share one storage keeps its order, not the modules'."""
    flat = rekindle.tensor(np.arange(6.0))
    late, early = Parameter(flat[4:]), Parameter(flat[:4].reshape(2, 2))
    late.set_(flat.storage(), 4, (2,), (1,))
    early.set_(flat.storage(), 0, (2, 2), (1, 2))
    state = {"learningRate": 1, "momentum": 0.5, "dfdx": rekindle.tensor(np.arange(6.0))}
    optimizer = rekindle.resume([late, early], state)
    assert optimizer.state[late]["momentum_buffer"].tolist() == [4, 5]
    assert optimizer.state[early]["momentum_buffer"].tolist() == [[0, 2], [1, 3]]


def test_shared_parameters_are_stepped_once():
    model = nn.Sequential().add(nn.Linear(2, 2))
    model.add(model.get(1).clone("weight", "bias", "gradWeight", "gradBias"))
    state = {"learningRate": 1, "momentum": 0.5, "dfdx": rekindle.zeros(6)}
    optimizer = rekindle.resume(model, state)
    assert [p.shape for g in optimizer.param_groups for p in g["params"]] == [(2, 2), (2,)]


def test_several_modules_are_one_vector():
    first, second = nn.Linear(2, 1), nn.Linear(1, 1)
    state = Table({"t": 4, "m": rekindle.arange(5), "v": rekindle.ones(5)})
    optimizer = rekindle.resume([first, second], state)
    means = [s["exp_avg"].numpy().ravel().tolist() for s in optimizer.state.values()]
    assert means == [[0, 1], [2], [3], [4]]
    assert {s["step"] for s in optimizer.state.values()} == {4}


def test_plain_classes_where_the_formulas_agree():
    parameter = [Parameter([1.0])]
    kinds = {
        optim.SGD: {"learningRate": 1},
        optim.RMSprop: {"m": rekindle.ones(1), "tmp": rekindle.ones(1)},
        optim.Adagrad: {"paramVariance": rekindle.ones(1), "paramStd": rekindle.ones(1)},
    }
    for cls, state in kinds.items():
        assert type(rekindle.resume(parameter, state)) is cls
    decaying = rekindle.resume(parameter, {"learningRate": 1, "learningRateDecay": 0.1})
    assert isinstance(decaying, optim.SGD)
    plain = optim.Adam(parameter)
    state = {"t": 4, "m": rekindle.ones(1), "v": rekindle.ones(1), "beta1": 0.7}
    plain.load_state_dict(rekindle.resume(parameter, state).state_dict())
    assert plain.state[parameter[0]]["step"] == 4
    assert plain.param_groups[0]["betas"] == (0.7, 0.999)


def test_a_resumed_run_is_saved_and_resumed_again(tmp_path):
    parameter = Parameter([1.0, 2.0])
    state = {"t": 4, "m": rekindle.ones(2), "v": rekindle.ones(2), "learningRateDecay": 0.5}
    optimizer = rekindle.resume([parameter], state)
    rekindle.save_training(tmp_path / "run", optimizer=optimizer)
    again = rekindle.resume([parameter], {"m": rekindle.zeros(2), "v": rekindle.zeros(2)})
    rekindle.load_training(tmp_path / "run", optimizer=again)
    assert again.param_groups[0]["lr_decay"] == 0.5
    assert again.state[parameter]["exp_avg"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"t": 1, "m": 0, "u": 0}, r"optim\.adamax"),
        ({"eta_t": 1.0}, r"optim\.asgd"),
        ({"old_dirs": Table()}, r"optim\.lbfgs"),
        ({"something": 1}, "a state of something"),
        ({}, "a state of nothing"),
        (3, "given int"),
        ({"momentum": 0.9, "dfdx": rekindle.zeros(7)}, "7 elements and the model 3 parameters"),
    ],
)
def test_states_that_are_not_continued(state, message):
    with pytest.raises(ResumeError, match=message):
        rekindle.resume(nn.Linear(2, 1), state)


def test_other_arguments_that_do_not_fit():
    with pytest.raises(ResumeError, match="method is one of"):
        rekindle.resume(nn.Linear(2, 1), {}, method="cg")
    with pytest.raises(ResumeError, match="no parameters"):
        rekindle.resume(nn.Tanh(), {"learningRate": 1})
    flat = rekindle.zeros(5)
    with pytest.raises(ResumeError, match="overlap"):
        rekindle.resume([flat[:3], flat[1:4]], {"learningRate": 1})
