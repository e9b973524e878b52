"""Optimised models against the models themselves, in every form that fuses and some that do not."""

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn, nn
from rekindle.core.errors import UseError
from rekindle.core.kernels.dispatch import KERNELS
from rekindle.core.nn import functional as F
from rekindle.legacy_nn.optimise import optimise


def draw(*shape, seed=0, dtype=np.float32):
    return rekindle.tensor(np.random.default_rng(seed).normal(size=shape).astype(dtype))


def shaken(model):
    """Give all parameters and moments values that matter."""
    rng = np.random.default_rng(5)
    with rekindle.no_grad():
        for name, t in [*model.named_parameters(), *model.named_buffers()]:
            if t.dtype.kind == "f":
                scale = 0.3 if t.ndim > 1 else 0.5
                values = rng.normal(size=t.shape) * scale
                t.copy_(np.abs(values) + 0.3 if "var" in name else values)
    return model


def agrees(model, *inputs, calls=2):
    """Check that the optimised model gives the same, and leaves the model as it was."""
    before = {k: v.numpy().copy() for k, v in model.state_dict().items()}
    model.eval()
    expected = model(*inputs)
    model.train()
    fast = optimise(model)
    for _ in range(calls):
        y = fast(*inputs)
        assert type(y) is rekindle.Tensor
        assert y.dtype == expected.dtype
        assert not y.requires_grad
        error = np.abs(y.numpy() - expected.numpy()).max()
        assert error <= 1e-5 * np.abs(expected.numpy()).max()
    assert model.training
    for k, v in model.state_dict().items():
        np.testing.assert_array_equal(v.numpy(), before[k])
    return fast


class Block(nn.Module):
    """A residual block of a form that `how` names."""

    def __init__(self, how):
        super().__init__()
        self.how = how
        self.a, self.b, self.c = (nn.Conv2d(4, 4, k, padding=k // 2) for k in (3, 3, 1))
        self.na, self.nb, self.nc = (nn.BatchNorm2d(4) for _ in range(3))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.na(self.a(x))
        if self.how == "functions":
            y = self.nb(self.b(F.relu(y)))
            return F.relu(x + y)
        if self.how == "in place":
            y = self.nb(self.b(self.relu(y)))
            y += self.nc(self.c(x))
            return self.relu(y)
        if self.how == "methods":
            y = self.nb(self.b(y.relu())) + self.nc(self.c(x))
            return y.relu_()
        if self.how == "used twice":
            return y.relu() + y * 2 + self.nb(self.b(y))
        if self.how == "views":
            y = y.reshape(y.shape[0], -1)[:, 3:]
            return self.relu(y) + rekindle.ops.sum(y)
        if self.how == "to itself":
            return (y + y).relu()
        raise AssertionError(self.how)


@pytest.mark.parametrize(
    ("how", "fused"),
    [
        ("functions", (2, 1, 2)),
        ("in place", (3, 1, 2)),
        ("methods", (3, 1, 2)),
        ("used twice", None),
        ("views", None),
        ("to itself", None),
    ],
)
def test_a_residual_block(how, fused):
    model = shaken(Block(how))
    fast = agrees(model, draw(2, 4, 9, 8), calls=3)
    if fused:
        names = ("batch normalisation", "addition", "ReLU")
        assert tuple(fast.fused[name] for name in names) == tuple(3 * n for n in fused)
        assert not fast.unchanged


def test_what_is_needed_twice_is_computed_once_from_the_second_call_on():
    model = shaken(Block("used twice"))
    fast = optimise(model)
    x = draw(2, 4, 9, 8)
    fast(x)
    first = fast.fused["ReLU"]
    fast(x)
    assert fast.fused["ReLU"] == first


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([nn.Conv1d(4, 6, 3, bias=False), nn.BatchNorm1d(6), nn.ReLU()], (2, 4, 9)),
        ([nn.Conv2d(4, 6, 3, groups=2, stride=2), nn.BatchNorm2d(6)], (2, 4, 9, 8)),
        (
            [nn.Conv3d(2, 4, 2, dilation=2), nn.BatchNorm3d(4, affine=False), nn.ReLU()],
            (1, 2, 5, 6, 7),
        ),
        ([nn.Conv2d(4, 4, 1), nn.ReLU(), nn.BatchNorm2d(4)], (2, 4, 5, 5)),
        ([nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 3)], (2, 4, 5, 5)),
        ([nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3)], (5, 4)),
        ([nn.Linear(4, 6), nn.ReLU()], (3, 5, 4)),
        ([nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.Tanh(), nn.Flatten()], (2, 4, 5, 5)),
    ],
    ids=lambda v: str(v)[:40],
)
def test_sequences(layers, shape, dtype):
    model = shaken(nn.Sequential(*layers)).to(dtype)
    agrees(model, draw(*shape, dtype=dtype))


