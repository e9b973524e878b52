"""An optimiser of core trains a legacy model: the same steps as torch/optim on flat parameters."""

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn as nn
from rekindle.core import optim
from rekindle.legacy_nn import optim as torch_optim
from rekindle.legacy_nn.torch7 import random


def network() -> nn.Sequential:
    random.manual_seed(3)
    model = nn.Sequential().add(nn.Linear(5, 7)).add(nn.Tanh()).add(nn.BatchNormalization(7))
    return model.add(nn.Linear(7, 2)).add(nn.LogSoftMax())


DRAW = np.random.default_rng(0)
X = rekindle.Tensor(DRAW.standard_normal((8, 5)))
Y = rekindle.Tensor(DRAW.integers(1, 3, 8).astype(np.float64))


def by_torch_optim(name: str, config: dict[str, float], steps: int) -> np.ndarray:
    model, criterion = network(), nn.ClassNLLCriterion()
    flat, grads = model.getParameters()
    state = rekindle.Table(config)

    def feval(_: rekindle.Tensor) -> tuple[float, rekindle.Tensor]:
        grads.zero_()
        loss = criterion.forward(model.forward(X), Y)
        model.backward(X, criterion.backward(model.output, Y))
        return loss, grads

    for _ in range(steps):
        getattr(torch_optim, name)(feval, flat, state)
    return flat.numpy().copy()


@pytest.mark.parametrize("flat", [False, True], ids=["parameters", "getParameters first"])
@pytest.mark.parametrize("set_to_none", [True, False])
def test_sgd_and_adam_take_torch_optims_steps(flat: bool, set_to_none: bool) -> None:
    for cls, options, name, config in [
        ("SGD", {"lr": 0.1, "momentum": 0.9}, "sgd", {"learningRate": 0.1, "momentum": 0.9}),
        ("RMSprop", {"lr": 0.01}, "rmsprop", {"learningRate": 0.01}),
    ]:
        model, criterion = network(), nn.ClassNLLCriterion()
        if flat:
            model.getParameters()
        weights, gradients = model.parameters()
        optimizer = getattr(optim, cls)(weights, **options)
        for _ in range(10):
            optimizer.zero_grad(set_to_none=set_to_none)
            criterion(model(X), Y).backward()
            optimizer.step()
        if cls == "SGD":
            # Torch7's first momentum buffer is the gradient undamped, as core's
            config = {**config, "dampening": 0.0}
        found = np.concatenate([w.numpy().ravel() for w in weights])
        expected = by_torch_optim(name, config, 10)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
        for gradient, field in zip(gradients, model.parameters()[1], strict=True):
            assert gradient is field, "gradWeight is the tensor that it was"


def test_the_gradient_fields_stay_views_of_the_flat_one() -> None:
    model, criterion = network(), nn.ClassNLLCriterion()
    _, flat_gradient = model.getParameters()
    optimizer = optim.SGD(model.parameters()[0], lr=0.1)
    optimizer.zero_grad()
    criterion(model(X), Y).backward()
    expected = np.concatenate([g.numpy().ravel() for g in model.parameters()[1]])
    assert np.abs(expected).max() > 0
    np.testing.assert_array_equal(flat_gradient.numpy(), expected)
