"""Where Torch7's gradients are not simply the derivative, and what they read."""

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn as nn
from rekindle.core.checkpoint import Table
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError
from rekindle.legacy_nn import cudnn
from rekindle.legacy_nn.module import ModuleError


def f64(*values):
    return tensor(values, "float64")


KINKS = [
    # (module, input, slope): Source: torch/nn lib/THNN/generic, the file of each class
    (nn.Abs(), [-1, 0, 1], [-1, 1, 1]),
    (nn.ReLU(), [-1, 0, 1], [0, 0, 1]),
    (nn.Threshold(0.5, 2), [0, 0.5, 1], [0, 0, 1]),
    (nn.HardTanh(), [-1, 0, 1], [0, 1, 0]),
    (nn.Clamp(0, 2), [0, 1, 2], [0, 1, 0]),
    (nn.ReLU6(), [0, 3, 6], [0, 1, 0]),
    (nn.LeakyReLU(0.1), [-1, 0, 1], [0.1, 0.1, 1]),
    (nn.ELU(2), [0, 1], [2, 1]),
    (nn.HardShrink(1), [-1, 1, 2], [0, 0, 1]),
    (nn.SoftShrink(1), [-1, 1, 2], [0, 0, 1]),
    (nn.Sqrt(), [0, 4], [0, 0.25]),
    (nn.Max(1), [5, 7, 7], [0, 1, 0]),
    (nn.Min(1), [5, 7, 5], [1, 0, 0]),
    (nn.L1Penalty(0.5), [-2, 0, 2], [0.5, 1, 1.5]),
    (cudnn.ReLU(), [-1, 0, 1], [0, 0, 1]),
    (cudnn.ClippedReLU(2), [0, 1, 2], [0, 1, 0]),
]


@pytest.mark.parametrize(
    ("module", "input", "slope"), KINKS, ids=lambda v: getattr(v, "t7_typename", "")
)
def test_slopes_at_kinks(module, input, slope):
    x = f64(*input)
    g = module.forward(x).detach() * 0 + 1
    np.testing.assert_allclose(module.backward(x, g).numpy(), slope)


CALLED = [
    case for case in KINKS if not isinstance(case[0], (cudnn.ReLU, cudnn.ClippedReLU, nn.Clamp))
]


@pytest.mark.parametrize(
    ("module", "input", "slope"), CALLED, ids=lambda v: getattr(v, "t7_typename", "")
)
def test_slopes_at_kinks_in_the_frameworks_protocol(module, input, slope):
    x = f64(*input).requires_grad_()
    module(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), slope)


@pytest.mark.parametrize(
    ("module", "slope"),
    [
        (nn.Tanh(), lambda y: 1 - y**2),
        (nn.Sigmoid(), lambda y: y * (1 - y)),
        (nn.Exp(), lambda y: y),
        (nn.Sqrt(), lambda y: 1 / (2 * y)),
        (nn.ELU(), lambda y: np.where(y <= 0, y + 1, 1)),
        (cudnn.Tanh(), lambda y: 1 - y**2),
        (cudnn.Sigmoid(), lambda y: y * (1 - y)),
    ],
    ids=lambda v: getattr(v, "t7_typename", ""),
)
def test_these_go_back_from_their_output(module, slope):
    module.forward(f64(0.3, 1.2))
    y = np.array([0.1, -0.4])
    module.output.copy_(f64(*y))
    found = module.updateGradInput(f64(9, 9), f64(2, 3))
    np.testing.assert_allclose(found.numpy(), slope(y) * [2, 3])


@pytest.mark.parametrize("module", [nn.SoftMax(), nn.LogSoftMax(), nn.SoftMin(), cudnn.SoftMax()])
def test_softmaxes_go_back_from_their_output(module):
    x = np.array([0.3, -1, 2])
    module.forward(tensor(x))
    first = module.updateGradInput(tensor(x), f64(1, 2, 3)).numpy().copy()
    np.testing.assert_array_equal(
        module.updateGradInput(tensor(x * 0), f64(1, 2, 3)).numpy(), first
    )


