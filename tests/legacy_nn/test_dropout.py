"""Dropout and noise against recorded Torch7 runs: outputs, masks and the number of draws."""

import json

import numpy as np
import pytest
from recorded import FIXTURES, check_constructor, check_forward, construct, records, tostring_texts

import rekindle
from rekindle.core.creation import tensor, zeros
from rekindle.core.errors import ShapeError
from rekindle.legacy_nn import Dropout, RReLU, SpatialDropout, VolumetricDropout, WhiteNoise
from rekindle.legacy_nn.module import ArgumentError
from rekindle.legacy_nn.torch7 import random

CLASSES = ("Dropout", "SpatialDropout", "VolumetricDropout", "WhiteNoise")
RECORDS = records(*CLASSES)
PREFIXES = tuple(f"nn.{c}(" for c in CLASSES)
TEXTS = {lua: text for lua, text in tostring_texts().items() if lua.startswith(PREFIXES)}
MASKS = rekindle.load(FIXTURES / "behaviour" / "noise_masks.t7")["results"]


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_forward(path):
    check_forward(path)


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


@pytest.mark.parametrize(("lua", "text"), TEXTS.items())
def test_text(lua, text):
    assert repr(construct(lua)) == text


def float_module(module):
    """Return `module` as after `:float()`."""
    module._type = "torch.FloatTensor"
    for name in ("output", "gradInput", "noise"):
        setattr(module, name, zeros(0, "float32"))
    return module


MODULES = {
    "Dropout_05": lambda: Dropout(0.5),
    "Dropout_02_v1": lambda: Dropout(0.2, True),
    "Dropout_float": lambda: float_module(Dropout(0.3)),
    "SpatialDropout": lambda: SpatialDropout(0.5),
    "VolumetricDropout": lambda: VolumetricDropout(0.5),
    "WhiteNoise": lambda: WhiteNoise(0, 0.1),
    "RReLU": lambda: RReLU(0.1, 0.3),
}


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("run", ["updateOutput", "__call__"])
def test_masks_are_torch7s_and_so_is_the_number_of_draws(name, run):
    record, module = MASKS[name], MODULES[name]()
    noise = module.noise
    tolerance = 1e-6 if record["output"].dtype == np.float32 else 1e-14
    random.manual_seed(123)
    output = getattr(module, run)(record["input"])
    assert output.dtype == record["output"].dtype
    np.testing.assert_allclose(output.numpy(), record["output"].numpy(), rtol=tolerance)
    assert random.default.words(1)[0] == record["next"]
    assert module.noise is noise
    np.testing.assert_allclose(noise.numpy(), record["noise"].numpy(), rtol=tolerance)
    evaluated = getattr(module.evaluate(), run)(record["input"])
    np.testing.assert_allclose(evaluated.numpy(), record["eval"].numpy(), rtol=tolerance)


def test_a_second_pass_draws_anew():
    module, x = Dropout(0.5), MASKS["Dropout_05"]["input"]
    random.manual_seed(9)
    for expected in MASKS["twice"].array():
        np.testing.assert_array_equal(module.updateOutput(x).numpy(), expected.numpy())


@pytest.mark.parametrize("mode", ["bin", "ascii"])
def test_dropout_of_version_1_scales_in_evaluation(mode):
    path = FIXTURES / "serialization" / f"oldnn_dropout_v1scale.{mode}.t7"
    record = rekindle.load(path)
    expected = json.loads(path.with_suffix(".json").read_text())["expect"]["output"]
    y = record["module"].updateOutput(record["input"])
    np.testing.assert_allclose(y.numpy().ravel(), expected["data"], rtol=1e-14)


@pytest.mark.parametrize(
    "module",
    [Dropout(0), Dropout(0.5).evaluate(), WhiteNoise().evaluate(), SpatialDropout().evaluate()],
)
def test_nothing_is_drawn_where_nothing_drops(module):
    random.manual_seed(4)
    module.updateOutput(zeros((2, 3, 4), "float64"))
    assert random.default.words(1) == random.Generator(4).words(1)


@pytest.mark.parametrize(
    "module", [Dropout(0.5, False, True), Dropout(0.5, False, True).evaluate()]
)
def test_in_place_dropout_changes_its_input(module):
    x = tensor(np.arange(1.0, 7))
    random.manual_seed(1)
    output = module.updateOutput(x)
    assert output.storage() is x.storage()
    assert set((x.numpy() / np.arange(1, 7)).tolist()) <= ({0.0, 2.0} if module.train else {1.0})


def test_feature_maps_are_dropped_whole():
    random.manual_seed(2)
    y = SpatialDropout(0.5)(tensor(np.ones((4, 8, 3, 3)))).numpy()
    assert set(y.reshape(32, 9).sum(1).tolist()) == {0.0, 9.0}


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (SpatialDropout(), (2, 3)),
        (SpatialDropout(), (1, 2, 3, 4, 5)),
        (VolumetricDropout(), (2, 3, 4)),
    ],
)
def test_inputs_without_feature_maps_are_refused(module, shape):
    with pytest.raises(ShapeError, match="features"):
        module(zeros(shape, "float64"))


def test_texts_without_a_record():
    assert repr(VolumetricDropout(0.25)) == "nn.VolumetricDropout(0.250000)"
    assert repr(WhiteNoise(0, 0.1)) == "nn.WhiteNoise mean: 0.000000, std: 0.100000"


@pytest.mark.parametrize("p", [1, -0.1, 1.5])
def test_bad_probabilities_are_refused(p):
    with pytest.raises(ArgumentError):
        Dropout(p)
