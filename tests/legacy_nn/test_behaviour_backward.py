"""Backward alone, twice, scaled, and after weights changed, against what Torch7 did."""

import pytest
from recorded import FIXTURES, assert_close

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.core.creation import full, ones, zeros
from rekindle.core.errors import ShapeError
from rekindle.legacy_nn import optim
from rekindle.legacy_nn.errors import ModuleError
from rekindle.legacy_nn.torch7 import random


def recorded(name):
    record = checkpoint.load(FIXTURES / "behaviour" / f"{name}.t7")
    return record.inputs, record.results


def gradients(module):
    """Return copies of the gradients of a module's parameters."""
    return Table([g.clone() for g in module.parameters()[1]])


def parameters(module):
    return Table([p.detach().clone() for p in module.parameters()[0]])


def test_backward_twice_adds_up():
    given, expected = recorded("accumulate_twice")
    model = given.mlp
    model.forward(given.x)
    model.zeroGradParameters()
    model.backward(given.x, given.gradOutput)
    assert_close(gradients(model), expected.once)
    model.backward(given.x, given.gradOutput)
    assert_close(gradients(model), expected.twice)
    model.zeroGradParameters()
    assert_close(gradients(model), expected.zero)
    model.accGradParameters(given.x, given.gradOutput)
    model.accGradParameters(given.x, given.gradOutput)
    assert_close(gradients(model), expected.acc_twice)


def test_accumulating_alone_uses_the_gradients_that_are_left():
    given, expected = recorded("accGradParameters_alone")
    linear, model = given.linear, given.mlp
    linear.forward(given.x)
    linear.zeroGradParameters()
    linear.accGradParameters(given.x, given.gradOutput)
    assert_close(linear.gradWeight, expected.gradWeight)
    assert_close(linear.gradBias, expected.gradBias)
    model.forward(given.x)
    model.zeroGradParameters()
    # The Linear that comes first is given the gradInput of the Tanh, which is still empty.
    assert "In 1 module of nn.Sequential:" in expected.seq_error.message
    with pytest.raises(ShapeError, match="size mismatch") as caught:
        model.accGradParameters(given.x, given.gradOutput)
    assert caught.value.__notes__ == ["In 1 module of nn.Sequential:"]
    assert_close(gradients(model), expected.seq_grads_first)
    model.zeroGradParameters()
    model.updateGradInput(given.x, given.gradOutput)
    model.updateGradInput(given.x, given.gradOutput * 10)
    model.accGradParameters(given.x, given.gradOutput)
    assert_close(gradients(model), expected.seq_grads)


def test_scale_is_for_the_parameters_only():
    given, expected = recorded("backward_scale")
    model = given.mlp
    for i in (1, 2, 3):
        model.forward(given.x)
        model.zeroGradParameters()
        found = model.backward(given.x, given.gradOutput, expected[i].scale)
        assert_close(found, expected[i].gradInput)
        assert_close(gradients(model), expected[i].grads)
    conv = nn.SpatialConvolution(1, 1, 2, 2)
    random.manual_seed(3)
    for p in conv.parameters()[0]:
        random.uniform(p, -1, 1)
    x = full((1, 3, 3), 0, "float64")
    x.numpy()[...] = [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]
    conv.forward(x)
    conv.zeroGradParameters()
    conv.accGradParameters(x, ones((1, 2, 2), "float64"), 0.25)
    assert_close(Table([conv.gradWeight, conv.gradBias]), expected.conv)
    norm = nn.BatchNormalization(3)
    norm.weight.detach().fill_(1)
    norm.forward(given.x)
    norm.zeroGradParameters()
    norm.backward(given.x, given.x2, 0.25)
    assert_close(Table([norm.gradWeight, norm.gradBias, norm.gradInput]), expected.bn)


