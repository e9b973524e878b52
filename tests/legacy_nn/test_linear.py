"""Linear maps and learned terms and factors, against recorded Torch7 runs and NumPy."""

import numpy as np
import pytest
from recorded import FIXTURES, assert_close, check_constructor, check_forward, construct, records

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.core.creation import tensor
from rekindle.core.errors import RekindleError, ShapeError
from rekindle.legacy_nn.module import InputTypeError
from rekindle.legacy_nn.torch7 import random

RECORDS = records(
    *("Linear", "Bilinear", "LinearWeightNorm", "PartialLinear", "Add", "Mul", "CMul", "CAdd"),
    *("MulConstant", "AddConstant", "Constant", "Maxout", "LayerNormalization"),
    *("GatedLinearUnit", "CReLU"),
)
INITS = [
    FIXTURES / "behaviour" / f"init_{name}.t7"
    for name in ("Linear", "Linear_nobias", "Add", "Mul", "CAdd")
]


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_forward(path):
    check_forward(path)


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


@pytest.mark.parametrize("path", INITS, ids=lambda p: p.stem)
def test_initial_parameters_are_torch7s(path):
    record = checkpoint.load(path)
    random.manual_seed(7)
    module = construct(record.inputs.ctor)
    assert_close(Table(module.parameters()[0]), record.results.params)
    assert random.default.words(1)[0] == record.results.next_random
    random.manual_seed(8)
    module.reset(0.1)
    assert_close(Table(module.parameters()[0]), record.results.reset_01)


def test_linear_of_an_old_file(old_record):
    module, x, expected = old_record("linear_nobuffer")
    assert_close(module.updateOutput(x), expected)
    assert_close(module(x), expected)


def doubles(*shape, seed=0):
    return tensor(np.random.default_rng(seed).normal(size=shape))


@pytest.mark.parametrize("shape", [(4,), (5, 4), (1, 4)])
def test_linear_is_a_matrix_product(shape):
    m, x = nn.Linear(4, 3), doubles(*shape)
    product = x.numpy() @ m.weight.numpy().T
    np.testing.assert_allclose(m(x).numpy(), product + m.bias.numpy(), rtol=1e-12)
    np.testing.assert_allclose(m.noBias()(x).numpy(), product, rtol=1e-12)
    assert m.parameters() == ([m.weight], [m.gradWeight])


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), (2, 3, 2, 2)])
def test_crelu_takes_what_is_no_batch_as_a_sample(shape):
    m, x = nn.CReLU(2), doubles(*shape)
    axis = int(len(shape) == 3)  # only then it is one: CReLU.lua
    y = m.forward(x)
    both = np.concatenate([x.numpy(), -x.numpy()], axis)
    np.testing.assert_array_equal(y.numpy(), np.maximum(both, 0))
    g = doubles(*y.shape, seed=1)
    positive, negative = np.split(g.numpy() * (both > 0), 2, axis)
    np.testing.assert_array_equal(m.backward(x, g).numpy(), positive - negative)


def test_linear_keeps_its_output_object_and_its_weights_gradient():
    m = nn.Linear(4, 3)
    output = m.updateOutput(doubles(5, 4))
    assert m.updateOutput(doubles(2, 4)) is output
    assert output.shape == (2, 3)
    assert m.weight.grad is m.gradWeight


@pytest.mark.parametrize(
    ("module", "input", "error", "words"),
    [
        (nn.Linear(3, 2), doubles(4), ShapeError, "takes 3 features; given shape (4,)"),
        (nn.Linear(3, 2), doubles(5, 4), ShapeError, "takes 3 features; given shape (5, 4)"),
        (nn.Linear(3, 2), doubles(2, 2, 3), ShapeError, "1-D or 2-D input"),
        (nn.Linear(2, 2), None, InputTypeError, "given None"),
        (nn.Linear(2, 2), 3, InputTypeError, "(a number value): nn.Linear takes a"),
        (nn.Linear(2, 2), tensor([1.0, 1.0], "float32"), InputTypeError, "astype('float64')"),
        (nn.Bilinear(2, 3, 4), doubles(2, 2), InputTypeError, "table of two tensors"),
        (nn.Bilinear(2, 3, 4), [doubles(2, 2), doubles(3, 3)], ShapeError, "(rows, 3)"),
        (nn.Add(4), doubles(2, 3), ShapeError, "4 numbers to each sample"),
        (nn.CMul(2, 3), doubles(4, 3), ShapeError, "size (2, 3)"),
        (nn.CAdd(5), doubles(4, 3), ShapeError, "size (5,)"),
        (nn.AddConstant(tensor([1.0, 2.0])), doubles(4, 3), ShapeError, "shape (2,)"),
        (nn.GatedLinearUnit(), doubles(4, 3), ShapeError, "Halving dimension must be even. Dim 2"),
    ],
)
def test_errors_say_what_was_expected_and_given(module, input, error, words):
    with pytest.raises(error) as raised:
        module.updateOutput(input)
    assert words in str(raised.value)
    assert isinstance(raised.value, RekindleError)


