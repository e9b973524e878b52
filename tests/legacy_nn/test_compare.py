"""compare: planted differences are found where they are, and named."""

import copy
from pathlib import Path

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn, nn
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import rnn
from rekindle.legacy_nn.compare import CompareError, compare
from rekindle.legacy_nn.torch7 import random
from rekindle.legacy_nn.trace import TraceError

MODELS = Path(__file__).parents[1] / "fixtures" / "models"
DRAW = np.random.Generator(np.random.PCG64(2))
IMAGE = DRAW.standard_normal((2, 3, 9, 9))


def old():
    """Return a small legacy network whose norms have seen something."""
    random.manual_seed(5)
    model = legacy_nn.Sequential()
    model.add(legacy_nn.SpatialConvolution(3, 4, 3, 3, 1, 1, 1, 1))
    model.add(legacy_nn.SpatialBatchNormalization(4))
    model.add(legacy_nn.ReLU(True))
    model.add(legacy_nn.SpatialMaxPooling(2, 2, 2, 2))
    model.add(legacy_nn.SpatialAveragePooling(3, 3, 1, 1, 1, 1))
    model.add(legacy_nn.View(-1).setNumInputDims(3))
    model.add(legacy_nn.Linear(64, 8)).add(legacy_nn.LogSoftMax())
    norm = model.get(2)
    norm.running_mean.copy_(rekindle.tensor(DRAW.standard_normal(4) * 0.1))
    norm.running_var.copy_(rekindle.tensor(DRAW.uniform(0.01, 0.1, 4)))
    return model.evaluate()


def new(model, **changes):
    """Return a port of it in core.nn, with what is to be wrong in it."""
    port = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.BatchNorm2d(4, eps=changes.get("eps", 1e-5)),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=changes.get("ceil_mode", False)),
        nn.AvgPool2d(3, 1, 1, count_include_pad=changes.get("count_include_pad", True)),
        nn.Flatten(),
        nn.Linear(64, 8),
        nn.LogSoftmax(1),
    ).double()
    state = {}
    for theirs, ours in (("0", 1), ("1", 2), ("6", 7)):
        module = model.get(ours)
        for name in ("weight", "bias", "running_mean", "running_var"):
            if getattr(module, name, None) is not None:
                value = getattr(module, name).numpy().copy()
                state[f"{theirs}.{name}"] = changes.get(f"{theirs}.{name}", lambda v: v)(value)
    port.load_state_dict(state, strict=False)
    return port


def test_a_faithful_port(capsys):
    model = old()
    result = compare(model, new(model), IMAGE)
    assert result
    assert result.first is None
    assert len(result.pairs) == 8
    assert result.unmatched == ([], [])
    assert capsys.readouterr().out.startswith("equal: 7 modules matched")


PLANTED = {
    "eps": ({"eps": 1e-2}, "modules[2]", "1", "eps is 1e-05 in a and 0.01 in b"),
    "count_include_pad": (
        {"count_include_pad": False}, "modules[5]", "4", "count_include_pad is True in a",
    ),
    "another weight": (
        {"0.weight": lambda w: w.swapaxes(2, 3)}, "modules[1]", "0", "weight differs",
    ),
    "correlation": (
        {"0.weight": lambda w: w[:, :, ::-1, ::-1]}, "modules[1]", "0", "upside down",
    ),
    "BGR": ({"0.weight": lambda w: w[:, ::-1]}, "modules[1]", "0", "BGR and RGB"),
    "biased variance": (
        {"1.running_var": lambda v: v * 162 / 161}, "modules[2]", "1",
        "biased variance: a's is biased and b's is not, for batches of 162 values",
    ),
    "inverse deviation": (
        {"1.running_var": lambda v: 1 / np.sqrt(v + 1e-5)}, "modules[2]", "1", "1 / sqrt",
    ),
    "gates": (
        {"6.weight": lambda w: w.reshape(4, 2, 64)[[0, 1, 3, 2]].reshape(8, 64)},
        "modules[7]", "6", "gate order: b's 4 blocks of rows are a's in the order 0, 1, 3, 2",
    ),
    "no bias": ({"0.bias": lambda b: b * 0}, "modules[1]", "0", "bias differs: b's is 0"),
}  # fmt: skip


