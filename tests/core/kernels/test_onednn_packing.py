"""Filters that are kept in oneDNN's order, and when they are not."""

import gc

import numpy as np
import pytest

from rekindle.core import nn, ops, optim
from rekindle.core.autograd.reverse import grad
from rekindle.core.creation import tensor
from rekindle.core.kernels import using
from rekindle.core.kernels.onednn import convolution as fast
from rekindle.core.kernels.onednn import packing
from rekindle.core.tensor import Parameter, Tensor


@pytest.fixture(autouse=True)
def packed(monkeypatch, onednn):
    """Count how often filters are brought into order."""
    calls = []
    pack = fast._Filters._packed

    def counted(self, w):
        calls.append(w.shape)
        return pack(self, w)

    monkeypatch.setattr(fast._Filters, "_packed", counted)
    monkeypatch.setattr(packing, "_ENTRIES", {})
    monkeypatch.setattr(packing, "_CELLS", {})
    return calls


@pytest.fixture
def layer(rng):
    x = tensor(rng.normal(size=(2, 16, 9, 9)).astype(np.float32))
    return x, Parameter(tensor(rng.normal(size=(16, 16, 3, 3)).astype(np.float32)))


def right(x, w, y):
    with using("reference"):
        expected = ops.convolution(x, w).numpy()
    return np.abs(y.numpy() - expected).max() <= 1e-5 * np.abs(expected).max()


def test_filters_that_stay_the_same_are_packed_twice_at_most(layer, packed):
    results = [ops.convolution(*layer) for _ in range(5)]
    assert len(packed) == 2
    assert all(right(*layer, y) for y in results)


def test_a_view_of_the_same_filters_is_known(layer, packed):
    x, w = layer
    for _ in range(5):
        ops.convolution(x, ops.reshape(w.detach(), (16, -1, 3, 3)))
    assert len(packed) == 2


@pytest.mark.parametrize("write", ["counted", "whole", "other memory"])
def test_written_filters_are_packed_again(layer, packed, write):
    x, w = layer
    for _ in range(3):
        ops.convolution(x, w)
    if write == "counted":
        w.detach()[5, 4, 1, 2] = 100.0
    elif write == "whole":
        w.numpy()[...] *= 2
    else:
        w.set_(tensor(w.numpy() * 3))
    assert right(*layer, ops.convolution(*layer))
    assert len(packed) == 3


@pytest.mark.parametrize(
    "give", ["numpy", "array", "dlpack", "share", "made"], ids=lambda name: f"given by {name}"
)
def test_one_element_that_others_write_is_seen(layer, packed, give):
    x, w = layer
    memory = np.array(w.numpy())
    w = Parameter(Tensor(memory)) if give == "made" else Parameter(tensor(memory))
    for _ in range(3):
        ops.convolution(x, w)
    if give == "share":
        w.detach().share_memory_()
        memory = w.detach().array
    elif give != "made":
        ways = {"numpy": w.detach().numpy, "array": lambda: np.asarray(w.detach())}
        memory = (ways | {"dlpack": lambda: np.from_dlpack(w.detach())})[give]()
    for place in (5, 4, 1, 2), (3, 2, 0, 1):
        memory[place] += 50.0
        assert right(x, w, ops.convolution(x, w))
        assert right(x, w, ops.convolution(x, w))


def test_training_keeps_nothing(layer, packed):
    x, w = layer
    for _ in range(3):
        ops.convolution(x, w).sum().backward()
        w.detach().sub_(w.grad * 0.01)
    assert all(entry.packed is None for entry in packing._ENTRIES.values())


def test_what_is_kept_goes_with_the_filters(rng, packed):
    x = tensor(rng.normal(size=(2, 16, 9, 9)).astype(np.float32))
    w = tensor(rng.normal(size=(16, 16, 3, 3)).astype(np.float32))
    for _ in range(3):
        ops.convolution(x, w)
    assert len(packing._ENTRIES) == 1
    del w
    gc.collect()
    assert packing._ENTRIES == {}
    assert packing._CELLS == {}


def test_sizes_of_images_share_what_is_kept(rng, packed):
    w = tensor(rng.normal(size=(16, 16, 3, 3)).astype(np.float32))
    for size in (9, 9, 10, 11):
        ops.convolution(tensor(rng.normal(size=(1, 16, size, size)).astype(np.float32)), w)
    assert len(packed) == 2


def test_gradients_by_images_use_what_is_kept(layer, packed):
    x, w = layer
    x.requires_grad_()
    found = []
    for _ in range(5):
        (g,) = grad([ops.convolution(x, w).sum()], [x])
        found.append(g.numpy().copy())
    assert len(packed) == 4
    with using("reference"):
        (expected,) = grad([ops.convolution(x, w).sum()], [x])
    for g in found:
        assert np.abs(g - expected.numpy()).max() <= 1e-5 * np.abs(expected.numpy()).max()


def test_parameters_of_modules_are_kept(rng, packed):
    model = nn.Conv2d(16, 16, 3)
    x = tensor(rng.normal(size=(2, 16, 9, 9)).astype(np.float32))
    for _ in range(5):
        model(x)
    assert len(packed) == 2


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "LBFGS"])
def test_steps_of_optimizers_count_as_writes(layer, packed, name):
    x, w = layer
    optimizer = getattr(optim, name)([w], lr=0.1)

    def loss():
        optimizer.zero_grad()
        value = ops.convolution(x, w).square().mean()
        value.backward()
        return value

    for _ in range(3):
        ops.convolution(x, w)
        optimizer.step(loss)
        copied = ops.convolution(x, w.detach() * 1.0)
        assert np.array_equal(ops.convolution(x, w.detach()).numpy(), copied.numpy())


def test_filters_in_memory_that_is_lent_again(rng, packed):
    # Each product below is likely to lie where the one before did.
    x = tensor(rng.normal(size=(1, 64, 6, 6)).astype(np.float32))
    base = tensor(rng.normal(size=(64, 64, 3, 3)).astype(np.float32))
    for k in range(1, 6):
        w = ops.relu(base * float(k))
        assert right(x, w, ops.convolution(x, w))
        assert right(x, w, ops.convolution(x, w))
        del w


def test_other_memory_at_the_same_place_is_not_taken_for_what_was_there(rng):
    memory = bytearray(4 * 16 * 16 * 9)  # two arrays of it know nothing of each other

    def filters():
        return np.frombuffer(memory, np.float32).reshape(16, 16, 3, 3)

    before, cell = filters(), {}
    before[...] = 1
    for _ in range(3):
        packing.kept(before, cell, 0, np.copy)
    after = filters()
    after[...] = 2
    assert (packing.kept(after, None, 0, np.copy) == 2).all()
    assert (packing.kept(after, {}, 0, np.copy) == 2).all()