def test_nan_is_not_rectified():
    model = shaken(nn.Sequential(nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8), nn.ReLU())).eval()
    with rekindle.no_grad():
        model[0].weight[0, 0, 0, 0] = np.nan
    x = draw(1, 8, 16, 16)
    found = np.isnan(optimise(model)(x).numpy())
    assert found[0, 0].all()
    assert np.array_equal(found, np.isnan(model(x).numpy()))


def test_tells_what_stays():
    fast = optimise(nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU(), nn.BatchNorm2d(4)))
    fast(draw(2, 4, 5, 5))
    assert fast.unchanged == {"batch normalisation of what no convolution or linear map made": 1}
    assert fast.fused == {"ReLU": 1}


def test_follows_changes_of_the_copy():
    model = shaken(nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)))
    fast = optimise(model)
    x = draw(2, 4, 5, 5)
    fast(x)
    with rekindle.no_grad():
        fast.model[1].weight.mul_(2.0)
        fast.model[0].bias.add_(1.0)
    np.testing.assert_allclose(fast(x).numpy(), fast.model(x).numpy(), rtol=1e-4, atol=1e-5)


def test_results_in_structures():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Conv2d(4, 2, 1)

        def forward(self, x):
            y = self.a(x)
            return {"y": y, "list": [y.relu(), (x, 3)]}

    found = optimise(Pair())(draw(1, 4, 3, 3))
    assert type(found["y"]) is rekindle.Tensor
    np.testing.assert_array_equal(found["list"][0].numpy(), np.maximum(found["y"].numpy(), 0))


def test_an_input_that_is_overwritten_before():
    class Careless(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Conv2d(4, 4, 1)

        def forward(self, x):
            x = x * 1
            y = self.a(x)
            x.add_(1.0)
            return y + x

    with pytest.raises(UseError, match="add_ has written into its input"):
        optimise(Careless())(draw(1, 4, 3, 3))


def legacy_block():
    conv, bn = legacy_nn.SpatialConvolution, legacy_nn.SpatialBatchNormalization
    branch = legacy_nn.Sequential().add(conv(4, 4, 3, 3, 1, 1, 1, 1)).add(bn(4))
    branch.add(legacy_nn.ReLU(True)).add(conv(4, 4, 3, 3, 1, 1, 1, 1).noBias()).add(bn(4))
    for shortcut in (
        legacy_nn.Identity(),
        legacy_nn.Sequential().add(conv(4, 4, 1, 1)).add(bn(4)),
    ):
        both = legacy_nn.ConcatTable().add(branch.clone()).add(shortcut)
        yield (
            legacy_nn.Sequential()
            .add(both)
            .add(legacy_nn.CAddTable(True))
            .add(legacy_nn.ReLU(True))
        )


@pytest.mark.parametrize("model", [*legacy_block()], ids=["identity", "projected"])
def test_legacy_models(model):
    model = model.float()
    rng = np.random.default_rng(0)
    for m in model.listModules():
        if isinstance(m, legacy_nn.SpatialBatchNormalization):
            m.running_mean.copy_(rng.normal(size=4))
            m.running_var.copy_(rng.uniform(0.5, 2, size=4))
    x = draw(2, 4, 7, 6)
    model.evaluate()
    expected = model(x)
    model.training()
    fast = optimise(model)
    for _ in range(2):
        np.testing.assert_allclose(fast(x).numpy(), expected.numpy(), rtol=1e-4, atol=1e-5)
    shortcuts = 2 * repr(model).count("1x1")
    fused = {"batch normalisation": 4 + shortcuts, "addition": 2, "ReLU": 4}
    assert fast.fused == fused
    assert model.train


def test_takes_models():
    with pytest.raises(UseError, match="optimise takes a model of rekindle; given function"):
        optimise(lambda x: x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([nn.ConvTranspose1d(4, 6, 3, bias=False), nn.BatchNorm1d(6)], (2, 4, 9)),
        (
            [
                nn.ConvTranspose2d(4, 6, 3, stride=2, output_padding=1, padding=1, groups=2),
                nn.BatchNorm2d(6),
                nn.ReLU(),
                nn.ConvTranspose2d(6, 3, 2),
            ],
            (2, 4, 5, 6),
        ),
        (
            [nn.ConvTranspose3d(2, 4, 2, dilation=2), nn.BatchNorm3d(4, affine=False), nn.ReLU()],
            (1, 2, 5, 6, 7),
        ),
        (
            [nn.ConvTranspose2d(100, 16, 4, bias=False), nn.BatchNorm2d(16), nn.ReLU()],
            (2, 100, 1, 1),
        ),
    ],
    ids=["1d", "groups", "3d", "from one pixel"],
)
def test_transposed_convolutions(layers, shape, dtype):
    model = shaken(nn.Sequential(*layers)).to(dtype)
    fast = agrees(model, draw(*shape, dtype=dtype))
    assert fast.fused["batch normalisation"] == 2
    assert not fast.unchanged


