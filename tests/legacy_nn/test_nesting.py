"""Walks through modules inside modules, far deeper than Python nests calls by itself."""

import pickle
import sys
import time

import numpy as np
import pytest

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.creation import tensor
from rekindle.legacy_nn.errors import ModuleError

LEVELS = 1200

WRAPPERS = {
    "Sequential": lambda m: nn.Sequential().add(m),
    "Concat": lambda m: nn.Concat(1).add(m),
    "Bottle": lambda m: nn.Bottle(m, 1),
    "Decorator": nn.Decorator,
}


def deep(wrap, levels=LEVELS):
    module = inner = nn.Linear(3, 2)
    for _ in range(levels):
        module = wrap(module)
    return module, inner


@pytest.mark.parametrize("name", WRAPPERS)
def test_every_walk_reaches_the_bottom(name, tmp_path):
    limit = sys.getrecursionlimit()
    module, inner = deep(WRAPPERS[name])
    x, g = np.array([1.0, 2, 3]), np.array([0.5, -1])
    expected = inner.weight.numpy() @ x + inner.bias.numpy()
    np.testing.assert_allclose(module.forward(tensor(x)).numpy(), expected)
    module.zeroGradParameters()
    found = module.backward(tensor(x), tensor(g))
    np.testing.assert_allclose(found.numpy(), g @ inner.weight.numpy())
    np.testing.assert_allclose(inner.gradWeight.numpy(), np.outer(g, x))
    module.updateGradInput(tensor(x), tensor(g))
    module.accGradParameters(tensor(x), tensor(g))
    np.testing.assert_allclose(inner.gradWeight.numpy(), 2 * np.outer(g, x))
    module.zeroGradParameters()
    module(tensor(x)).backward(tensor(g))
    np.testing.assert_allclose(inner.gradWeight.numpy(), np.outer(g, x))
    assert module.evaluate() is module
    assert inner.train is False
    assert module.training() is module
    flat, _ = module.getParameters()
    assert flat.shape == (8,)
    module.updateParameters(0.5)
    assert len(module.listModules()) == LEVELS + 1
    assert module.findModules("nn.Linear")[0] == [inner]
    seen = []
    module.apply(seen.append)
    assert len(seen) == LEVELS + 1
    assert module.replace(lambda m: m) is module
    shared = module.clone("weight")
    assert shared.listModules()[-1].weight.storage() is inner.weight.storage()
    assert module.float().listModules()[-1].weight.dtype == np.float32
    module.reset()
    checkpoint.save(module.clearState(), tmp_path / "deep.t7")
    loaded = checkpoint.load(tmp_path / "deep.t7")
    np.testing.assert_array_equal(loaded.listModules()[-1].weight.numpy(), inner.weight.numpy())
    assert sys.getrecursionlimit() == limit


def test_texts_of_nested_modules():
    module, _ = deep(WRAPPERS["Sequential"], 300)
    lines = repr(module).split("\n")
    assert lines[301 * 2 - 2] == f"{'  ' * 300}(1): nn.Linear(3 -> 2)"


class Shouting(nn.Sequential):
    """A container with a text of its own, made of that of what is inside."""

    def __repr__(self):
        return "\n".join(f"! {line}" for line in super().__repr__().upper().split("\n"))


def test_texts_of_ones_own_inside_others():
    inner = nn.Concat(1).add(nn.Sequential().add(nn.Linear(3, 2)).add(nn.Tanh())).add(nn.Tanh())
    module = nn.Sequential().add(nn.Sequential().add(Shouting().add(inner)).add(nn.Identity()))
    alone = repr(Shouting().add(inner)).split("\n")
    assert len(alone) == len(repr(inner).split("\n")) + 3
    assert all(line.startswith("! ") for line in alone)
    lines = repr(module).split("\n")
    assert lines[4] == f"    (1): {alone[0]}"
    assert lines[5 : 4 + len(alone)] == [f"    {line}" for line in alone[1:]]
    assert lines[4 + len(alone) :] == ["    (2): nn.Identity", "  }", "}"]


def test_texts_take_as_long_as_they_are():
    module, _ = deep(WRAPPERS["Sequential"], 2000)
    start = time.process_time()
    text = repr(module)
    assert time.process_time() - start < 3  # 20 s where every level copies all lines inside
    assert len(text) > 8e6


@pytest.mark.parametrize("name", WRAPPERS)
def test_pickles_of_deep_models(name):
    limit = sys.getrecursionlimit()
    module, inner = deep(WRAPPERS[name])
    loaded = pickle.loads(pickle.dumps(module))
    assert len(loaded.listModules()) == LEVELS + 1
    np.testing.assert_array_equal(loaded.listModules()[-1].weight.numpy(), inner.weight.numpy())
    x = tensor(np.array([1.0, 2, 3]))
    np.testing.assert_array_equal(loaded.forward(x).numpy(), module.forward(x).numpy())
    assert sys.getrecursionlimit() == limit


def test_errors_at_the_bottom_name_every_level():
    module, _ = deep(WRAPPERS["Sequential"])
    with pytest.raises(ValueError, match="size mismatch") as caught:
        module.forward(tensor(np.ones(4)))
    assert caught.value.__notes__ == ["In 1 module of nn.Sequential:"] * LEVELS


def test_a_module_inside_itself_is_an_error():
    limit = sys.getrecursionlimit()
    module = nn.Sequential()
    module.add(module)
    with pytest.raises(ModuleError, match="hold themselves"):
        module.forward(tensor(np.ones(3)))
    with pytest.raises(ModuleError, match="hold themselves"):
        module.parameters()
    assert sys.getrecursionlimit() == limit
