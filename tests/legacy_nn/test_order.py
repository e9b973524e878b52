"""What Torch-like code can look at is contiguous where it is in Torch7."""

import numpy as np
import pytest

from rekindle import legacy_nn as nn
from rekindle.core.autograd import no_grad
from rekindle.core.creation import tensor
from rekindle.legacy_nn.nngraph import gModule


def convolutional():
    model = nn.Sequential().add(nn.SpatialConvolution(3, 16, 3, 3))
    model.add(nn.SpatialBatchNormalization(16)).add(nn.ReLU(True))
    return model.add(nn.SpatialMaxPooling(2, 2)).float()


@pytest.fixture
def images():
    return tensor(np.random.default_rng(0).normal(size=(2, 3, 20, 20)).astype(np.float32))


@pytest.mark.parametrize("mode", ["training", "evaluate"])
def test_fields_are_contiguous(images, mode):
    model = convolutional()
    getattr(model, mode)()
    for _ in range(3):
        output = model.forward(images)
        if mode == "training":
            model.backward(images, output.clone())
        modules = model.modules.array()
        assert all(m.output.is_contiguous() for m in modules)
        assert all(m.gradInput.is_contiguous() for m in modules)
        assert modules[-1].indices.is_contiguous()
        assert output.storage().size == output.size


@pytest.mark.parametrize("recorded", [False, True])
def test_results_of_calls_are_contiguous(images, recorded):
    model = convolutional()
    with no_grad():
        expected = model.forward(images)
    if recorded:
        found = model(images)
        found.sum().backward()
        assert model.get(1).weight.grad is not None
    else:
        with no_grad():
            found = model(images)
    assert found.is_contiguous()
    assert np.allclose(found.detach().numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)


def test_tables_and_graphs(images):
    both = nn.ConcatTable().add(nn.SpatialConvolution(3, 8, 3, 3)).add(nn.Identity()).float()
    first, second = both(images).array()
    assert first.is_contiguous()
    assert second is images
    entry = nn.Identity()()
    graph = gModule([entry], [nn.SpatialConvolution(3, 8, 3, 3).float()(entry)])
    assert graph.float()(images).is_contiguous()


def test_views_stay_views(images):
    turned = nn.Transpose([2, 3]).float()(images)
    assert not turned.is_contiguous()
    assert np.shares_memory(turned.numpy(), images.numpy())