# -- learned terms and factors ------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        *(((3,), (2, 3)), ((3,), (3,)), ((2, 3), (4, 2, 3)), ((2, 3), (4, 3, 2)), ((2, 3), (6,))),
        *(((1, 3, 1, 1), (2, 3, 4, 5)), ((2, 1), (2, 3)), ((1,), (2, 3)), ((1, 1), (5,))),
    ],
)
def test_parameters_of_one_sample_or_broadcast(size, shape):
    cmul, cadd, x = nn.CMul(*size), nn.CAdd(*size), doubles(*shape)

    def expected(parameter, function):
        p = parameter.numpy()
        if p.size == x.size:
            return function(x.numpy().ravel(), p.ravel()).reshape(shape)
        if p.ndim == x.ndim:
            return function(x.numpy(), p)
        return function(x.numpy().reshape(shape[0], -1), p.reshape(1, -1)).reshape(shape)

    np.testing.assert_array_equal(cmul(x).numpy(), expected(cmul.weight, np.multiply))
    np.testing.assert_array_equal(cadd(x).numpy(), expected(cadd.bias, np.add))


def test_add_of_a_number_of_an_old_file():
    m, x = nn.Add(3, True), doubles(2, 3)
    del m.scalar
    np.testing.assert_array_equal(m(x).numpy(), x.numpy() + m.bias.item())


def test_constants_take_vectors_and_batches():
    x, row = doubles(4, 3), doubles(3, seed=1)
    np.testing.assert_array_equal(nn.AddConstant(row)(x).numpy(), x.numpy() + row.numpy())
    np.testing.assert_array_equal(nn.AddConstant(row)(x[0]).numpy(), x.numpy()[0] + row.numpy())
    constant = nn.Constant(row, 1)
    np.testing.assert_array_equal(constant(x).numpy(), np.tile(row.numpy(), (4, 1)))
    np.testing.assert_array_equal(constant(x[0]).numpy(), row.numpy())


@pytest.mark.parametrize("module", [nn.MulConstant(2.5, True), nn.AddConstant(2.5, True)])
def test_in_place_constants_write_into_the_input(module):
    x = doubles(2, 3)
    before, own = x.numpy().copy(), module.output
    fresh = module(x)
    np.testing.assert_array_equal(x.numpy(), before)
    output = module.updateOutput(x)
    assert output is own
    assert output.storage() is x.storage()
    np.testing.assert_array_equal(x.numpy(), fresh.numpy())


def test_float_modules_give_float_outputs():
    x = tensor(np.ones((2, 4), np.float32))
    for module in (nn.MulConstant(2.5), nn.AddConstant(2.5), nn.Constant(tensor([1.0]))):
        module._type = "torch.FloatTensor"
        assert module(x).dtype == np.float32


# -- other parametrisations ---------------------------------------------------------------


def test_weight_norm_keeps_the_weight_that_it_made():
    m, x = nn.LinearWeightNorm(4, 3), doubles(2, 4)
    m.g.detach().copy_(m.g * 2)
    v = m.v.numpy()
    weight = v / np.linalg.norm(v, axis=1, keepdims=True) * m.g.numpy()
    expected = x.numpy() @ weight.T + m.bias.numpy()
    np.testing.assert_allclose(m(x).numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(m.forward(x).numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(m.weight.numpy(), weight, rtol=1e-12)
    assert m.parameters()[0] == [m.v, m.g, m.bias]
    # Torch7 computes the weight in training only, and once more when that ends.
    m.evaluate()
    m.v.detach().mul_(3)
    m.g.detach().mul_(2)
    np.testing.assert_allclose(m.forward(x).numpy(), expected, rtol=1e-12)
    m.training()
    twice = 2 * x.numpy() @ weight.T + m.bias.numpy()
    np.testing.assert_allclose(m.forward(x).numpy(), twice, rtol=1e-12)
    linear = m.toLinear()
    np.testing.assert_allclose(linear.forward(x).numpy(), twice, rtol=1e-12)
    same = nn.LinearWeightNorm.fromLinear(linear)
    np.testing.assert_allclose(same.forward(x).numpy(), twice, rtol=1e-12)


def test_partial_linear_computes_some_outputs():
    m, x = nn.PartialLinear(4, 5), doubles(2, 4)
    m.bias.detach().copy_(doubles(1, 5, seed=1))
    everything = m(x).numpy()
    m.setPartition(tensor([5, 2]))
    np.testing.assert_allclose(m(x).numpy(), everything[:, [4, 1]], rtol=1e-12)
    m.resetPartition()
    np.testing.assert_array_equal(m(x).numpy(), everything)
    assert [p.shape for p in m.parameters()[0]] == [(5, 4), (1, 5)]


def test_layer_normalisation_is_that_of_the_features():
    # of one sample: in a batch Torch7 subtracts the mean of other samples, as its records show
    m, x = nn.LayerNormalization(4, 0.5, 1e-5), doubles(4)
    centred = x.numpy() - x.numpy().mean()
    expected = 2 * centred / np.sqrt((centred**2).sum() + 1e-5) + 0.5
    np.testing.assert_allclose(m(x).numpy(), expected, rtol=1e-12)