@pytest.mark.parametrize("plant", PLANTED)
def test_planted_differences_are_named(plant, capsys):
    changes, path_a, path_b, cause = PLANTED[plant]
    model = old()
    result = compare(model, new(model, **changes), IMAGE)
    assert not result
    assert (result.first.path_a, result.first.path_b) == (path_a, path_b)
    assert any(cause in text for text in result.first.causes), result.first.causes
    printed = capsys.readouterr().out
    assert path_a in printed
    assert cause in printed
    back = compare(new(model, **changes), model, IMAGE, quiet=True)
    assert (back.first.path_a, back.first.path_b) == (path_b, path_a)


def test_ceil_mode():
    a = legacy_nn.Sequential().add(legacy_nn.SpatialMaxPooling(2, 2, 2, 2).ceil())
    b = nn.Sequential(nn.MaxPool2d(2))
    result = compare(a, b, IMAGE, quiet=True)
    assert result.first.error == np.inf
    assert result.first.causes[0].startswith("ceil_mode is True in a and False in b")
    assert "2x3x5x5 and 2x3x4x4" in str(result)


def test_momentum_is_named_where_the_moments_went_apart():
    a, b = nn.BatchNorm2d(3, momentum=0.1), nn.BatchNorm2d(3, momentum=0.9)
    for module in (a, b):
        module(rekindle.tensor(IMAGE + 3).astype("float32"))
        module.eval()
    result = compare(a, b, IMAGE, quiet=True)
    assert any(c.startswith("momentum is 0.1 in a and 0.9 in b") for c in result.first.causes)


def test_gates_of_an_lstm():
    a, b = nn.LSTM(3, 5), nn.LSTM(3, 5)
    state = {n: v.numpy() for n, v in a.state_dict().items()}
    order = [1, 0, 2, 3]
    b.load_state_dict({n: v.reshape(4, 5, -1)[order].reshape(v.shape) for n, v in state.items()})
    result = compare(a, b, DRAW.standard_normal((4, 2, 3)), quiet=True)
    assert any("gate order" in c and "1, 0, 2, 3" in c for c in result.first.causes)


def test_batch_first():
    a, b = nn.GRU(4, 4), nn.GRU(4, 4, batch_first=True)
    b.load_state_dict(a.state_dict())
    result = compare(a, b, DRAW.standard_normal((3, 3, 4)), quiet=True)
    assert any("batch_first is False in a and True in b" in c for c in result.first.causes)


def test_a_transposed_output_is_a_matter_of_layout():
    class Turned(nn.Module):
        def forward(self, x):
            return x.transpose(0, 1).tanh()

    a = legacy_nn.Sequential().add(legacy_nn.Tanh())
    result = compare(a, Turned(), DRAW.standard_normal((3, 4, 5)), {"": ""}, quiet=True)
    assert "dimensions in the order (1, 0, 2)" in result.first.causes[0]


def test_indices_from_one():
    a, b = legacy_nn.LookupTable(6, 3), nn.Embedding(6, 3).double()
    b.weight.detach().copy_(a.weight.detach())
    x = np.array([[1, 4], [2, 5]])
    result = compare(a, b, x, quiet=True)
    assert result.first.causes[0].startswith("1-based index: the same indices count rows from 1")
    assert compare(a, b, x, x_b=x - 1, quiet=True)
    with pytest.raises(TraceError, match="1-based index"):
        compare(a, b, np.array([[6, 1]]))


def test_cudnn_counts_the_padding_whatever_its_field_says():
    a = legacy_nn.cudnn.SpatialAveragePooling(3, 3, 1, 1, 1, 1)
    b = legacy_nn.SpatialAveragePooling(3, 3, 1, 1, 1, 1).setCountExcludePad()
    result = compare(a.double(), b.double(), IMAGE, quiet=True)
    assert result.first.causes[0].startswith("count_include_pad is True in a and False in b")


