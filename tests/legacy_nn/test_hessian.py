"""nn.hessian and the Jacobians that go with it."""

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn as nn
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.errors import ArgumentError, ModuleError
from rekindle.legacy_nn.torch7 import random

LINEAR = {
    "Linear": (lambda: nn.Linear(4, 3), (5, 4)),
    "one row": (lambda: nn.Linear(4, 3), (4,)),
    "without bias": (lambda: nn.Linear(4, 3).noBias(), (5, 4)),
    "SpatialConvolution": (lambda: nn.SpatialConvolution(2, 3, 3, 2, 2, 1, 1, 0), (2, 2, 5, 4)),
    "SpatialConvolutionLocal": (lambda: nn.SpatialConvolutionLocal(2, 2, 5, 4, 2, 2), (2, 4, 5)),
    "SpatialFullConvolution": (lambda: nn.SpatialFullConvolution(2, 3, 2, 2, 2, 2), (2, 2, 3, 3)),
    "SpatialConvolutionMap": (
        lambda: nn.SpatialConvolutionMap(nn.tables.random(3, 2, 2), 2, 2),
        (3, 4, 4),
    ),
    "SpatialFullConvolutionMap": (
        lambda: nn.SpatialFullConvolutionMap(nn.tables.full(2, 2), 2, 2),
        (2, 3, 3),
    ),
}


def drawn(shape, seed=0):
    return Tensor(np.random.default_rng(seed).uniform(-1, 1, shape))


@pytest.mark.parametrize("name", LINEAR)
def test_linear_modules_follow_the_squares_of_their_derivatives(name):
    build, shape = LINEAR[name]
    rekindle.torch_seed(3)
    module = build()
    before = module.weight.numpy().copy()
    input = Tensor(np.zeros(shape))
    bias = module.bias
    if name.endswith("Map"):  # Torch7 squares the bias too, which changes no gradient
        module.reset(0.3)
        before = module.weight.numpy().copy()
    assert nn.Jacobian.testDiagHessianInput(module, input) < 1e-10
    assert nn.Jacobian.testDiagHessianWeight(module, input) < 1e-10
    if bias is not None:
        assert nn.Jacobian.testDiagHessianBias(module, input) < 1e-10
    assert isinstance(module.weight, rekindle.Parameter)
    assert np.array_equal(module.weight.numpy(), before)


def second_differences(f, x, step=1e-4):
    """Return the diagonal of the Hessian of f by central differences."""
    flat = x.reshape(-1)
    found = np.zeros_like(flat)
    for i in range(flat.size):
        kept = flat[i]
        values = []
        for moved in (kept - step, kept, kept + step):
            flat[i] = moved
            values.append(f())
        flat[i] = kept
        found[i] = (values[0] - 2 * values[1] + values[2]) / step**2
    return found.reshape(x.shape)


def test_a_network_of_linear_maps_in_which_only_the_diagonal_counts():
    # With one output of each map the terms off the diagonal are none: the estimate is exact.
    model = nn.Sequential().add(nn.Linear(3, 1)).add(nn.Linear(1, 2))
    loss = nn.MSECriterion()
    x, target = drawn((4, 3)), drawn((4, 2), 1)
    model.forward(x)
    loss.forward(model.output, target)
    model.initDiagHessianParameters()
    assert nn.hessian.getParameters(model)[2].size == 3 + 1 + 2 + 2
    model.updateDiagHessianInput(x, loss.updateDiagHessianInput(model.output, target))
    model.accDiagHessianParameters(x, loss.diagHessianInput)
    total = nn.hessian.parameters(model)

    def value():
        return loss.forward(model.forward(x), target)

    assert len(total[2]) == 4
    for p, second in zip(total[0], total[2], strict=True):
        expected = second_differences(value, p.detach().numpy())
        np.testing.assert_allclose(second.numpy(), expected, rtol=1e-5, atol=1e-5)
    expected = second_differences(value, x.numpy())
    np.testing.assert_allclose(model.diagHessianInput.numpy(), expected, rtol=1e-5, atol=1e-5)


