"""dpnn's modules against recorded models and definitions. See also test_models."""

import numpy as np
import pytest
from recorded import FIXTURES, assert_close, assert_same_fields

from rekindle.core import checkpoint
from rekindle.core.creation import tensor
from rekindle.legacy_nn import Clip, Inception, Linear, Serial
from rekindle.legacy_nn.module import InputTypeError

FILES = ("googlenet_inception_small", "openface_nn4_small2_thin")


def inceptions(name):
    model = checkpoint.load(FIXTURES / "models" / f"{name}.t7").model
    return [m for _, m in model.named_modules() if isinstance(m, Inception)]


@pytest.mark.parametrize(
    ("name", "index"), [(FILES[0], i) for i in range(2)] + [(FILES[1], i) for i in range(7)]
)
def test_constructor(name, index):
    recorded = inceptions(name)[index]
    made = Inception({k: v for k, v in vars(recorded).items() if k != "modules"})
    assert_same_fields(made, recorded)
    assert repr(made) == repr(recorded)


def test_defaults():
    made = Inception({"inputSize": 3, "outputSize": [4, 5], "reduceSize": [2, 2, 3]})
    assert made.kernelSize.array() == [5, 3]
    assert (made.padding, made.batchNorm) == (True, None)
    assert len(made.modules[1].modules) == 3
    assert made(tensor(np.ones((2, 3, 6, 6)))).shape == (2, 12, 6, 6)


def test_a_single_image_is_a_batch_of_one():
    module = inceptions(FILES[0])[1].evaluate()
    x = tensor(np.random.default_rng(0).normal(size=(2, 12, 5, 5)))
    batch = module(x)
    for run in (module, module.updateOutput):
        assert_close(run(x[0]), batch[0], "the first image")
    with pytest.raises(InputTypeError):
        module([x])


def test_serial_does_what_its_module_does():
    inner = Linear(3, 2)
    module = Serial(inner, "torch.FloatTensor")
    x = tensor(np.ones((4, 3)))
    np.testing.assert_array_equal(module(x).numpy(), inner(x).numpy())
    assert module.updateOutput(x) is inner.output
    assert repr(module) == "nn.Serial @ nn.Linear(3 -> 2)"


def test_clip():
    x = np.array([[-2.0, -0.5, 0.0], [0.7, 3.0, np.nan]])
    np.testing.assert_array_equal(Clip(-0.5, 0.7)(tensor(x)).numpy(), np.clip(x, -0.5, 0.7))
