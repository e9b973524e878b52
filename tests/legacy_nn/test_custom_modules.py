"""Modules that users write: any of the methods overridden, in both protocols, inside containers."""

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn as nn
from rekindle.core import checkpoint, ops
from rekindle.core.autograd import check_grads
from rekindle.core.checkpoint import Table, TorchObject
from rekindle.core.creation import full, tensor, zeros
from rekindle.legacy_nn.errors import ModuleError
from rekindle.legacy_nn.going_back import SideBySide
from rekindle.legacy_nn.stated_gradient import StatedGradient


def doubles(*shape, seed=0):
    return tensor(np.random.default_rng(seed).normal(size=shape))


class OutputOnly(nn.Module):
    t7_typename = "test.OutputOnly"

    def updateOutput(self, input):
        self.output = input * 2
        return self.output


class WithGradInput(OutputOnly):
    t7_typename = "test.WithGradInput"

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * 2
        return self.gradInput


class Scale(nn.Module):
    """All three methods, and a parameter, written as in Lua."""

    t7_typename = "test.Scale"

    def __init__(self, size):
        super().__init__()
        self.weight = full(size, 3, "float64")
        self.gradWeight = zeros(size, "float64")

    def updateOutput(self, input):
        self.output = input * self.weight
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * self.weight
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight.add_((input * gradOutput).sum(axis=0) * scale)


class Computed(nn.Module):
    """Its arithmetic alone."""

    t7_typename = "test.Computed"

    def __init__(self, size):
        super().__init__()
        self.weight = full(size, 3, "float64")
        self.gradWeight = zeros(size, "float64")

    def compute(self, input):
        return ops.tanh(input) * self.weight


class LinearTwice(nn.Linear):
    """A class of the package with one method of its own."""

    t7_typename = "test.LinearTwice"

    def updateOutput(self, input):
        self.output = super().updateOutput(input) * 2
        return self.output

    def updateGradInput(self, input, gradOutput):
        return super().updateGradInput(input, gradOutput * 2)

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale * 2)


MAKERS = {
    "gradInput": WithGradInput,
    "all": lambda: Scale(3),
    "compute": lambda: Computed(3),
    "subclass": lambda: LinearTwice(3, 3),
}


@pytest.fixture(params=MAKERS)
def model(request):
    """Return a model with a custom module between two of the package's."""
    rekindle.torch_seed(1)
    return nn.Sequential().add(nn.Linear(3, 3)).add(MAKERS[request.param]()).add(nn.Linear(3, 2))


def test_the_two_protocols_agree(model):
    x, g = doubles(4, 3), doubles(4, 2, seed=1)
    flat, gradients = model.getParameters()
    output = model.forward(x)
    model.zeroGradParameters()
    found = model.backward(x, g)
    assert flat.size == gradients.size == sum(p.size for p in model.parameters()[0])
    kept = gradients.numpy().copy()
    leaf = doubles(4, 3).requires_grad_()
    model.zeroGradParameters()
    fresh = model(leaf)
    (fresh * g).sum().backward()
    np.testing.assert_allclose(fresh.detach().numpy(), output.numpy(), rtol=1e-12)
    np.testing.assert_allclose(leaf.grad.numpy(), found.numpy(), rtol=1e-12)
    np.testing.assert_allclose(gradients.numpy(), kept, rtol=1e-12)


def test_slopes(model):
    check_grads(model, [doubles(4, 3)], order=1, modes=("reverse",))


def test_copies_and_files(model):
    x, g = doubles(4, 3), doubles(4, 2, seed=1)
    output, found = model.forward(x).numpy().copy(), model.backward(x, g).numpy().copy()
    custom = type(model.get(2))
    checkpoint.register(custom.t7_typename, custom)
    again = checkpoint.loads(checkpoint.dumps(model))
    assert type(again.get(2)) is custom
    for other in (model.clone(), again):
        np.testing.assert_array_equal(other.forward(x).numpy(), output)
        np.testing.assert_array_equal(other.backward(x, g).numpy(), found)
    single = model.clone().float()
    assert single.forward(x.astype("float32")).dtype == np.float32
    assert model.findModules(custom.t7_typename)[0] == [model.get(2)]
    assert model.clearState().get(2).output.size == 0


