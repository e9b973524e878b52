"""Classes of fast-neural-style: a recorded model, and what a trained one computes."""

import numpy as np
import pytest
from recorded import FIXTURES, assert_close

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError


def doubles(*shape, seed=0):
    return tensor(np.random.default_rng(seed).normal(size=shape))


@pytest.mark.parametrize("mode", ["evaluate", "training"])
def test_recorded_model(mode):
    record = checkpoint.load(FIXTURES / "models" / "fast_neural_style_in.t7")
    getattr(record.model, mode)()
    expected = record.output if mode == "evaluate" else record.output_train
    assert_close(record.model(record.input), expected)
    assert_close(record.model.updateOutput(record.input), expected)


def normalised(m, x):
    mean, deviation = x.mean((-2, -1), keepdims=True), x.std((-2, -1), keepdims=True)
    scale = np.sqrt(deviation**2 + m.eps)
    return (x - mean) / scale * m.weight.numpy()[:, None, None] + m.bias.numpy()[:, None, None]


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (3, 4, 5)])
@pytest.mark.parametrize("train", [True, False])
def test_a_model_trained_with_the_old_nn_normalises_each_image(shape, train):
    m, x = nn.InstanceNormalization(3), doubles(*shape)
    m.bias.detach().copy_(doubles(3, seed=1))
    m.bn = nn.SpatialBatchNormalization(12)
    m.bn.running_mean.fill_(0.5)
    m.train = train
    np.testing.assert_allclose(m(x).numpy(), normalised(m, x.numpy()), rtol=1e-10)


def test_a_module_that_never_ran_does_as_the_torch7_of_today():
    m, x = nn.InstanceNormalization(3, 0.25), doubles(2, 3, 4, 5)
    expected = x.numpy() / np.sqrt(1.25) * m.weight.numpy()[:, None, None]
    np.testing.assert_allclose(m(x).numpy(), expected, rtol=1e-12)
    m.bn = nn.SpatialBatchNormalization(6)
    np.testing.assert_allclose(m(x).numpy(), expected, rtol=1e-12)


def test_variants_of_other_projects():
    x = doubles(2, 3, 4, 5)
    m = nn.InstanceNormalization(3)
    del m.weight, m.bias
    m.running_mean = tensor(np.array([0.5, 0.0, 0.0]))
    plain = nn.InstanceNormalization(3)
    plain.weight.detach().fill_(1)
    np.testing.assert_allclose(m(x).numpy(), normalised(plain, x.numpy()), rtol=1e-10)
    m.disabled = True
    np.testing.assert_array_equal(m(x).numpy(), x.numpy())


def test_a_shaved_image_is_a_copy_of_the_middle():
    x = doubles(2, 3, 6, 5)
    y = nn.ShaveImage(2).updateOutput(x)
    np.testing.assert_array_equal(y.numpy(), x.numpy()[:, :, 2:-2, 2:-2])
    assert y.storage() is not x.storage()


@pytest.mark.parametrize(
    ("module", "shape", "words"),
    [
        (nn.ShaveImage(2), (1, 3, 4, 9), "larger than 4 pixels"),
        (nn.ShaveImage(2), (3, 9, 9), "4-D input"),
        (nn.InstanceNormalization(3), (1, 4, 5, 5), "takes 3 planes"),
        (nn.InstanceNormalization(3), (3, 4), "3-D or 4-D input"),
    ],
)
def test_errors_say_what_was_expected_and_given(module, shape, words):
    with pytest.raises(ShapeError, match=words):
        module.updateOutput(doubles(*shape))