def test_pointwise_modules_square_their_slope():
    x, h = drawn((2, 3)), drawn((2, 3), 1)
    v, w = x.numpy(), h.numpy()
    for module, expected in (
        (nn.Tanh(), (1 - np.tanh(v) ** 2) ** 2 * w),
        (nn.Square(), (2 * v) ** 2 * w),
        (nn.TanhShrink(), (1 - np.tanh(v) ** 2) ** 2 * w + w),
        (nn.Reshape(3), w),
    ):
        module.forward(x)
        found = module.updateDiagHessianInput(x, h)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
        assert module.updateDiagHessianInput(x, h) is found
        assert module.gradInput.size == 0


def test_criterions():
    x = Tensor(np.array([[0.5, 0.0], [-1.0, 2.0]]))
    mse = nn.MSECriterion()
    assert mse.updateDiagHessianInput(x, x).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    mse.sizeAverage = False
    assert mse.updateDiagHessianInput(x, x).tolist() == [[2, 2], [2, 2]]
    assert nn.L1Cost().updateDiagHessianInput(x).tolist() == [[1, 0], [1, 1]]
    weighted = nn.WeightedMSECriterion(drawn((2, 2)))
    assert weighted.updateDiagHessianInput(x, x).tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_most_modules_have_no_rule():
    nn.hessian.enable()
    with pytest.raises(ModuleError, match=r"nn\.ReLU:updateDiagHessianInput\(\) is undefined"):
        nn.ReLU().updateDiagHessianInput(drawn(3), drawn(3))
    with pytest.raises(ModuleError, match=r"nn\.ClassNLLCriterion:updateDiag"):
        nn.ClassNLLCriterion().updateDiagHessianInput(drawn((1, 3)), Tensor([1.0]))
    module = nn.ReLU()
    module.accDiagHessianParameters(drawn(3), drawn(3))
    module.initDiagHessianParameters()
    assert "diagHessianInput" not in vars(module)


@pytest.mark.parametrize("nonzero", [4, 6])
def test_sparse_jacobian(nonzero):
    rekindle.torch_seed(1)
    module = nn.SparseLinear(6, 3, True)
    index = np.sort(np.random.default_rng(2).permutation(6)[:nonzero]) + 1.0
    input = Tensor(np.stack([index, np.zeros(nonzero)], axis=1))
    for p, g in ((module.weight, module.gradWeight), (module.bias, module.gradBias)):
        assert nn.SparseJacobian.testJacobianParameters(module, input, p, g) < 1e-6
        assert nn.SparseJacobian.testJacobianUpdateParameters(module, input, p) < 1e-6
    for name, gradient in (("weight", "gradWeight"), ("bias", "gradBias")):
        errors = nn.SparseJacobian.testAllUpdate(module, input, name, gradient)
        assert len(errors) == 4
        assert max(errors.values()) < 1e-8
    if nonzero == 6:  # the gradient for the input is dense
        assert nn.SparseJacobian.testJacobian(module, input) < 1e-6


def test_tables_of_random_connections_deal_the_planes_out():
    rekindle.torch_seed(5)
    shuffles = [random.default.permutation(5).tolist() for _ in range(2)]
    following = random.default.permutation(3).tolist()
    rekindle.torch_seed(5)
    table = nn.tables.random(5, 3, 2).tolist()
    first, second = shuffles
    dealt = [*first[:4], *second[:2]]
    assert table == [[i, o] for i, o in zip(dealt, [1, 1, 2, 2, 3, 3], strict=True)]
    assert random.default.permutation(3).tolist() == following
    with pytest.raises(ArgumentError, match="1 to 2 of 2 input planes; given 3"):
        nn.tables.random(2, 1, 3)
