"""Under no_grad nothing is kept for backward, and what is not needed any more is freed."""

import gc
import tracemalloc

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn as nn
from rekindle.core.backend.pool import POOL
from rekindle.core.tensor import Tensor

DEPTH, ROWS, WIDTH = 24, 500, 128
ONE = ROWS * WIDTH * 8
"""Bytes of one layer's output."""


def chain():
    model = nn.Sequential()
    for _ in range(DEPTH // 2):
        model.add(nn.Linear(WIDTH, WIDTH)).add(nn.Tanh())
    return model


def graph():
    start = node = nn.Identity()()
    for _ in range(DEPTH // 2):
        node = nn.Tanh()(nn.Linear(WIDTH, WIDTH)(node))
    return nn.gModule([start], [node])


def residual():
    model = nn.Sequential()
    for _ in range(DEPTH // 3):
        both = nn.ConcatTable().add(nn.Linear(WIDTH, WIDTH)).add(nn.Identity())
        model.add(both).add(nn.CAddTable()).add(nn.Tanh())
    return model


def peak(run):
    """Return the bytes that running took at most beyond what was there."""
    tracemalloc.start()
    try:
        run()  # what it leaves, the next run may free
        gc.collect()
        POOL.release()  # of memory that was there before nothing would be traced
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        result = run()
        return tracemalloc.get_traced_memory()[1] - before, result
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("build", [chain, graph, residual])
def test_a_deep_network_takes_the_memory_of_a_few_layers(build):
    model = build()
    x = Tensor(np.ones((ROWS, WIDTH)))
    recorded, y = peak(lambda: model(x))
    assert y.requires_grad
    assert recorded > DEPTH / 3 * ONE  # Tanh keeps its output for backward
    with rekindle.no_grad():
        free, y = peak(lambda: model(x))
    assert not y.requires_grad
    assert y.grad_fn is None
    assert free < 5 * ONE


def test_torchs_protocol_keeps_outputs_and_no_graph():
    model = chain()
    x = Tensor(np.ones((ROWS, WIDTH)))
    output = model.forward(x)
    assert output.grad_fn is None
    again, y = peak(lambda: model.forward(x))
    assert y is output
    assert again < 4 * ONE  # the outputs are there already
