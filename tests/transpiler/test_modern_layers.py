"""Layers of core that stand where Torch's stood: what they compute, draw and are made of."""

from __future__ import annotations

import numpy as np
import pytest
from modern_running import HEAD, agree, printed, translate

from rekindle import nn
from rekindle.core.autograd import checkpoint
from rekindle.core.creation import ones, tensor
from rekindle.core.generators import Generator, using
from rekindle.legacy_nn.torch7 import random
from rekindle.transpiler.runtime import torch
from rekindle.transpiler.runtime.as_torch import MAKERS, as_torch
from rekindle.transpiler.runtime.modern import share_generator


@pytest.fixture(autouse=True)
def double_again():
    yield
    torch.setdefaulttensortype("torch.DoubleTensor")


LAYERS = [
    (nn.Linear(3, 4), (2, 3)),
    (nn.Linear(3, 4, bias=False), (2, 3)),
    (nn.Conv2d(2, 4, (3, 2), stride=(1, 2), padding=(0, 1)), (2, 2, 6, 7)),
    (nn.Conv2d(2, 4, 3, groups=2, bias=False), (2, 2, 6, 7)),
    (nn.Conv2d(2, 4, 3, dilation=2), (2, 2, 6, 7)),
    (
        nn.ConvTranspose2d(2, 3, (3, 4), stride=2, padding=1, output_padding=(0, 1)),
        (2, 2, 4, 5),
    ),
    (nn.Conv3d(2, 3, (1, 2, 3), stride=(1, 1, 2)), (1, 2, 4, 4, 5)),
    (nn.MaxPool2d((2, 3), ceil_mode=True), (1, 2, 5, 7)),
    (nn.AvgPool2d(2, stride=1), (1, 2, 5, 7)),
    (nn.AdaptiveAvgPool2d((2, 3)), (1, 2, 5, 7)),
    (nn.AdaptiveMaxPool2d((2, 3)), (1, 2, 5, 7)),
    (nn.BatchNorm1d(3), (4, 3)),
    (nn.BatchNorm2d(3, eps=1e-3), (4, 3, 2, 2)),
    (nn.BatchNorm3d(3), (4, 3, 2, 2, 2)),
    (nn.LocalResponseNorm(3, alpha=0.1, beta=0.5, k=2), (1, 4, 2, 2)),
    (nn.LogSoftmax(-1), (2, 3)),
    (nn.LogSoftmax(-3), (2, 3, 2, 2)),
    (nn.Softmax(-3), (2, 3, 2, 2)),
    (nn.Flatten(-3), (2, 3, 2, 2)),
    (nn.Unflatten(-1, (3, 2, 2)), (2, 12)),
    (nn.Upsample(scale_factor=2), (1, 2, 3, 3)),
    (nn.PixelShuffle(2), (1, 4, 3, 3)),
    (nn.ZeroPad2d((1, 2, 0, 1)), (1, 2, 3, 3)),
    (nn.ReflectionPad2d(1), (1, 2, 3, 3)),
    (nn.ReplicationPad2d((1, 2, 0, 1)), (1, 2, 3, 3)),
    (nn.PReLU(), (2, 3)),
    (nn.PReLU(3), (2, 3)),
    (nn.Threshold(0.1, 0.2), (2, 3)),
    (nn.LeakyReLU(0.3), (2, 3)),
    (nn.ELU(0.7), (2, 3)),
    (nn.Hardtanh(-0.2, 0.4), (2, 3)),
    (nn.Softplus(2.0), (2, 3)),
    (nn.Hardshrink(0.2), (2, 3)),
    (nn.Softshrink(0.2), (2, 3)),
    *((getattr(nn, n)(), (2, 3)) for n in ("Tanh", "Sigmoid", "LogSigmoid", "ReLU", "ReLU6")),
    *((getattr(nn, n)(), (2, 3)) for n in ("Softsign", "Tanhshrink", "Identity")),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda v: str(v)[:30])
def test_layers_as_torch_compute_what_core_computes(layer, shape):
    numbers = np.sin(np.arange(np.prod(shape)) * 1.7).reshape(shape)
    x = tensor(numbers, dtype="float64")
    layer.double()
    state = random.default.get_state()
    found = as_torch(layer)
    assert (random.default.get_state() == state).all()
    assert type(found).__name__ != "CoreModule"
    assert as_torch(layer) is found
    expected = layer(x)
    np.testing.assert_allclose(found.forward(x).numpy(), expected.detach().numpy(), rtol=1e-12)
    if list(layer.parameters()):
        expected.sum().backward()
    assert all(p is q for p, q in zip(layer.parameters(), found.parameters()[0], strict=True))
    assert all(p.grad is g for p, g in zip(*found.parameters(), strict=True))


def test_all_layers_that_become_torchs_are_tested():
    tested = {type(layer).__name__ for layer, _ in LAYERS}
    losses = {name for name in MAKERS if name.endswith("Loss")}
    assert MAKERS.keys() - tested == {"Embedding", "Dropout", "View", "Reshape", *losses}


def test_dropout_that_draws_from_torch_drops_the_same():
    source = HEAD + (
        "torch.manualSeed(3)\nlocal net = nn.Sequential():add(nn.Linear(4, 50)):add(nn.Dropout())\n"
        "show(net:forward(P(2, 4)))\nshow(torch.uniform())\n"
    )
    modern, faithful = translate(source, "modern"), translate(source, "faithful")
    assert "share_generator()" in modern.python
    agree(printed(modern), printed(faithful), 1e-6)


def test_the_state_of_torchs_generator_is_that_of_cores():
    with using(Generator()) as generator:
        share_generator()
        state = generator.get_state()
        drawn = random.default.uniform(3).tolist()
        generator.set_state(state)
        assert random.default.uniform(3).tolist() == drawn
        x = ones((4, 5)).requires_grad_()
        checkpoint(nn.functional.dropout, x).sum().backward()
        assert set(x.grad.numpy().ravel().tolist()) <= {0.0, 2.0}


def test_spatial_dropout_stays_torchs():
    """Torch scales when it evaluates, not when it trains."""
    source = "local net = nn.Sequential():add(nn.SpatialDropout(0.2)):add(nn.ReLU())\n"
    assert "legacy_nn.SpatialDropout(0.2)" in translate(source, "modern").python


def test_sizes_that_are_computed_by_division_are_whole():
    source = (
        "torch.setdefaulttensortype('torch.FloatTensor')\n"
        "local n = 8\nlocal half = n / 2\nlocal net = nn.Sequential():add(nn.Linear(half, n / 4))"
        ":add(nn.Linear(2, 1))\nprint(net:forward(torch.ones(3, 4)):size(2))\n"
    )
    found = translate(source, "modern")
    assert "nn.Linear(int(half), int(n / 4))" in found.python
    assert printed(found) == "1\n"


def test_sizes_that_a_tensor_holds_are_whole():
    source = (
        "local sizes = torch.Tensor{3, 2}\nlocal net = nn.Sequential():add(nn.Linear(3, sizes[2]))"
        ":add(nn.Linear(2, 1))\nprint(net:forward(torch.ones(3, 3)):size(2))\n"
    )
    found = translate(source, "modern")
    assert "nn.Linear(3, int(tensor.part(sizes, 2)))" in found.python
    assert printed(found) == "1\n"
