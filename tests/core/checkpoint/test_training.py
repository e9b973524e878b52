"""A training run that stops and goes on is the run that never stopped, bit for bit."""

import numpy as np
import pytest

import rekindle
from rekindle import nn, optim
from rekindle.core.checkpoint import PackingError, TrainingError
from rekindle.core.checkpoint.packing import pack, unpack

X = np.random.Generator(np.random.PCG64(0)).normal(size=(8, 5)).astype(np.float32)

OPTIMISERS = {
    "SGD": lambda p: optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
    "Adam": lambda p: optim.Adam(p, 0.01, amsgrad=True),
    "RMSprop": lambda p: optim.RMSprop(p, 0.01, centered=True, momentum=0.5),
    "Adagrad": lambda p: optim.Adagrad(p, 0.1, lr_decay=0.1),
    "Adadelta": lambda p: optim.Adadelta(p),
    "LBFGS": lambda p: optim.LBFGS(p, max_iter=3, line_search_fn="strong_wolfe"),
}

SCHEDULES = {
    "OneCycleLR": lambda o: optim.OneCycleLR(o, 0.2, 20, cycle_momentum=False),
    "ReduceLROnPlateau": lambda o: optim.ReduceLROnPlateau(o, patience=0),
    "SequentialLR": lambda o: optim.SequentialLR(
        o, [optim.LinearLR(o), optim.ExponentialLR(o, 0.9)], [2]
    ),
}


def run(optimiser, schedule):
    """Return the parts of a run whose every step draws, counts and changes buffers."""
    net = nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Dropout(0.5), nn.Linear(6, 1))
    optimizer = OPTIMISERS[optimiser](net.parameters())
    return {"model": net, "optimizer": optimizer, "schedule": SCHEDULES[schedule](optimizer)}


def train(model, optimizer, schedule, steps):
    losses = []
    for _ in range(steps):
        x = rekindle.tensor(X) + 0.1 * rekindle.random.normal(X.shape)

        def closure(x=x):
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            return loss

        losses.append(float(optimizer.step(closure)))
        measured = isinstance(schedule, optim.ReduceLROnPlateau)
        schedule.step(losses[-1]) if measured else schedule.step()
    return losses


CASES = [(o, s, "safetensors") for o in OPTIMISERS for s in SCHEDULES]
CASES += [(o, "OneCycleLR", "npz") for o in OPTIMISERS]


@pytest.mark.parametrize(("optimiser", "schedule", "extension"), CASES)
def test_a_resumed_run_goes_on_bit_for_bit(tmp_path, optimiser, schedule, extension):
    rekindle.manual_seed(3)
    parts = run(optimiser, schedule)
    train(**parts, steps=4)
    path = tmp_path / f"run.{extension}"
    rekindle.save_training(path, **parts, epoch=4, best=[0.1, float("inf")])
    expected = train(**parts, steps=4)

    rekindle.manual_seed(99)
    resumed = run(optimiser, schedule)
    assert rekindle.load_training(path, **resumed) == {"epoch": 4, "best": [0.1, float("inf")]}
    assert train(**resumed, steps=4) == expected
    assert resumed["schedule"].get_last_lr() == parts["schedule"].get_last_lr()
    for (name, a), b in zip(
        parts["model"].state_dict().items(), resumed["model"].state_dict().values(), strict=True
    ):
        assert a.numpy().tobytes() == b.numpy().tobytes(), name


def test_generators_are_parts(tmp_path):
    from rekindle.legacy_nn.torch7 import random as torch_random

    own = rekindle.Generator(5)
    own.stream.random()
    rekindle.torch_seed(8)
    path = tmp_path / "run"
    rekindle.save_training(path, own=own, torch7=torch_random.default)

    def draw():
        return own.stream.random(), torch_random.default.normal(3, 0, 1).tolist()

    expected = draw()
    assert draw() != expected
    rekindle.load_training(path, own=own, torch7=torch_random.default)
    assert draw() == expected


def test_the_tensors_of_a_run_are_a_state(tmp_path):
    net = nn.Linear(2, 2)
    rekindle.save_training(tmp_path / "run", model=net)
    state = rekindle.load_state(tmp_path / "run")
    assert state["model.weight"].tolist() == net.weight.tolist()


def test_parts_that_do_not_fit_are_listed_and_nothing_is_loaded(tmp_path):
    net = nn.Linear(2, 2)
    path = tmp_path / "run.safetensors"
    rekindle.save_training(path, model=net, optimizer=optim.SGD(net.parameters(), 0.5))
    other = nn.Linear(2, 2)
    before = other.weight.tolist()
    with pytest.raises(TrainingError) as raised:
        rekindle.load_training(path, model=other, schedule=1)
    assert "in the file, not given: optimizer" in str(raised.value)
    assert "given, not in the file: schedule" in str(raised.value)
    assert other.weight.tolist() == before


def test_errors(tmp_path):
    with pytest.raises(TrainingError, match="default generator"):
        rekindle.save_training(tmp_path / "run", random=1)
    with pytest.raises(TrainingError, match=r"\.safetensors or \.npz"):
        rekindle.save_training(tmp_path / "run.pt", epoch=1)
    with pytest.raises(PackingError, match=r"options\.when: a object"):
        rekindle.save_training(tmp_path / "run", options={"when": object()})
    assert not list(tmp_path.iterdir())
    rekindle.save_state({"a": rekindle.zeros(1)}, tmp_path / "state")
    with pytest.raises(TrainingError, match="load_state reads it"):
        rekindle.load_training(tmp_path / "state")


def test_packing_keeps_what_json_would_not():
    value = {
        1: (1, [2.5, None, True, "x"]),
        "a.b": rekindle.ones(2),
        "a": {"b": np.zeros(3), "c": np.float64(0.1)},
        (1, "k"): {"big": 2**127, "nan": float("nan")},
    }
    tensors = {}
    found = unpack(pack(value, tensors), tensors)
    assert list(found) == list(value)
    assert found[1] == value[1]
    assert isinstance(found[1], tuple)
    assert found["a.b"].tolist() == [1, 1]
    assert found["a"]["b"].tolist() == [0, 0, 0]
    assert found[(1, "k")]["big"] == 2**127
    assert np.isnan(found[(1, "k")]["nan"])
