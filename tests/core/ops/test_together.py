"""Gradients of all operands at once are those of the rules."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.autograd import grad
from rekindle.core.creation import tensor
from rekindle.core.ops.namespaces import OPERATIONS


@pytest.fixture
def operands():
    rng = np.random.default_rng(0)
    return [tensor(rng.normal(size=s)).requires_grad_() for s in ((4, 3, 2, 5), (3,), (3,))]


def differences(monkeypatch, operands, loss):
    found = grad(loss(), operands)
    monkeypatch.setattr(OPERATIONS["batch_norm_training"], "_together", None)
    pairs = zip(found, grad(loss(), operands), strict=True)
    return [np.abs(a.numpy() - b.numpy()).max() for a, b in pairs]


@pytest.mark.parametrize("affine", [1, 2, 3])
def test_batch_norm(monkeypatch, operands, affine):
    calls = []
    rule = OPERATIONS["batch_norm_training"]._together
    monkeypatch.setattr(rule, "function", lambda *a, f=rule.function: calls.append(1) or f(*a))
    operands = operands[:affine]

    def loss():
        return ops.batch_norm_training(*operands, eps=1e-3)[0].square().tanh().sum()

    assert max(differences(monkeypatch, operands, loss)) < 1e-12
    assert calls == [1]


def test_moments_that_are_used_are_left_to_the_rules(monkeypatch, operands):
    def loss():
        y, mean, variance = ops.batch_norm_training(*operands, eps=1e-3)
        return y.tanh().sum() + mean.exp().sum() * variance.sum()

    assert max(differences(monkeypatch, operands, loss)) == 0


def test_parameters_alone(monkeypatch, operands):
    x, w, b = operands
    frozen = x.detach()

    def loss():
        return ops.batch_norm_training(frozen, w, b)[0].tanh().sum()

    assert max(differences(monkeypatch, [w, b], loss)) == 0