@pytest.mark.parametrize(
    "module",
    [nn.Tanh(), nn.SoftMax(), nn.Exp(), nn.Dropout(), nn.SpatialMaxPooling(2, 2), nn.Max(1)],
    ids=lambda m: m.t7_typename,
)
def test_backward_needs_what_forward_leaves(module):
    x = tensor(np.ones((1, 2, 2)))
    with pytest.raises(
        (ShapeError, ModuleError), match=r"shapes do not match|call updateOutput first|Need indices"
    ):
        module.backward(x, x if not isinstance(module, nn.SpatialMaxPooling) else x[:, :1, :1])


def test_batch_normalization_needs_the_moments_of_the_batch():
    with pytest.raises(ModuleError, match="must call :updateOutput"):
        nn.BatchNormalization(3).backward(tensor(np.ones((2, 3))), tensor(np.ones((2, 3))))


# -- in place -----------------------------------------------------------------------------


IN_PLACE = [
    (lambda ip: nn.ReLU(ip), [-2, 3]),
    (lambda ip: nn.ReLU6(ip), [-2, 7]),
    (lambda ip: nn.LeakyReLU(0.3, ip), [-2, 3]),
    (lambda ip: nn.ELU(1, ip), [-2, 3]),
    (lambda ip: nn.HardTanh(-1, 1, ip), [-2, 0.5]),
    (lambda ip: nn.Threshold(1, 0, ip), [-2, 3]),
    (lambda ip: nn.MulConstant(3, ip), [-2, 3]),
    (lambda ip: nn.AddConstant(3, ip), [-2, 3]),
    (lambda ip: nn.RReLU(0.1, 0.4, ip), [-2, 3]),
    (lambda ip: nn.Dropout(0.5, False, ip), [-2, 3]),
    (lambda ip: cudnn.ReLU(ip), [-2, 3]),
    (lambda ip: cudnn.Tanh(ip), [-2, 3]),
    (lambda ip: cudnn.Sigmoid(ip), [-2, 3]),
]


@pytest.mark.parametrize(
    ("make", "values"), IN_PLACE, ids=lambda v: v(True).t7_typename if callable(v) else ""
)
def test_in_place_modules_write_into_gradOutput(make, values):
    gradients = []
    for inplace in (False, True):
        rekindle.torch_seed(3)
        module, x, g = make(inplace), f64(*values), f64(0.5, 2)
        module.forward(x)
        found = module.backward(x, g)
        gradients.append(found.numpy().copy())
        assert (found.storage() is g.storage()) == inplace
    np.testing.assert_allclose(gradients[1], gradients[0])


@pytest.mark.parametrize("module", [nn.MulConstant(4, True), nn.AddConstant(4, True)])
def test_constants_give_the_input_back(module):
    x = f64(1, 2)
    module.forward(x)
    assert x.tolist() != [1, 2]
    module.backward(x, f64(1, 1))
    assert x.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("make", "values"), IN_PLACE, ids=lambda v: v(True).t7_typename if callable(v) else ""
)
def test_in_place_modules_are_called_on_a_copy(make, values):
    found = []
    for inplace in (False, True):
        rekindle.torch_seed(3)
        module, x = make(inplace), f64(*values).requires_grad_()
        (module(x) * f64(0.5, 2)).sum().backward()
        assert x.tolist() == values
        found.append(x.grad.numpy())
    np.testing.assert_allclose(found[1], found[0])


# -- noise --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (nn.Dropout(0.5), (4, 5)),
        (nn.SpatialDropout(0.5), (2, 3, 2, 2)),
        (nn.VolumetricDropout(0.5), (2, 3, 2, 2, 2)),
        (nn.RReLU(), (4, 5)),
    ],
    ids=lambda v: getattr(v, "t7_typename", ""),
)
def test_each_call_goes_back_through_its_own_noise(module, shape):
    rekindle.torch_seed(1)
    x = tensor(np.random.default_rng(0).normal(size=shape)).requires_grad_()
    outputs = [module(x) for _ in range(2)]
    slopes = [y.numpy() / x.numpy() for y in outputs]
    assert not np.array_equal(*slopes)
    (outputs[0] + outputs[1]).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), slopes[0] + slopes[1])


