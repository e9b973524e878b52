"""optim.de against what de.lua computed under LuaJIT, with Torch's generator replayed to it."""

import numpy as np
import pytest

from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import optim


def rosenbrock(x):
    v = x.numpy()
    return float((100 * (v[1:] - v[:-1] ** 2) ** 2 + (1 - v[:-1]) ** 2).sum())


def test_the_search_of_de_lua():
    config = {"popsize": 20, "scaleFactor": 0.5, "crossoverRate": 0.9, "maxFEs": 400}
    x, fs = optim.de(rosenbrock, Tensor(np.zeros(2)), config)
    assert x.tolist() == pytest.approx([1.049252329545709, 1.1022190590833247], rel=1e-14)
    expected = [2579.769760818125, 2214320.9451803667, 84991070.61686045]
    assert fs.tolist()[:3] == pytest.approx(expected, rel=1e-13)
    assert fs.tolist()[199::200] == pytest.approx([441.7792029362316, 0.36750076445709084])


def test_defaults_regions_and_places_that_are_left():
    config = {"scaleFactor": 0.7, "crossoverRate": 0.5, "maxFEs": 601}
    config |= {"minRegion": -2, "maxRegion": 2}
    x, fs = optim.de(lambda x: (rosenbrock(x), None), Tensor(np.zeros(3)), config)
    expected = [1.1889105817862475, 1.3852436728775501, 1.934590726855062]
    assert x.tolist() == pytest.approx(expected, rel=1e-14)
    assert fs.tolist()[-3:] == pytest.approx([127.04288286564328, 73.85057722375883, 0])


def test_single_precision():
    config = {"popsize": 5, "scaleFactor": 0.5, "crossoverRate": 0.9, "maxFEs": 50}
    x, fs = optim.de(rosenbrock, Tensor(np.zeros(2, np.float32)), config)
    assert x.tolist() == [-4.615396499633789, 21.291637420654297]
    assert fs.dtype == np.float32
    assert fs.tolist()[-3:] == pytest.approx([47.2813835144043, 3766.8193359375, 544.7178955078125])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"maxFEs": 40}, "needs scaleFactor and crossoverRate"),
        ({"maxFEs": 50, "scaleFactor": 1, "crossoverRate": 1}, "3 generations of 20 do not fit"),
        ({"maxFEs": 50, "scaleFactor": 1, "crossoverRate": 1, "popsize": 2}, "at least 3 points"),
    ],
)
def test_errors(config, message):
    with pytest.raises(optim.OptimError, match=message):
        optim.de(rosenbrock, Tensor(np.zeros(2)), config)
