"""The way back through containers and modules, step by step as Torch7's Lua and C go it."""

import numpy as np
import pytest

from rekindle import legacy_nn as nn
from rekindle.core.checkpoint import Table
from rekindle.core.creation import tensor, zeros
from rekindle.core.errors import RekindleError
from rekindle.legacy_nn.errors import ModuleError


def doubles(*shape, seed=0):
    return tensor(np.random.default_rng(seed).normal(size=shape))


def run(module, x, g):
    module.forward(x)
    return module.backward(x, g)


# -- whose tensors gradients are ----------------------------------------------------------


def test_a_sequential_hands_on_the_gradients_themselves():
    model = nn.Sequential().add(nn.Linear(3, 3)).add(nn.Tanh())
    seen = []
    first = model.get(1)
    first.updateGradInput = lambda x, g: seen.append(g) or nn.Linear.updateGradInput(first, x, g)
    x = doubles(2, 3)
    model.forward(x)
    model.updateGradInput(x, doubles(2, 3))
    assert seen[0] is model.get(2).gradInput
    assert model.gradInput is first.gradInput


def test_views_of_gradients():
    x, g = doubles(2, 6), doubles(2, 2, 3, seed=1)
    for module in (nn.View(2, 3), nn.Reshape(2, 3)):
        assert run(module, x, g).storage() is g.storage()
        assert module.gradInput.shape == (2, 6)
    assert run(nn.Unsqueeze(1), x, doubles(1, 2, 6)).shape == (2, 6)


def test_sums_in_place_hand_one_gradient_to_all():
    g = doubles(2, 3)
    found = run(nn.CAddTable(True), [doubles(2, 3), doubles(2, 3)], g)
    assert [t.storage() is g.storage() for t in found.array()] == [True, True]
    plain = run(nn.CAddTable(), [doubles(2, 3), doubles(2, 3)], g)
    assert plain[1].storage() is not g.storage()


def test_what_an_in_place_module_writes_is_seen_by_the_next_branch():
    # CAddTable(true) gives both branches gradOutput itself; the first one zeroes some of it.
    branches = nn.ConcatTable().add(nn.ReLU(True)).add(nn.Identity())
    model = nn.Sequential().add(nn.Identity()).add(branches).add(nn.CAddTable(True))
    x, g = doubles(3, 4), doubles(3, 4, seed=1)
    positive = x.numpy() > 0
    expected = g.numpy() * positive * 2
    np.testing.assert_array_equal(run(model, x, g).numpy(), expected)


def test_tables_of_gradients_are_those_of_the_modules():
    x, g = [doubles(2, 3), doubles(2, 3)], [doubles(2, 3), doubles(2, 3)]
    model = nn.ParallelTable().add(nn.Tanh()).add(nn.Identity())
    found = run(model, x, g)
    assert found is model.gradInput
    assert found[1] is model.get(1).gradInput
    assert found[2] is g[1]
    narrow = nn.NarrowTable(2, 1)
    found = run(narrow, [doubles(2), doubles(3)], [g[0]])
    assert found[2] is g[0]
    assert found[1].tolist() == [0, 0]
    flat = run(nn.FlattenTable(), [[x[0]], x[1]], g)
    assert flat[1][1] is g[0]
    assert flat[2] is g[1]


# -- what is asked, and with what ---------------------------------------------------------


def test_depth_concat_forgets_the_scale():
    def gradient(container, scale):
        convolution = nn.SpatialConvolution(1, 1, 1, 1)
        model = container.add(convolution)
        x = doubles(2, 1, 3, 3)
        model.forward(x)
        model.zeroGradParameters()
        model.backward(x, doubles(2, 1, 3, 3, seed=1), scale)
        return convolution.gradWeight.numpy().copy()

    np.testing.assert_allclose(gradient(nn.Concat(2), 0.5) * 2, gradient(nn.Concat(2), 1))
    np.testing.assert_allclose(gradient(nn.DepthConcat(2), 0.5), gradient(nn.DepthConcat(2), 1))


def test_concat_goes_on_without_the_gradients_of_first_layers():
    model = nn.Concat(2).add(nn.Linear(3, 2)).add(nn.Linear(3, 2))
    x, g = doubles(4, 3), doubles(4, 4)
    model.forward(x)
    model.get(1).gradInput = None
    found = model.backward(x, g)
    np.testing.assert_allclose(found.numpy(), g.numpy()[:, 2:] @ model.get(2).weight.numpy())


def test_an_empty_sequential_has_no_way_back():
    model, x = nn.Sequential(), doubles(2)
    assert model.forward(x) is x
    for method in (model.updateGradInput, model.accGradParameters, model.backward):
        with pytest.raises(ModuleError, match="no module to go back through"):
            method(x, x)


