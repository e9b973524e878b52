"""nn.StochasticGradient, nn.Jacobian, nn.utils, and the two protocols together."""

import numpy as np
import pytest
from recorded import FIXTURES, assert_close

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.autograd import no_grad
from rekindle.core.checkpoint import Table
from rekindle.core.creation import ones, tensor, zeros
from rekindle.legacy_nn.errors import ArgumentError
from rekindle.legacy_nn.torch7 import random

RECORD = FIXTURES / "modules" / "special_StochasticGradient.t7"


def drawn(*shape):
    return random.uniform(zeros(shape, "float64"), -1, 1)


def trainer_of(record):
    trainer = nn.StochasticGradient(record.module, record.criterion)
    for name in ("learningRate", "learningRateDecay", "maxIteration", "shuffleIndices"):
        setattr(trainer, name, record[name])
    return trainer


def test_stochastic_gradient(capsys):
    record = checkpoint.load(RECORD)
    trainer, errors, seen = trainer_of(record), [], []
    trainer.hookIteration = lambda _, iteration, error: errors.append((iteration, error))
    trainer.hookExample = lambda _, example: seen.append(example)
    trainer.train(record.dataset)
    expected = record.errors.array()
    assert [i for i, _ in errors] == [1, 2, 3]
    np.testing.assert_allclose([e for _, e in errors], expected, rtol=1e-10)
    assert seen == record.dataset.array() * 3
    for ours, theirs in zip(
        trainer.module.parameters()[0], record.module_after.parameters()[0], strict=True
    ):
        assert_close(ours.detach(), theirs.detach())
    assert capsys.readouterr().out.splitlines() == [
        "# StochasticGradient: training",
        *(f"# current error = {e:.14g}" for e in expected),
        "# StochasticGradient: you have reached the maximum number of iterations",
        f"# training error = {expected[-1]:.14g}",
    ]


def test_stochastic_gradient_of_tables_with_a_method_size(capsys):
    trainer = nn.StochasticGradient(nn.Linear(2, 1), nn.MSECriterion())
    trainer.maxIteration = 1
    example = Table([drawn(2), drawn(1)])
    trainer.train(Table({1: example, 2: example, "size": lambda self: self.count() - 1}))
    trainer.train(Table({1: example, "size": lambda: 1}))
    assert capsys.readouterr().out.count("training error") == 2


def test_stochastic_gradient_of_other_data_sets(capsys):
    class Dataset:
        def __init__(self, examples):
            self.examples = examples

        def size(self):
            return len(self.examples)

        def __getitem__(self, i):
            return self.examples[i - 1]

    found = []
    for kind in (list, Dataset):
        record = checkpoint.load(RECORD)
        trainer = trainer_of(record)
        trainer.shuffleIndices, trainer.verbose = True, False
        random.manual_seed(3)
        trainer.train(kind([(e[1], e[2]) for e in record.dataset.array()]))
        found.append(trainer.module.get(1).weight.detach())
    assert_close(found[0], found[1])
    assert len(capsys.readouterr().out.splitlines()) == 6


MODULES = {
    "Linear": (lambda: nn.Linear(3, 2), (4, 3)),
    "Tanh": (nn.Tanh, (4, 3)),
    "SpatialConvolution": (lambda: nn.SpatialConvolution(2, 3, 2, 2), (1, 2, 4, 4)),
    "Sequential": (
        lambda: nn.Sequential().add(nn.Linear(3, 4)).add(nn.Sigmoid()).add(nn.Linear(4, 2)),
        (2, 3),
    ),
    "TemporalConvolution": (lambda: nn.TemporalConvolution(3, 2, 2), (5, 3)),
}


@pytest.mark.parametrize("name", MODULES)
def test_jacobian(name):
    make, shape = MODULES[name]
    random.manual_seed(1)
    module, input = make(), zeros(shape, "float64")
    assert nn.Jacobian.testJacobian(module, input) < 1e-6
    assert nn.Jacobian.testIO(module, input) == (0, 0)
    for p, g in zip(*module.parameters(), strict=True):
        assert nn.Jacobian.testJacobianParameters(module, input, p, g) < 1e-6
        assert nn.Jacobian.testJacobianUpdateParameters(module, input, p) < 1e-6
    if "weight" in vars(module):
        errors = nn.Jacobian.testAllUpdate(module, input, "weight", "gradWeight")
        assert len(errors) == 4
        assert max(errors.values()) < 1e-10


def test_jacobian_finds_a_wrong_gradient():
    class Wrong(nn.Tanh):
        def updateGradInput(self, input, gradOutput):
            return super().updateGradInput(input, gradOutput * 1.01)

    assert nn.Jacobian.testJacobian(Wrong(), zeros(3, "float64")) > 1e-3