def test_a_transposed_convolution_of_legacy_nn():
    conv = legacy_nn.SpatialFullConvolution(4, 6, 4, 4, 2, 2, 1, 1)
    model = legacy_nn.Sequential().add(conv).add(legacy_nn.SpatialBatchNormalization(6))
    model.add(legacy_nn.ReLU(True)).float().evaluate()
    x = draw(2, 4, 5, 5)
    fast = optimise(model)
    expected = model.forward(x).numpy()
    assert np.abs(fast(x).numpy() - expected).max() <= 1e-5 * np.abs(expected).max()
    assert fast.fused == {"batch normalisation": 1, "ReLU": 1}


class Switches(nn.Module):
    """Pools, and puts what is left back where it was."""

    def forward(self, x):
        y, places = F.max_pool2d(x, 2, return_indices=True)
        return F.max_unpool2d(y, places, 2)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (nn.Sequential(nn.Conv2d(4, 8, 3), nn.MaxPool2d(3, 2, 1), nn.ReLU()), (2, 4, 19, 18)),
        (nn.Sequential(nn.MaxPool3d(2), nn.AvgPool3d(2, padding=1)), (2, 4, 9, 8, 9)),
        (nn.Sequential(nn.AvgPool1d(3, ceil_mode=True), nn.AdaptiveAvgPool1d(5)), (2, 30, 60)),
        (nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), (2, 30, 12, 11)),
        (nn.AdaptiveAvgPool2d((4, 3)), (2, 30, 12, 11)),
        (nn.AvgPool2d(3, 2, 1, count_include_pad=False), (2, 30, 12, 11)),
        (Switches(), (2, 6, 20, 30)),
    ],
    ids=lambda v: str(v)[:40],
)
def test_pooling(model, shape):
    agrees(model, draw(*shape), calls=3)
    agrees(model.to(np.float64), draw(*shape, dtype=np.float64))


def test_places_that_are_asked_for_are_found_with_the_values_from_then_on():
    x = draw(2, 6, 20, 30)
    fast, model = optimise(Switches()), nn.MaxPool2d(2, return_indices=True)
    fast(x)
    values_alone = KERNELS["max_pool_values"]
    before = values_alone.calls
    fast(x)
    assert values_alone.calls == before
    values, places = optimise(model)(x)
    assert np.array_equal(places.numpy(), model(x)[1].numpy())
    assert np.array_equal(values.numpy(), model(x)[0].numpy())


def test_places_in_legacy_nn_count_from_1():
    pool = legacy_nn.SpatialMaxPooling(2, 2)
    model = legacy_nn.Sequential().add(pool).add(legacy_nn.SpatialMaxUnpooling(pool))
    x = draw(2, 6, 20, 30)
    model.float().evaluate()
    fast = optimise(model)
    for _ in range(3):
        assert np.array_equal(fast(x).numpy(), model.forward(x).numpy())
