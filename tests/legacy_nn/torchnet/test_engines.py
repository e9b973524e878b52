"""torchnet's engines in Python against those of the Lua package, with the same network."""

import numpy as np
import pytest

from rekindle import tensor
from rekindle.core.checkpoint import Table
from rekindle.legacy_nn import (
    ClassNLLCriterion,
    Dropout,
    Linear,
    LogSoftMax,
    Sequential,
    Tanh,
    optim,
)
from rekindle.legacy_nn import torchnet as tnt
from rekindle.legacy_nn.bridge import Runtime
from rekindle.legacy_nn.torch7 import random

RNG = np.random.default_rng(6)
X, Y = RNG.normal(size=(12, 4)), RNG.integers(1, 4, 12)
EVENTS = Table(tnt.HOOKS)

LUA = """
    tnt, optim = require 'torchnet', require 'optim'
    function run(net, x, y, kind, events)
      local list = {}
      for i = 1, x:size(1) do list[i] = {input = x[i], target = y[i]} end
      local data = tnt.TableDataset {data = list}
      local iterator = data:transform(function(t) return torch.Tensor {t} end, 'target')
          :batch(5):transform(function(t) return t:view(-1) end, 'target'):iterator()
      local engine = kind == 'sgd' and tnt.SGDEngine() or tnt.OptimEngine()
      local meter, seen, criterion = tnt.AverageValueMeter(), {}, nn.ClassNLLCriterion()
      for _, name in ipairs(events) do
        engine.hooks[name] = function(state)
          seen[#seen + 1] = name .. state.t .. tostring(state.training)
          if name == 'onForwardCriterion' then meter:add(state.criterion.output) end
          if name == 'onStartEpoch' and state.epoch == 1 and state.lr then state.lr = 0.01 end
        end
      end
      if kind == 'sgd' then
        engine:train {network = net, criterion = criterion, iterator = iterator, lr = 0.1,
                      maxepoch = 3}
      else
        engine:train {network = net, criterion = criterion, iterator = iterator, maxepoch = 3,
                      optimMethod = optim.sgd, config = {learningRate = 0.1, momentum = 0.9}}
      end
      engine:test {network = net, criterion = criterion, iterator = iterator}
      return table.concat(seen, ' '), (meter:value()), net:getParameters():clone()
    end
"""


@pytest.fixture(scope="module")
def lua():
    made = Runtime()
    made.execute(LUA)
    yield made
    made.close()


def network():
    random.manual_seed(3)
    net = Sequential()
    for layer in (Linear(4, 6), Tanh(), Dropout(0.3), Linear(6, 3), LogSoftMax()):
        net.add(layer)
    return net


def samples():
    data = tnt.TableDataset(
        [{"input": tensor(x), "target": int(y)} for x, y in zip(X, Y, strict=True)]
    )
    data = data.transform(lambda t: tensor([float(t)]), "target").batch(5)
    return data.transform(lambda t: t.reshape(-1), "target").iterator()


@pytest.mark.parametrize("kind", ["sgd", "optim"])
def test_training_is_that_of_the_lua_engine(lua, kind):
    net = network()
    call = lua.execute("return run")
    expected = call(net, tensor(X), tensor(Y.astype(float)), kind, EVENTS)

    net = network()
    engine = tnt.SGDEngine() if kind == "sgd" else tnt.OptimEngine()
    meter, seen = tnt.AverageValueMeter(), []

    def hook(name):
        def seen_by(state):
            seen.append(f"{name}{state.t}{str(state.training).lower()}")
            if name == "onForwardCriterion":
                meter.add(state.criterion.output)
            if name == "onStartEpoch" and state.epoch == 1 and hasattr(state, "lr"):
                state.lr = 0.01

        return seen_by

    for name in tnt.HOOKS:
        setattr(engine.hooks, name, hook(name))
    criterion = ClassNLLCriterion()
    if kind == "sgd":
        engine.train(network=net, criterion=criterion, iterator=samples(), lr=0.1, maxepoch=3)
    else:
        engine.train(
            network=net,
            criterion=criterion,
            iterator=samples(),
            maxepoch=3,
            optimMethod=optim.sgd,
            config={"learningRate": 0.1, "momentum": 0.9},
        )
    engine.test(network=net, criterion=criterion, iterator=samples())

    events, mean, parameters = expected
    assert " ".join(seen) == events
    np.testing.assert_allclose(meter.value()[0], mean, rtol=1e-10)
    found = net.getParameters()[0].numpy()
    np.testing.assert_allclose(found, parameters.numpy(), rtol=1e-10)
    assert np.abs(found - network().getParameters()[0].numpy()).max() > 1e-2


def test_a_network_without_a_criterion():
    outputs = []
    engine = tnt.SGDEngine()
    engine.hooks.onForward = lambda state: outputs.append(state.network.output.numpy().shape)
    engine.test(network(), samples())
    assert outputs == [(5, 3), (5, 3), (2, 3)]


def test_unknown_hooks_and_negative_rates_are_errors():
    engine = tnt.SGDEngine()
    with pytest.raises(tnt.TorchnetError, match="unknown hook 'onNothing'"):
        engine.hooks.onNothing = print
    with pytest.raises(tnt.TorchnetError, match="lr should not be negative"):
        engine.train(network(), ClassNLLCriterion(), samples(), lr=-1, lrcriterion=0)