def test_steps_of_the_parameters():
    given, expected = recorded("updateParameters")
    model = given.mlp
    model.forward(given.x)
    model.zeroGradParameters()
    model.backward(given.x, given.gradOutput)
    model.updateParameters(0.1)
    assert_close(parameters(model), expected.p)
    before = gradients(model)
    model.forward(given.x)
    model.backwardUpdate(given.x, given.gradOutput, 0.1)
    assert_close(parameters(model), expected.p2)
    assert_close(gradients(model), before)


def test_weights_changed_before_backward_are_the_ones_that_count():
    given, expected = recorded("weights_changed_before_backward")
    model = given.mlp
    assert_close(model.forward(given.x), expected.output)
    for p in model.parameters()[0]:
        p.detach().mul_(1.5)
    model.zeroGradParameters()
    assert_close(model.backward(given.x, given.gradOutput), expected.gradInput)
    assert_close(gradients(model), expected.grads)


def test_dcgan():
    given, expected = recorded("dcgan_idiom")
    model, criterion = given.D, nn.BCECriterion()
    p, g = model.getParameters()
    assert_close(p, expected.p0)
    real, fake = ones((3, 1), "float64"), zeros((3, 1), "float64")
    state = {"learningRate": 0.0002, "beta1": 0.5}
    for step in expected.steps.array():

        def evaluate(_, step=step):
            g.zero_()
            output = model.forward(given.x)
            assert criterion.forward(output, real) == pytest.approx(step.lossReal, rel=1e-10)
            model.backward(given.x, criterion.backward(output, real))
            output = model.forward(given.x2)
            assert criterion.forward(output, fake) == pytest.approx(step.lossFake, rel=1e-10)
            model.backward(given.x2, criterion.backward(output, fake))
            assert_close(output, step.output)
            assert_close(g, step.g)
            return step.lossReal + step.lossFake, g

        optim.adam(evaluate, p, state)
        assert_close(p, step.p)
        df = criterion.backward(model.output, real).clone()
        assert_close(df, step.df_do)
        assert_close(model.updateGradInput(given.x2, df), step.df_dg)
        assert_close(g, step.g_after)
    assert_close(model.get(4).running_mean, expected.running_mean)
    assert_close(model.get(4).running_var, expected.running_var)


def test_backward_without_forward():
    given, expected = recorded("backward_without_forward")
    linear = given.linear
    linear.zeroGradParameters()
    assert_close(linear.backward(given.x, given.gradOutput), expected.linear_gradInput)
    assert_close(linear.gradWeight, expected.linear_gradWeight)
    assert_close(linear.gradBias, expected.linear_gradBias)
    assert_close(nn.ReLU().backward(given.x, given.x2), expected.relu)


def test_a_module_saved_without_gradients():
    given, expected = recorded("sanitised_module")
    random.manual_seed(2)
    module = nn.Linear(2, 2)
    del module.gradInput, module.gradWeight, module.gradBias
    module = checkpoint.loads(checkpoint.dumps(module))
    assert_close(module.forward(given.x), expected.output)
    weights, found = module.parameters()
    assert (len(weights), len(found)) == (expected.nparams, expected.ngrads)
    with pytest.raises(ModuleError, match="check that you are sharing parameters"):
        nn.Sequential().add(module).getParameters()
    module.zeroGradParameters()
    with pytest.raises(ModuleError, match="no 'gradWeight' to add its gradient to"):
        module.backward(given.x, ones(2, "float64"))
    assert module.updateGradInput(given.x, ones(2, "float64")) is None
    module.clearState()
    module.float()
    assert vars(module).keys().isdisjoint({"gradInput", "gradWeight", "gradBias"})


def test_a_module_whose_gradient_is_not_wanted():
    given, expected = recorded("sanitised_module")
    module = nn.Linear(2, 2)
    del module.gradInput
    module.zeroGradParameters()
    module.forward(given.x)
    assert module.backward(given.x, ones(2, "float64")) is None
    assert_close(module.gradWeight, expected.only_gradInput_nil_gradWeight)
    model = nn.Sequential().add(module).add(nn.Tanh())
    model.forward(given.x)
    assert model.backward(given.x, ones(2, "float64")) is None
