"""Where one class of torch/nn does something else than all others, as its Lua file says."""

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn as nn
from rekindle.core.creation import ones
from rekindle.core.tensor import Tensor


def doubles(*shape, seed=0):
    return Tensor(np.random.default_rng(seed).normal(size=shape))


@pytest.mark.parametrize(
    ("module", "input"),
    [
        (nn.Collapse(2), doubles(3, 4)),
        (nn.OneHot(4), rekindle.tensor([1, 3])),
        (nn.Convert("bf", "fb"), doubles(3, 4)),
        (nn.WhiteNoise(), doubles(5)),
        (nn.Kmeans(2, 4), doubles(3, 4)),
    ],
    ids=["Collapse", "OneHot", "Convert", "WhiteNoise", "Kmeans"],
)
def test_some_classes_clear_their_buffers_only(module, input):
    output = module.forward(input)
    kept = output.numpy().copy()
    gradient = module.backward(input, output.clone()).numpy().copy()
    assert module.clearState() is module
    np.testing.assert_array_equal(module.output.numpy(), kept)
    np.testing.assert_array_equal(module.gradInput.numpy(), gradient)
    if isinstance(module, nn.WhiteNoise):
        assert module.noise.size == 0


def test_flatten_table_has_no_tensors_of_its_own_to_convert():
    module = nn.FlattenTable()
    module.forward([doubles(2), [doubles(3)]])
    net = nn.Sequential().add(module).add(nn.CAddTable()).float()
    assert net.type() == "torch.FloatTensor"
    assert module.type() == "torch.DoubleTensor"
    assert len(module.output) == 0
    x = doubles(3).astype("float32")
    np.testing.assert_array_equal(net.forward([x, [x]]).numpy(), 2 * x.numpy())


def test_dividing_leaves_a_third_tensor_without_gradient():
    module, x = nn.CDivTable(), [doubles(3), doubles(3, seed=1), doubles(3)]
    module.forward(x)
    found = module.backward(x, ones((3,), "float64"))
    assert len(found) == 2
    np.testing.assert_allclose(found[1].numpy(), 1 / x[1].numpy())


def test_the_l1_hinge_takes_tensors_for_targets_of_1():
    criterion = nn.L1HingeEmbeddingCriterion(5)
    x = [doubles(3), doubles(3, seed=1)]
    distance = np.abs(x[0].numpy() - x[1].numpy()).sum()
    for target, loss in ((1, distance), (-1, 5 - distance), (rekindle.tensor([-1.0]), distance)):
        assert criterion.forward(x, target) == pytest.approx(loss)
        sign = np.sign(x[0].numpy() - x[1].numpy()) * (1 if loss == distance else -1)
        np.testing.assert_array_equal(criterion.backward(x, target)[1].numpy(), sign)


def test_weight_norm_views_its_weight_by_outputs_after_going_back():
    module = nn.WeightNorm(nn.Linear(3, 2), 2)
    x, g = doubles(4, 3), doubles(4, 2)
    for _ in range(2):
        module.forward(x)
        module.backward(x, g)
        inner = module.modules[1].weight
        assert module.weight.shape == (3, 2)
        assert inner.shape == (2, 3)
        assert module.weight.storage() is inner.storage()
    expected = nn.WeightNorm(nn.Linear(3, 2), 2)
    for p, q in zip(expected.parameters()[0], module.parameters()[0], strict=True):
        p.detach().copy_(q)
    np.testing.assert_array_equal(module.forward(x).numpy(), expected.forward(x).numpy())


@pytest.mark.parametrize("widths", [(-2, -2, 0, 0), (0, 0, -1, -2)])
def test_padding_that_crops_all_is_refused(widths):
    with pytest.raises(rekindle.RekindleError, match="input is too small"):
        nn.SpatialZeroPadding(*widths).forward(ones((2, 3, 4), "float64"))


def test_a_bottle_hands_its_own_input_on_to_steps():
    # Decorator.lua asks the module inside, and nn.Linear adds nothing for three dimensions.
    x, g = doubles(2, 5, 3), doubles(2, 5, 4, seed=1)
    bottle = nn.Bottle(nn.Linear(3, 4))
    bottle.forward(x)
    before = bottle.modules[1].weight.numpy().copy()
    bottle.backwardUpdate(x, g, 0.1)
    np.testing.assert_array_equal(bottle.modules[1].weight.numpy(), before)
    bottle.accGradParameters(x, g)  # which merges the dimensions first
    assert abs(bottle.modules[1].gradWeight.numpy()).max() > 0


def test_a_step_of_cosine_reads_the_weight_that_it_has_begun_to_change():
    # Cosine.lua, one sample: gradWeight is weight itself, and is added to before it is read.
    module, x, g, lr = nn.Cosine(3, 2), doubles(3), doubles(2, seed=1), 0.1
    w = module.weight.numpy().copy()
    y = module.forward(x).numpy().copy()
    lengths = np.linalg.norm(w, axis=1, keepdims=True)
    module.updateGradInput(x, g)
    module.accUpdateGradParameters(x, g, lr)
    column = g.numpy()[:, None] / lengths
    w += -lr / np.linalg.norm(x.numpy()) * column * x.numpy()
    w -= column / lengths * y[:, None] * w
    np.testing.assert_allclose(module.weight.numpy(), w, rtol=1e-9)


def test_a_conversion_of_euclidean_lets_its_results_go():
    module = nn.Euclidean(3, 2)
    module.forward(doubles(4, 3))
    own = module.output
    module.float()
    assert own.size == module.output.size == module.gradInput.size == 0
