"""torchnet's meters in Python against those of the Lua package, on random samples."""

import numpy as np
import pytest

from rekindle import tensor
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import torchnet
from rekindle.legacy_nn.bridge import Runtime

N, CLASSES = 7, 5


@pytest.fixture(scope="module")
def lua():
    made = Runtime()
    made.execute("tnt = require 'torchnet'")
    yield made
    made.close()


def numbers(rng):
    return [(float(x), int(n)) for x, n in zip(rng.normal(size=9), range(1, 10), strict=True)]


def single(rng):
    return [(float(x),) for x in rng.normal(size=9)]


def same_shape(rng):
    return [(rng.random((N, 2)), rng.random((N, 2))) for _ in range(2)]


def classes(rng):
    batches = [(rng.random((N, CLASSES)), rng.integers(1, CLASSES + 1, N)) for _ in range(3)]
    return [*batches, (rng.random(CLASSES), np.array([2]))]


def one_hot(rng):
    rows = np.eye(CLASSES)
    return [(rng.random((N, CLASSES)), rows[rng.integers(0, CLASSES, N)]) for _ in range(2)]


def binary(rng):
    return [(rng.random((N, CLASSES)), rng.integers(0, 2, (N, CLASSES))) for _ in range(3)]


def rare(rng):  # the last class is never there, nor found
    output, target = rng.random((N, CLASSES)), rng.integers(0, 2, (N, CLASSES))
    output[:, -1], target[:, -1] = 0, 0
    return [(output, target)]


def vectors(rng):
    return [(rng.random(N), rng.integers(0, 2, N)) for _ in range(3)]


def weighted(rng):
    return [(*pair, rng.random(N)) for pair in binary(rng)]


def rankings(rng):
    return [(rng.random((N, CLASSES)), rng.random((N, CLASSES))) for _ in range(2)]


CASES = [
    ("AverageValueMeter", {}, numbers),
    ("MovingAverageValueMeter", {"windowsize": 4}, single),
    ("MSEMeter", {}, same_shape),
    ("MSEMeter", {"root": True}, same_shape),
    ("ClassErrorMeter", {"topk": [3, 1]}, classes),
    ("ClassErrorMeter", {"accuracy": True}, classes),
    ("ConfusionMeter", {"k": CLASSES}, classes),
    ("ConfusionMeter", {"k": CLASSES, "normalized": True}, one_hot),
    ("MultiLabelConfusionMeter", {"k": CLASSES}, binary),
    ("MultiLabelConfusionMeter", {"k": CLASSES, "normalized": False}, binary),
    ("AUCMeter", {}, vectors),
    ("APMeter", {}, binary),
    ("APMeter", {}, weighted),
    ("mAPMeter", {}, vectors),
    ("mAPMeter", {}, weighted),
    ("PrecisionMeter", {"threshold": [0.7, 0.2]}, binary),
    ("PrecisionMeter", {"threshold": [0.1], "perclass": True}, rare),
    ("RecallMeter", {}, binary),
    ("RecallMeter", {"perclass": True}, rare),
    ("PrecisionAtKMeter", {"topk": [2, 4]}, binary),
    ("PrecisionAtKMeter", {"topk": [3], "dim": 1}, binary),
    ("PrecisionAtKMeter", {"topk": [2, 3], "dim": 1, "online": True}, binary),
    ("NDCGMeter", {"K": [4, 1, 2]}, rankings),
]


def constructor(settings):
    def text(value):
        if isinstance(value, list):
            return "{" + ", ".join(map(str, value)) + "}"
        return str(value).lower()

    named = ", ".join(f"{name} = {text(value)}" for name, value in settings.items())
    return f"{{{named}}}"


def as_arguments(sample):
    return [tensor(x) if isinstance(x, np.ndarray) else x for x in sample]


def flat(value):
    """All numbers of a value, those of tables in the order of their keys."""
    if hasattr(value, "items"):
        return np.concatenate([np.append(key, flat(value[key])) for key in sorted(value.keys())])
    if isinstance(value, tuple):
        return np.concatenate([flat(part) for part in value])
    return np.ravel(value.numpy() if isinstance(value, Tensor) else value).astype(float)


@pytest.mark.parametrize(("name", "settings", "make"), CASES)
def test_values_are_those_of_the_lua_meter(lua, name, settings, make):
    lua.execute(f"meter = tnt.{name} {constructor(settings)}")
    add = lua.execute("return function(...) meter:add(...) end")
    value = lua.execute("return function() return meter:value() end")
    meter = getattr(torchnet, name)(**settings)
    rng = np.random.default_rng(8)
    for sample in make(rng):
        add(*as_arguments(sample))
        meter.add(*as_arguments(sample))
        expected, found = flat(value()), flat(meter.value())
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    before = flat(meter.value())
    if not settings.get("online"):
        meter.reset()
        for sample in make(np.random.default_rng(8)):
            meter.add(*sample)  # arrays count as tensors do
        np.testing.assert_array_equal(flat(meter.value()), before)


def test_without_samples():
    assert np.isnan(torchnet.AverageValueMeter().value()).all()
    assert torchnet.AUCMeter().value() == 0.5
    assert torchnet.PrecisionMeter().value(0.5) == 100
    with pytest.raises(torchnet.TorchnetError, match="add samples before"):
        torchnet.APMeter().value()


@pytest.mark.parametrize(
    ("meter", "sample", "message"),
    [
        (torchnet.ClassErrorMeter(), (np.ones((3, 2)), np.ones(2)), "3 targets expected"),
        (torchnet.ClassErrorMeter([4]), (np.ones((3, 2)), np.ones(3)), "only 2 classes"),
        (torchnet.ConfusionMeter(2), (np.ones((3, 2)), np.zeros(3)), "classes from 1 to 2"),
        (torchnet.ConfusionMeter(2), (np.ones((3, 2)), np.ones((3, 2))), "one 1"),
        (torchnet.AUCMeter(), (np.ones(3), np.full(3, 2)), "binary"),
        (torchnet.APMeter(), (np.ones(3), np.ones(3), -np.ones(3)), "negative"),
        (torchnet.MSEMeter(), (np.ones(3), np.ones(2)), "one shape"),
        (torchnet.NDCGMeter([4]), (np.ones(3), np.ones(3)), "4 results expected"),
        (torchnet.AverageValueMeter(), (1.0, -1), "cannot be negative"),
    ],
)
def test_what_does_not_fit_is_an_error(meter, sample, message):
    with pytest.raises(torchnet.TorchnetError, match=message):
        meter.add(*sample)


def test_times(monkeypatch):
    now = [10.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    meter = torchnet.TimeMeter(unit=True)
    meter.incUnit()
    meter.incUnit(3)
    now[0] = 12.0
    assert meter.value() == 0.5
    meter.stop()
    now[0] = 20.0
    assert meter.value() == 0.5
    meter.resume()
    now[0] = 22.0
    assert meter.value() == 1.0
    meter.reset()
    assert torchnet.TimeMeter().value() == 0
