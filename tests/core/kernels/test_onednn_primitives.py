"""Primitives that are called amid a call of the same, as signal handlers and finalisers do."""

import numpy as np
import pytest

from rekindle.core.kernels import convolution
from rekindle.core.kernels.onednn import library as onednn_library
from rekindle.core.kernels.onednn import memory, primitives
from rekindle.core.kernels.threads import get_num_threads, set_num_threads

PARAMS = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}


@pytest.fixture
def call(onednn, rng):
    w = rng.normal(size=(5, 3, 3, 3)).astype(np.float32)

    def call(x):
        return convolution.convolution(np, x, w, **PARAMS)

    return call


@pytest.fixture
def images(rng):
    return [rng.normal(size=(1, 3, 7, 5)).astype(np.float32) for _ in range(2)]


@pytest.mark.parametrize("amid", range(5))
def test_another_call_in_between(call, images, monkeypatch, amid):
    x, other = images
    expected = [call(a) for a in (x, other)]
    lib = onednn_library.library()
    original, found, calls = lib.set_handle, [], []

    def set_handle(memory, place):
        original(memory, place)
        calls.append(place)
        if len(calls) == amid + 1:
            found.append(call(other))

    monkeypatch.setattr(lib, "set_handle", set_handle)
    x = x.copy()
    assert np.array_equal(call(x), expected[0])
    assert np.array_equal(call(x), expected[0])
    for result in found:
        assert np.array_equal(result, expected[1])


def test_an_interrupt_in_between(onednn, rng, monkeypatch):
    lib = onednn_library.library()
    order = memory.described((3, 4), (4, 1)).handle
    copy = primitives.reorder(order, order)
    a, b, x, y = (rng.normal(size=(3, 4)).astype(np.float32) for _ in range(4))
    copy(memory.address(a), memory.address(b))
    original = lib.set_handle

    def interrupted(number, place):
        original(number, place)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(lib, "set_handle", interrupted)
        with pytest.raises(KeyboardInterrupt):
            copy(memory.address(x), memory.address(y))
    b[...] = 0
    copy(memory.address(a), memory.address(b))
    assert np.array_equal(b, a)


def test_another_number_of_threads_takes_other_primitives(onednn):
    made = []

    def prepare():
        return primitives.prepared(("test",), lambda: made.append(1) or object())

    before = get_num_threads()
    try:
        set_num_threads(1)
        first = prepare()
        assert prepare() is first
        set_num_threads(2)
        second = prepare()
        assert second is not first
        assert prepare() is second
    finally:
        set_num_threads(before)
    assert len(made) == 2