def test_gradients_for_integers_are_zeros_of_their_shape():
    words, x = tensor([[1, 2], [3, 1]]), doubles(2, 3)
    model = nn.ParallelTable().add(nn.LookupTable(3, 2)).add(nn.Identity())
    chosen = nn.Sequential().add(nn.SelectTable(2)).add(nn.Linear(3, 1))
    found = run(chosen, Table([words, x]), doubles(2, 1))
    assert found[1].tolist() == [[0, 0], [0, 0]]
    assert found[2].shape == (2, 3)
    assert run(model, Table([words, x]), [doubles(2, 2, 2), x])[1].tolist() == [[0, 0], [0, 0]]
    copied = run(
        nn.Copy("torch.LongTensor", "torch.DoubleTensor"), words, tensor([[1.5, 2], [3, 4]])
    )
    assert copied.tolist() == [[1, 2], [3, 4]]


# -- what forward left --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "shape", "uses_the_last_input"),
    [
        (lambda: nn.SpatialConvolution(2, 3, 2, 2), (2, 2, 4, 4), True),
        (lambda: nn.SpatialConvolutionMM(2, 3, 2, 2), (2, 4, 4), True),
        (lambda: nn.VolumetricConvolution(1, 2, 2, 2, 2), (1, 3, 3, 3), True),
        (lambda: nn.SpatialConvolutionLocal(2, 1, 4, 4, 2, 2), (2, 2, 4, 4), True),
        (lambda: nn.TemporalRowConvolution(3, 2), (5, 3), True),
        (lambda: nn.SpatialDilatedConvolution(2, 3, 2, 2), (2, 2, 4, 4), False),
        (lambda: nn.SpatialFullConvolution(2, 3, 2, 2), (2, 2, 4, 4), False),
        (lambda: nn.TemporalConvolution(3, 2, 2), (5, 3), False),
        (lambda: nn.Linear(3, 2), (5, 3), False),
    ],
)
def test_the_input_that_gradients_of_weights_are_of(make, shape, uses_the_last_input):
    module, other = make(), doubles(*shape, seed=5)
    x = doubles(*shape)
    output = module.forward(x)
    g = doubles(*output.shape, seed=1)

    def gradient(of, given):
        module.forward(of)
        module.zeroGradParameters()
        module.accGradParameters(given, g)
        return module.gradWeight.numpy().copy()

    wanted = gradient(x, x) if uses_the_last_input else gradient(other, other)
    np.testing.assert_allclose(gradient(x, other), wanted, rtol=1e-12)


def test_a_convolution_that_has_not_run_cannot_go_back():
    module, x = nn.SpatialConvolution(1, 1, 2, 2), doubles(1, 4, 4)
    g = doubles(1, 3, 3)
    with pytest.raises(ModuleError, match="call updateOutput first"):
        module.updateGradInput(x, g)
    module.forward(x)
    module.backward(x, g)
    with pytest.raises(RekindleError, match="last forward pass"):
        module.accGradParameters(doubles(1, 5, 5), doubles(1, 4, 4))
    module.clearState()
    with pytest.raises(ModuleError, match="call updateOutput first"):
        module.accGradParameters(x, g)


@pytest.mark.parametrize("make", [nn.CMaxTable, nn.CMinTable])
def test_extremes_go_back_to_the_winners_of_the_last_run(make):
    module, a, b, g = make(), doubles(4), doubles(4, seed=1), doubles(4, seed=2)
    module.forward([a, b])
    found = module.updateGradInput([b, a], g)
    first = a.numpy() > b.numpy() if make is nn.CMaxTable else a.numpy() < b.numpy()
    np.testing.assert_array_equal(found[1].numpy(), np.where(first, g.numpy(), 0))
    np.testing.assert_array_equal(found[2].numpy(), np.where(first, 0, g.numpy()))


def test_poolings_go_back_to_the_maxima_of_the_last_run():
    cases = [
        (nn.TemporalMaxPooling(2), (6, 3)),
        (nn.SpatialAdaptiveMaxPooling(2, 2), (2, 5, 4)),
        (nn.VolumetricMaxPooling(2, 2, 2, 1, 1, 1, 1, 1, 1), (1, 3, 3, 3)),
    ]
    for module, shape in cases:
        x = doubles(*shape)
        g = doubles(*module.forward(x).shape, seed=1)
        wanted = module.updateGradInput(x, g).numpy().copy()
        np.testing.assert_array_equal(module.updateGradInput(-x, g).numpy(), wanted)
        assert wanted.sum() == pytest.approx(g.numpy().sum())


def test_joining_takes_other_shapes_of_as_many_elements():
    x = [doubles(2, 3), doubles(2, 3, 1)]
    module = nn.JoinTable(1)
    np.testing.assert_array_equal(module.forward(x).numpy()[2:], x[1].numpy()[:, :, 0])
    assert module.backward(x, zeros((4, 3), "float64"))[2].shape == (2, 3, 1)


def test_log_sigmoid_keeps_what_it_goes_back_from():
    module, x = nn.LogSigmoid(), doubles(4)
    module.forward(x)
    found = module.updateGradInput(x, doubles(4, seed=1)).numpy()
    slope = 1 / (1 + np.exp(x.numpy()))
    np.testing.assert_allclose(found, slope * doubles(4, seed=1).numpy(), rtol=1e-12)
    assert module.buffer.shape == (4,)