def test_dropout_passes_over_a_mask_drawn_in_evaluation():
    module = nn.Dropout(0.5, False, False, True).evaluate()
    x = tensor(np.ones((3, 4)))
    y = module.forward(x)
    assert set(np.unique(y.numpy())) == {0, 2}
    np.testing.assert_array_equal(module.backward(x, x * 5).numpy(), np.full((3, 4), 5.0))


# -- parameters ---------------------------------------------------------------------------


def scaled(module, x, g, scale):
    """Return the gradients of parameters at a scale, and at scale 1 from the same forward."""
    found = []
    for s in (scale, 1):
        module.zeroGradParameters()
        module.forward(x)
        module.updateGradInput(x, g)
        module.accGradParameters(x, g, s)
        found.append([p.numpy().copy() for p in module.parameters()[1]])
    return found


def test_bilinear_scales_only_the_gradient_of_its_bias():
    x = Table([f64([1, 2], [3, 4]), f64([5, 6, 7], [8, 9, 1])])
    (weight, bias), (weight1, bias1) = scaled(nn.Bilinear(2, 3, 2), x, f64([1, 2], [3, 4]), 0.5)
    np.testing.assert_array_equal(weight, weight1)
    np.testing.assert_allclose(bias, bias1 * 0.5)


def test_weighted_euclidean_scales_both_gradients_only_in_batches():
    module = nn.WeightedEuclidean(2, 3)
    one, batch = f64(1, 2), f64([1, 2], [0, 3])
    (w, c), (w1, c1) = scaled(module, one, f64(1, 2, 3), 0.5)
    np.testing.assert_allclose(w, w1 * 0.5)
    np.testing.assert_array_equal(c, c1)
    (w, c), (w1, c1) = scaled(module, batch, f64([1, 2, 3], [1, 1, 1]), 0.5)
    np.testing.assert_allclose(w, w1 * 0.5)
    np.testing.assert_allclose(c, c1 * 0.5)


def test_cosine_scales_a_part_of_the_gradient_for_a_single_sample():
    module, x, g = nn.Cosine(2, 3), f64(1, 2), f64(1, 2, 3)
    (found,), (whole,) = scaled(module, x, g, 0.5)
    weight, y = module.weight.numpy(), module.output.numpy()
    lengths = np.linalg.norm(weight, axis=1) + 1e-12
    direction = np.outer(g.numpy() / lengths, x.numpy()) / (np.linalg.norm(x.numpy()) + 1e-12)
    along = weight * (g.numpy() * y / lengths**2)[:, None]
    np.testing.assert_allclose(whole, direction - along)
    np.testing.assert_allclose(found, 0.5 * direction - along)


def test_lookup_table_counts_gradients_by_frequency_and_leaves_padding_out():
    module = nn.LookupTable(5, 2, 3).scaleGradByFreq()
    index = tensor([[1, 3, 1], [4, 1, 3]])
    g = np.arange(12.0).reshape(2, 3, 2)
    module.forward(index)
    module.zeroGradParameters()
    module.backward(index, tensor(g), 2)
    rows = g.reshape(6, 2)
    expected = np.zeros((5, 2))
    expected[0] = 2 * (rows[0] + rows[2] + rows[4]) / 3
    expected[3] = 2 * rows[3]
    np.testing.assert_allclose(module.gradWeight.numpy(), expected)
    assert module.gradInput.dtype == index.dtype
    assert module.gradInput.shape == index.shape
    module.zeroGradParameters()
    (module(index) * tensor(g)).sum().backward()
    np.testing.assert_allclose(module.weight.grad.numpy(), expected / 2)


def test_lookup_table_steps_without_a_gradient():
    module = nn.LookupTable(5, 2).accUpdateOnly()
    before = module.weight.numpy().copy()
    index = tensor([2, 4, 2])
    module.forward(index)
    module.accUpdateGradParameters(index, f64([1, 1], [2, 2], [3, 3]), 0.1)
    before[[1, 3]] -= 0.1 * np.array([[4, 4], [2, 2]])
    np.testing.assert_allclose(module.weight.numpy(), before)