@pytest.mark.parametrize("shared", [False, True])
def test_steps_of_bare_rows(shared):
    random.manual_seed(2)
    module = nn.PartialLinear(3, 4)
    module.setPartition(tensor([1, 3], "float64"))
    module.shared = shared
    expected = module.clone()
    x, g = drawn(2, 3), drawn(2, 2)
    for m in (module, expected):
        m.zeroGradParameters()
        m.forward(x)
    module.backwardUpdate(x, g, 0.1)
    expected.backward(x, g)
    expected.updateParameters(0.1)
    for ours, theirs in zip(module.parameters()[0], expected.parameters()[0], strict=True):
        assert_close(ours.detach(), theirs.detach())
    assert not any(grad.numpy().any() for grad in module.parameters()[1])


# -- custom modules -----------------------------------------------------------------------


class Scale(nn.Module):
    """A module as one would write it in Lua."""

    def __init__(self, n):
        super().__init__()
        self.weight = ones(n, "float64") * 2
        self.gradWeight = zeros(n, "float64")

    def updateOutput(self, input):
        self.output = input.detach() * self.weight.detach()
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * self.weight.detach()
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight.add_(gradOutput * input * scale)


def test_a_module_that_overrides_torchs_methods_in_a_graph():
    x = tensor([1.0, 3.0], "float64").requires_grad_()
    module = Scale(2)
    model = nn.Sequential().add(module).add(nn.Square())
    model(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [8, 24])
    np.testing.assert_allclose(module.weight.grad.numpy(), [4, 36])
    assert module.weight.grad is module.gradWeight


def test_a_module_that_overrides_torchs_methods_alone():
    x, module = tensor([1.0, 3.0], "float64"), Scale(2)
    module(x).sum().backward()
    np.testing.assert_allclose(module.gradWeight.numpy(), [1, 3])


# -- utils --------------------------------------------------------------------------------


def test_utils_resize_and_fill():
    given = Table({1: zeros((2, 3), "float64"), "a": Table([zeros(4, "float64")])})
    made, same = nn.utils.recursiveResizeAs(Table({1: zeros(1, "float64"), 2: zeros(1)}), given)
    assert same is given
    assert made[1].shape == (2, 3)
    assert made.a[1].shape == (4,)
    assert 2 not in made
    assert nn.utils.recursiveFill(made, 3) is made
    assert made.a[1].tolist() == [3] * 4


def test_utils_add_and_copy():
    a, b = Table([ones(2, "float64")]), Table([ones(2, "float64") * 4])
    nn.utils.recursiveAdd(a, 0.5, b)
    assert a[1].tolist() == [3, 3]
    nn.utils.recursiveAdd(a, b)
    assert a[1].tolist() == [7, 7]
    copied, _ = nn.utils.recursiveCopy(None, b)
    assert copied[1].tolist() == [4, 4]
    assert copied[1] is not b[1]
    with pytest.raises(ArgumentError, match="expecting nested tensors or tables"):
        nn.utils.recursiveFill(3, 1)


def test_utils_views():
    x = tensor(np.arange(6.0).reshape(2, 3))
    assert nn.utils.addSingletonDimension(x, 2).shape == (2, 1, 3)
    assert nn.utils.addSingletonDimension(x, 2).storage() is x.storage()
    with pytest.raises(ArgumentError, match="invalid dimension: 4"):
        nn.utils.addSingletonDimension(x, 4)
    assert nn.utils.contiguousView(None, x, 6).storage() is x.storage()
    assert nn.utils.contiguousView(None, x.T, 6).tolist() == [0, 3, 1, 4, 2, 5]


def test_gradients_of_an_inherited_forward_pass_may_be_overridden_alone():
    class Reversed(nn.Linear):
        def updateGradInput(self, input, gradOutput):
            return super().updateGradInput(input, -gradOutput)

    module, x = Reversed(2, 1), tensor([1.0, 2.0], "float64").requires_grad_()
    module(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), -module.weight.detach().numpy()[0])
    np.testing.assert_allclose(module.weight.grad.numpy(), [[1, 2]])


def test_each_call_goes_back_to_its_own_input():
    module = Scale(2)
    x, y = tensor([1.0, 3.0], "float64"), tensor([5.0, 7.0], "float64")
    (module(x) * 10 + module(y)).sum().backward()
    np.testing.assert_allclose(module.gradWeight.numpy(), [15, 37])


def test_nothing_is_recorded_without_gradients():
    module = Scale(2)
    with no_grad():
        assert not module(ones(2, "float64")).requires_grad