def test_inside_tables_and_graphs():
    x = doubles(4, 3)
    node = nn.Identity()()
    graph = nn.gModule([node], [Scale(3)(node), Computed(3)(node)])
    tables = nn.ConcatTable().add(Scale(3)).add(Computed(3))
    for model in (graph, tables):
        outputs = model.forward(x)
        np.testing.assert_allclose(outputs[1].numpy(), x.numpy() * 3)
        np.testing.assert_allclose(outputs[2].numpy(), np.tanh(x.numpy()) * 3)
        found = model.backward(x, Table([x, x]))
        slope = 3 + 3 * (1 - np.tanh(x.numpy()) ** 2)
        np.testing.assert_allclose(found.numpy(), x.numpy() * slope)


def test_an_output_alone_goes_nowhere_back():
    module, x = OutputOnly(), doubles(4, 3)
    module.forward(x)
    assert module.backward(x, x) is module.gradInput
    assert module.gradInput.size == 0
    model = nn.Sequential().add(module).add(nn.Linear(3, 2))
    model.forward(x)
    model.backward(x, doubles(4, 2))
    assert model.get(2).gradWeight.numpy().any()
    with pytest.raises(ModuleError, match="no updateGradInput"):
        model(x.requires_grad_()).sum().backward()


def test_a_class_without_a_name_of_its_own_does_not_pass_for_its_base():
    class Nameless(nn.ReLU):
        pass

    assert repr(Nameless()) == "Nameless"
    assert isinstance(checkpoint.loads(checkpoint.dumps(Nameless())), TorchObject)


# -- optimisers that let gradients go -----------------------------------------------------


def test_setting_grad_to_none_clears_the_field_and_keeps_it():
    module = nn.Linear(3, 2)
    flat, gradients = module.getParameters()
    x = doubles(4, 3)
    module(x).sum().backward()
    expected = gradients.numpy().copy()
    assert expected.any()
    for parameter in module.parameters()[0]:
        parameter.grad = None
    assert not gradients.numpy().any()
    assert module.weight.grad is module.gradWeight
    module(x).sum().backward()
    np.testing.assert_array_equal(gradients.numpy(), expected)
    assert module.gradWeight.storage() is gradients.storage()
    assert flat.storage() is module.weight.storage()


def test_another_gradient_is_copied_into_the_field():
    module = nn.Linear(3, 2)
    kept = module.gradWeight
    module.weight.grad = full((2, 3), 5, "float64")
    assert module.weight.grad is module.gradWeight is kept
    assert kept.tolist() == [[5, 5, 5], [5, 5, 5]]


def test_a_field_that_is_taken_away_takes_the_gradient_with_it():
    module = nn.Linear(3, 2)
    del module.gradWeight
    assert module.weight.grad is None
    module(doubles(4, 3)).sum().backward()
    assert module.weight.grad is not None
    module.weight.grad = None
    assert module.weight.grad is None


def test_an_abstract_method_says_what_it_is_to_do():
    class Halves(SideBySide, nn.Container):
        def flow(self, input, step):
            return step(1, input)

    class Limited(StatedGradient):
        def compute(self, input):
            return ops.clamp(input, min=0, max=1)

    x = doubles(2, 3)
    with pytest.raises(ModuleError, match=r"Halves does not define shares\(\).*SideBySide.*Yield"):
        Halves().add(nn.Tanh()).backward(x, x)
    with pytest.raises(NotImplementedError, match=r"Limited does not define gradients\(\)"):
        Limited().backward(x, x)