def test_linear_weight_norm_takes_earlier_gradients_for_the_weights():
    rekindle.torch_seed(2)
    module = nn.LinearWeightNorm(3, 2)
    x, g = f64([1, 2, 3], [0, 1, -1]), f64([1, 2], [3, 4])
    module.forward(x)
    module.zeroGradParameters()
    v, scale, norm = (t.numpy() for t in (module.v, module.scale, module.norm))
    grad_v = np.zeros((2, 3))
    for _ in range(2):
        module.backward(x, g)
        grad_v = grad_v + g.numpy().T @ x.numpy()
        grad_g = (grad_v * v / norm).sum(axis=1, keepdims=True)
        grad_v = grad_v * scale - v * scale / norm * grad_g
    np.testing.assert_allclose(module.gradV.numpy(), grad_v)
    np.testing.assert_allclose(module.gradG.numpy(), grad_g)


def test_partial_linear_has_gradients_for_its_partition():
    rekindle.torch_seed(2)
    module = nn.PartialLinear(3, 5)
    module.setPartition(f64(4, 2))
    x, g = f64([1, 2, 3], [0, 1, -1]), f64([1, 2], [3, 4])
    module.forward(x)
    module.zeroGradParameters()
    module.backward(x, g, 0.5)
    rows, bias = module.parameters()[1]
    expected = np.zeros((5, 3))
    expected[[3, 1]] = 0.5 * g.numpy().T @ x.numpy()
    np.testing.assert_allclose(rows.numpy(), expected)
    np.testing.assert_allclose(bias.numpy(), [[0, 3, 0, 2, 0]])


# -- distances and the rest ---------------------------------------------------------------


def test_distances_of_nothing_have_no_gradient():
    module = nn.Euclidean(2, 1)
    x = module.weight.detach().numpy()[:, 0].copy()
    module.forward(tensor(x))
    assert module.backward(tensor(x), f64(1)).tolist() == [0, 0]
    x = tensor(x).requires_grad_()
    module(x).sum().backward()
    assert x.grad.tolist() == [0, 0]


def test_pairwise_distance_draws_the_signs_of_zeros():
    rekindle.torch_seed(123)
    module = nn.PairwiseDistance(1)
    x = Table([f64([1, 2, 3], [4, 5, 6]), f64([1, 1, 3], [4, 9, 6])])
    module.forward(x)
    found = module.backward(x, f64(1, 10))
    signs = found[1].numpy() / [[1], [10]]
    assert signs[0, 1] == 1
    assert signs[1, 1] == -1
    assert set(np.abs(signs).ravel()) == {1}
    np.testing.assert_array_equal(found[2].numpy(), -found[1].numpy())
    rekindle.torch_seed(123)
    again = module.backward(x, f64(1, 10))
    np.testing.assert_array_equal(again[1].numpy() / [[1], [10]], signs)


def test_gradient_reversal_and_zero_grad_in_the_frameworks_protocol():
    for module, factor in ((nn.GradientReversal(0.5), -0.5), (nn.ZeroGrad(), 0)):
        x = f64(1, 2).requires_grad_()
        (module(x) * f64(3, 4)).sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), [3 * factor, 4 * factor])


def test_max_pooling_goes_back_to_the_maxima_of_the_last_batch():
    module = nn.SpatialMaxPooling(2, 2)
    x = tensor(np.array([[[1.0, 2], [3, 4]]]))
    module.forward(x)
    found = module.updateGradInput(x * -1, tensor(np.array([[[5.0]]])))
    assert found.tolist() == [[[0, 0], [0, 5]]]


def test_batch_normalization_of_one_sample_in_evaluation():
    module = nn.SpatialBatchNormalization(2).evaluate()
    module.running_var.copy_(f64(3, 8))
    x = tensor(np.random.default_rng(0).normal(size=(2, 3, 3)))
    module.forward(x)
    module.zeroGradParameters()
    g = np.random.default_rng(1).normal(size=(2, 3, 3))
    found = module.backward(x, tensor(g), 2)
    slope = module.weight.numpy() / np.sqrt(module.running_var.numpy() + module.eps)
    np.testing.assert_allclose(found.numpy(), g * slope[:, None, None])
    np.testing.assert_allclose(module.gradBias.numpy(), 2 * g.sum(axis=(1, 2)))