@pytest.mark.parametrize(
    "name", ["resnet20_cifar_thin", "googlenet_inception_small", "vgg_bn_thin"]
)
def test_recorded_models_and_their_translations(name):
    recorded = rekindle.load(MODELS / f"{name}.t7")
    modern = rekindle.modernise(recorded.model, recorded.input)
    result = compare(recorded.model, modern, recorded.input, quiet=True)
    assert result
    assert len(result.pairs) > 20
    assert all(pair.agrees for pair in result.pairs)


def test_a_difference_deep_in_a_recorded_model():
    recorded = rekindle.load(MODELS / "resnet20_cifar_thin.t7")
    other = copy.deepcopy(recorded.model)
    norms = [(p, m) for p, m in other.named_modules() if "BatchNorm" in m.t7_typename]
    path, norm = norms[7]
    norm.eps = 0.5
    result = compare(recorded.model, other, recorded.input, quiet=True)
    assert result.first.path_a == result.first.path_b == path
    assert result.first.causes[0].startswith("eps is 1e-05 in a and 0.5 in b")


def test_branches_in_another_order_are_found_by_their_weights():
    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            self.second, self.first = nn.Linear(4, 3), nn.Linear(4, 3)

        def forward(self, x):
            second = self.second(x)
            return rekindle.ops.concat([self.first(x), second], axis=1)

    a = legacy_nn.Concat(2).add(legacy_nn.Linear(4, 3)).add(legacy_nn.Linear(4, 3)).float()
    b = Branches()
    for own, module in zip((b.first, b.second), a.modules.array(), strict=True):
        own.load_state_dict({"weight": module.weight.detach(), "bias": module.bias.detach()})
    result = compare(a, b, DRAW.standard_normal((2, 4)), quiet=True)
    assert result
    assert {p.paths for p in result.pairs[:-1]} == {
        ("modules[1]", "first"),
        ("modules[2]", "second"),
    }


def test_one_module_and_modules_that_are_called_twice():
    a, b = legacy_nn.Linear(3, 3), nn.Linear(3, 3).double()
    b.load_state_dict({"weight": a.weight.detach(), "bias": a.bias.detach()})
    x = DRAW.standard_normal((2, 3))
    assert compare(a, b, x, quiet=True)
    twice = compare(legacy_nn.Sequential().add(a).add(a), nn.Sequential(b, b), x, quiet=True)
    assert twice
    assert len(twice.pairs) == 3


def test_a_mapping_of_paths_and_what_it_may_name():
    model = old()
    port = new(model, eps=0.1)
    result = compare(model, port, IMAGE, {"0": "0", "modules[4]": "3"}, quiet=True)
    assert [p.paths for p in result.pairs[:2]] == [("modules[1]", "0"), ("modules[4]", "3")]
    assert result.first.path_a == "modules[4]"
    assert "inputs differ" in str(result)
    with pytest.raises(CompareError, match="nothing was called at 'nowhere' in b"):
        compare(model, port, IMAGE, {"0": "nowhere"})
    with pytest.raises(CompareError, match="'order' or a mapping"):
        compare(model, port, IMAGE, "names")


def test_modules_of_pytorch():
    torch = pytest.importorskip("torch")
    model = old()
    with torch.no_grad():
        port = torch.nn.Sequential(
            torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.BatchNorm2d(4, eps=1e-3),
            torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.AvgPool2d(3, 1, 1),
            torch.nn.Flatten(), torch.nn.Linear(64, 8), torch.nn.LogSoftmax(1),
        ).double()  # fmt: skip
        state = {n: torch.from_numpy(v.numpy()) for n, v in new(model).state_dict().items()}
        port.load_state_dict(state)
    result = compare(model, port, IMAGE, quiet=True)
    assert (result.first.path_a, result.first.path_b) == ("modules[2]", "1")
    assert result.first.causes == [
        "eps is 1e-05 in a and 0.001 in b (what is added to the variance)"
    ]
    assert port.training
    port[1].eps = 1e-5
    assert compare(model, port, IMAGE, quiet=True)
    assert compare(port, new(model), IMAGE, quiet=True)
    assert not port._forward_hooks


