"""Containers as the lists and dicts that they are."""

import numpy as np
import pytest

from rekindle.core import nn
from rekindle.core.tensor import Parameter, Tensor


def names(module):
    return [type(m).__name__ for m in module]


def test_sequential():
    net = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.Sigmoid())
    x = np.array([-1.0, 2.0])
    expected = 1 / (1 + np.exp(-np.tanh(np.maximum(x, 0))))
    assert np.allclose(net(Tensor(x)).numpy(), expected, atol=1e-15)
    assert names(net[1:]) == ["Tanh", "Sigmoid"]
    assert isinstance(net[1:], nn.Sequential)
    assert list(net[1:]._modules) == ["1", "2"]
    assert net[-1] is net[2]
    net.append(nn.ELU()).insert(0, nn.Identity()).extend([nn.GELU()])
    assert names(net) == ["Identity", "ReLU", "Tanh", "Sigmoid", "ELU", "GELU"]
    assert list(net._modules) == list("012345")
    del net[1:3]
    assert type(net.pop(0)).__name__ == "Identity"
    net[0] = nn.Mish()
    assert names(net) == ["Mish", "ELU", "GELU"]
    assert list(net._modules) == list("012")
    with pytest.raises(IndexError, match="Sequential has 3 modules; given index 3"):
        net[3]
    assert len(nn.Sequential()) == 0
    assert nn.Sequential()


def test_sequential_with_names():
    net = nn.Sequential({"first": nn.Linear(2, 3), "act": nn.ReLU()})
    assert net.act is net[1]
    assert list(net.state_dict()) == ["first.weight", "first.bias"]
    net.append(nn.Tanh())
    assert list(net._modules) == ["first", "act", "2"]
    net.extend([nn.ReLU()])
    assert list(net._modules) == ["first", "act", "2", "3"]
    net[0] = nn.Linear(2, 4)
    assert net.first.out_features == 4


def test_module_list():
    modules = nn.ModuleList([nn.Linear(1, 1)])
    modules += [nn.ReLU()]
    joined = modules + nn.ModuleList([nn.Tanh()])
    assert names(joined) == ["Linear", "ReLU", "Tanh"]
    assert len(modules) == 2
    assert len(list(joined.parameters())) == 2
    assert names(joined[::2]) == ["Linear", "Tanh"]


def test_module_dict():
    modules = nn.ModuleDict({"a": nn.ReLU()})
    modules["b"] = nn.Linear(1, 1)
    modules.update({"a": nn.Tanh()})
    assert list(modules) == list(modules.keys()) == ["a", "b"]
    assert [type(m).__name__ for m in modules.values()] == ["Tanh", "Linear"]
    assert dict(modules.items())["b"] is modules["b"]
    assert "a" in modules
    assert len(modules) == 2
    assert type(modules.pop("a")).__name__ == "Tanh"
    del modules["b"]
    modules["c"] = nn.ReLU()
    modules.clear()
    assert len(modules) == 0
    with pytest.raises(KeyError):
        modules["a"]


def test_parameter_list():
    own = Parameter(np.ones(2))
    values = nn.ParameterList([own, Tensor(np.zeros(3))])
    assert values[0] is own
    assert isinstance(values[1], Parameter)
    values.append(Tensor(np.ones(1)))
    values[1] = own
    assert [p.shape for p in values] == [(2,), (2,), (1,)]
    assert list(values.state_dict()) == ["0", "1", "2"]
    with pytest.raises(TypeError, match="ParameterList holds Tensors; given float"):
        values.append(1.0)
