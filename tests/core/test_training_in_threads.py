"""Threads that train models of their own get the gradients that each gets alone."""

import sys
import threading

import numpy as np
import pytest

from rekindle import manual_seed, nn, no_grad, tensor


class Chains(nn.Module):
    """A layer, and layer normalisation and an activation of elementary operations."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(128, 512)

    def forward(self, x):
        x = self.layer(x)
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / ((x * x).mean(axis=-1, keepdims=True) + 1e-5).sqrt()
        return x * 0.5 * ((x * 0.79 + x * x * x * 0.035).tanh() + 1.0)


def convolutions():
    return nn.Sequential(
        nn.Conv2d(16, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.Tanh(),
        nn.Conv2d(32, 32, 3, padding=1),
        nn.Tanh(),
        nn.ConvTranspose2d(32, 3, 4, stride=2, padding=1),
    )


MODELS = [(convolutions, (2, 16, 24, 24)), (Chains, (260, 128))]


def trained(make, shape, seed):
    """Return the parameters' gradients in two steps."""
    manual_seed(seed)
    model, gradients = make(), []
    x = tensor(np.random.default_rng(seed).normal(size=shape).astype(np.float32))
    yield None  # the generator that parameters are drawn from is one for all threads
    for _ in range(2):
        (model(x) ** 2).mean().backward()
        with no_grad():
            for p in model.parameters():
                gradients.append(p.grad.numpy().copy())
                p -= p.grad * 0.1
                p.grad = None
    yield gradients


@pytest.fixture
def hasty():
    """Let Python go from thread to thread as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty")
def test_gradients_of_threads_are_those_of_each_alone():
    alone = {}
    for seed in range(2):
        for make, shape in MODELS:
            _, alone[make, seed] = trained(make, shape, seed)
    jobs = [
        (make, seed, trained(make, shape, seed))
        for make, shape in MODELS
        for seed in (0, 1)
        for _ in range(2)
    ]
    for _, _, job in jobs:
        next(job)
    found = []

    def work(make, seed, job):
        found.append((alone[make, seed], next(job)))

    threads = [threading.Thread(target=work, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(jobs)
    for expected, gradients in found:
        largest = max(np.abs(g).max() for g in expected)
        for a, b in zip(gradients, expected, strict=True):
            assert np.abs(a - b).max() <= 1e-5 * largest