def test_settings_of_modules_that_agree_are_noted():
    model = legacy_nn.Sequential().add(legacy_nn.SpatialBatchNormalization(3)).evaluate()
    port = nn.Sequential(nn.BatchNorm2d(3, momentum=0.9)).double().eval()
    port.load_state_dict(rekindle.modernise(model).state_dict(), strict=False)
    result = compare(model, port, IMAGE, quiet=True)
    assert result
    assert "but modules[1] and 0: momentum is 0.1 in a and 0.9 in b" in str(result)
    assert compare(model, rekindle.modernise(model), IMAGE, quiet=True).notes == []


def test_gates_of_a_layer_of_sequences():
    model = rnn.SeqLSTM(3, 4).evaluate()
    port = nn.LSTM(3, 4).double()
    raw = model.weight.detach().numpy()
    with rekindle.no_grad():
        port.weight_ih_l0.copy_(raw[:3].T)
        port.weight_hh_l0.copy_(raw[3:].T)
        port.bias_ih_l0.copy_(model.bias.detach())
        port.bias_hh_l0.zero_()
    x = Tensor(np.random.default_rng(0).normal(size=(5, 2, 3)))
    first = compare(model, port, x, quiet=True).first
    assert "gate order: b's 4 blocks of rows are a's in the order 0, 1, 3, 2" in first.causes[0]
    assert compare(model, rekindle.modernise(model), x, quiet=True)


class PlanesLast(nn.Module):
    """A port that flattens images with their planes last."""

    def __init__(self, conv, fc):
        super().__init__()
        self.conv, self.fc = conv, fc

    def forward(self, x):
        return self.fc(self.conv(x).permute(0, 2, 3, 1).reshape(x.shape[0], -1))


def test_planes_flattened_last():
    model = legacy_nn.Sequential().add(legacy_nn.SpatialConvolution(3, 4, 3, 3))
    size = 4 * (IMAGE.shape[2] - 2) * (IMAGE.shape[3] - 2)
    model.add(legacy_nn.View(size)).add(legacy_nn.Linear(size, 2))
    made = rekindle.modernise(model)
    result = compare(model, PlanesLast(made[0], made[2]), IMAGE, quiet=True)
    assert "layout: both inputs have the same numbers in another order" in result.first.causes[0]


def test_modules_without_a_counterpart_are_listed():
    model = legacy_nn.Sequential().add(legacy_nn.SpatialConvolution(3, 4, 3, 3))
    made = rekindle.modernise(model)
    port = nn.Sequential(made, nn.LeakyReLU(0.1))
    result = compare(model.add(legacy_nn.ReLU()), port, IMAGE, quiet=True)
    assert "without a counterpart: modules[2] (nn.ReLU) in a, 1 (LeakyReLU) in b" in str(result)


def test_only_settings_of_the_dimensions_that_there_are_count():
    model = legacy_nn.Sequential().add(legacy_nn.SpatialAveragePooling(3, 3, 2, 2, 1, 1))
    port = nn.Sequential(nn.AvgPool2d(3, 2, 1, count_include_pad=False))
    (cause,) = compare(model, port, IMAGE, quiet=True).first.causes
    assert cause.startswith("count_include_pad")


def test_indices_of_a_translation_from_zero():
    model = legacy_nn.Sequential().add(legacy_nn.LookupTable(6, 3)).add(legacy_nn.Linear(3, 2))
    port = rekindle.modernise(model, zero_based=True)
    rows = Tensor(np.array([1, 2, 3]))
    (cause,) = compare(model, port, rows, quiet=True).first.causes
    assert cause.startswith("1-based index: the same indices count rows from 1 in a and from 0")
    assert compare(model, port, rows, x_b=rows - 1, quiet=True)
