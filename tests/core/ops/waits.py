"""Tensors whose operations wait, for the tests of what does."""

from contextlib import contextmanager

import numpy as np

from rekindle import tensor
from rekindle.core.kernels import dispatch
from rekindle.core.kernels.chains import Chain
from rekindle.core.ops import waiting

R, C = 128, 1030


@contextmanager
def results_wait(monkeypatch):
    """Without numba, or by the references, results do not wait; here they do."""
    if dispatch.missing("fused") is not None:
        monkeypatch.setattr(waiting, "available", lambda name: dispatch.fast_wanted())
    with dispatch.using("fast"):
        yield


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def leaf(seed=0):
    return tensor(draw(R, C, seed=seed), requires_grad=True)


def waits(x):
    return x._array is None and type(x._described) is Chain and x._chain.step >= 0


def close(found, exact, tolerance=2e-5):
    assert found.shape == exact.shape
    assert np.abs(found - exact).max() <= tolerance * max(np.abs(exact).max(), 1e-3)
