"""trace: what every module of a model computed."""

from pathlib import Path

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn as nn
from rekindle.legacy_nn.trace import TraceError, trace
from rekindle.legacy_nn.values import tensors_in

MODELS = Path(__file__).parents[1] / "fixtures" / "models"


@pytest.mark.parametrize("name", ["resnet20_cifar_thin", "siamese_cosine", "charrnn_gru_2layer"])
def test_recorded_outputs_and_gradients(name):
    recorded = rekindle.load(MODELS / f"{name}.t7")
    before = {n: m.train for n, m in recorded.model.named_modules()}
    found = trace(recorded.model, recorded.input, grad=recorded.gradOutput, train=False)
    outputs = [t.numpy() for t in tensors_in(recorded.output)]
    for ours, theirs in zip(found.calls[-1].outputs, outputs, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10 * abs(theirs).max())
    assert {n: m.train for n, m in recorded.model.named_modules()} == before
    assert all("updateOutput" not in vars(m) for _, m in recorded.model.named_modules())
    assert len(found.gradients) == len(recorded.model.parameters()[0])


def test_calls_come_in_order_with_both_names():
    model = nn.Sequential().add(nn.Linear(2, 3))
    model.add(nn.Sequential().add(nn.ReLU(True)).add(nn.Linear(3, 1)))
    x = rekindle.tensor([[1.0, -1.0]])
    found = trace(model, x, grad=True)
    names = [(c.path, c.name, c.kind, c.leaf) for c in found.calls]
    assert names == [
        ("modules[1]", "0", "nn.Linear", True),
        ("modules[2].modules[1]", "1.0", "nn.ReLU", True),
        ("modules[2].modules[2]", "1.1", "nn.Linear", True),
        ("modules[2]", "1", "nn.Sequential", False),
        ("(the model)", "", "nn.Sequential", False),
    ]
    linear, relu = found.calls[:2]
    weight, bias = model.get(1).weight.numpy(), model.get(1).bias.numpy()
    expected = x.numpy() @ weight.T + bias
    np.testing.assert_allclose(linear.outputs[0], expected)  # ReLU wrote into it later
    np.testing.assert_allclose(relu.inputs[0], expected)
    last = model.get(2).get(2).weight.numpy()
    through = last * (expected > 0)
    np.testing.assert_allclose(linear.grad_inputs[0], through @ weight)
    np.testing.assert_allclose(found.gradients["0.weight"], through.T @ x.numpy())
    assert sorted(found.gradients) == ["0.bias", "0.weight", "1.1.bias", "1.1.weight"]


def test_modules_of_core_and_their_modes():
    model = rekindle.nn.Sequential(rekindle.nn.Linear(2, 3), rekindle.nn.Dropout(0.5))
    found = trace(model, np.ones((1, 2)))
    assert [c.path for c in found.calls] == ["0", "1", "(the model)"]
    assert found.calls[0].outputs[0].tolist() == found.calls[1].outputs[0].tolist()
    assert model.training
    assert model[1].training


def test_a_module_that_is_called_twice():
    shared = nn.Linear(2, 2)
    found = trace(nn.Sequential().add(shared).add(shared), rekindle.ones((1, 2)))
    first, second, _ = found.calls
    assert (first.path, second.path) == ("modules[1]", "modules[1]")
    assert second.inputs[0].tolist() == first.outputs[0].tolist()


class Twice(nn.Sequential):
    """Runs a copy of its module on what the module gave, as recurrent modules do."""

    def updateOutput(self, input):
        first = self.get(1).updateOutput(input)
        self.clones = rekindle.Table([self.get(1).clone()])
        self.output = self.clones[1].updateOutput(first)
        return self.output


def test_clones_that_a_recurrent_module_makes_are_left_as_they_are():
    model = Twice().add(nn.Linear(3, 3))
    found = trace(model, np.ones((1, 3)))
    assert [c.path for c in found.calls] == ["modules[1]", "modules[1]", "(the model)"]
    for module in (model, model.get(1), model.clones[1]):
        assert not {"updateOutput", "backward", "updateGradInput"} & vars(module).keys()


def test_errors_say_where():
    model = nn.Sequential().add(nn.Linear(2, 3)).add(nn.Linear(4, 1))
    with pytest.raises(TraceError, match=r"modules\[2\] does not take its input"):
        trace(model, rekindle.ones((1, 2)))
    assert "updateOutput" not in vars(model)
    with pytest.raises(TraceError, match="a dict is no model"):
        trace({}, 1)
    with pytest.raises(TraceError, match="in legacy models"):
        trace(rekindle.nn.Linear(1, 1), np.ones((1, 1)), grad=True)
