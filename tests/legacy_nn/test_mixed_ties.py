"""Parameters that a legacy module and a module of core have together, through conversions."""

import numpy as np
import pytest

from rekindle import legacy_nn as nn
from rekindle.core import nn as core_nn
from rekindle.core.creation import tensor


def tied(core_first, core_owns):
    core, legacy = core_nn.Linear(3, 3), nn.Linear(3, 3).float()
    if core_owns:
        legacy.weight = core.weight
    else:
        core.weight = legacy.weight
    model = nn.Sequential()
    for module in (core, legacy) if core_first else (legacy, core):
        model.add(module)
    return model, (lambda: model.listModules()[1 if core_first else 2].core), legacy


@pytest.mark.parametrize("core_first", [True, False])
@pytest.mark.parametrize("core_owns", [True, False])
def test_ties_outlive_conversions(core_first, core_owns):
    model, core, legacy = tied(core_first, core_owns)
    before = legacy.weight.numpy().copy()
    for name, dtype in (("double", np.float64), ("half", np.float16), ("float", np.float32)):
        assert getattr(model, name)() is model
        assert core().weight is legacy.weight
        assert legacy.weight.dtype == legacy.gradWeight.dtype == dtype
        assert core().bias.dtype == dtype
    np.testing.assert_allclose(legacy.weight.numpy(), before, rtol=1e-3)
    x = tensor(np.ones((2, 3), dtype=np.float32))
    model.zeroGradParameters()
    model.forward(x)
    model.backward(x, x)
    expected = legacy.gradWeight.numpy().copy()
    model.zeroGradParameters()
    model(x).backward(x)
    np.testing.assert_allclose(legacy.gradWeight.numpy(), expected, rtol=1e-5)
    model.getParameters()
    legacy.weight.detach().fill_(2)
    np.testing.assert_array_equal(core().weight.numpy(), np.full((3, 3), 2))


def test_views_of_one_flat_tensor_stay_together():
    model, core, legacy = tied(core_first=False, core_owns=True)
    flat, _ = model.getParameters()
    model.double()
    storages = {id(p.storage()) for p in model.parameters()[0]}
    assert len(storages) == 1
    assert core().bias.storage() is legacy.bias.storage()
    assert flat.dtype == np.float32
